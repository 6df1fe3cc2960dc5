"""From integer codes to bytes: fixed-width bit packing, and entropy coding with rANS.

Source: Shannon (1948), "A mathematical theory of communication", theorem 9, for the bound; Duda
(2013), arXiv 1311.2540, for the coder.

What people get wrong: the entropy is not yet a file. The decoder needs the frequencies and the last
states too, and a code of 1 bit that is kept in an int8 takes 8.

>>> from utils.quantization import entropy, pack_bits, rans_encode
>>> codes = np.repeat([0, 1], [900, 100]).astype(np.int8)
>>> codes.nbytes, pack_bits(codes, bits=1).nbytes
(1000, 125)
>>> round(entropy(codes) * len(codes) / 8, 1), rans_encode(codes, n_symbols=2).nbytes
(58.6, 66)
"""

import numpy as np

_CHUNK = 1 << 18  # codes handled at once, a multiple of 8 so that every chunk ends on a byte


def pack_bits(codes: np.ndarray, bits: int) -> np.ndarray:
    """Integers of any shape as a uint8 array, `bits` bits each, the lowest bit first.

    Negative integers are stored in two's complement. n codes take ceil(n * bits / 8) bytes.

    Raises
    ------
    ValueError
        `bits` outside 1..16, codes that are not integers or do not fit.
    """
    flat = np.asarray(codes).ravel()
    if not 1 <= bits <= 16:
        raise ValueError(f"bits must lie in 1..16, got {bits}")
    if flat.dtype.kind not in "iu":
        raise ValueError(f"codes must be integers, got {flat.dtype}")
    low, high = (int(flat.min()), int(flat.max())) if flat.size else (0, 0)
    if low < -(1 << bits - 1) or high >= 1 << bits or (low < 0 and high >= 1 << bits - 1):
        raise ValueError(f"codes from {low} to {high} do not fit into {bits} bits")
    parts = []
    for start in range(0, flat.size, _CHUNK):
        words = flat[start : start + _CHUNK].astype("<i4").astype("<u2")
        columns = np.unpackbits(words.view(np.uint8).reshape(-1, 2), axis=1, bitorder="little")
        parts.append(np.packbits(columns[:, :bits], bitorder="little"))
    return np.concatenate(parts) if parts else np.empty(0, np.uint8)


