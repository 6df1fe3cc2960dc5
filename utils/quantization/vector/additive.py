"""Additive quantization: a vector as the sum of a codeword from each codebook."""

import numpy as np
from sklearn.utils import check_random_state

from utils.codecs import codec
from utils.quantization.base import check_option, code_dtype
from utils.quantization.vector.base import VectorQuantizerBase, look_up
from utils.quantization.vector.kmeans import distinct_rows
from utils.quantization.vector.product import ProductQuantizer, balanced_rotation
from utils.quantization.vector.sums import (
    beam_search,
    coordinate_descent,
    greedy_codes,
    least_squares_codebooks,
    sum_of_codewords,
)


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

    decode_params = ("n_codebooks", "n_codes")
    decode_arrays = ("codebooks_",)
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


@codec
class AdditiveQuantizer(_SumOfCodewords):
    """Sums of codewords, encoded by beam search.

    Search (`beam_search`) and codebooks (`least_squares_codebooks`) are those of Babenko and
    Lempitsky. They search with a beam in training as well; this trains as `LocalSearchQuantizer`
    does, to spare a beam search for every update of the codebooks.

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

    Source: Babenko and Lempitsky, CVPR 2014.

    What people get wrong: the comparison. At the same n_codes its codebooks take M times the bytes
    of a product quantizer's; compare at the same total.

    >>> from utils.quantization import AdditiveQuantizer
    >>> X = np.array([[0, 0], [1, 1], [4, 0], [5, 1]], np.float32)  # (0, 0) or (1, 1), and (4, 0)
    >>> quantizer = AdditiveQuantizer(2, n_codes=2, n_iter=10, random_state=0)
    >>> codes = quantizer.fit_transform(X)
    >>> np.allclose(quantizer.inverse_transform(codes), X, atol=0.01), quantizer.nbytes(codes)
    (True, 33)
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


@codec
class LocalSearchQuantizer(_SumOfCodewords):
    """Sums of codewords, encoded by iterated local search.

    Start somewhere, then repeatedly perturb a few codes, repair all by iterated conditional modes
    (`coordinate_descent`), and keep the result where the cost fell.

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

    Source: Martinez, Clement, Hoos and Little, ECCV 2016 (LSQ; another LSQ, Learned Step Size
    Quantization, has nothing to do with it).

    What people get wrong: keeping what came out. A perturbed search may end worse than it began;
    each vector keeps the better of its codes before and after.

    >>> from utils.quantization import LocalSearchQuantizer
    >>> X = np.array([[0, 0], [1, 1], [4, 0], [5, 1]], np.float32)  # (0, 0) or (1, 1), and (4, 0)
    >>> quantizer = LocalSearchQuantizer(2, n_codes=2, n_iter=10, random_state=0)
    >>> np.allclose(quantizer.inverse_transform(quantizer.fit_transform(X)), X, atol=0.01)
    True
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
