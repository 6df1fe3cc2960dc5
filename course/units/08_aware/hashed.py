"""Hashed linear models whose codes are what is learned, at a price for each bit that they take.

Source: error plus a price times the rate is Shoham and Gersho (1988), "Efficient bit allocation for an
arbitrary set of quantizers", IEEE Trans. ASSP 36(9). One row of codes after the other is changed, by the
quadratic around what the model says now, as in coordinate descent: Friedman, Hastie and Tibshirani (2010),
"Regularization paths for generalized linear models via coordinate descent", J. Stat. Softw. 33(1).
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.special import expit, logit
from sklearn.feature_extraction.text import TfidfVectorizer

from utils.models import SparseLinear
from utils.quantization import AffineQuantizer

FARTHEST = 40  # steps from 0
# Two sided and narrow: what codes are taken to cost before there are any.
FIRST_BITS = np.abs(np.arange(-FARTHEST, FARTHEST + 1)) + 1.6
ROW_BITS = 8  # where a bucket stands: a byte
# Shares of the price, and sweeps over all buckets that are left: which words count is not decided at once.
ROUNDS = ((0.3, 2), (0.7, 2), (1.0, 6))


def hashed_codes(
    texts: Sequence[str],
    targets: np.ndarray,
    taxonomy: str,
    label_names: Sequence[str],
    *,
    step: float,
    price: float,
    shrink: float,
    min_count: int = 3,
    **reading,
) -> tuple[SparseLinear, AffineQuantizer]:
    """A model whose weights are whole numbers of steps, and the codec that stores them as such.

    It has no IDF: a word that counts for more gets larger codes. Thresholds are not tuned.

    Parameters
    ----------
    texts, targets : comments, and (n, labels) of 0/1 labels or of a teacher's probabilities
    step : distance of two weights
    price : of a bit, in nats of the cross entropy, summed over comments and labels
    shrink : L1 penalty, in nats of the mean cross entropy a unit of weight
    min_count : how many comments have a bucket that is tried
    reading : ``letters``, ``pairs`` and ``buckets`` of :class:`SparseLinear`
    """
    model = SparseLinear(taxonomy, label_names, **reading)

    def features(words: Sequence[str] | None) -> tuple[sparse.csc_array, list[str]]:
        """Of comments, each of length 1 by these words alone, as the model will read them."""
        tried = {"min_df": min_count} if words is None else {"vocabulary": words}
        vectorizer = TfidfVectorizer(
            analyzer=model._analyze, sublinear_tf=True, use_idf=False, **tried
        )
        found = vectorizer.fit_transform(texts).tocsc()
        return found, vectorizer.get_feature_names_out().tolist()

    targets = np.asarray(targets, np.float64)
    words, codes, bits = None, None, FIRST_BITS
    intercept = logit(targets.mean(axis=0))
    for share, sweeps in ROUNDS:
        X, words = features(words)
        if codes is None:
            codes = np.zeros((len(words), targets.shape[1]), np.int64)
        for _ in range(sweeps):
            codes, intercept = sweep(
                X, targets, codes, intercept, bits, step, share * price, shrink * len(texts)
            )
            bits = code_bits(codes)
        kept = codes.any(axis=1)
        words, codes = [w for w, k in zip(words, kept, strict=True) if k], codes[kept]
    codec = AffineQuantizer(step=1.0, entropy_coding=True)
    codec.scale_ = np.array([step], np.float32)
    weights = codec.inverse_transform(codes.astype(np.int16))
    return model._set(words, np.ones(len(words)), weights, intercept), codec


def sweep(
    X: sparse.csc_array,
    targets: np.ndarray,
    codes: np.ndarray,
    intercept: np.ndarray,
    bits: np.ndarray,
    step: float,
    price: float,
    penalty: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Codes (words, labels) and intercept (labels,) after each row was changed once, frequent words first.

    A row is left at zero if its codes and its place cost more than they gain. ``bits`` are the lengths
    of the codes -40 to 40, and ``penalty`` is that of a unit of weight.
    """
    codes, labels, penalty = codes.copy(), np.arange(codes.shape[1]), penalty * step
    said = X @ (step * codes) + intercept
    for row in np.argsort(-np.diff(X.indptr), kind="stable"):
        here = slice(X.indptr[row], X.indptr[row + 1])
        comments, x, old = X.indices[here], step * X.data[here], codes[row]
        p = expit(said[comments])
        slope, curve = x @ (p - targets[comments]), x**2 @ (p * (1 - p)) + 1e-6
        best = old - slope / curve
        best = np.sign(best) * np.maximum(np.abs(best) - penalty / curve, 0)
        # The quadratic holds near by; a code that has far to go gets there in the next sweeps.
        below = np.floor(np.clip(best, -FARTHEST, FARTHEST - 1)).clip(old - 3, old + 3)
        tried = np.stack([old, below, below + 1, np.zeros_like(old)]).astype(np.int64)
        away = tried - old
        cost = slope * away + curve * away**2 / 2 + penalty * np.abs(tried)
        with_bits = cost + price * bits[tried + FARTHEST]
        chosen = with_bits.argmin(axis=0)
        new = tried[chosen, labels]
        if cost[3].sum() <= with_bits[chosen, labels].sum() + price * ROW_BITS:
            new = np.zeros_like(old)
        if (new != old).any():
            said[comments] += np.outer(x, new - old)
            codes[row] = new
    for _ in range(3):  # of Newton, for what all comments share
        p = expit(said)
        change = (p - targets).sum(axis=0) / np.maximum((p * (1 - p)).sum(axis=0), 1e-9)
        said, intercept = said - change, intercept - change
    return codes, intercept


def code_bits(codes: np.ndarray) -> np.ndarray:
    """Bits of each code from -40 to 40 in an ideal entropy coder of the rows that are in use."""
    used = codes[codes.any(axis=1)].ravel()
    counts = np.bincount(used + FARTHEST, minlength=2 * FARTHEST + 1) + 0.1
    return -np.log2(counts / counts.sum())