def unpack_bits(packed: np.ndarray, bits: int, count: int, *, signed: bool = False) -> np.ndarray:
    """The `count` integers that `pack_bits` packed, in the smallest type that holds them.

    Raises
    ------
    ValueError
        `packed` is not exactly as long as `count` codes of `bits` bits.
    """
    packed = np.frombuffer(packed, np.uint8)
    expected = -(-count * bits // 8)
    if len(packed) != expected:
        raise ValueError(
            f"{count} codes of {bits} bits take {expected} bytes, but there are {len(packed)}"
        )
    codes = np.empty(count, np.uint8 if bits <= 8 else np.uint16)
    for start in range(0, count, _CHUNK):
        n = min(_CHUNK, count - start)
        part = packed[start * bits // 8 : -(-(start + n) * bits // 8)]
        columns = np.unpackbits(part, count=n * bits, bitorder="little").reshape(n, bits)
        if signed:  # repeat the sign bit upwards
            columns = np.pad(columns, ((0, 0), (0, 8 * codes.itemsize - bits)), mode="edge")
        packed_columns = np.packbits(columns, axis=1, bitorder="little")
        codes[start : start + n] = sum(
            packed_columns[:, i].astype(codes.dtype) << 8 * i
            for i in range(packed_columns.shape[1])
        )
    return codes.view(f"i{codes.itemsize}") if signed else codes


_PLACES = 3 ** np.arange(5)


def pack_trits(codes: np.ndarray) -> np.ndarray:
    """Integers -1, 0 and 1 of any shape as a uint8 array, five in a byte (3**5 = 243).

    The first of five is the lowest digit to base 3; a digit is the code plus 1, and places that are left
    over in the last byte are 0.

    Raises
    ------
    ValueError
        codes that are not integers from -1 to 1.
    """
    flat = np.asarray(codes).ravel()
    if flat.dtype.kind not in "iu":
        raise ValueError(f"codes must be integers, got {flat.dtype}")
    if flat.size and not -1 <= int(flat.min()) <= int(flat.max()) <= 1:
        raise ValueError(f"trits must lie in -1..1, got {flat.min()}..{flat.max()}")
    digits = np.pad(flat.astype(np.int16) + 1, (0, -flat.size % 5)).reshape(-1, 5)
    return (digits @ _PLACES).astype(np.uint8)


def unpack_trits(packed: np.ndarray, count: int) -> np.ndarray:
    """The `count` integers that `pack_trits` packed, as int8.

    Raises
    ------
    ValueError
        `packed` is not exactly as long as `count` trits, or holds a byte that none make.
    """
    packed = np.frombuffer(packed, np.uint8)
    expected = -(-count // 5)
    if len(packed) != expected:
        raise ValueError(f"{count} trits take {expected} bytes, but there are {len(packed)}")
    digits = (packed[:, None] // _PLACES % 3).ravel()
    if (packed >= 3**5).any() or digits[count:].any():
        raise ValueError("packed trits are corrupt: a byte stands for no five of them")
    return digits[:count].astype(np.int8) - 1


def entropy(codes: np.ndarray) -> float:
    """Shannon entropy of the codes' own frequencies, in bits a code.

    No code that treats the codes as independent can spend fewer bits on average (Shannon, 1948,
    theorem 9).
    """
    _, counts = np.unique(np.asarray(codes), return_counts=True)
    p = counts / max(counts.sum(), 1)
    return float(-(p * np.log2(p)).sum()) if len(p) > 1 else 0.0


# rANS: a state x is a number whose digits are the message. To push symbol s, which owns the
# slots start[s] .. start[s] + frequency[s] - 1 of a circle of 2**14, replace x by the
# (x // frequency[s])-th turn of the circle, at slot start[s] + x % frequency[s]. To pop, look
# which symbol owns the slot x % 2**14. A likely symbol owns many slots and hardly lengthens x.
_SLOT_BITS = 14
_SLOTS = 1 << _SLOT_BITS
_LOW = 1 << 16  # states live in [2**16, 2**32): one 16-bit word at a time leaves or enters


def rans_encode(codes: np.ndarray, n_symbols: int) -> np.ndarray:
    """Entropy-code integers 0..n_symbols-1 of any shape into a uint8 array.

    Range asymmetric numeral systems (Duda, arXiv 1311.2540), with many states
    interleaved into one stream so that NumPy can advance them together (Giesen, arXiv 1402.3392).
    Chosen over Huffman's code because it may spend less than one bit on a code, which matters when
    most weights share one value, and because it is shorter to write. The array starts with the
    frequencies (2 bytes a symbol) and the final states, so decoding needs nothing but the count.

    Raises
    ------
    ValueError
        codes outside 0..n_symbols-1, or more than 2**13 symbols.
    """
    flat = np.asarray(codes).ravel()
    if not 1 <= n_symbols <= _SLOTS // 2:
        raise ValueError(f"n_symbols must lie in 1..{_SLOTS // 2}, got {n_symbols}")
    if flat.size and not 0 <= int(flat.min()) <= int(flat.max()) < n_symbols:
        raise ValueError(f"codes must lie in 0..{n_symbols - 1}")
    frequency = _frequencies(np.bincount(flat, minlength=n_symbols))
    start = np.cumsum(frequency) - frequency
    frequency, start = frequency.astype(np.uint32), start.astype(np.uint32)

    lanes = _lanes(flat.size)
    states = np.full(lanes, _LOW, np.uint32)
    words = []
    for row in reversed(range(0, flat.size, lanes)):  # the decoder meets them in reading order
        symbols = flat[row : row + lanes]
        x, f = states[: len(symbols)], frequency[symbols]
        full = x >> (32 - _SLOT_BITS) >= f  # would outgrow 32 bits: let the low word go
        words.append(x[full].astype("<u2"))
        x = np.where(full, x >> 16, x)
        turns, rest = np.divmod(x, f)
        states[: len(symbols)] = (turns << _SLOT_BITS) + start[symbols] + rest
    head = frequency.astype("<u2"), states.astype("<u4")
    return np.concatenate([part.view(np.uint8) for part in (*head, *reversed(words))])


def rans_decode(packed: np.ndarray, n_symbols: int, count: int) -> np.ndarray:
    """The `count` codes that `rans_encode` coded, one-dimensional.

    Raises
    ------
    ValueError
        the stream is truncated or corrupt.
    """
    packed = np.frombuffer(packed, np.uint8)
    lanes = _lanes(count)
    head = 2 * n_symbols + 4 * lanes
    if len(packed) < head or (len(packed) - head) % 2:
        raise ValueError(f"an entropy-coded stream of {len(packed)} bytes is truncated")
    frequency = packed[: 2 * n_symbols].view("<u2").astype(np.uint32)
    states = packed[2 * n_symbols : head].copy().view("<u4").astype(np.uint32)
    words = packed[head:].copy().view("<u2").astype(np.uint32)
    if frequency.sum() > _SLOTS:
        raise ValueError("an entropy-coded stream is corrupt: its frequencies do not add up")
    symbol_of_slot = np.repeat(np.arange(n_symbols), frequency)
    symbol_of_slot = np.pad(symbol_of_slot, (0, _SLOTS - len(symbol_of_slot)))
    start = (np.cumsum(frequency) - frequency).astype(np.uint32)

    codes = np.empty(count, np.uint8 if n_symbols <= 256 else np.uint16)
    used = 0
    for row in range(0, count, lanes):
        x = states[: min(lanes, count - row)]
        slots = x & (_SLOTS - 1)
        symbols = symbol_of_slot[slots]
        codes[row : row + lanes] = symbols
        x = frequency[symbols] * (x >> _SLOT_BITS) + slots - start[symbols]
        hungry = np.flatnonzero(x < _LOW)
        taken = words[used : used + len(hungry)]
        if len(taken) < len(hungry):
            raise ValueError("an entropy-coded stream is truncated")
        x[hungry] = x[hungry] << 16 | taken
        used += len(hungry)
        states[: len(x)] = x
    if used != len(words) or (states != _LOW).any():  # the encoder started every state there
        raise ValueError("an entropy-coded stream is corrupt")
    return codes


def _lanes(count: int) -> int:
    """How many states to interleave: each costs 4 bytes and saves steps."""
    return int(np.clip(count // 8192, 1, 1024))


def _frequencies(counts: np.ndarray) -> np.ndarray:
    """Integers in proportion to `counts` that add up to 2**14; at least 1 where a count is."""
    present = counts > 0
    spare = _SLOTS - 1 - present.sum()
    frequency = np.where(present, counts * spare // max(counts.sum(), 1) + 1, 0)
    if present.any():
        frequency[frequency.argmax()] += _SLOTS - 1 - frequency.sum()
    return frequency
