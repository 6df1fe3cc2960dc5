"""Product quantization: a codeword for each chunk of a vector, plain or after a rotation."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.utils import check_random_state

from utils.codecs import codec
from utils.quantization.base import check_option, code_dtype
from utils.quantization.vector.base import VectorQuantizerBase, look_up
from utils.quantization.vector.kmeans import kmeans, lloyd_step, nearest


@codec
class ProductQuantizer(VectorQuantizerBase):
    """Cut each vector into chunks and replace every chunk by the nearest of its own codewords.

    M chunks with K codewords each stand for K**M vectors and cost M * log2(K) bits, with a codebook
    of only K * d numbers.

    Parameters
    ----------
    n_subspaces : number of chunks M; chunks differ by at most one in width.
    n_codes : codewords for each chunk, 1 to 65,536.
    n_iter : at most so many iterations of Lloyd's algorithm. Chunks of a single number get (nearly)
        the best codewords, as in `KMeansQuantizer`, if they are at most 4,096.
    random_state : seed of the start.

    Attributes
    ----------
    codebook_ : (K, d) float32. The columns of chunk m are the codebook of chunk m. K is
        n_codes, or the number of fitted vectors if that is smaller.

    Source: Jegou, Douze and Schmid, TPAMI 33(1), 2011, section II.

    What people get wrong: the codebook. It has K * d numbers however many chunks there are, and of
    a small table it may take more bytes than the codes.

    >>> from utils.quantization import ProductQuantizer
    >>> X = np.array([[0, 5], [0, 7], [3, 5], [3, 7]], np.float32)  # two numbers in each half
    >>> quantizer = ProductQuantizer(n_subspaces=2, n_codes=2, random_state=0)
    >>> codes = quantizer.fit_transform(X)
    >>> np.array_equal(quantizer.inverse_transform(codes), X), quantizer.nbytes(codes)
    (True, 17)
    """

    decode_params = ("n_subspaces", "n_codes")
    decode_arrays = ("codebook_",)
    init = "random"

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
            self.codebook_[:, chunk], _ = kmeans(
                values, len(self.codebook_), self.n_iter, rng, spread=self.init == "k-means++"
            )

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


@codec
class VectorQuantizer(ProductQuantizer):
    """Replace each vector by the nearest of `n_codes` codewords, found by k-means.

    A product quantizer with one chunk.

    Parameters
    ----------
    n_codes : codewords, 1 to 65,536.
    init : "random" starts from distinct vectors, "k-means++" from vectors far apart. The start
        matters where vectors lie in clusters with gaps between: Lloyd's algorithm moves no codeword
        across a gap, so clusters that start without one stay without. In a cloud of word vectors it
        hardly does.
    n_iter : at most so many iterations of Lloyd's algorithm.
    random_state : seed of the start.

    Attributes
    ----------
    codebook_ : (K, d) float32; K is n_codes, or the number of fitted vectors if smaller.

    Source: Gersho and Gray, Vector Quantization and Signal Compression, 1992, chapter 10.

    What people get wrong: a codeword that is nearest to no vector. The mean of nothing is NaN, and
    left as it is the codeword is wasted; it moves to a vector that is served badly.

    >>> from utils.quantization import VectorQuantizer
    >>> X = np.array([[0, 0], [0, 2], [9, 9]], np.float32)
    >>> quantizer = VectorQuantizer(n_codes=2, random_state=0)
    >>> quantizer.inverse_transform(quantizer.fit_transform(X)).tolist()
    [[0.0, 1.0], [0.0, 1.0], [9.0, 9.0]]
    """

    decode_params = ("n_codes",)
    n_subspaces = 1

    def _check_params(self) -> None:
        super()._check_params()
        if self.init not in ("random", "k-means++"):
            raise ValueError(f"init must be 'random' or 'k-means++', got {self.init!r}")

    def __init__(
        self,
        n_codes: int = 256,
        *,
        init: Literal["random", "k-means++"] = "random",
        n_iter: int = 20,
        random_state=None,
    ):
        self.n_codes = n_codes
        self.init = init
        self.n_iter = n_iter
        self.random_state = random_state


@codec
class OptimizedProductQuantizer(ProductQuantizer):
    """Rotate the vectors so that product quantization loses least, then quantize the chunks.

    Starts from the parametric solution of Ge et al. (`balanced_rotation`), then alternates as in
    their non-parametric one: a step of k-means in every chunk of the rotated vectors, then the
    rotation that brings the vectors closest to their quantized selves.

    Parameters
    ----------
    n_subspaces, n_codes, random_state : as in `ProductQuantizer`.
    n_iter : number of alternations.

    Attributes
    ----------
    rotation_ : (d, d) float32, orthogonal; vectors are rotated as X @ rotation_.
    codebook_ : (K, d) float32, in rotated coordinates.

    Source: Ge, He, Ke and Sun, CVPR 2013.

    What people get wrong: the rotation's bytes. Without its d * d numbers nothing can be decoded.

    >>> from utils.quantization import OptimizedProductQuantizer, ProductQuantizer
    >>> X = np.arange(16, dtype=np.float32)[:, None] * np.ones(2, np.float32)  # a diagonal
    >>> for kind in (ProductQuantizer, OptimizedProductQuantizer):
    ...     quantizer = kind(n_subspaces=2, n_codes=4, random_state=0)
    ...     print(quantizer.nbytes(quantizer.fit_transform(X)))
    40
    56
    """

    decode_arrays = ("codebook_", "rotation_")

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

    Source: Schoenemann, Psychometrika 31(1), 1966.

    What people get wrong: the side. For vectors that are columns, R @ X, it is the transpose.

    >>> from utils.quantization import procrustes
    >>> X = np.array([[2.0, 0.0], [0.0, 1.0]])
    >>> turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    >>> np.allclose(procrustes(X, X @ turn), turn, atol=1e-6)
    True
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
