"""What a check knows of a question: right outcomes, and fingerprints of named mistakes."""

import json
import zlib
from base64 import b85decode, b85encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from utils.checking.outcomes import Outcome, weights

MOST_VALUES = 300  # of an expected outcome that a key holds number by number


@dataclass(frozen=True)
class Key:
    """What a check knows about a question.

    question : its name, such as "q1"
    seed : of the generator that draws the inputs
    expected : the right outcome for each input
    mistakes : the message of each program of a named mistake, with its fingerprint for those inputs
        where it differs from the right answer; at an input where it never ends there is None, and no
        later input is known. A program has the same number in all checks of its question, so one
        that differs nowhere in this check is there, too.
    hidden : whether the check may show its inputs
    """

    question: str
    seed: int
    expected: tuple[Outcome, ...]
    mistakes: tuple[tuple[str, Mapping[int, tuple[int, float] | None]], ...] = ()
    hidden: bool = False

    def to_json(self) -> dict:
        expected = []
        for outcome in self.expected:
            known = as_known(outcome)
            values = [float(f"{v:.12g}") for v in known.values]
            expected.append([outcome.structure, values, outcome.values.size, outcome.shown])
        mistakes = [
            [message, [[i, s and [s[0], float(f"{s[1]:.8g}")]] for i, s in sketches.items()]]
            for message, sketches in self.mistakes
        ]
        return dict(
            question=self.question,
            seed=self.seed,
            expected=expected,
            mistakes=mistakes,
            hidden=self.hidden,
        )

    @classmethod
    def from_json(cls, stored: dict) -> "Key":
        expected = []
        for structure, values, size, text in stored["expected"]:
            values = np.array(values, dtype=np.float64)
            kinds = (structure[1:],) if structure.startswith("!") else ()
            known = Expected if len(values) == size else Sketched
            expected.append(known(structure, values, text, kinds))
        mistakes = tuple(
            (message, {i: sketch and tuple(sketch) for i, sketch in sketches})
            for message, sketches in stored["mistakes"]
        )
        return cls(stored["question"], stored["seed"], tuple(expected), mistakes, stored["hidden"])


class Expected(Outcome):
    """A right outcome of which every number is known."""


class Sketched(Outcome):
    """A right outcome of many numbers: ``values`` holds :data:`MOST_VALUES` sums of them."""


def as_known(outcome: Outcome) -> Outcome:
    """A right outcome as a key holds it: of many numbers only sums."""
    if outcome.values.size <= MOST_VALUES:
        return Expected(outcome.structure, outcome.values, outcome.shown, outcome.kinds)
    return Sketched(outcome.structure, _sums(outcome.values), outcome.shown, outcome.kinds)


def is_right(got: Outcome, expected: Outcome, tol: float) -> bool:
    """Whether an outcome is the one that a key knows."""
    if not isinstance(expected, Sketched):
        return got.alike(expected, tol)
    if got.structure != expected.structure:
        return False
    allowed = tol * np.maximum(1, _sums(np.abs(got.values)))
    return bool((np.abs(_sums(got.values) - expected.values) <= allowed).all())


def _sums(values: np.ndarray) -> np.ndarray:
    """Weighted sums of neighbouring numbers, as many as a key holds: a number that is off shows in
    one of them, which a single sum over all might hide in its tolerance."""
    weighted = np.clip(values, -1e200, 1e200) * weights(values.size)
    return np.add.reduceat(weighted, np.arange(MOST_VALUES) * values.size // MOST_VALUES)


def packed(keys: Sequence[Key]) -> str:
    """Keys as the text that a notebook holds; :func:`unpacked` reads it."""
    text = json.dumps([key.to_json() for key in keys], separators=(",", ":"), ensure_ascii=False)
    return b85encode(zlib.compress(text.encode(), 9)).decode()


def unpacked(text: str) -> dict[str, Key]:
    """The keys of the questions of an assignment, by the names of their checks."""
    return {key.question: key for key in _read(text)}


@lru_cache(maxsize=16)  # the gates read a key before they fork for each answer to its question
def _read(text: str) -> tuple[Key, ...]:
    stored = json.loads(zlib.decompress(b85decode("".join(text.split()))))
    return tuple(map(Key.from_json, stored))
