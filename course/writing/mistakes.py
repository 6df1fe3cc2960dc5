"""Named wrong answers, and correct answers written another way.

A unit's folder `mistakes/` has one file for each question, such as `q1.py`, which defines `MISTAKES`,
`ALTERNATIVES` and, where there is no library implementation to call, `NO_LIBRARY`. The right answer
is the exercise's own solution; a slip says only what it changes in it. `course check` proves that
every mistake loses its question and is recognised by what it computes, and that every alternative
gets full marks.
"""

import runpy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from course.errors import UserError

CALLS_THE_LIBRARY = "calls-the-library"

Changes = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that a student would plausibly give.

    name: a short name, unique within the question ("calls-the-library" has a meaning of its own).
    misconception: one sentence, what somebody who answers so believes.
    message: what the check says when it recognises the mistake: the idea, in words to the student.
    code: the whole replacement of the answer cell, or
    changes: what the slip changes in the right answer, pairs of right and wrong text.
    variants: the same idea in other code, each a text or changes; recognised as the same mistake. Of
        several forms of which none is the main one, all stand here.
    helpers: functions that the changed code calls, put before it.
    seconds: that it may run for one input, if it is one that never ends.
    question: the question's name, such as "q1"; taken from the name of the file.
    """

    name: str
    misconception: str
    message: str
    code: str = ""
    changes: Changes = ()
    variants: tuple[str | Changes, ...] = ()
    helpers: str = ""
    seconds: float | None = None
    question: str = ""

    def codes(self, right: str) -> list[str]:
        """The answer cell of each variant, the first first.

        Raises UserError if a text that is to be changed does not occur in the right answer.
        """
        forms = [self.code or self.changes, *self.variants]
        return [
            form if isinstance(form, str) else self._changed(right, form) for form in forms if form
        ]

    def _changed(self, right: str, changes: Changes) -> str:
        for before, after in changes:
            if before not in right:
                raise UserError(
                    f"The mistake {self.question}/{self.name} changes {before!r}, which does not "
                    "occur in the solution."
                )
            right = right.replace(before, after)
        return f"{self.helpers}\n\n{right}" if self.helpers else right


@dataclass(frozen=True)
class Alternative:
    """A correct answer written differently from the solution; it must get full marks."""

    name: str
    code: str
    question: str = ""


@dataclass(frozen=True)
class Attempt:
    """One program to be tried: a mistake, its `first` form or a variant; or an alternative, whose
    `mistake` is None."""

    question: str
    name: str
    code: str
    mistake: Mistake | None = None
    first: bool = True


@dataclass(frozen=True)
class AnswerBank:
    """All that a unit's `mistakes/` defines. `no_library` maps a question to the reason why there is
    no library implementation that a student could call instead of writing it."""

    mistakes: tuple[Mistake, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    no_library: Mapping[str, str] = field(default_factory=dict)

    def mistakes_of(self, question: str) -> list[Mistake]:
        return [mistake for mistake in self.mistakes if mistake.question == question]

    def alternatives_of(self, question: str) -> list[Alternative]:
        return [answer for answer in self.alternatives if answer.question == question]

    def attempts(self, right: Mapping[str, str]) -> list[Attempt]:
        """All answers as programs, given the right answers by question: every variant of every
        mistake, then the alternatives."""
        found = []
        for mistake in self.mistakes:
            for number, code in enumerate(mistake.codes(right.get(mistake.question, "")), start=1):
                name = mistake.name if number == 1 else f"{mistake.name}, variant {number}"
                found.append(Attempt(mistake.question, name, code, mistake, first=number == 1))
        return found + [Attempt(a.question, a.name, a.code) for a in self.alternatives]

    def recognised(self, question: str, said: str) -> list[Mistake]:
        """The mistakes of a question whose message is part of what its checks said."""
        said = " ".join(said.split())
        found = [m for m in self.mistakes_of(question) if " ".join(m.message.split()) in said]
        # A message may be the beginning of a longer one, which then is the one that was said.
        return [m for m in found if not any(m is not o and m.message in o.message for o in found)]


def load_answers(folder: Path) -> AnswerBank:
    """Run the files of a unit's `mistakes/`. Raises UserError, naming the file, when one does not
    run or defines something else than lists of Mistake and Alternative."""
    paths = sorted(folder.glob("q*.py"))
    if not paths:
        raise UserError(f"{folder} holds no q1.py; a unit lists its wrong answers there.")
    mistakes: list[Mistake] = []
    alternatives: list[Alternative] = []
    no_library: dict[str, str] = {}
    for path in paths:
        try:
            names = runpy.run_path(str(path))
        except Exception as error:
            raise UserError(f"{path} does not run: {type(error).__name__}: {error}") from error
        for name, kind in (("MISTAKES", Mistake), ("ALTERNATIVES", Alternative)):
            items = names.get(name)
            if not isinstance(items, list) or not all(isinstance(item, kind) for item in items):
                raise UserError(f"{path} must define {name} as a list of {kind.__name__}.")
        reason = names.get("NO_LIBRARY", "")
        if not isinstance(reason, str):
            raise UserError(f"{path}: NO_LIBRARY must be a sentence, the reason.")
        mistakes += [replace(item, question=path.stem) for item in names["MISTAKES"]]
        alternatives += [replace(item, question=path.stem) for item in names["ALTERNATIVES"]]
        no_library |= {path.stem: reason} if reason else {}
    return AnswerBank(tuple(mistakes), tuple(alternatives), no_library)
