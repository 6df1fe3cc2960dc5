"""Named wrong answers, and correct answers written another way.

Each unit has a `mistakes.py` that defines `MISTAKES`, `ALTERNATIVES` and, where a question has no
library implementation to call, `NO_LIBRARY`. `course check` proves that every mistake loses its
question with its message, and that every alternative gets full marks.
"""

import runpy
from dataclasses import dataclass, field
from pathlib import Path

from course.errors import UserError

CALLS_THE_LIBRARY = "calls-the-library"
LOOP_SECONDS = 5.0


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that a student would plausibly give.

    question: the question's name, such as "q1".
    name: a short name, unique within the question ("calls-the-library" has a meaning of its own).
    misconception: one sentence, what somebody who answers so believes.
    code: the whole replacement of the answer cell.
    message: text that the failing test must show.
    loops: it never ends, or takes longer than anybody would wait; so it gets `LOOP_SECONDS` for a
        cell, and not all the time of the unit.
    """

    question: str
    name: str
    misconception: str
    code: str
    message: str
    loops: bool = False


@dataclass(frozen=True)
class Alternative:
    """A correct answer written differently from the solution; it must get full marks."""

    question: str
    name: str
    code: str


@dataclass(frozen=True)
class AnswerBank:
    """What a unit's `mistakes.py` defines. `no_library` maps a question to the reason why there is
    no library implementation that a student could call instead of writing it."""

    mistakes: tuple[Mistake, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    no_library: dict[str, str] = field(default_factory=dict)

    def mistakes_of(self, question: str) -> list[Mistake]:
        return [mistake for mistake in self.mistakes if mistake.question == question]

    def alternatives_of(self, question: str) -> list[Alternative]:
        return [answer for answer in self.alternatives if answer.question == question]


def load_answers(path: Path) -> AnswerBank:
    """Run a unit's `mistakes.py`. Raises UserError, naming the file, when it does not run or
    defines something else than lists of Mistake and Alternative."""
    try:
        names = runpy.run_path(str(path))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; a unit lists its wrong answers there.") from None
    except Exception as error:
        raise UserError(f"{path} does not run: {type(error).__name__}: {error}") from error
    for name, kind in (("MISTAKES", Mistake), ("ALTERNATIVES", Alternative)):
        items = names.get(name)
        if not isinstance(items, list) or not all(isinstance(item, kind) for item in items):
            raise UserError(f"{path} must define {name} as a list of {kind.__name__}.")
    no_library = names.get("NO_LIBRARY", {})
    if not isinstance(no_library, dict):
        raise UserError(f"{path}: NO_LIBRARY must be a dictionary from question to reason.")
    return AnswerBank(tuple(names["MISTAKES"]), tuple(names["ALTERNATIVES"]), no_library)
