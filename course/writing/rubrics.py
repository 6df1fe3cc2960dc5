"""How a written question is marked: what earns each point, and what full, half and no marks look like.

A unit's `rubric.toml` has one table for each written question, and in it one for each criterion:

    [q6]
    remember = "A point is for the argument, not for the verdict."  # for the whole question

    [[q6.criteria]]
    points = 1
    earns = "One sentence: what the answer has to say."
    full = "An answer, or the part of it, that gets all of it."
    half = "One that gets half of it."
    none = "One that gets nothing."

Numbers that the notebook prints stand in brackets, [p99], so that a rubric stays right when the
course is measured again. It is a file of its own, so that nothing of it can reach a release.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from course.errors import UserError

TEXTS = ("earns", "full", "half", "none")


@dataclass(frozen=True)
class Criterion:
    """What earns `points` of a question, and an example of full, half and no marks for it."""

    points: float
    earns: str
    full: str
    half: str
    none: str


@dataclass(frozen=True)
class Rubric:
    """How the written part of one question is marked. `remember` holds for all its criteria."""

    remember: str
    criteria: tuple[Criterion, ...]

    @property
    def points(self) -> float:
        return sum(criterion.points for criterion in self.criteria)


def load_rubrics(path: Path) -> dict[str, Rubric]:
    """The rubrics of a unit's `rubric.toml`, by question; none if there is no such file.

    Raises UserError, naming the file and the place, when it is not in this format.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML: {error}.") from None
    return {question: _rubric(table, f"{path}: {question}") for question, table in tables.items()}


def _rubric(table: object, where: str) -> Rubric:
    if not isinstance(table, dict) or set(table) != {"remember", "criteria"}:
        raise UserError(f"{where} must have `remember` and `criteria`, and nothing else.")
    criteria = table["criteria"]
    if not isinstance(criteria, list) or not criteria:
        raise UserError(f"{where} has no criteria; write one [[question.criteria]] for each.")
    return Rubric(
        _text(table["remember"], f"{where}: remember"),
        tuple(_criterion(item, f"{where}, criterion {n}") for n, item in enumerate(criteria, 1)),
    )


def _criterion(item: object, where: str) -> Criterion:
    if not isinstance(item, dict) or set(item) != {"points", *TEXTS}:
        raise UserError(f"{where} must have points, {', '.join(TEXTS)}, and nothing else.")
    points = item["points"]
    if isinstance(points, bool) or not isinstance(points, int | float) or points <= 0:
        raise UserError(f"{where}: points must be a positive number, got {points!r}.")
    texts = {name: _text(item[name], f"{where}: {name}") for name in TEXTS}
    if len(set(texts.values())) < len(TEXTS):
        raise UserError(f"{where} says the same twice; full, half and no marks must differ.")
    return Criterion(float(points), **texts)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UserError(f"{where} must be a text that is not empty, got {value!r}.")
    return " ".join(value.split())
