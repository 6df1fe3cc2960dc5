"""Codecs of numbers: as they are, in half precision, and in 8 bits."""

import numpy as np

from utils.codecs.registry import Encoded, Parts, Shape, codec, expect


@codec
class Raw:
    """The array as it is, in its own type.

    >>> from utils.codecs import encode
    >>> encode("raw", np.arange(3, dtype=np.uint8))
    ('raw', [], [array([0, 1, 2], dtype=uint8)])
    """

    name = "raw"

    def encode(self, array: np.ndarray) -> Encoded:
        return [], [array]

    @classmethod
    def decode(cls, config: list, parts: Parts, shape: Shape) -> np.ndarray:
        (array,) = parts
        return array


@codec
class Float16:
    """Half precision: 10 bits of fraction, largest value 65,504. Comes back as float32.

    Source: IEEE 754-2008, binary16.

    What people get wrong: a value beyond 65,504 becomes infinite in silence when it is cast; here
    it is refused, and so is NaN.

    >>> from utils.codecs import encode
    >>> encode("float16", np.array([0.1]))
    ('float16', [], [array([0.1], dtype=float16)])
    """

    name = "float16"

    def encode(self, array: np.ndarray) -> Encoded:
        expect(
            bool(np.abs(array).max(initial=0) <= np.finfo(np.float16).max),
            "a value is too large for float16, or not a number",
        )
        return [], [array.astype(np.float16)]

    @classmethod
    def decode(cls, config: list, parts: Parts, shape: Shape) -> np.ndarray:
        (array,) = parts
        expect(array.dtype == np.float16, f"float16 is stored as {array.dtype}")
        return array.astype(np.float32)


@codec
class Int8:
    """Symmetric 8-bit integers of a matrix, one float16 scale for each column.

    Source: Jacob et al., CVPR 2018 (arXiv 1712.05877), equation 1, with zero point 0.

    What people get wrong: the scale is rounded, too. Rounded down, it would push the largest value
    of its column past 127, so here it is rounded up.

    >>> from utils.codecs import encode
    >>> encode("int8", np.array([[1.0, -200.0], [-0.5, 100.0]]))[2][0]
    array([[ 127, -127],
           [ -63,   63]], dtype=int8)
    """

    name = "int8"

    def encode(self, array: np.ndarray) -> Encoded:
        expect(array.ndim == 2, f"int8 wants a matrix, got shape {array.shape}")
        largest = np.abs(array.astype(np.float64)).max(axis=0, initial=0)
        expect(
            bool((largest < 127.0 * float(np.finfo(np.float16).max)).all()),
            "a value is too large for int8 with a float16 scale, or not a number",
        )
        scale = (largest / 127).astype(np.float16)
        # The next half up, or rounding the scale down would push the largest values past 127.
        scale = np.maximum(np.nextafter(scale, np.float16(np.inf)), np.float16(6e-8))
        codes = np.rint(array / scale.astype(np.float32)).astype(np.int8)
        return [], [codes, scale]

    @classmethod
    def decode(cls, config: list, parts: Parts, shape: Shape) -> np.ndarray:
        codes, scale = parts
        expect(
            codes.dtype == np.int8
            and codes.shape == shape
            and scale.dtype == np.float16
            and scale.shape == shape[1:],
            f"codes or scales do not fit {shape}",
        )
        return codes * scale.astype(np.float32)
