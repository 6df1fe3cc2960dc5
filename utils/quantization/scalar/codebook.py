"""Grids with learned values: percentiles, and weight sharing by k-means."""

import numpy as np

from utils.codecs import codec
from utils.quantization.base import check_option, code_dtype
from utils.quantization.scalar.base import ScalarQuantizer
from utils.quantization.scalar.kmeans import shared_values


class CodebookQuantizer(ScalarQuantizer):
    """What the two grids with learned values share: a code is an index into `codebook_`."""

    decode_params = ("bits", "entropy_coding")
    decode_arrays = ("codebook_",)

    def _restore(self) -> None:
        self._check_bits()
        if self.codebook_.ndim != 1 or not 1 <= len(self.codebook_) <= 2**self.bits:
            raise ValueError(f"a codebook of shape {self.codebook_.shape} does not fit {self}")

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        return self.codebook_[codes]

    def _encode(self, X: np.ndarray) -> np.ndarray:
        return bucketize(X, self._thresholds()).astype(self._dtype, copy=False)

    @property
    def _limits(self) -> tuple[int, int]:
        return 0, len(self.codebook_) - 1


@codec
class PercentileQuantizer(CodebookQuantizer):
    """A grid of percentiles: every code is used equally often, and decodes to its bin's mean.

    The bins' edges are the percentiles 0, 100/2**bits, ... of the fitted values, as in histogram
    equalisation. The codes then carry the most information, but the error is not the least: a
    grid with the least squared error gives the tails more codes than their share, in proportion
    to density**(1/3) rather than to density. See `KMeansQuantizer`.

    Parameters
    ----------
    bits : width of a code, 1 to 16.
    entropy_coding : store the codes with rANS rather than with a fixed width.

    Attributes
    ----------
    codebook_ : (n,) float32, the mean of each bin, ascending; n <= 2**bits, and less only
        when values repeat so often that percentiles coincide.
    thresholds_ : (n - 1,) float32, the lowest value of every bin but the first. Decoding does
        not need them, so a quantizer made by `from_state` decodes but cannot encode.

    Source: Gonzalez and Woods, Digital Image Processing, on histogram equalisation; Panter and
    Dite, Proc. IRE 39(1), 1951, on the grid with the least error.

    What people get wrong: decoding to the middle of a bin. Values crowd at one side of the outer,
    wide bins; their mean has the least squared error.

    >>> from utils.quantization import PercentileQuantizer
    >>> quantizer = PercentileQuantizer(bits=1).fit(np.array([0.0, 1.0, 2.0, 3.0, 4.0, 30.0]))
    >>> quantizer.codebook_  # the middle of the upper bin would be 16.5
    array([ 1.      , 12.333333], dtype=float32)
    """

    def __init__(self, bits: int = 4, *, entropy_coding: bool = False):
        self.bits = bits
        self.entropy_coding = entropy_coding

    def _fit(self, X: np.ndarray) -> None:
        values = np.sort(X, axis=None)
        n_bins = 2**self.bits
        ranks = np.arange(1, n_bins) * values.size // n_bins
        thresholds = np.unique(values[ranks])
        self.thresholds_ = thresholds[thresholds > values[0]]
        starts = np.r_[0, np.searchsorted(values, self.thresholds_)]
        counts = np.diff(starts, append=values.size)
        sums = np.add.reduceat(values, starts, dtype=np.float64)
        self.codebook_ = (sums / counts).astype(np.float32)

    def _thresholds(self) -> np.ndarray:
        if not hasattr(self, "thresholds_"):
            raise ValueError("a PercentileQuantizer made by from_state can decode but not encode")
        return self.thresholds_


@codec
class KMeansQuantizer(CodebookQuantizer):
    """Weight sharing: the 2**bits values with (nearly) the least squared error, by 1-D k-means.

    In one dimension clusters are intervals of the sorted values, and dynamic programming over their
    boundaries finds the optimum; see `shared_values` for how it is made fast.

    Parameters
    ----------
    bits : width of a code, 1 to 12.
    entropy_coding : store the codes with rANS rather than with a fixed width.

    Attributes
    ----------
    codebook_ : (n,) float32, the shared values, ascending; n = min(2**bits, distinct values).

    Source: Han, Mao and Dally, ICLR 2016 (arXiv 1510.00149), section 3, with Lloyd's algorithm;
    Wang and Song, R Journal 3/2, 2011, for the optimum.

    What people get wrong: the start. Lloyd's algorithm stops at the first local optimum, and from
    quantiles, where most codes start among the many small weights, that is a poor one.

    >>> from utils.quantization import KMeansQuantizer
    >>> quantizer = KMeansQuantizer(bits=1)
    >>> quantizer.fit_transform(np.array([0.0, 0.25, 0.5, 9.0])), quantizer.codebook_
    (array([0, 0, 0, 1], dtype=uint8), array([0.25, 9.  ], dtype=float32))
    """

    def __init__(self, bits: int = 4, *, entropy_coding: bool = False):
        self.bits = bits
        self.entropy_coding = entropy_coding

    def _fit(self, X: np.ndarray) -> None:
        check_option("bits of a k-means codebook", self.bits, 1, 12)
        self.codebook_ = shared_values(X, 2**self.bits)

    def _thresholds(self) -> np.ndarray:
        low, high = self.codebook_[:-1], self.codebook_[1:]
        middle = ((low.astype(np.float64) + high) / 2).astype(np.float32)
        return np.where(middle > low, middle, high)  # between neighbouring floats is nothing


def bucketize(X: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """How many `thresholds` (ascending) are <= each x: np.searchsorted(..., side="right"), faster.

    The axis is cut into 65,536 equal cells. A table says how many thresholds lie in earlier cells
    than x, and the few in x's own cell are compared with x one after another.
    """
    dtype = code_dtype(len(thresholds) + 1)
    codes = np.zeros(X.shape, dtype)
    if len(thresholds) == 0:
        return codes
    low, n_cells = thresholds[0], 1 << 16
    with np.errstate(over="ignore", divide="ignore"):
        per_unit = np.float32(n_cells / np.float64(thresholds[-1] - low))

    def cell(x: np.ndarray) -> np.ndarray:  # never decreases with x, whatever the rounding
        with np.errstate(over="ignore"):
            return np.clip((x - low) * per_unit, 0, n_cells - 1).astype(np.uint16)

    if not 0 < per_unit < np.inf:
        return np.searchsorted(thresholds, X, side="right").astype(dtype)
    in_cell = np.bincount(cell(thresholds), minlength=n_cells)
    if in_cell.max() > 8:  # nearly all thresholds in one place
        return np.searchsorted(thresholds, X, side="right").astype(dtype)
    earlier = (np.cumsum(in_cell) - in_cell).astype(dtype)
    next_threshold = np.append(thresholds, np.float32(np.inf))
    flat, out = X.reshape(-1), codes.reshape(-1)
    for start in range(0, flat.size, 1 << 18):
        x = flat[start : start + (1 << 18)]
        code = earlier[cell(x)]
        for _ in range(in_cell.max()):
            code += x >= next_threshold[code]
        out[start : start + len(x)] = code
    return codes
