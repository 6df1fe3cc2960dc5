"""A uniform grid: a scale and a zero point for a tensor, or for each of its channels."""

from math import prod
from numbers import Real
from typing import Any, Literal

import numpy as np
from sklearn.utils.validation import check_is_fitted

from utils.codecs import codec
from utils.codecs.registry import expect
from utils.quantization.base import as_kind_of, check_option
from utils.quantization.entropy import rans_decode, rans_encode
from utils.quantization.scalar.base import ScalarQuantizer

FARTHEST = 4095  # steps from zero, to either side, so that rANS has symbols enough


@codec
class AffineQuantizer(ScalarQuantizer):
    """A uniform grid: x is stored as q = clip(round(x / scale) + zero_point).

    Back it comes as scale * (q - zero_point). The range always contains zero, so that zero
    (padding, ReLU) is stored exactly, and every value inside the range comes back at most half a
    step away.

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
    step : distance of two marks, in standard deviations of the tensor or of each channel, in place
        of a range: nothing is clipped, a code is as many steps as a value is away from zero, at most
        4,095, and `bits` has no say. It needs `entropy_coding`, which makes the rare codes cheap.
        Of all grids with the same entropy the one with equal steps has the least squared error,
        if they are small (Gish and Pierce, IEEE Trans. Inf. Theory 14(5), 1968).

    Attributes
    ----------
    scale_ : (1,) or (channels,) float32.
    zero_point_ : the codes of 0.0, with the shape of `scale_` (absent if symmetric).

    Source: Jacob et al., CVPR 2018 (arXiv 1712.05877), equation 1.

    What people get wrong: the range. With "minmax" one outlier sets the step of all values, which
    ruins a grid of few bits; with 8 bits, to clip the outlier may cost more than it gains.

    >>> from utils.quantization import AffineQuantizer
    >>> quantizer = AffineQuantizer(bits=4)
    >>> codes = quantizer.fit_transform(np.array([0.1, -0.2, 0.25, 1.4]))
    >>> codes, quantizer.inverse_transform(codes).round(3)
    (array([ 0, -1,  1,  7], dtype=int8), array([ 0. , -0.2,  0.2,  1.4], dtype=float32))
    """

    decode_params = ("bits", "symmetric", "granularity", "axis", "entropy_coding")
    later_params = ("step",)
    decode_arrays = ("scale_", "zero_point_")

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
        step: float | None = None,
    ):
        self.bits = bits
        self.symmetric = symmetric
        self.granularity = granularity
        self.axis = axis
        self.calibration = calibration
        self.percentile = percentile
        self.entropy_coding = entropy_coding
        self.step = step

    def pack(self, codes: Any) -> np.ndarray:
        if self.step is None:
            return super().pack(codes)
        check_is_fitted(self)
        codes = self._validated_codes(codes).astype(np.int32)
        low, high = (int(codes.min()), int(codes.max())) if codes.size else (0, 0)
        ends = np.array([low, high], "<i2").view(np.uint8)
        return np.concatenate([ends, rans_encode(codes - low, high - low + 1)])

    def unpack(self, packed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        if self.step is None:
            return super().unpack(packed, shape)
        packed = np.frombuffer(packed, np.uint8)
        expect(len(packed) >= 4, f"an entropy-coded stream of {len(packed)} bytes is truncated")
        low, high = packed[:4].copy().view("<i2").tolist()
        expect(-FARTHEST <= low <= high <= FARTHEST, f"codes from {low} to {high} are corrupt")
        codes = rans_decode(packed[4:], high - low + 1, prod(shape)).reshape(shape)
        return (codes.astype(np.int32) + low).astype(self._dtype)

    @property
    def _signed(self) -> bool:
        return self.symmetric

    @property
    def _dtype(self) -> np.dtype:
        wide = self.bits > 8 or self.step is not None
        return np.dtype(f"{'i' if self.symmetric else 'u'}{2 if wide else 1}")

    @property
    def _limits(self) -> tuple[int, int]:
        high = FARTHEST if self.step is not None else 2 ** (self.bits - 1) - 1
        return (-high, high) if self.symmetric else (0, 2**self.bits - 1)

    def _fit(self, X: np.ndarray) -> None:
        self._check_params(X)
        channels = self._channels(X)
        if self.step is not None:
            self.scale_ = self._step_scale(channels)
            return
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
        self._check_step()
        check_option("axis", self.axis, -64, 64)
        n = self.scale_.size if self.granularity == "channel" else 1
        arrays = self._decoding_arrays()
        if (
            len(arrays) != (1 if self.symmetric else 2)
            or any(array.shape != (n,) for array in arrays.values())
            or (not self.symmetric and self.zero_point_.dtype != self._dtype)
        ):
            raise ValueError(f"scales and zero points do not fit {self}")

    def _check_granularity(self) -> None:
        if self.granularity not in ("tensor", "channel"):
            raise ValueError(f"granularity must be 'tensor' or 'channel', got {self.granularity!r}")

    def _check_step(self) -> None:
        if self.step is None:
            return
        if not isinstance(self.step, Real) or isinstance(self.step, bool | np.bool_):
            raise ValueError(f"step must be a number of standard deviations, got {self.step!r}")
        if not 0 < self.step <= 100:
            raise ValueError(f"step must lie above 0 and be at most 100, got {self.step}")
        if self.entropy_coding is not True:
            raise ValueError("the codes of a step have no fixed width: set entropy_coding=True")
        if not self.symmetric or self.calibration != "minmax":
            raise ValueError(
                "a step leaves no range to choose: leave symmetric and calibration as they are"
            )

    def _check_params(self, X: np.ndarray) -> None:
        self._check_granularity()
        self._check_step()
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

    def _step_scale(self, X: np.ndarray) -> np.ndarray:
        """One scale a row; rows of one value alone have no deviation, and that value as their step."""
        constant = X.min(axis=1) == X.max(axis=1)
        deviation = X.std(axis=1, dtype=np.float64)
        scale = np.where(constant, np.abs(X[:, 0]), self.step * deviation)
        if not np.all(FARTHEST * scale <= np.finfo(np.float32).max):
            raise ValueError("X covers too wide a range: the ends of its grid are no float32")
        scale = scale.astype(np.float32)
        return np.where(scale < np.finfo(np.float32).tiny, np.float32(1), scale)

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
        ends = [(code - zero_point.astype(np.float64)) * scale for code in (first, last)]
        if not np.abs(ends).max(initial=0) <= np.finfo(np.float32).max:
            raise ValueError("X covers too wide a range: the ends of its grid are no float32")
        return scale, zero_point.astype(np.float32)

    def _round(self, X: np.ndarray, scale: np.ndarray, zero_point: np.ndarray) -> np.ndarray:
        q = X / scale
        np.rint(q, out=q)
        q += zero_point
        if self.step is not None and np.abs(q).max() > FARTHEST:
            raise ValueError(
                f"X has values more than {FARTHEST:,} steps from zero: take a larger step"
            )
        return np.clip(q, *self._limits, out=q)

    def _encode(self, X: np.ndarray) -> np.ndarray:
        return self._round(X, *self._broadcast(X.shape)).astype(self._dtype)

    def inside(self, X: Any) -> Any:
        """bool, of the shape of `X`: where rounding alone, without clipping, finds a code."""
        check_is_fitted(self)
        values = self._validated(X, reset=False)
        scale, zero_point = self._broadcast(values.shape)
        codes = np.rint(values / scale) + zero_point
        low, high = self._limits
        return as_kind_of(X, (low <= codes) & (codes <= high))

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
