"""Quantizers that store whole vectors as indices: k-means, product and additive quantization."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from utils.quantization.base import (
    Quantizer,
    as_kind_of,
    check_option,
    check_range,
    code_dtype,
    to_numpy,
)

# k-means, on which everything below is built.


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


def kmeans(
    X: np.ndarray, n_codes: int, n_iter: int, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Codebook (n_codes, d) float32 and codes (n,) of the rows of `X` (n, d).

    Starts from distinct rows drawn at random. If there are no more than n_codes distinct rows,
    they are the codebook, repeated until it is full: the error is zero.
    """
    distinct = distinct_rows(X, rng)
    if len(distinct) <= n_codes:
        codebook = X[np.resize(distinct, n_codes)]
        return codebook, nearest(X, codebook)
    codebook = X[rng.choice(distinct, n_codes, replace=False)]
    codes = nearest(X, codebook)
    for _ in range(n_iter):
        codebook = lloyd_step(X, codebook, codes)
        before, codes = codes, nearest(X, codebook)
        if np.array_equal(before, codes):
            break
    return codebook, codes


# Quantizers.


class VectorQuantizerBase(Quantizer):
    """What the quantizers of vectors share: codes of shape (n, M), and table look-ups."""

    @property
    def _code_bits(self) -> int:
        return max(1, int(self.n_codes - 1).bit_length())

    def _codes_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(shape) != 2 or shape[1] != self.n_features_in_:
            raise ValueError(f"vectors of {self.n_features_in_} numbers cannot have shape {shape}")
        return (shape[0], self._layout[0])

    def inner_products(self, queries: Any, codes: Any) -> Any:
        """(q, n) inner products of `queries` (q, d) with the vectors behind `codes` (n, M).

        Nothing is decoded: a table holds the products of each query with every codeword, and each
        code costs one look-up and one addition (Jegou et al., TPAMI 2011, section III).
        """
        values, codes = self._checked_queries(queries), self._validated_codes(to_numpy(codes))
        return as_kind_of(queries, look_up(self._product_tables(values), codes))

    def squared_distances(self, queries: Any, codes: Any) -> Any:
        """(q, n) squared Euclidean distances, from tables as well."""
        values, codes = self._checked_queries(queries), self._validated_codes(to_numpy(codes))
        return as_kind_of(queries, self._squared_distances(values, codes))

    def _checked_queries(self, queries: Any) -> np.ndarray:
        check_is_fitted(self)
        return self._validated(queries, reset=False)

    def _validated_codes(self, codes: Any) -> np.ndarray:
        codes = super()._validated_codes(codes)
        n_books, n_codes = self._layout
        if codes.ndim != 2 or codes.shape[1] != n_books:
            raise ValueError(f"codes must have the shape (n, {n_books}), got {codes.shape}")
        check_range(codes, 0, n_codes - 1)
        return codes

    def _check_params(self) -> None:
        check_option("n_codes", self.n_codes, 1, 65536)
        check_option("n_iter", self.n_iter, 0, 100_000)


