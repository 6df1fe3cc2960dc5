"""Arrays with many zeros: where the others stand, in four ways, and what they are, by any codec.

Source: Han, Mao and Dally, ICLR 2016 (arXiv 1510.00149), section 2, for gaps; Witten, Moffat and Bell,
Managing Gigabytes, 2nd edition, 1999, section 3.3, for gaps and bitmaps of an index.

What people get wrong: the positions. At 90% zeros in float32, a gap of a byte for each non-zero is a
fifth of what is stored; with values of 4 bits it is two thirds. Below 87.5% zeros a bitmap takes less.

>>> from utils.codecs import break_even, positions_bits
>>> {way: round(bits, 2) for way, bits in positions_bits(0.9, columns=100).items()}
{'bitmap': 1.0, 'gaps': 0.8, 'rows': 0.88, 'blocks': 0.88, 'entropy': 0.47}
>>> break_even("bitmap", dense_bits=32, value_bits=32), break_even("gaps", 8, 8)
(0.0313, 0.5)
"""

from collections.abc import Callable
from math import log2, prod

import numpy as np
import zstandard

from utils.codecs.registry import (
    MAX_EXPANSION,
    Codec,
    Encoded,
    Parts,
    Shape,
    codec,
    decode,
    encode,
    expect,
)
from utils.codecs.sequences import Gaps

BLOCK = 16  # places that share a bit of the upper bitmap


def _bitmap(mask: np.ndarray, shape: Shape) -> list[np.ndarray]:
    return [np.packbits(mask)]


