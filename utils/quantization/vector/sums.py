"""Sums of codewords: computing them, the best codebooks for given codes, and searches for codes."""

import numpy as np
import torch
from scipy.linalg import cho_factor, cho_solve

from utils.quantization.vector.kmeans import nearest, one_hot


def sum_of_codewords(codebooks: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(n, d) sums of the codewords that `codes` (n, M) choose from `codebooks` (M, K, d)."""
    n_books, n_codes, d = codebooks.shape
    return _sum_rows(codebooks.reshape(-1, d), _flat(codes, n_codes))


def _flat(codes: np.ndarray, n_codes: int) -> np.ndarray:
    """Codes (n, M) as rows of the M codebooks written below one another."""
    return codes.astype(np.int32) + n_codes * np.arange(codes.shape[1], dtype=np.int32)


def _sum_rows(table: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """For each row of `rows` (n, M), the sum of those rows of `table`."""
    bags, table = torch.from_numpy(np.ascontiguousarray(rows)), torch.from_numpy(table)
    return torch.nn.functional.embedding_bag(bags, table, mode="sum").numpy()


def least_squares_codebooks(X: np.ndarray, codes: np.ndarray, n_codes: int) -> np.ndarray:
    """The codebooks (M, K, d) with the least squared error for given codes (n, M).

    With the codes as a sparse one-hot matrix B this is min ||X - B C||^2 (Babenko and Lempitsky,
    CVPR 2014). B has dependent columns (each codebook's add up to one), so a trace of ridge
    chooses the smallest solution.
    """
    B = one_hot(codes, n_codes)
    gram = (B.T @ B).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += 1e-4
    factor = cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    solution = cho_solve(factor, (B.T @ X).astype(np.float64), check_finite=False)
    return solution.astype(np.float32, order="C").reshape(codes.shape[1], n_codes, -1)


def greedy_codes(X: np.ndarray, codebooks: np.ndarray) -> np.ndarray:
    """Codes (n, M) found one codebook after another, each for what the others left over."""
    residual, codes = X.copy(), np.empty((len(X), len(codebooks)), np.intp)
    for m, codebook in enumerate(codebooks):
        codes[:, m] = nearest(residual, codebook)
        residual -= codebook[codes[:, m]]
    return codes


def coordinate_descent(
    X: np.ndarray, codebooks: np.ndarray, codes: np.ndarray, *, rounds: int, sweeps: int, rng
) -> np.ndarray:
    """Better codes (n, M) for `X` (n, d), by iterated local search.

    The squared error of a choice of codewords is, up to ||x||^2, a sum of
    - unary terms ||c||^2 - 2 x.c, one for each chosen codeword, and
    - pairwise terms 2 c.c', one for each two of them (Martinez et al., ECCV 2016).
    With all codes but one fixed, the error of each of its values is a sum of M table rows, and the
    best value is taken: iterated conditional modes. A round perturbs half of the codes (at most
    four), sweeps over all codebooks in random order, and is kept only for vectors it improved.
    A round perturbs all vectors alike, so that no vector's codes depend on its neighbours.
    """
    n_books, n_codes, d = codebooks.shape
    words = codebooks.reshape(-1, d)
    pairs = (2 * words @ words.T).reshape(-1, n_books, n_codes)
    tables = [np.ascontiguousarray(pairs[:, m]) for m in range(n_books)]
    for m, table in enumerate(tables):  # a codeword's own row carries the ||c||^2 of its rivals
        table[m * n_codes : (m + 1) * n_codes] = np.square(codebooks[m]).sum(axis=1)
    first = n_codes * np.arange(n_books, dtype=np.int32)

    perturbed = max(1, min(4, n_books // 2))
    plan = [
        (
            rng.choice(n_books, perturbed, replace=False),
            rng.randint(n_codes, size=perturbed),
            [m for _ in range(sweeps) for m in rng.permutation(n_books)],
        )
        for _ in range(rounds)
    ]
    better_codes = np.empty_like(codes)
    block = max(64, (1 << 21) // len(words))
    products = np.empty((block, len(words)), np.float32)
    for start in range(0, len(X), block):
        x = X[start : start + block]
        unary = np.matmul(-2 * x, words.T, out=products[: len(x)])
        unary = unary.reshape(len(x), n_books, n_codes)
        best = _flat(codes[start : start + block], n_codes)
        least = np.square(x - _sum_rows(words, best)).sum(axis=1)
        for books, values, order in plan:
            trial = best.copy()
            trial[:, books] = first[books] + values
            for m in order:
                energy = _sum_rows(tables[m], trial)
                energy += unary[:, m]
                trial[:, m] = first[m] + energy.argmin(axis=1)
            cost = np.square(x - _sum_rows(words, trial)).sum(axis=1)
            improved = cost < least
            best[improved], least[improved] = trial[improved], cost[improved]
        better_codes[start : start + block] = best - first
    return better_codes


def beam_search(X: np.ndarray, codebooks: np.ndarray, beam_width: int) -> np.ndarray:
    """Codes (n, M) of `X` (n, d): sums grown by one codeword at a time, keeping the best few.

    Babenko and Lempitsky, CVPR 2014. The codebooks have no order: every partial sum
    is extended by every codeword of every codebook that it does not use yet. The same sum is
    reached in several orders and must be kept only once.
    """
    n_books, n_codes, d = codebooks.shape
    words = codebooks.reshape(-1, d)
    norms = np.square(words).sum(axis=1)
    pairs = 2 * words @ words.T
    for m in range(n_books):  # a codebook is used once
        own = slice(m * n_codes, (m + 1) * n_codes)
        pairs[own, own] = np.inf
    name = np.random.RandomState(0).randint(2**62, size=len(words))  # of a sum: the names' sum

    codes = np.empty((len(X), n_books), np.intp)
    block = max(1, (1 << 20) // (len(words) * beam_width))
    for start in range(0, len(X), block):
        x = X[start : start + block]
        rows = np.arange(len(x))[:, None]
        chosen = np.empty((len(x), 1, 0), np.intp)  # codewords of each partial sum
        names = np.zeros((len(x), 1), np.int64)
        cost = np.zeros((len(x), 1), np.float32)  # its squared error, less ||x||^2
        extra = (norms - 2 * x @ words.T)[:, None, :]  # what each further codeword would add
        for _ in range(n_books):
            total = torch.from_numpy((cost[:, :, None] + extra).reshape(len(x), -1))
            k = min(2 * beam_width, total.shape[1])
            costs, picked = (a.numpy() for a in total.topk(k, largest=False))
            parent, word = np.divmod(picked, len(words))
            candidates = names[rows, parent] + name[word]
            order = np.argsort(candidates, axis=1, kind="stable")
            ranked = np.take_along_axis(candidates, order, axis=1)
            repeated = np.zeros(ranked.shape, bool)
            np.put_along_axis(repeated, order[:, 1:], ranked[:, 1:] == ranked[:, :-1], axis=1)
            keep = np.argsort(repeated, axis=1, kind="stable")[:, :beam_width]
            parent, word, names = parent[rows, keep], word[rows, keep], candidates[rows, keep]
            cost = costs[rows, keep]
            chosen = np.concatenate([chosen[rows, parent], word[:, :, None]], axis=2)
            extra = extra[rows, parent] + pairs[word]
        best = np.sort(chosen[:, 0], axis=1)
        codes[start : start + block] = best - n_codes * np.arange(n_books)
    return codes
