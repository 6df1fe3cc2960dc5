"""What the quantizers of single numbers share: any shape, and entropy coding of the codes."""

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from utils.quantization.base import Quantizer, as_list, check_option, code_dtype
from utils.quantization.entropy import rans_decode, rans_encode


class ScalarQuantizer(Quantizer):
    """What the quantizers of single numbers share: any shape, and entropy coding of the codes."""

    def pack(self, codes: Any) -> np.ndarray:
        """The codes as a one-dimensional uint8 array: bit-packed, or entropy-coded if asked."""
        if not self.entropy_coding:
            return super().pack(codes)
        check_is_fitted(self)
        return rans_encode(
            self._validated_codes(codes).astype(np.int32) - self._limits[0], 1 << self.bits
        )

    def unpack(self, packed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        if not self.entropy_coding:
            return super().unpack(packed, shape)
        codes = rans_decode(packed, 1 << self.bits, int(np.prod(shape))).reshape(shape)
        lowest = np.int32(self._limits[0])
        return codes if not self._signed else (codes + lowest).astype(self._dtype)

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
            self, as_list(X), reset=reset, dtype=np.float32, ensure_2d=False, allow_nd=True
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
