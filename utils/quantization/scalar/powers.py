"""Additive powers of two: a grid whose products are a few shifts and sums."""

from functools import cache
from typing import Any

import numpy as np

from utils.codecs import codec
from utils.quantization.base import check_option
from utils.quantization.scalar.base import ScalarQuantizer


def power_terms(bits: int) -> list[list[int | None]]:
    """The terms that a magnitude is the sum of: each is 0 (None) or 2**-e, for an exponent e listed.

    Of the bits - 1 bits of a magnitude, two choose a term of four values: p_i is 0 or 2**-i,
    2**-(i + n), 2**-(i + 2n), for n terms i = 0 .. n - 1. If one bit is left over, it chooses a last
    term that is 0 or 2**-2n, and the smallest powers of the others are halved to make room for it.

    Raises
    ------
    ValueError
        If ``bits`` lies outside 2..8.

    Source: Li, Dong and Wang, ICLR 2020 (arXiv 1909.13144), equation 5 with k = 2, and equation 8.

    What people get wrong: every shift is counted as one operation. A weight of n terms takes n of
    them, and their sum.

    >>> from utils.quantization.scalar import power_terms
    >>> power_terms(5)
    [[None, 0, 2, 4], [None, 1, 3, 5]]
    >>> power_terms(4)
    [[None, 0, 1, 3], [None, 2]]
    """
    check_option("bits", bits, 2, 8)
    n, odd = divmod(bits - 1, 2)
    terms: list[list[int | None]] = [[None, i, i + n, i + 2 * n + odd] for i in range(n)]
    return terms + [[None, 2 * n]] * odd


@cache
def power_levels(bits: int) -> np.ndarray:
    """The 2**(bits - 1) magnitudes, ascending from 0 to 1, float32: all sums of :func:`power_terms`.

    Source: Li, Dong and Wang, ICLR 2020 (arXiv 1909.13144), equations 5 and 8; scaled so that the
    largest is 1.

    What people get wrong: plain powers of two. Their steps near 1 stay as wide as they are, whatever the
    bits: one more bit only adds values near 0.

    >>> from utils.quantization.scalar import power_levels
    >>> power_levels(4)
    array([0. , 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1. ], dtype=float32)
    """
    sums = np.zeros(1)
    for term in power_terms(bits):
        powers = np.array([0.0 if e is None else 2.0**-e for e in term])
        sums = np.add.outer(sums, powers).ravel()
    levels = (np.sort(sums) / sums.max()).astype(np.float32)
    levels.flags.writeable = False  # it is shared
    return levels


@cache
def power_middles(bits: int) -> np.ndarray:
    """Half way between each magnitude and the next: where rounding changes, float32."""
    levels = power_levels(bits)
    middles = (levels[1:] + levels[:-1]) / 2
    middles.flags.writeable = False
    return middles


@codec
class PowersOfTwoQuantizer(ScalarQuantizer):
    """A grid of sums of powers of two, up to a range: dense near 0, and denser near its ends than powers.

    A value comes back as mean + scale * sign * magnitude, of the magnitudes in :func:`power_levels`;
    what lies beyond the scale is cut. In a product with an integer x, the magnitude needs no
    multiplication: x * 2**-e is a shift by e.

    Parameters
    ----------
    bits : 2 to 8, the sign among them
    centre : take the mean off first; zeros are then stored as the nearest value to 0
    entropy_coding : store the codes with rANS

    Attributes
    ----------
    scale_ : (1,) float32, the range with the least squared error among 81 up to the largest value.
    mean_ : (1,) float32 (absent unless centred).

    Source: Li, Dong and Wang, ICLR 2020 (arXiv 1909.13144), equations 5 and 8.

    What people get wrong: the paper normalises weights, (w - mean) / deviation, and leaves them so: the
    batch-norm that follows absorbs it. After a GRU's gates or a linear layer comes none; scale and mean
    have to be undone, and belong to the file.

    >>> from utils.quantization import PowersOfTwoQuantizer
    >>> quantizer = PowersOfTwoQuantizer(bits=3)
    >>> codes = quantizer.fit_transform(np.array([0.1, -0.5, 1.0, 2.0]))
    >>> codes, quantizer.inverse_transform(codes)
    (array([ 0, -1,  2,  3], dtype=int8), array([ 0. , -0.5,  1. ,  2. ], dtype=float32))
    """

    decode_params = ("bits", "entropy_coding")
    decode_arrays = ("scale_", "mean_")
    _signed = True

    def __init__(self, bits: int = 4, *, centre: bool = False, entropy_coding: bool = False):
        self.bits = bits
        self.centre = centre
        self.entropy_coding = entropy_coding

    @property
    def _dtype(self) -> np.dtype:
        return np.dtype(np.int8)

    @property
    def _limits(self) -> tuple[int, int]:
        high = 2 ** (self.bits - 1) - 1
        return -high, high

    def _check_bits(self) -> None:
        check_option("bits of powers of two", self.bits, 2, 8)

    def _fit(self, X: np.ndarray) -> None:
        if self.centre:
            self.mean_ = np.array([X.mean(dtype=np.float64)], np.float32)
        elif hasattr(self, "mean_"):
            del self.mean_
        x = X.astype(np.float64) - getattr(self, "mean_", 0)
        largest = np.abs(x).max()
        if not largest <= np.finfo(np.float32).max:
            raise ValueError("X covers too wide a range for a float32 scale")
        if largest < np.finfo(np.float32).tiny:
            self.scale_ = np.ones(1, np.float32)
            return
        tried = largest * np.geomspace(1, 1 / 64, 81)
        errors = [np.square(self._nearest(x / scale) * scale - x).mean() for scale in tried]
        self.scale_ = np.array([tried[np.argmin(errors)]], np.float32)

    def _restore(self) -> None:
        self._check_bits()
        if any(array.shape != (1,) for array in self._decoding_arrays().values()):
            raise ValueError(f"a scale or mean does not fit {self}")

    def _codes(self, u: Any) -> np.ndarray:
        """Codes of values on the scale of the magnitudes."""
        magnitude = np.searchsorted(power_middles(self.bits), np.abs(u), side="right")
        return np.where(u < 0, -magnitude, magnitude).astype(np.int8)

    def _values(self, codes: np.ndarray) -> np.ndarray:
        high = self._limits[1]
        levels = power_levels(self.bits)
        return np.concatenate([-levels[:0:-1], levels])[codes.astype(np.intp) + high]

    def _nearest(self, u: np.ndarray) -> np.ndarray:
        return self._values(self._codes(u))

    def _encode(self, X: np.ndarray) -> np.ndarray:
        return self._codes((X - getattr(self, "mean_", np.float32(0))) / self.scale_)

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        values = self._values(codes) * self.scale_
        return values + self.mean_ if hasattr(self, "mean_") else values