def _from_bitmap(parts: Parts, shape: Shape) -> np.ndarray:
    (packed,) = parts
    size = prod(shape)
    expect(
        packed.dtype == np.uint8 and packed.shape == (-(-size // 8),),
        f"the mask does not fit shape {shape}",
    )
    return np.unpackbits(packed, count=size).astype(bool)


def _gaps(mask: np.ndarray, shape: Shape) -> list[np.ndarray]:
    return Gaps().encode(np.flatnonzero(mask))[1]


def _from_gaps(parts: Parts, shape: Shape) -> np.ndarray:
    return _mask(Gaps.decode([], parts, (0,)), shape)


def _rows(mask: np.ndarray, shape: Shape) -> list[np.ndarray]:
    """Compressed sparse rows: how many non-zeros a row has, and their columns."""
    rows = mask.reshape(-1, shape[-1])
    widest = np.uint8 if shape[-1] <= 256 else np.uint16 if shape[-1] <= 1 << 16 else np.uint32
    counts = rows.sum(axis=1)
    fits = np.uint8 if counts.max(initial=0) < 256 else np.uint32
    return [counts.astype(fits), np.nonzero(rows)[1].astype(widest)]


def _from_rows(parts: Parts, shape: Shape) -> np.ndarray:
    counts, columns = parts
    expect(
        counts.dtype.kind == columns.dtype.kind == "u"
        and len(shape) > 0
        and counts.ndim == columns.ndim == 1
        and counts.size * shape[-1] == prod(shape)
        and int(counts.sum(dtype=np.uint64)) == columns.size,
        f"the rows do not fit shape {shape}",
    )
    expect(bool((columns < shape[-1]).all()), f"a column is outside shape {shape}")
    row = np.repeat(np.arange(counts.size, dtype=np.int64), counts)
    return _mask(row * shape[-1] + columns.astype(np.int64), shape)


def _blocks(mask: np.ndarray, shape: Shape) -> list[np.ndarray]:
    """A bit for each block of places that are not all zero, and a bitmap of those blocks alone."""
    blocks = np.pad(mask, (0, -mask.size % BLOCK)).reshape(-1, BLOCK)
    used = blocks.any(axis=1)
    return [np.packbits(used), np.packbits(blocks[used])]


def _from_blocks(parts: Parts, shape: Shape) -> np.ndarray:
    upper, lower = parts
    count = -(-prod(shape) // BLOCK)
    expect(
        upper.dtype == lower.dtype == np.uint8 and upper.shape == (-(-count // 8),),
        f"the mask of blocks does not fit shape {shape}",
    )
    used = np.unpackbits(upper, count=count).astype(bool)
    expect(lower.shape == (int(used.sum()) * BLOCK // 8,), "the bitmaps of blocks do not fit")
    blocks = np.zeros((count, BLOCK), bool)
    blocks[used] = np.unpackbits(lower).reshape(-1, BLOCK)
    flat = blocks.reshape(-1)
    expect(not flat[prod(shape) :].any(), f"a place is outside shape {shape}")
    return flat[: prod(shape)]


def _mask(places: np.ndarray, shape: Shape) -> np.ndarray:
    size = prod(shape)
    rising = places.size == 0 or bool((np.diff(places) > 0).all() and 0 <= places[0])
    expect(rising and (places.size == 0 or int(places[-1]) < size), f"a place outside {shape}")
    mask = np.zeros(size, bool)
    mask[places] = True
    return mask


# Way: from a flat mask and the array's shape to parts, back, and how many parts.
WAYS: dict[str, tuple[Callable, Callable, int]] = {
    "bitmap": (_bitmap, _from_bitmap, 1),
    "gaps": (_gaps, _from_gaps, 1),
    "rows": (_rows, _from_rows, 2),
    "blocks": (_blocks, _from_blocks, 2),
}


@codec
class Sparse:
    """Where the non-zeros stand, in the way that takes the fewest bytes, and what they are.

    The ways: a "bitmap", one bit for each place; "gaps", a byte or more from one non-zero to the next;
    "rows", compressed sparse rows (CSR), the number of non-zeros of each row and their columns;
    "blocks", a bit for each 16 places and a bitmap of those that are not all zero. What is compared is
    what a file holds of them, compressed.

    Parameters
    ----------
    values : codec of the list of non-zeros, or the name of one; such as a quantizer of numbers
    positions : one of the ways, or None for the smallest

    Source: Han, Mao and Dally, ICLR 2016 (arXiv 1510.00149), section 2, who keep the distance
    from one non-zero to the next in place of a mask.

    What people get wrong: codes of a quantizer for the whole array, zeros included. They move the
    zeros, and spend bits on them.

    >>> from utils.codecs import Sparse, encode
    >>> encode(Sparse("raw"), np.array([[0, 0, 7], [0, 0, 9]], np.int16))
    ('sparse', ['raw', []], [array([36], dtype=uint8), array([7, 9], dtype=int16)])
    >>> encode(Sparse("raw", "gaps"), np.array([[0, 0, 7], [0, 0, 9]], np.int16))[1:]
    (['raw', [], 'gaps'], [array([2, 2], dtype=uint8), array([7, 9], dtype=int16)])
    """

    name = "sparse"

    def __init__(self, values: str | Codec = "float16", positions: str | None = None):
        if positions is not None and positions not in WAYS:
            raise ValueError(f"positions are kept as {', '.join(WAYS)}, not as {positions!r}")
        self.values, self.positions = values, positions

    def __repr__(self) -> str:
        way = "" if self.positions is None else f", {self.positions!r}"
        return f"Sparse({self.values!r}{way})"

    def encode(self, array: np.ndarray) -> Encoded:
        mask = (array != 0).reshape(-1)
        # A quantizer has nothing to learn from no numbers.
        chosen = self.values if mask.any() else "float16"
        name, config, values = encode(chosen, array.reshape(-1)[mask])
        way, places = self._positions(mask, array.shape, sum(part.nbytes for part in values))
        # The bitmap is not named: files were written before there were other ways.
        return [name, config, *([] if way == "bitmap" else [way])], [*places, *values]

    def _positions(self, mask: np.ndarray, shape: Shape, held: int) -> tuple[str, list]:
        if self.positions is not None:
            return self.positions, WAYS[self.positions][0](mask, shape)
        packer = zstandard.ZstdCompressor(level=19)
        found = "bitmap", _bitmap(mask, shape)
        least = None
        for way, (write, _, _) in WAYS.items():
            if way == "rows" and (not shape or not shape[-1]):
                continue
            parts = write(mask, shape)
            size = sum(min(part.nbytes, len(packer.compress(part.tobytes()))) for part in parts)
            # Few bytes for many places would be refused on reading.
            readable = 4 * mask.size <= MAX_EXPANSION * (held + sum(p.nbytes for p in parts))
            if readable and (least is None or size < least):
                least, found = size, (way, parts)
        return found

    @classmethod
    def decode(cls, config: list, parts: Parts, shape: Shape) -> np.ndarray:
        name, inner, *told = config
        way = told[0] if told else "bitmap"
        # Each would need positions of its own: one small file could nest them without end.
        expect(name != cls.name, "the non-zeros of a sparse array have no zeros left")
        expect(isinstance(way, str) and way in WAYS, f"no positions are kept as {str(way)[:60]!r}")
        expect(len(config) <= 3, "a sparse array has too long a configuration")
        _, read, count = WAYS[way]
        mask = read(parts[:count], shape)
        values = decode(name, inner, parts[count:], (int(mask.sum()),))
        array = np.zeros(mask.size, dtype=values.dtype)
        array[mask] = values
        return array.reshape(shape)


def positions_bits(sparsity: float, columns: int) -> dict[str, float]:
    """Bits that positions take for each place of a matrix whose zeros stand at random.

    Of the four ways of :class:`Sparse` before any compression, and ``entropy``, the bound of all.

    Parameters
    ----------
    sparsity : share of zeros, from 0 to below 1
    columns : of the matrix, for "rows"
    """
    left = 1 - sparsity
    index, count = (8 if columns <= 256 else 16), (8 if columns < 256 else 32)
    return {
        "bitmap": 1.0,
        "gaps": 8 * left / (1 - sparsity**255),  # a byte more for every 255 places without any
        "rows": index * left + count / columns,
        "blocks": 1 / BLOCK + 1 - sparsity**BLOCK,
        "entropy": -sum(share * log2(share) for share in (left, sparsity) if share),
    }


def break_even(way: str, dense_bits: float, value_bits: float, columns: int = 100) -> float:
    """The sparsity above which an array is smaller with its positions kept in a way than dense.

    Parameters
    ----------
    way : of :func:`positions_bits`
    dense_bits, value_bits : bits of a number of the dense array, and of a non-zero

    Returns
    -------
    The sparsity, found by bisection to four digits; 1.0 if it never is.
    """

    def smaller(sparsity: float) -> bool:
        bits = positions_bits(sparsity, columns)[way] + (1 - sparsity) * value_bits
        return bits < dense_bits

    low, high = 1e-9, 1 - 1e-9
    if not smaller(high):
        return 1.0
    while high - low > 5e-5:
        middle = (low + high) / 2
        low, high = (low, middle) if smaller(middle) else (middle, high)
    return round(high, 4)
