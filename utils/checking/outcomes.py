"""What came of calling an answer, in a form that can be compared, stored in little room, and shown.

Two outcomes are alike when they have the same structure (nested dicts and lists, shapes, texts,
errors) and the same numbers within a tolerance. What a right answer may choose freely makes no
difference: list, tuple, array or tensor, Python or NumPy numbers, their dtype, the order of a dict.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from numbers import Number
from typing import Any

import numpy as np

MOST_ITEMS = 100_000  # read from an iterator, which may have no end
ENDLESS = "endless"
CHANGED = " changes "  # before the names of inputs that were to stay as they were


@dataclass(frozen=True)
class Outcome:
    """The result of one call.

    structure : everything but the numbers, as text; "!ValueError" for an error
    values : all numbers, float64 of shape (n,), with 0 where they are not finite
    shown : the result on one line, for a reader
    kinds : of an error, the names of its class and those above it
    """

    structure: str
    values: np.ndarray
    shown: str
    kinds: tuple[str, ...] = ()

    def alike(self, expected: "Outcome", tol: float) -> bool:
        """Whether this is the outcome that is expected: each number within
        ``tol * max(1, |expected|)``, an error of the expected class or one below it."""
        if expected.structure.startswith("!"):
            return expected.structure[1:] in self.kinds and CHANGED not in self.structure
        return self.structure == expected.structure and not len(self.differences(expected, tol))

    def differences(self, expected: "Outcome", tol: float) -> np.ndarray:
        """Indices of the numbers that differ, of two outcomes of the same structure."""
        allowed = tol * np.maximum(1, np.abs(expected.values))
        return np.flatnonzero(~(np.abs(self.values - expected.values) <= allowed))

    def sketch(self) -> tuple[int, float]:
        """A fingerprint: a checksum of the structure, and one weighted sum of all numbers."""
        return self._sums[:2]

    def fits(self, sketch: tuple[int, float], tol: float) -> bool:
        """Whether another outcome with this fingerprint is the same, within the tolerance."""
        checksum, total, scale = self._sums
        return checksum == sketch[0] and abs(total - sketch[1]) <= max(tol, 1e-6) * max(1, scale)

    @cached_property  # a check compares an outcome with hundreds of fingerprints
    def _sums(self) -> tuple[int, float, float]:
        """The fingerprint, and the weighted sum of the absolute values of all numbers."""
        checksum = zlib.crc32(self.structure.encode())
        return checksum, _total(self.values), _total(np.abs(self.values))


def outcome_of(value: object) -> Outcome:
    """The outcome of a call that returned ``value``; an iterator is read."""
    return Outcome(*measured(value), shown(value))


def measured(value: object) -> tuple[str, np.ndarray]:
    """Structure and numbers of a value, as an outcome has them."""
    numbers: list[np.ndarray] = []
    structure = _structure(value, numbers)
    values = np.concatenate(numbers) if numbers else np.zeros(0)
    odd = np.flatnonzero(~np.isfinite(values))
    if odd.size:
        structure += " with " + ",".join(f"{values[i]}@{i}" for i in odd[:1000])
        values = np.where(np.isfinite(values), values, 0)
    return structure, values


def outcome_of_error(error: BaseException) -> Outcome:
    """The outcome of a call that raised."""
    kinds = tuple(kind.__name__ for kind in type(error).__mro__)
    return Outcome(f"!{kinds[0]}", np.zeros(0), f"{kinds[0]}: {error}", kinds)


def size_of(value: object) -> int:
    """How many numbers, letters and items a value has: the size of an input."""
    numbers: list[np.ndarray] = []
    structure = _structure(value, numbers)
    return len(structure) + 8 * sum(part.size for part in numbers)


def shown(value: object) -> str:
    """A value on one line, and not too long."""
    if hasattr(value, "detach"):
        value = value.detach()
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        value = value.item()
    try:
        if isinstance(value, np.ndarray):
            text = np.array2string(value, separator=", ", precision=8, threshold=24)
            text = text if value.size <= 24 else f"{text} of shape {value.shape}"
        elif isinstance(value, dict):
            text = "{" + ", ".join(f"{key!r}: {shown(item)}" for key, item in value.items()) + "}"
        elif type(value) in (list, tuple):
            text = ", ".join(shown(item) for item in islice(value, 40))
            text += ", ..." * (len(value) > 40)
            text = f"[{text}]" if isinstance(value, list) else f"({text}{',' * (len(value) == 1)})"
        else:
            text = repr(value)
    except Exception as error:  # the repr of something that a student defined
        text = f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"
    text = " ".join(text.split())
    return text if len(text) <= 240 else text[:237] + "..."


def numbers_in(value: object) -> np.ndarray | None:
    """As a float (or complex) array; None for what is not made of numbers."""
    if hasattr(value, "detach"):  # a torch tensor that requires a gradient
        value = value.detach()
    if hasattr(value, "toarray"):  # of scipy.sparse
        value = value.toarray()
    if value is None or isinstance(value, str | bytes | Mapping | set):
        return None
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):  # rows of different lengths, say
        return None
    if array.dtype.kind == "O" and all(isinstance(item, Number) for item in array.flat):
        array = array.astype(np.float64)  # fractions, decimals, very large integers
    if array.dtype.kind not in "biufc":
        return None
    return array if array.dtype.kind == "c" else array.astype(np.float64)


def _structure(value: Any, numbers: list[np.ndarray]) -> str:
    if isinstance(value, Iterator):
        value = list(islice(value, MOST_ITEMS))
    array = numbers_in(value)
    if array is not None:
        numbers.append(array.view(np.float64).ravel() if array.dtype.kind == "c" else array.ravel())
        return f"#{array.shape}" if array.ndim else "#"
    if isinstance(value, Mapping):
        items = sorted((repr(_plain(key)), item) for key, item in value.items())
        return "{" + ",".join(f"{key}:{_structure(item, numbers)}" for key, item in items) + "}"
    if isinstance(value, set | frozenset):
        value = sorted(value, key=repr)
    if isinstance(value, list | tuple | np.ndarray):
        return "[" + ",".join(_structure(item, numbers) for item in value) + "]"
    if value is None or isinstance(value, str | bytes):
        return repr(_plain(value))
    return f"<{type(value).__name__}>"


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def weights(n: int) -> np.ndarray:
    """n numbers between 1 and 2 that follow no pattern an array is likely to have, so that in a sum
    every place counts differently."""
    return 1 + (np.arange(1, n + 1) * 0.6180339887498949) % 1


def _total(values: np.ndarray) -> float:
    return float(np.clip(values, -1e200, 1e200) @ weights(values.size))
