"""The protocol every quantizer follows: values to integer codes, codes to values, and their bytes."""

from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted, validate_data

from utils.codecs.registry import Encoded, Parts, Shape, expect
from utils.quantization.entropy import pack_bits, unpack_bits


class Quantizer(TransformerMixin, BaseEstimator):
    """A scikit-learn transformer whose output is integer codes, and a codec of model files.

    Every quantizer has `fit(X)`, `transform(X)` -> codes, `inverse_transform(codes)` -> values and
    `nbytes(codes)`. NumPy arrays and CPU tensors are accepted, and each method returns the kind it
    was given. Values are handled as float32, which is what models store.

    A quantizer is a map to one of finitely many codes, and one back.

    Source: Gersho and Gray, Vector Quantization and Signal Compression, 1992, section 5.1.

    What people get wrong: the size. Codes alone decode to nothing; scales, codebooks and rotations
    belong to the bytes.

    >>> from utils.quantization import KMeansQuantizer
    >>> quantizer = KMeansQuantizer(bits=1)
    >>> codes = quantizer.fit_transform([0.0, 1.0, 1.0, 5.0])
    >>> codes, quantizer.inverse_transform(codes)
    (array([0, 0, 0, 1], dtype=uint8), array([0.6666667, 0.6666667, 0.6666667, 5.       ], dtype=float32))
    >>> quantizer.nbytes(codes)  # four codes in one byte, two float32
    9

    As a codec (see `utils.codecs`) it is passed by pattern, fitted or not, to
    `utils.packing.save_model`. A subclass says in `decode_params` and `decode_arrays` which
    constructor parameters and fitted arrays decoding needs: exactly those go into a model file, in
    this order, and are counted by `nbytes`. Options that came later, `later_params`, follow in a file
    only where they are not None, so that older files are read and other files do not change.
    `utils.codecs.codec` registers it where it is defined.
    """

    decode_params: tuple[str, ...] = ()
    later_params: tuple[str, ...] = ()
    decode_arrays: tuple[str, ...] = ()

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn the quantizer from `X`; `y` is ignored."""
        self._fit(self._validated(X, reset=True))
        return self

    def transform(self, X: Any) -> Any:
        """Integer codes of `X`."""
        check_is_fitted(self)
        return as_kind_of(X, self._encode(self._validated(X, reset=False)))

    def inverse_transform(self, codes: Any) -> Any:
        """The float32 values that `codes` stand for.

        Raises
        ------
        ValueError
            codes that are not integers, have the wrong shape or are out of range.
        """
        check_is_fitted(self)
        return as_kind_of(codes, self._decode(self._validated_codes(codes)))

    def nbytes(self, codes: Any) -> int:
        """Bytes of the packed `codes` plus every array that is needed to decode them."""
        arrays = self._decoding_arrays().values()
        return len(self.pack(codes)) + sum(array.nbytes for array in arrays)

    def pack(self, codes: Any) -> np.ndarray:
        """The codes as a one-dimensional uint8 array, bit-packed for a file."""
        check_is_fitted(self)
        return pack_bits(self._validated_codes(codes), self._code_bits)

    def unpack(self, packed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """The codes that `pack` packed; `shape` is that of the values they stand for.

        Raises
        ------
        ValueError
            `packed` does not hold codes for values of that shape.
        """
        shape = self._codes_shape(shape)
        codes = unpack_bits(packed, self._code_bits, int(np.prod(shape)), signed=self._signed)
        return codes.reshape(shape)

    def get_state(self) -> dict[str, Any]:
        """All that decoding needs, as a flat dictionary of arrays and plain scalars."""
        check_is_fitted(self)
        params = {name: getattr(self, name) for name in self.decode_params}
        params |= {name: getattr(self, name) for name in self._later()}
        return params | self._decoding_arrays()

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """A quantizer that decodes as the one `get_state` was called on did.

        Options that matter only while fitting are not in the state and take their defaults.

        Raises
        ------
        ValueError
            Parts that are missing or do not fit together.
        """
        required = {*cls.decode_params, cls.decode_arrays[0]}
        if not required <= state.keys():
            raise ValueError(
                f"no {sorted(required - state.keys())} in the state of a {cls.__name__}"
            )
        params = cls.decode_params + cls.later_params
        quantizer = cls(**{name: state[name] for name in params if name in state})
        for name in cls.decode_arrays:
            if name in state:
                array = np.asarray(state[name])
                if array.dtype != np.float32 and name != "zero_point_":
                    raise ValueError(f"{name} must be float32, got {array.dtype}")
                setattr(quantizer, name, array)
        quantizer._restore()
        return quantizer

    def encode(self, X: Any) -> Encoded:
        """The codec's side: what decoding needs of the parameters, and packed codes and arrays.

        A quantizer that is not fitted stays so; a copy is fitted to `X`.
        """
        fitted = self if hasattr(self, self.decode_arrays[0]) else clone(self).fit(X)
        names = (*self.decode_params, *self._later())
        params = (getattr(fitted, name) for name in names)
        config = [value.item() if isinstance(value, np.generic) else value for value in params]
        return config, [fitted.pack(fitted.transform(X)), *fitted._decoding_arrays().values()]

    @classmethod
    def decode(cls, config: list, parts: Parts, shape: Shape) -> np.ndarray:
        """The values that `encode` encoded.

        Raises
        ------
        ValueError
            Parts that do not fit together or are damaged, codes out of range.
        """
        (packed, *arrays), names = parts, cls.decode_arrays
        if len(arrays) > len(names):
            raise ValueError(f"{len(arrays)} arrays are more than {', '.join(names)}")
        later = config[len(cls.decode_params) :]
        expect(None not in later, "an option that is None is left out")
        options = cls.decode_params + cls.later_params[: len(later)]
        params = dict(zip(options, config, strict=True))
        quantizer = cls.from_state(params | dict(zip(names, arrays, strict=False)))
        return quantizer.inverse_transform(quantizer.unpack(packed, shape))

    def _later(self) -> list[str]:
        return [name for name in self.later_params if getattr(self, name) is not None]

    # What a subclass provides.

    _signed = False

    def _codes_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the codes of values of `shape`."""
        return shape

    @property
    def _code_bits(self) -> int:
        raise NotImplementedError

    @property
    def _limits(self) -> tuple[int, int]:
        """The lowest and the highest code."""
        raise NotImplementedError

    def _fit(self, X: np.ndarray) -> None:
        raise NotImplementedError

    def _encode(self, X: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _restore(self) -> None:
        """Check the parts of a state, and set what follows from them."""
        raise NotImplementedError

    def _decoding_arrays(self) -> dict[str, np.ndarray]:
        names = [name for name in self.decode_arrays if hasattr(self, name)]
        return {name: np.asarray(getattr(self, name)) for name in names}

    def _validated(self, X: Any, *, reset: bool) -> np.ndarray:
        return validate_data(self, as_list(X), reset=reset, dtype=np.float32, order="C")

    def _validated_codes(self, codes: Any) -> np.ndarray:
        codes = np.asarray(to_numpy(codes))
        expect(codes.ndim > 0, "a quantizer wants a list of codes, not one")
        if codes.dtype.kind not in "iu":
            raise ValueError(f"codes must be integers, got {codes.dtype}")
        check_range(codes, *self._limits)
        return codes

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # codes are integers whatever X is
        return tags


def to_numpy(X: Any) -> Any:
    """A CPU tensor as a NumPy array (half precisions as float32); anything else as it is."""
    if not torch.is_tensor(X):
        return X
    if X.device.type != "cpu":
        raise ValueError(f"X is a tensor on {X.device}; quantizers work on the CPU: pass X.cpu()")
    X = X.detach()
    return (X.float() if X.dtype in (torch.float16, torch.bfloat16) else X).numpy()


def as_list(X: Any) -> Any:
    """As :func:`to_numpy`; a single number, for which scikit-learn raises a TypeError, is refused."""
    X = to_numpy(X)
    single = np.isscalar(X) or getattr(X, "ndim", None) == 0
    expect(not single, "a quantizer wants a list of numbers, not one")
    return X


def as_kind_of(X: Any, result: np.ndarray) -> Any:
    """`result` as a tensor when `X` is one, else as the array it is."""
    return torch.from_numpy(result) if torch.is_tensor(X) else result


def check_range(codes: np.ndarray, low: int, high: int) -> None:
    """Raise ValueError unless low <= codes <= high everywhere."""
    if codes.size and (codes.min() < low or codes.max() > high):
        raise ValueError(
            f"codes must lie in {low}..{high}, got {codes.min()}..{codes.max()}: "
            "they were made by another quantizer or are corrupt"
        )


def check_option(name: str, value: Any, low: int, high: int) -> None:
    """Raise ValueError unless the parameter is an integer in low..high."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool):
        raise ValueError(f"{name} must be an integer, got {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name} must lie in {low}..{high}, got {value}")


def code_dtype(n_codes: int) -> type:
    """The smallest unsigned integer type that holds the codes 0..n_codes-1."""
    return np.uint8 if n_codes <= 256 else np.uint16
