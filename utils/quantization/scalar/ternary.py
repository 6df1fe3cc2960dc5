"""Three values, -1, 0 and 1 times a scale: 1.58 bits a weight."""

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from utils.codecs import codec
from utils.quantization.entropy import pack_trits, rans_decode, rans_encode, unpack_trits
from utils.quantization.scalar.base import ScalarQuantizer


@codec
class TernaryQuantizer(ScalarQuantizer):
    """x is stored as q = clip(round(x / scale), -1, 1), where the scale is the mean of |x|.

    A code carries at most log2(3) = 1.58 bits. Five of them fit into a byte, since 3**5 = 243.

    Values that are ternary already, 0 and plus or minus one number, keep that number as their scale:
    so a trained network that is loaded, or saved again, stays as it is.

    Parameters
    ----------
    entropy_coding : store the codes with rANS rather than five in a byte

    Attributes
    ----------
    scale_ : (1,) float32.

    Source: Ma et al. (2024), "The era of 1-bit LLMs", arXiv 2402.17764, equations 1 to 3.

    What people get wrong: the scale after reloading. The mean of |x| of values that are ternary already
    is the scale times the share that is not 0; whoever takes it for the scale makes the weights smaller
    each time. It has to be divided by mean|q|.

    >>> from utils.quantization import TernaryQuantizer
    >>> quantizer = TernaryQuantizer()
    >>> codes = quantizer.fit_transform(np.array([0.1, -1.0, 0.2, 2.7]))
    >>> values = quantizer.inverse_transform(codes)
    >>> codes, values
    (array([ 0, -1,  0,  1], dtype=int8), array([ 0., -1.,  0.,  1.], dtype=float32))
    >>> np.abs(values).mean(), TernaryQuantizer().fit(values).scale_
    (np.float32(0.5), array([1.], dtype=float32))
    """

    decode_params = ("entropy_coding",)
    decode_arrays = ("scale_",)
    _signed = True
    _limits = (-1, 1)
    _dtype = np.dtype(np.int8)

    def __init__(self, *, entropy_coding: bool = False):
        self.entropy_coding = entropy_coding

    def pack(self, codes: Any) -> np.ndarray:
        """The codes as a one-dimensional uint8 array: five in a byte, or entropy-coded if asked."""
        check_is_fitted(self)
        codes = self._validated_codes(codes)
        if self.entropy_coding:
            return rans_encode(codes.astype(np.int32) + 1, 3)
        return pack_trits(codes)

    def unpack(self, packed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        count = int(np.prod(shape))
        if self.entropy_coding:
            return (rans_decode(packed, 3, count).astype(np.int8) - 1).reshape(shape)
        return unpack_trits(packed, count).reshape(shape)

    def _check_bits(self) -> None:
        """There are none to choose."""

    def _fit(self, X: np.ndarray) -> None:
        size = np.abs(X)
        largest, mean = size.max(), size.mean(dtype=np.float64)
        ternary = ((size == 0) | (size == largest)).all()
        scale = largest if ternary else np.float32(mean)
        self.scale_ = np.array([scale if scale > np.finfo(np.float32).tiny else 1], np.float32)

    def _restore(self) -> None:
        if self.scale_.shape != (1,):
            raise ValueError(f"scales of shape {self.scale_.shape} do not fit {self}")

    def _encode(self, X: np.ndarray) -> np.ndarray:
        return np.clip(np.rint(X / self.scale_), -1, 1).astype(np.int8)

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        return codes.astype(np.float32) * self.scale_
