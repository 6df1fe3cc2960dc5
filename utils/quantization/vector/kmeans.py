"""k-means, on which all quantizers of vectors are built."""

import numpy as np
from scipy.sparse import csr_array

from utils.quantization.scalar.kmeans import shared_values

MOST_EXACT = 1 << 12  # codewords of one number; for more the exact way takes too much memory


def nearest(X: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    """Index of the codeword nearest to each row of `X` (n, d), as (n,) integers.

    ||x - c||^2 = ||x||^2 - 2 (x.c - ||c||^2 / 2), so the nearest codeword has the largest bracket.
    A column of ones beside x and a row of -||c||^2 / 2 below the codewords let one matrix product
    give it. Blocks of rows keep the products in the processor's cache.

    In float32 the brackets are rounded by about 1e-7 of the largest squared distance from the mean
    codeword, so among codewords that close in squared distance any may be taken.
    """
    shift = codebook.mean(axis=0)  # distances do not change; rounding errors become smaller
    codebook = codebook - shift
    weights = np.vstack([codebook.T, -0.5 * np.square(codebook).sum(axis=1)])
    block = max(64, (1 << 18) // len(codebook))
    x = np.ones((block, len(weights)), np.float32)
    scores = np.empty((block, len(codebook)), np.float32)
    codes = np.empty(len(X), np.intp)
    for start in range(0, len(X), block):
        rows = X[start : start + block]
        n = len(rows)
        np.subtract(rows, shift, out=x[:n, :-1])
        np.matmul(x[:n], weights, out=scores[:n])
        scores[:n].argmax(axis=1, out=codes[start : start + n])
    return codes


def one_hot(codes: np.ndarray, n_codes: int) -> csr_array:
    """Sparse (n, M * n_codes) matrix: a one at column m * n_codes + codes[:, m] for every m."""
    codes = codes.reshape(len(codes), -1)
    n, n_books = codes.shape
    columns = codes.astype(np.int32) + n_codes * np.arange(n_books, dtype=np.int32)
    row_starts = np.arange(0, n * n_books + 1, n_books)
    ones = np.ones(columns.size, np.float32)
    return csr_array((ones, columns.ravel(), row_starts), shape=(n, n_books * n_codes))


def lloyd_step(X: np.ndarray, codebook: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Every codeword moves to the mean of its vectors; one without vectors to a badly served one.

    Lloyd, IEEE Trans. Information Theory 28(2), 1982.
    """
    counts = np.bincount(codes, minlength=len(codebook))
    moved = (one_hot(codes, len(codebook)).T @ X) / np.maximum(counts, 1)[:, None]
    empty = np.flatnonzero(counts == 0)
    if len(empty):
        errors = np.square(X - codebook[codes]).sum(axis=1)
        moved[empty] = X[np.argsort(errors)[-len(empty) :]]
    return moved.astype(np.float32)


def distinct_rows(X: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Indices of the rows of `X` (n, d) float32 without repetitions."""
    # Equal rows have equal hashes, for integers wrap around without rounding.
    bits = (X + np.float32(0)).view(np.uint32)  # adding zero turns -0.0 into 0.0
    hashes = (bits * rng.randint(1, 2**62, X.shape[1], dtype=np.uint64)).sum(axis=1)
    return np.unique(hashes, return_index=True)[1]


def spread_rows(X: np.ndarray, n_codes: int, rng: np.random.RandomState) -> np.ndarray:
    """Indices of `n_codes` rows of `X` (n, d), each drawn in proportion to its squared distance from
    those drawn before.

    Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007, section 2.
    """
    X = X.astype(np.float64)
    drawn = [rng.randint(len(X))]
    distances = np.square(X - X[drawn[0]]).sum(axis=1)
    while len(drawn) < n_codes:
        reached = np.cumsum(distances)
        drawn.append(np.searchsorted(reached, rng.uniform(0, reached[-1]), side="right"))
        np.minimum(distances, np.square(X - X[drawn[-1]]).sum(axis=1), out=distances)
    return np.array(drawn)


def kmeans(
    X: np.ndarray,
    n_codes: int,
    n_iter: int,
    rng: np.random.RandomState,
    *,
    spread: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Codebook (n_codes, d) float32 and codes (n,) of the rows of `X` (n, d).

    Starts from distinct rows drawn at random, or from `spread_rows`. If there are no more than
    n_codes distinct rows, they are the codebook, repeated until it is full: the error is zero.
    Rows of a single number need no start and no iterations: see `shared_values`.
    """
    if X.shape[1] == 1 and n_codes <= MOST_EXACT:
        codebook = np.resize(shared_values(X, n_codes), (n_codes, 1))
        return codebook, nearest(X, codebook)
    distinct = distinct_rows(X, rng)
    if len(distinct) <= n_codes:
        codebook = X[np.resize(distinct, n_codes)]
        return codebook, nearest(X, codebook)
    if spread:
        codebook = X[distinct[spread_rows(X[distinct], n_codes, rng)]]
    else:
        codebook = X[rng.choice(distinct, n_codes, replace=False)]
    codes = nearest(X, codebook)
    for _ in range(n_iter):
        codebook = lloyd_step(X, codebook, codes)
        before, codes = codes, nearest(X, codebook)
        if np.array_equal(before, codes):
            break
    return codebook, codes
