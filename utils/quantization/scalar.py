"""Quantizers that store one number at a time: affine grids, percentile grids, weight sharing."""

from typing import Any, Literal

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from utils.quantization.base import Quantizer, check_option, check_range, code_dtype, to_numpy
from utils.quantization.entropy import rans_decode, rans_encode


class ScalarQuantizer(Quantizer):
    """What the quantizers of single numbers share: any shape, and entropy coding of the codes."""

    def pack(self, codes: Any) -> np.ndarray:
        """The codes as a one-dimensional uint8 array: bit-packed, or entropy-coded if asked."""
        if not self.entropy_coding:
            return super().pack(codes)
        check_is_fitted(self)
        return rans_encode(
            self._validated_codes(codes).astype(np.int32) - self._lowest, 1 << self.bits
        )

    def unpack(self, packed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        if not self.entropy_coding:
            return super().unpack(packed, shape)
        codes = rans_decode(packed, 1 << self.bits, int(np.prod(shape))).reshape(shape)
        return codes if not self._signed else (codes + np.int32(self._lowest)).astype(self._dtype)

    _lowest = 0

    @property
    def _code_bits(self) -> int:
        return self.bits

    @property
    def _dtype(self) -> np.dtype:
        return np.dtype(code_dtype(1 << self.bits))

    def _check_bits(self) -> None:
        check_option("bits", self.bits, 1, 12 if self.entropy_coding else 16)

    def _validated(self, X: Any, *, reset: bool) -> np.ndarray:
        if reset:
            self._check_bits()
        X = validate_data(
            self, to_numpy(X), reset=reset, dtype=np.float32, ensure_2d=False, allow_nd=True
        )
        if X.ndim > 1:  # a column is a feature, also for a grid that serves the whole tensor
            if reset:
                self.n_features_in_ = X.shape[-1]
            elif X.shape[-1] != getattr(self, "n_features_in_", X.shape[-1]):
                raise ValueError(
                    f"X has {X.shape[-1]} features, but {type(self).__name__} is expecting "
                    f"{self.n_features_in_} features as input"
                )
        return X


class AffineQuantizer(ScalarQuantizer):
    """A uniform grid: x is stored as q = clip(round(x / scale) + zero_point).

    Jacob et al., CVPR 2018 (arXiv 1712.05877), equation 1: x ~ scale * (q - zero_point). The range
    always contains zero, so that zero (padding, ReLU) is stored exactly, and every value inside
    the range comes back at most half a step away.

    Parameters
    ----------
    bits : width of a code, 1 to 16.
    symmetric : signed codes -(2**(bits-1)-1) .. 2**(bits-1)-1 and no zero point; otherwise
        unsigned codes 0 .. 2**bits-1 with one.
    granularity : one scale per "tensor", or one per "channel" along `axis` (axis 0 of a
        PyTorch weight is the output neuron, or the word of an embedding).
    axis : the channel axis.
    calibration : how the range is found. "minmax": all values fit. "percentile": clip to the
        `percentile` of |x| if symmetric, else cut half of the remaining share at either
        end. "mse": the range with the least mean squared error (a search, as in Banner et
        al., arXiv 1810.05723, without their assumption about the distribution).
    percentile : 50 to 100, or "best" to try several and keep the one with the least error.
    entropy_coding : store the codes with rANS rather than with a fixed width.

    Attributes
    ----------
    scale_ : (1,) or (channels,) float32.
    zero_point_ : the codes of 0.0, with the shape of `scale_` (absent if symmetric).
    """

    _decode_params = ("bits", "symmetric", "granularity", "axis", "entropy_coding")
    _decode_arrays = ("scale_", "zero_point_")

    def __init__(
        self,
        bits: int = 8,
        *,
        symmetric: bool = True,
        granularity: Literal["tensor", "channel"] = "tensor",
        axis: int = 0,
        calibration: Literal["minmax", "percentile", "mse"] = "minmax",
        percentile: float | Literal["best"] = 99.0,
        entropy_coding: bool = False,
    ):
        self.bits = bits
        self.symmetric = symmetric
        self.granularity = granularity
        self.axis = axis
        self.calibration = calibration
        self.percentile = percentile
        self.entropy_coding = entropy_coding

    @property
    def _signed(self) -> bool:
        return self.symmetric

    @property
    def _dtype(self) -> np.dtype:
        return np.dtype(f"{'i' if self.symmetric else 'u'}{1 if self.bits <= 8 else 2}")

    @property
    def _limits(self) -> tuple[int, int]:
        """The lowest and the highest code."""
        high = 2 ** (self.bits - 1) - 1
        return (-high, high) if self.symmetric else (0, 2**self.bits - 1)

    @property
    def _lowest(self) -> int:
        return self._limits[0]

    def _fit(self, X: np.ndarray) -> None:
        self._check_params(X)
        channels = self._channels(X)
        low, high = self._calibrate(channels)
        self.scale_, zero_point = self._grid(low, high)
        if not self.symmetric:
            self.zero_point_ = zero_point.astype(self._dtype)

    def _check_bits(self) -> None:
        super()._check_bits()
        if self.symmetric:
            check_option("bits of a symmetric grid", self.bits, 2, 16)

    def _restore(self) -> None:
        self._check_bits()
        self._check_granularity()
        check_option("axis", self.axis, -64, 64)
        n = self.scale_.size if self.granularity == "channel" else 1
        arrays = self._decoding_arrays()
        if len(arrays) != (1 if self.symmetric else 2) or any(
            array.shape != (n,) for array in arrays.values()
        ):
            raise ValueError(f"scales and zero points do not fit {self}")

    def _check_granularity(self) -> None:
        if self.granularity not in ("tensor", "channel"):
            raise ValueError(f"granularity must be 'tensor' or 'channel', got {self.granularity!r}")

    def _check_params(self, X: np.ndarray) -> None:
        self._check_granularity()
        if self.calibration not in ("minmax", "percentile", "mse"):
            raise ValueError(
                f"calibration must be 'minmax', 'percentile' or 'mse', got {self.calibration!r}"
            )
        if self.percentile != "best" and not 50 <= self.percentile <= 100:
            raise ValueError(f"percentile must lie in 50..100 or be 'best', got {self.percentile}")
        if self.granularity == "channel" and not -X.ndim <= self.axis < X.ndim:
            raise ValueError(f"axis {self.axis} does not exist in X of shape {X.shape}")

    def _channels(self, X: np.ndarray) -> np.ndarray:
        """`X` with one row for each scale."""
        if self.granularity == "tensor":
            return X.reshape(1, -1)
        return np.moveaxis(X, self.axis, 0).reshape(X.shape[self.axis], -1)

    # Calibration: from values (a row a channel) to the range low..high that the grid covers.

    def _calibrate(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = X.min(axis=1).astype(np.float64), X.max(axis=1).astype(np.float64)
        low, high = np.minimum(low, 0), np.maximum(high, 0)
        if self.symmetric:
            high = np.maximum(-low, high)
            low = -high
        if self.calibration == "minmax":
            return low, high
        if self.calibration == "percentile":
            if self.percentile == "best":
                tried = (90, 95, 98, 99, 99.5, 99.9, 99.99, 99.999, 100)
                return self._best_range(X, [self._percentile_range(X, p) for p in tried])
            return self._percentile_range(X, self.percentile)
        shrink = np.geomspace(1, 1 / 1024, 81)
        low, high = self._best_range(X, [(low * s, high * s) for s in shrink])
        if not self.symmetric:  # then each end by itself
            shift = np.geomspace(0.5, 2, 21)
            low, high = self._best_range(X, [(low * s, high) for s in shift])
            low, high = self._best_range(X, [(low, high * s) for s in shift])
        return low, high

    def _percentile_range(self, X: np.ndarray, percentile: float) -> tuple[np.ndarray, np.ndarray]:
        if self.symmetric:
            high = np.percentile(np.abs(X), percentile, axis=1).astype(np.float64)
            return -high, high
        tail = (100 - percentile) / 2
        low, high = np.percentile(X, [tail, 100 - tail], axis=1).astype(np.float64)
        return np.minimum(low, 0), np.maximum(high, 0)

    def _best_range(self, X: np.ndarray, ranges: list) -> tuple[np.ndarray, np.ndarray]:
        """The range with the least squared error, for each channel on its own."""
        best, least = np.array(ranges[0]), np.full(len(X), np.inf)
        for low, high in ranges:
            scale, zero_point = (end[:, None] for end in self._grid(low, high))
            restored = (self._round(X, scale, zero_point) - zero_point) * scale
            error = np.square(restored - X, dtype=np.float64).mean(axis=1)
            best = np.where(error < least, (low, high), best)
            least = np.minimum(error, least)
        return best[0], best[1]

    # The grid itself.

    def _grid(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scale and zero point that spread the codes over low..high."""
        first, last = self._limits
        scale = (high - low) / (last - first)
        if not np.all(scale <= np.finfo(np.float32).max):
            raise ValueError("X covers too wide a range for a float32 scale")
        scale = scale.astype(np.float32)
        # A channel of zeros has no range: any scale will do. (Neither does one of denormals.)
        scale = np.where(scale < np.finfo(np.float32).tiny, np.float32(1), scale)
        zero_point = np.zeros_like(scale) if self.symmetric else np.rint(-low / scale)
        return scale, zero_point.astype(np.float32)

    def _round(self, X: np.ndarray, scale: np.ndarray, zero_point: np.ndarray) -> np.ndarray:
        q = X / scale
        np.rint(q, out=q)
        q += zero_point
        return np.clip(q, *self._limits, out=q)

    def _encode(self, X: np.ndarray) -> np.ndarray:
        return self._round(X, *self._broadcast(X.shape)).astype(self._dtype)

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        scale, zero_point = self._broadcast(codes.shape)
        values = codes.astype(np.float32)
        values -= zero_point
        values *= scale
        return values

    def _broadcast(self, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Scale and zero point in a shape that fits arrays of `shape`."""
        scale = np.asarray(self.scale_, np.float32)
        zero_point = np.asarray(getattr(self, "zero_point_", 0), np.float32)
        if self.granularity == "channel":
            if not -len(shape) <= self.axis < len(shape) or shape[self.axis] != len(scale):
                raise ValueError(
                    f"fitted on {len(scale)} channels along axis {self.axis}, got shape {shape}"
                )
            column = [1] * len(shape)
            column[self.axis] = len(scale)
            scale, zero_point = (
                np.broadcast_to(a, len(scale)).reshape(column) for a in (scale, zero_point)
            )
        return scale, zero_point

    def _validated_codes(self, codes: Any) -> np.ndarray:
        codes = super()._validated_codes(codes)
        check_range(codes, *self._limits)
        return codes


class CodebookQuantizer(ScalarQuantizer):
    """What the two grids with learned values share: a code is an index into `codebook_`."""

    _decode_params = ("bits", "entropy_coding")
    _decode_arrays = ("codebook_",)

    def _restore(self) -> None:
        self._check_bits()
        if self.codebook_.ndim != 1 or not 1 <= len(self.codebook_) <= 2**self.bits:
            raise ValueError(f"a codebook of shape {self.codebook_.shape} does not fit {self}")

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        return self.codebook_[codes]

    def _encode(self, X: np.ndarray) -> np.ndarray:
        return bucketize(X, self._thresholds()).astype(self._dtype, copy=False)

    def _validated_codes(self, codes: Any) -> np.ndarray:
        codes = super()._validated_codes(codes)
        check_range(codes, 0, len(self.codebook_) - 1)
        return codes


class PercentileQuantizer(CodebookQuantizer):
    """A grid of percentiles: every code is used equally often, and decodes to its bin's mean.

    The bins' edges are the percentiles 0, 100/2**bits, ... of the fitted values, as in histogram
    equalisation. The codes then carry the most information, but the error is not the least: a
    grid with the least squared error gives the tails more codes than their share, in proportion
    to density**(1/3) rather than to density (Panter and Dite, 1951). See `KMeansQuantizer`.

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


class KMeansQuantizer(CodebookQuantizer):
    """Weight sharing: the 2**bits values with (nearly) the least squared error, by 1-D k-means.

    Han, Mao and Dally, ICLR 2016 (arXiv 1510.00149), section 3, use Lloyd's algorithm. In one
    dimension clusters are intervals of the sorted values, and dynamic programming over their
    boundaries finds the optimum (Wang and Song, R Journal 3/2, 2011); see `shared_values` for how
    it is made fast.

    Parameters
    ----------
    bits : width of a code, 1 to 12.
    entropy_coding : store the codes with rANS rather than with a fixed width.

    Attributes
    ----------
    codebook_ : (n,) float32, the shared values, ascending; n = min(2**bits, distinct values).
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


def shared_values(X: np.ndarray, n_codes: int) -> np.ndarray:
    """The at most `n_codes` values that replace `X` with (nearly) the least squared error.

    Three steps, all on the sorted values, where any interval's error follows from prefix sums:

    1. Start from boundaries at equal steps of the integral of density**(1/3), which is optimal
       for many codes (Panter and Dite, 1951).
    2. Move all boundaries at once: dynamic programming finds the best way for each boundary to
       stay, move by 1, 2, ... 256 positions, or take a neighbour's place. Repeat until nothing is
       gained. Lloyd's algorithm would stop at the first local optimum; here a code can go from
       one end of the axis to the other in one round.
    3. Finish with Lloyd's algorithm on the exact values.

    Returns
    -------
    (n,) float32, ascending; n = min(n_codes, distinct values).
    """
    values = np.sort(X, axis=None)
    distinct = np.r_[0, np.flatnonzero(np.diff(values)) + 1]  # where each distinct value begins
    if len(distinct) <= n_codes:
        return values[distinct]
    centre = float(values[values.size // 2])  # keeps the squares small
    sorted_ = values.astype(np.float64) - centre
    sums = np.concatenate([[0.0], np.cumsum(sorted_)])

    squares = float(sorted_ @ sorted_)
    positions = _candidates(sorted_, distinct, 8 * n_codes)
    boundaries = positions[_best_boundaries(positions, sums[positions], n_codes, squares)]
    for _ in range(100):  # Lloyd
        boundaries = np.unique(boundaries)
        means = np.diff(sums[boundaries]) / np.diff(boundaries)
        moved = np.searchsorted(sorted_, (means[1:] + means[:-1]) / 2)
        moved = np.r_[0, moved, values.size]
        if np.array_equal(moved, boundaries):
            break
        boundaries = moved
    return (means + centre).astype(np.float32)


def _candidates(values: np.ndarray, distinct: np.ndarray, n: int) -> np.ndarray:
    """About `n` positions in the sorted `values` where a cluster may begin, with both ends."""
    if len(distinct) > n:
        quantiles = values[np.linspace(0, values.size - 1, 8193).astype(int)]
        # Integral of density**(1/3): a step of width w that holds 1/8192 of the values has the
        # density 1/(8192 w), so it adds w * w**(-1/3). The gap before an outlier adds little.
        steps = np.diff(quantiles, prepend=quantiles[0]) ** (2 / 3)
        steps = np.minimum(steps, 256 * np.median(steps[steps > 0]))
        spread = np.interp(np.linspace(0, steps.sum(), n), np.cumsum(steps), quantiles)
        distinct = np.searchsorted(values, spread)
    return np.unique(np.r_[0, distinct, values.size])


def _best_boundaries(
    positions: np.ndarray, sums: np.ndarray, n_codes: int, squares: float
) -> np.ndarray:
    """Indices into `positions` of the n_codes + 1 boundaries of the best clusters found.

    `sums[i]` is the sum of all values before position i, `squares` the sum of all their squares.
    What clusters save of that is the sum over them of (sum of the cluster)**2 / size.
    """
    last = len(positions) - 1
    boundaries = np.linspace(0, last, n_codes + 1).astype(int)
    moves = np.r_[1:9, 12, 16, 24, 32, 64, 128, 256]
    moves = np.r_[-moves[::-1], 0, moves]
    neighbours = np.clip(np.arange(n_codes + 1)[:, None] + [-2, -1, 1, 2], 0, n_codes)
    saved = 0.0
    while True:
        tried = np.hstack([np.clip(boundaries[:, None] + moves, 0, last), boundaries[neighbours]])
        tried[0], tried[-1] = 0, last
        # gain[c, a, b]: saved by cluster c from its a-th candidate start to its b-th candidate end
        size = positions[tried][1:, None, :] - positions[tried][:-1, :, None]
        total = sums[tried][1:, None, :] - sums[tried][:-1, :, None]
        gain = np.where(size < 0, -np.inf, total**2 / np.maximum(size, 1))

        best = gain[0].max(axis=0)  # best[b]: saved by all clusters so far, the last ending at b
        came_from = []
        for cluster in gain[1:]:
            reached = best[:, None] + cluster
            came_from.append(reached.argmax(axis=0))
            best = reached.max(axis=0)
        choice = [0]  # all candidates for the last end are the same
        for pointers in reversed(came_from):
            choice.append(pointers[choice[-1]])
        boundaries[1:] = tried[np.arange(1, n_codes + 1), choice[::-1]]
        if best[0] - saved <= max(1e-4 * (squares - best[0]), 1e-12 * best[0]):
            return boundaries
        saved = best[0]


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
