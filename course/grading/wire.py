"""Plain data as bytes, for two processes that do not trust each other.

What crosses: None, booleans, numbers, texts, bytes, lists, tuples, sets, dicts, ranges, arrays, tensors,
sparse matrices, iterators (read), and *handles* to whatever else there is. A handle is a number and the
name of a class: it can be called or asked for an attribute by a message, and never becomes the object.
A tensor that gradients are asked of has a number, too, by which they are asked for.
Nothing here is a pickle: to decode runs no code that the other side chose, and takes no more memory
than a small multiple of the message, whose size, depth and number of parts are limited.

A class that is derived from a built-in one, or from an array, crosses as what it is derived from.
"""

import math
import re
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import groupby, islice
from typing import Any, NamedTuple

import numpy as np

MOST_BYTES = 64_000_000  # of a message
MOST_PARTS = 1_000_000  # values in a message, those inside others included
MOST_DEPTH = 60
MOST_ITEMS = 100_000  # read from an iterator, as in utils.checking.outcomes
MOST_DIGITS = 4096  # bytes of an integer
MOST_ALIKE = 100  # keys of one hash, as 0 and 2**61 - 1 have: to store n of them takes n * n steps
FEW, MANY = 8, 1000  # items: so many are written one by one, if of several types also so many
MOST_RUNS = 100
SHORT, LONG = struct.Struct("<I"), struct.Struct("<Q")
DIGITS, REAL = struct.Struct("<H"), struct.Struct("<d")
DTYPE = re.compile(
    r"[<>|=](?:b1|[iu][1248]|f(?:2|4|8|16)|c(?:8|16|32)|[SU]\d{1,6}|[mM]8\[[0-9a-zA-Z]+\])"
)
TENSORS = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
ROUNDED = "bfloat16"  # crosses as float32


class WireError(ValueError):
    """A value that cannot cross, or bytes that are no message."""


class Handle(NamedTuple):
    """What stands for an object of the other side: its number there, class, and how it shows."""

    number: int
    kind: str
    shown: str


class Items(NamedTuple):
    """What was read from an iterator, and its class."""

    kind: str
    items: list


class ArrayLike(NamedTuple):
    """What is no array and NumPy reads as one (a series, a deque), and its class."""

    kind: str
    array: np.ndarray


class Growing(NamedTuple):
    """A tensor that gradients are asked of, and its number on the other side."""

    number: int
    tensor: Any


Part = Handle | Items | ArrayLike | Growing
Export = Callable[[object], Handle]
Make = Callable[[Part], Any]


def encode(value: object, export: Export) -> bytes:
    """The bytes of a value; `export` is asked for a handle to what is not plain data.

    Raises WireError if it is too deep, has too many parts or bytes.
    """
    writer = _Writer(export)
    writer.write(value, 0)
    return bytes(writer.data)


def decode(data: bytes, make: Make = lambda part: part) -> Any:
    """The value of these bytes; `make` says what becomes of parts that are no plain data.

    Raises WireError if they are none of what :func:`encode` writes.
    """
    reader = _Reader(memoryview(data), make)
    try:
        value = reader.read(0)
    except WireError:
        raise
    except Exception as error:  # whatever hostile bytes make of the constructors below
        raise WireError(f"no message: {type(error).__name__}") from None
    if reader.at != len(data):
        raise WireError("something follows the message")
    return value