def look_up(tables: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Sum over m of tables[:, m, codes[:, m]]: (q, M, K) tables, (n, M) codes, (q, n) result."""
    total = np.zeros((len(tables), len(codes)), np.float32)
    for m in range(tables.shape[1]):
        total += tables[:, m, codes[:, m]]
    return total


class ProductQuantizer(VectorQuantizerBase):
    """Cut each vector into chunks and replace every chunk by the nearest of its own codewords.

    Jegou, Douze and Schmid, TPAMI 33(1), 2011, section II: M chunks with K codewords each stand
    for K**M vectors and cost M * log2(K) bits, with a codebook of only K * d numbers.

    Parameters
    ----------
    n_subspaces : number of chunks M; chunks differ by at most one in width.
    n_codes : codewords for each chunk, 1 to 65,536.
    n_iter : at most so many iterations of Lloyd's algorithm.
    random_state : seed of the start.

    Attributes
    ----------
    codebook_ : (K, d) float32. The columns of chunk m are the codebook of chunk m. K is
        n_codes, or the number of fitted vectors if that is smaller.
    """

    _decode_params = ("n_subspaces", "n_codes")
    _decode_arrays = ("codebook_",)

    def __init__(
        self, n_subspaces: int = 8, n_codes: int = 256, *, n_iter: int = 20, random_state=None
    ):
        self.n_subspaces = n_subspaces
        self.n_codes = n_codes
        self.n_iter = n_iter
        self.random_state = random_state

    @property
    def _layout(self) -> tuple[int, int]:
        return self.n_subspaces, len(self.codebook_)

    def _check_params(self) -> None:
        super()._check_params()
        check_option("n_subspaces", self.n_subspaces, 1, 65536)
        if self.n_subspaces > self.n_features_in_:
            raise ValueError(
                f"n_subspaces={self.n_subspaces} chunks need as many features, "
                f"but n_features = {self.n_features_in_}"
            )

    def _chunks(self) -> Iterator[slice]:
        """The columns of each chunk."""
        ends = np.arange(self.n_subspaces + 1) * self.codebook_.shape[1] // self.n_subspaces
        return (slice(*pair) for pair in zip(ends[:-1], ends[1:], strict=True))

    def _restore(self) -> None:
        shape, self.n_features_in_ = self.codebook_.shape, self.codebook_.shape[-1]
        self._check_params()
        if len(shape) != 2 or not 1 <= shape[0] <= self.n_codes:
            raise ValueError(f"a codebook of shape {shape} does not fit {self}")

    def _fit(self, X: np.ndarray) -> None:
        self._check_params()
        rng = check_random_state(self.random_state)
        self.codebook_ = np.empty((min(self.n_codes, len(X)), X.shape[1]), np.float32)
        for chunk in self._chunks():
            values = np.ascontiguousarray(X[:, chunk])
            self.codebook_[:, chunk], _ = kmeans(values, len(self.codebook_), self.n_iter, rng)

    def _encode(self, X: np.ndarray) -> np.ndarray:
        codes = np.empty((len(X), self.n_subspaces), code_dtype(self.n_codes))
        for m, chunk in enumerate(self._chunks()):
            codes[:, m] = nearest(X[:, chunk], self.codebook_[:, chunk])
        return codes

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        values = np.empty((len(codes), self.codebook_.shape[1]), np.float32)
        for m, chunk in enumerate(self._chunks()):
            values[:, chunk] = self.codebook_[codes[:, m], chunk]
        return values

    def _product_tables(self, queries: np.ndarray) -> np.ndarray:
        return np.stack([queries[:, c] @ self.codebook_[:, c].T for c in self._chunks()], axis=1)

    def _squared_distances(self, queries: np.ndarray, codes: np.ndarray) -> np.ndarray:
        squares = [
            cdist(queries[:, c], self.codebook_[:, c], "sqeuclidean") for c in self._chunks()
        ]
        return look_up(np.stack(squares, axis=1, dtype=np.float32, casting="same_kind"), codes)


class VectorQuantizer(ProductQuantizer):
    """Replace each vector by the nearest of `n_codes` codewords, found by k-means.

    Vector quantization (Gersho and Gray, 1992, chapter 10): a product quantizer with one chunk.

    Parameters
    ----------
    n_codes : codewords, 1 to 65,536.
    n_iter : at most so many iterations of Lloyd's algorithm.
    random_state : seed of the start.

    Attributes
    ----------
    codebook_ : (K, d) float32; K is n_codes, or the number of fitted vectors if smaller.
    """

    _decode_params = ("n_codes",)
    n_subspaces = 1

    def __init__(self, n_codes: int = 256, *, n_iter: int = 20, random_state=None):
        self.n_codes = n_codes
        self.n_iter = n_iter
        self.random_state = random_state


class OptimizedProductQuantizer(ProductQuantizer):
    """Rotate the vectors so that product quantization loses least, then quantize the chunks.

    Ge, He, Ke and Sun, CVPR 2013. Starts from their parametric solution (`balanced_rotation`),
    then alternates as in their non-parametric one: a step of k-means in every chunk of the
    rotated vectors, then the rotation that brings the vectors closest to their quantized selves.

    Parameters
    ----------
    n_subspaces, n_codes, random_state : as in `ProductQuantizer`.
    n_iter : number of alternations.

    Attributes
    ----------
    rotation_ : (d, d) float32, orthogonal; vectors are rotated as X @ rotation_.
    codebook_ : (K, d) float32, in rotated coordinates.
    """

    _decode_arrays = ("codebook_", "rotation_")

    def __init__(
        self, n_subspaces: int = 8, n_codes: int = 256, *, n_iter: int = 30, random_state=None
    ):
        super().__init__(n_subspaces, n_codes, n_iter=n_iter, random_state=random_state)

    def _fit(self, X: np.ndarray) -> None:
        self._check_params()
        self.rotation_ = balanced_rotation(X, self.n_subspaces, self.n_codes)
        start = ProductQuantizer(
            self.n_subspaces, self.n_codes, n_iter=3, random_state=self.random_state
        )
        rotated = X @ self.rotation_
        self.codebook_ = start.fit(rotated).codebook_
        for _ in range(self.n_iter):
            restored = np.empty_like(X)
            for chunk in self._chunks():
                codebook, values = self.codebook_[:, chunk], rotated[:, chunk]
                codes = nearest(values, codebook)
                self.codebook_[:, chunk] = codebook = lloyd_step(values, codebook, codes)
                restored[:, chunk] = codebook[codes]
            self.rotation_ = procrustes(X, restored)
            rotated = X @ self.rotation_

    def _restore(self) -> None:
        super()._restore()
        shape = np.shape(getattr(self, "rotation_", None))
        if shape != (self.n_features_in_, self.n_features_in_):
            raise ValueError(f"a rotation of shape {shape} does not fit {self}")

    def _encode(self, X: np.ndarray) -> np.ndarray:
        return super()._encode(X @ self.rotation_)

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        return super()._decode(codes) @ self.rotation_.T

    def _product_tables(self, queries: np.ndarray) -> np.ndarray:
        return super()._product_tables(queries @ self.rotation_)

    def _squared_distances(self, queries: np.ndarray, codes: np.ndarray) -> np.ndarray:
        return super()._squared_distances(queries @ self.rotation_, codes)


def procrustes(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """The orthogonal R (d, d) for which X @ R is closest to Y: U @ Vt of the SVD of X.T @ Y.

    Schoenemann, Psychometrika 31(1), 1966.
    """
    u, _, vt = np.linalg.svd((X.T @ Y).astype(np.float64))
    return (u @ vt).astype(np.float32)


def balanced_rotation(X: np.ndarray, n_subspaces: int, n_codes: int) -> np.ndarray:
    """Principal axes of `X` (n, d), dealt out to the chunks so that all have as much to store.

    Ge et al., CVPR 2013 ("eigenvalue allocation"), deal so that the product of the variances is
    balanced, the optimum for many bits. With few bits, axes of small variance are better not
    stored at all: reverse water-filling (Cover and Thomas, 2nd edition, theorem 10.3.3) gives an
    axis log2(variance / level) / 2 bits, or none. What is balanced here are those bits.
    """
    variances, axes = np.linalg.eigh(np.cov(X, rowvar=False, bias=True).reshape(X.shape[1], -1))
    logs = np.log2(np.maximum(variances[::-1], np.finfo(float).tiny)) / 2
    budget = n_subspaces * np.log2(max(n_codes, 2))
    for stored in range(len(logs), 0, -1):  # the most axes for which the level is below them all
        level = (logs[:stored].sum() - budget) / stored
        if logs[stored - 1] >= level:
            break
    bits = np.maximum(logs - level, 0)

    ends = np.arange(n_subspaces + 1) * X.shape[1] // n_subspaces
    room, load = np.diff(ends), np.zeros(n_subspaces)
    members: list[list[int]] = [[] for _ in range(n_subspaces)]
    for axis, amount in enumerate(bits):  # largest first, to the chunk with least so far
        filled = np.array([len(m) for m in members])
        chunk = min(np.flatnonzero(filled < room), key=lambda c: (load[c], filled[c]))
        members[chunk].append(axis)
        load[chunk] += amount
    return axes[:, ::-1][:, np.concatenate(members)].astype(np.float32)


class _SumOfCodewords(VectorQuantizerBase):
    """Training and decoding of the additive quantizers; they differ in how they encode.

    A vector is the sum of one codeword from each codebook, all of full dimension (Babenko and
    Lempitsky, CVPR 2014). Training alternates their least-squares update of all codebooks with
    re-encoding by coordinate descent from the codes before. Plain alternation soon stops at a poor
    fixed point, because the codebooks fit exactly those codes that they were computed from. So
    before encoding, noise is added to the codebooks, less and less of it: the stochastic
    relaxation SR-D of Martinez et al., ECCV 2018 (LSQ++), here drawn from the residuals so that it
    is as large as the error and points the same ways.
    """

    _decode_params = ("n_codebooks", "n_codes")
    _decode_arrays = ("codebooks_",)
    _noise = (0.8, 0.35)  # first and last, as a share of the residual

    def __init__(self, n_codebooks, n_codes, *, n_iter, random_state):
        self.n_codebooks = n_codebooks
        self.n_codes = n_codes
        self.n_iter = n_iter
        self.random_state = random_state

    @property
    def _layout(self) -> tuple[int, int]:
        return self.codebooks_.shape[:2]

    def _check_params(self) -> None:
        super()._check_params()
        check_option("n_codebooks", self.n_codebooks, 1, 256)
        check_option("n_codebooks * n_codes", self.n_codebooks * self.n_codes, 1, 8192)

    def _restore(self) -> None:
        shape, self.n_features_in_ = self.codebooks_.shape, self.codebooks_.shape[-1]
        self._check_params()
        if len(shape) != 3 or shape[0] != self.n_codebooks or not 1 <= shape[1] <= self.n_codes:
            raise ValueError(f"codebooks of shape {shape} do not fit {self}")

    def _fit(self, X: np.ndarray) -> None:
        self._check_params()
        rng = check_random_state(self.random_state)
        n_codes = min(self.n_codes, len(X))
        distinct = distinct_rows(X, rng)
        if len(distinct) <= n_codes:  # the first codebook can hold them all
            self.codebooks_ = np.zeros((self.n_codebooks, n_codes, X.shape[1]), np.float32)
            self.codebooks_[0] = X[np.resize(distinct, n_codes)]
            return
        mean = X.mean(axis=0)
        X = X - mean
        codes = self._first_codes(X, n_codes, rng)
        for step in range(self.n_iter):
            books = least_squares_codebooks(X, codes, n_codes)
            noise = np.interp(step, [0, max(self.n_iter - 3, 1)], self._noise)
            if step < self.n_iter - 2:  # the last two rounds settle
                residual = X - sum_of_codewords(books, codes)
                drawn = residual[rng.randint(len(X), size=(self.n_codebooks, n_codes))]
                books += np.float32(noise / self.n_codebooks) * drawn
            codes = coordinate_descent(X, books, codes, rounds=1, sweeps=2, rng=rng)
        # Each vector takes one codeword of the first codebook, so that can carry the mean.
        self.codebooks_ = least_squares_codebooks(X, codes, n_codes)
        self.codebooks_[0] += mean

    def _first_codes(self, X: np.ndarray, n_codes: int, rng) -> np.ndarray:
        """Codes of a product quantizer of the same size, after a balancing rotation."""
        n_subspaces = min(self.n_codebooks, X.shape[1])
        rotated = X @ balanced_rotation(X, n_subspaces, n_codes)
        start = ProductQuantizer(n_subspaces, n_codes, n_iter=5, random_state=rng)
        codes = start.fit_transform(rotated)
        return np.pad(codes, ((0, 0), (0, self.n_codebooks - n_subspaces)))

    def _encode(self, X: np.ndarray) -> np.ndarray:
        means = self.codebooks_.mean(axis=1, keepdims=True)  # without them, numbers round less
        codes = self._search(X - means.sum(axis=(0, 1)), self.codebooks_ - means)
        return codes.astype(code_dtype(self.n_codes))

    def _search(self, X: np.ndarray, codebooks: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        return sum_of_codewords(self.codebooks_, codes)

    def _product_tables(self, queries: np.ndarray) -> np.ndarray:
        return np.einsum("qd,mkd->qmk", queries, self.codebooks_, optimize=True)

    def _squared_distances(self, queries: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """||q||^2 - 2 q.x + ||x||^2, the last from the products of codewords with codewords."""
        pairs = np.einsum("mkd,nld->mnkl", self.codebooks_, self.codebooks_, optimize=True)
        norms = np.zeros(len(codes), np.float32)
        for m in range(codes.shape[1]):
            for n in range(codes.shape[1]):
                norms += pairs[m, n, codes[:, m], codes[:, n]]
        products = look_up(self._product_tables(queries), codes)
        distances = np.square(queries).sum(axis=1)[:, None] - 2 * products + norms
        return np.maximum(distances, 0)


class AdditiveQuantizer(_SumOfCodewords):
    """Sums of codewords, encoded by beam search.

    Babenko and Lempitsky, CVPR 2014, both for the search (`beam_search`) and for the codebooks
    (`least_squares_codebooks`). They search with a beam in training as well; this trains as
    `LocalSearchQuantizer` does, to spare a beam search for every update of the codebooks.

    Parameters
    ----------
    n_codebooks : codewords in a sum, M.
    n_codes : codewords in a codebook; n_codebooks * n_codes is at most 8,192, since training solves
        for all codewords at once.
    n_iter : rounds of training.
    beam_width : partial sums kept while encoding.
    random_state : seed of the training.

    Attributes
    ----------
    codebooks_ : (M, K, d) float32, each as large as the codebook of a whole product quantizer.
    """

    def __init__(
        self,
        n_codebooks: int = 8,
        n_codes: int = 256,
        *,
        n_iter: int = 40,
        beam_width: int = 8,
        random_state=None,
    ):
        super().__init__(n_codebooks, n_codes, n_iter=n_iter, random_state=random_state)
        self.beam_width = beam_width

    def _check_params(self) -> None:
        super()._check_params()
        check_option("beam_width", self.beam_width, 1, 1024)

    def _search(self, X: np.ndarray, codebooks: np.ndarray) -> np.ndarray:
        return beam_search(X, codebooks, self.beam_width)


class LocalSearchQuantizer(_SumOfCodewords):
    """Sums of codewords, encoded by iterated local search.

    Martinez, Clement, Hoos and Little, ECCV 2016: start somewhere, then repeatedly perturb a few
    codes, repair all by iterated conditional modes (`coordinate_descent`), and keep the result
    where the cost fell.

    Parameters
    ----------
    n_codebooks : codewords in a sum, M.
    n_codes : codewords in a codebook; n_codebooks * n_codes is at most 8,192, since training solves
        for all codewords at once.
    n_iter : rounds of training.
    n_rounds : perturbations while encoding.
    n_sweeps : passes over all codebooks after each perturbation.
    random_state : seed of the training.

    Attributes
    ----------
    codebooks_ : (M, K, d) float32, each as large as the codebook of a whole product quantizer.
    """

    def __init__(
        self,
        n_codebooks: int = 8,
        n_codes: int = 256,
        *,
        n_iter: int = 40,
        n_rounds: int = 8,
        n_sweeps: int = 4,
        random_state=None,
    ):
        super().__init__(n_codebooks, n_codes, n_iter=n_iter, random_state=random_state)
        self.n_rounds = n_rounds
        self.n_sweeps = n_sweeps

    def _check_params(self) -> None:
        super()._check_params()
        check_option("n_rounds", self.n_rounds, 0, 100_000)
        check_option("n_sweeps", self.n_sweeps, 1, 100_000)

    def _search(self, X: np.ndarray, codebooks: np.ndarray) -> np.ndarray:
        return coordinate_descent(
            X,
            codebooks,
            greedy_codes(X, codebooks),
            rounds=self.n_rounds,
            sweeps=self.n_sweeps,
            rng=np.random.RandomState(0),  # a vector's codes must not depend on the call
        )


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