class _Writer:
    def __init__(self, export: Export) -> None:
        self.export, self.data, self.parts = export, bytearray(), 0

    def put(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.data += piece
        if len(self.data) > MOST_BYTES:
            raise WireError(f"more than {MOST_BYTES:,} bytes")

    def text(self, text: str) -> bytes:
        data = text.encode("utf-8", "surrogatepass")
        return SHORT.pack(len(data)) + data

    def count(self, n: int) -> bytes:
        return LONG.pack(n)

    def write(self, value: Any, depth: int) -> None:
        self.parts += 1
        if depth > MOST_DEPTH or self.parts > MOST_PARTS:
            raise WireError("too deep" if depth > MOST_DEPTH else "too many parts")
        kind = type(value)
        if value is None:
            self.put(b"N")
        elif value is True or value is False:
            self.put(b"T" if value else b"F")
        elif kind is float:
            self.put(b"f", REAL.pack(value))
        elif kind is str:
            self.put(b"s", self.text(value))
        elif kind in _TAGS:
            self.many(kind, value, depth)
        elif getattr(kind, "only_handle", False):  # never asked what it may be
            self.put_handle(value)
        elif isinstance(value, np.generic) and value.dtype.kind in "biufcSUmM":
            self.put(b"g", *self.array(np.asarray(value)))
        elif isinstance(value, int):
            data = int.to_bytes(value, int.bit_length(value) // 8 + 1, "little", signed=True)
            if len(data) > MOST_DIGITS:
                raise WireError("an integer with too many digits")
            self.put(b"i", DIGITS.pack(len(data)), data)
        elif isinstance(value, float):
            self.put(b"f", REAL.pack(value))
        elif isinstance(value, complex):
            self.put(b"c", struct.pack("<dd", value.real, value.imag))
        elif isinstance(value, str):
            self.put(b"s", self.text(str.__str__(value)))
        elif isinstance(value, bytes | bytearray):
            self.put(b"b", self.count(len(value)), bytes(value))
        elif isinstance(value, np.ndarray) and value.dtype.kind in "biufcSUmM":
            self.put(b"a", *self.array(np.asarray(value)))
        elif isinstance(value, np.ndarray) and value.dtype.kind == "O":
            self.put(b"o", self.shape(value))
            for item in value.ravel():
                self.write(item, depth + 1)
        elif base := next((base for base in _TAGS if isinstance(value, base)), None):
            self.many(base, value, depth)
        else:
            self.write_other(value, depth)

    def many(self, kind: Any, value: Any, depth: int) -> None:
        n = kind.__len__(value)
        if kind is dict:
            self.put(b"d", self.count(n))
            for key, item in dict.items(value):
                self.write(key, depth + 1)
                self.write(item, depth + 1)
            return
        if n > FEW and type(value) in (list, tuple) and (runs := _runs(value)):
            self.put(b"k", _TAGS[kind], self.count(len(runs)))
            for numbers, packed in runs:
                self.put(numbers, *self.array(packed))
            return
        self.put(_TAGS[kind], self.count(n))
        for item in kind.__iter__(value):
            self.write(item, depth + 1)

    def write_other(self, value: Any, depth: int) -> None:
        kind = type(value).__name__
        if isinstance(value, Mapping):  # which a check takes for a dict, too
            self.write(dict(value), depth)
        elif isinstance(value, range):
            self.put(b"r")
            self.write([value.start, value.stop, value.step], depth + 1)
        elif isinstance(value, Fraction | Decimal):
            self.put(b"q" if isinstance(value, Fraction) else b"D", self.text(str(value)))
        elif isinstance(value, Iterator):
            self.put(b"I", self.text(kind))
            self.write(list(islice(value, MOST_ITEMS)), depth + 1)
        elif is_tensor(value):
            kind, data = str(value.dtype).removeprefix("torch."), value.detach().cpu()
            data = (data.float() if kind == ROUNDED else data).numpy()
            if value.requires_grad:
                self.put(b"w", self.count(self.export(value).number), *self.array(data))
                self.write(value.grad if value.is_leaf else None, depth + 1)
            else:
                self.put(b"n", *self.array(data))
        elif hasattr(value, "tocoo") and hasattr(value, "nnz"):
            whole = value.tocoo()
            self.put(b"p", self.shape(whole))
            self.write([whole.row, whole.col, whole.data], depth + 1)
        elif (array := _as_array(value)) is not None:
            self.put(b"A", self.text(kind), *self.array(array))
        else:
            self.put_handle(value)

    def put_handle(self, value: Any) -> None:
        number, kind, shown = self.export(value)
        self.put(b"h", self.count(number), self.text(kind[:200]), self.text(shown[:500]))

    def shape(self, array: Any) -> bytes:
        return struct.pack(f"<B{len(array.shape)}Q", len(array.shape), *array.shape)

    def array(self, array: np.ndarray) -> tuple[bytes, ...]:
        if array.nbytes > MOST_BYTES:
            raise WireError(f"more than {MOST_BYTES:,} bytes")
        column_wise = array.flags.f_contiguous and not array.flags.c_contiguous
        order = b"F" if column_wise else b"C"
        return self.text(array.dtype.str), order, self.shape(array), array.tobytes(order.decode())


def is_tensor(value: Any) -> bool:
    return type(value).__module__.startswith("torch") and hasattr(value, "requires_grad")


def _runs(items: list | tuple) -> list[tuple[bytes, np.ndarray]]:
    """The items as arrays, one for each run of Python's floats, Python's integers (of 64 bits) or NumPy's
    numbers of one type; none if there is something else, or many runs. To write half a million numbers
    one by one takes seconds."""
    kinds = set(map(type, items))
    if not all(kind in (float, int) or issubclass(kind, np.number) for kind in kinds):
        return []
    if len(kinds) > 1 and len(items) < MANY:
        return []
    runs = (
        [(kind, list(run)) for kind, run in groupby(items, type)]
        if len(kinds) > 1
        else [(*kinds, items)]
    )
    if len(runs) > MOST_RUNS:
        return []
    found = []
    for kind, run in runs:
        if kind is int and not -(2**63) <= min(run) <= max(run) < 2**63:
            return []
        python = kind in (float, int)
        found.append((b"P" if python else b"G", np.array(run, _NUMBERS.get(kind, kind))))
    return found


def _as_array(value: Any) -> np.ndarray | None:
    """What NumPy makes of a sequence or of what says that it is an array."""
    sequence = hasattr(value, "__len__") and hasattr(value, "__getitem__")
    if isinstance(value, type) or not (sequence or hasattr(value, "__array__")):
        return None
    try:
        array = np.asarray(value)
    except Exception:  # of a class that a student wrote; it stays a handle
        return None
    return array if array.dtype.kind in "biufc" else None


class _Reader:
    def __init__(self, data: memoryview, make: Make) -> None:
        self.data, self.make, self.at, self.parts = data, make, 0, 0

    def take(self, n: int) -> bytes:
        at = self.at
        if n > len(self.data) - at:
            raise WireError("the message ends early")
        self.at = at + n
        return bytes(self.data[at : at + n])

    def number(self, form: struct.Struct) -> Any:
        return form.unpack(self.take(form.size))[0]

    def text(self) -> str:
        return self.take(self.number(SHORT)).decode("utf-8", "surrogatepass")

    def some(self, depth: int, each: int = 1) -> list:
        n = self.number(LONG)
        if n * each > len(self.data) - self.at:  # each takes a byte at least
            raise WireError("more items than bytes")
        return [self.read(depth + 1) for _ in range(n * each)]

    def read(self, depth: int) -> Any:
        self.parts += 1
        if depth > MOST_DEPTH or self.parts > MOST_PARTS:
            raise WireError("too deep" if depth > MOST_DEPTH else "too many parts")
        tag = self.take(1)
        if tag == b"f":
            return self.number(REAL)
        if tag == b"s":
            return self.text()
        if tag == b"i":
            n = self.number(DIGITS)
            if n > MOST_DIGITS:
                raise WireError("an integer with too many digits")
            return int.from_bytes(self.take(n), "little", signed=True)
        if tag in _UNORDERED:
            return _UNORDERED[tag](_apart(self.some(depth)))
        if tag in _PLAIN:
            return _PLAIN[tag]
        if tag == b"d":
            flat = self.some(depth, 2)
            _apart(flat[::2])
            return dict(zip(flat[::2], flat[1::2], strict=True))
        if tag in _MANY:
            return _MANY[tag](self.some(depth))
        if tag == b"a":
            return self.array()
        if tag == b"g":
            return self.array().reshape(())[()]
        return self.read_other(tag, depth)

    def read_other(self, tag: bytes, depth: int) -> Any:
        if tag == b"k":
            kind, items = _MANY[self.take(1)], []
            for _ in range(min(self.number(LONG), MOST_RUNS)):
                python, array = self.take(1) == b"P", self.array().ravel()
                if len(items) + array.size > MOST_BYTES // 8:  # each becomes an object
                    raise WireError("too many parts")
                items.extend(array.tolist() if python else array)
            return kind(items)
        if tag == b"c":
            return complex(*struct.unpack("<dd", self.take(16)))
        if tag == b"b":
            return self.take(self.number(LONG))
        if tag == b"o":
            shape = self.shape()
            if math.prod(shape) > len(self.data) - self.at:
                raise WireError("more items than bytes")
            array = np.empty(shape, dtype=object)
            for i in range(array.size):
                array.flat[i] = self.read(depth + 1)
            return array
        if tag == b"r":
            numbers = range(*self.read(depth + 1))
            if len(numbers) > MOST_PARTS:
                raise WireError("too many numbers")
            return numbers
        if tag == b"q":
            return Fraction(self.digits())
        if tag == b"D":
            return Decimal(self.digits())
        if tag == b"I":
            return self.make(Items(self.text(), list(self.read(depth + 1))))
        if tag == b"n":
            return self.tensor()
        if tag == b"w":
            number, tensor = self.number(LONG), self.tensor().requires_grad_()
            tensor.grad = self.read(depth + 1)
            return self.make(Growing(number, tensor))
        if tag == b"p":
            return self.sparse(depth)
        if tag == b"A":
            return self.make(ArrayLike(self.text(), self.array()))
        if tag == b"h":
            return self.make(Handle(self.number(LONG), self.text(), self.text()))
        raise WireError(f"no value begins with {tag!r}")

    def digits(self) -> str:
        text = self.text()
        if len(text) > MOST_DIGITS or not re.fullmatch(
            r"-?[\d./]+|-?\d[\d.]*E[+-]\d{1,4}|-?NaN|-?Infinity", text
        ):
            raise WireError("no number")
        return text

    def shape(self) -> tuple[int, ...]:
        n = self.take(1)[0]
        if n > 32:
            raise WireError("too many dimensions")
        shape = struct.unpack(f"<{n}Q", self.take(8 * n))
        if 0 in shape and math.prod(filter(None, shape)) > MOST_PARTS:  # which take no bytes
            raise WireError("too many rows")
        return shape

    def array(self) -> np.ndarray:
        name, order, shape = self.text(), self.take(1).decode(), self.shape()
        if not DTYPE.fullmatch(name) or order not in "CF":
            raise WireError("no array")
        dtype = np.dtype(name)
        size = math.prod(shape)  # a Python integer, which does not wrap around
        data = self.take(size * dtype.itemsize)
        if not dtype.itemsize:
            raise WireError("no array")
        if name[1] == "b" and data.strip(b"\0\1"):
            raise WireError("a boolean is 0 or 1")
        return np.frombuffer(data, dtype).reshape(shape, order=order).copy(order=order)

    def tensor(self) -> Any:
        import torch

        array = self.array()
        if array.dtype.name not in TENSORS:
            raise WireError("no tensor")
        return torch.from_numpy(np.ascontiguousarray(array).reshape(array.shape))

    def sparse(self, depth: int) -> Any:
        from scipy.sparse import coo_array

        shape, (rows, columns, values) = self.shape(), self.read(depth + 1)
        places = (rows, columns)
        whole = all(isinstance(p, np.ndarray) and p.dtype.kind in "iu" for p in places)
        if len(shape) != 2 or math.prod(shape) * 16 > MOST_BYTES or not whole:
            raise WireError("no sparse matrix")
        for place, n in zip(places, shape, strict=True):
            if place.shape != values.shape or (
                place.size and not 0 <= place.min() <= place.max() < n
            ):
                raise WireError("no sparse matrix")
        return coo_array((values, places), shape=shape).tocsr()


_TAGS: dict[type, bytes] = {list: b"l", tuple: b"t", dict: b"d", set: b"S", frozenset: b"Z"}
_NUMBERS = {float: "<f8", int: "<i8"}
_PLAIN = {b"N": None, b"T": True, b"F": False}
_MANY: dict[bytes, Callable[[list], Any]] = {b"l": list, b"t": tuple}
_UNORDERED: dict[bytes, Callable[[list], Any]] = {b"S": set, b"Z": frozenset}


def _apart(keys: list) -> list:
    """The keys, whose hashes tell them apart."""
    if keys and max(Counter(map(hash, keys)).values()) > MOST_ALIKE:
        raise WireError("too many keys of one hash")
    return keys
