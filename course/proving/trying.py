"""Try answers to a unit's questions: what they score, what the student reads, which mistake it is."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from nbformat import NotebookNode

from course.errors import UserError
from course.proving.harness import Answer, run_answers
from course.proving.scores import error_of, failure_of, score_notebook
from course.writing import build
from course.writing.mistakes import AnswerBank, load_answers
from course.writing.notebooks import BEGIN_HIDDEN, is_answer, is_test
from course.writing.units import Unit, find_unit

FIELDS = ("unit", "question", "name", "kind", "code")
KINDS = ("wrong", "right")
SECONDS = 60.0  # for a cell; a check stops an answer that never ends long before


def read_answers(path: Path) -> list[dict]:
    """A file of answers: a JSON list of objects with at least ``unit``, ``question``, ``name``,
    ``kind`` ("wrong" or "right") and ``code``.

    Raises UserError, naming the answer, if something is missing.
    """
    try:
        answers = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UserError(f"{path} is not JSON: {error}.") from None
    if not isinstance(answers, list) or not all(isinstance(item, dict) for item in answers):
        raise UserError(f"{path} must hold a list of objects.")
    for number, item in enumerate(answers, start=1):
        for field in FIELDS:
            if not isinstance(item.get(field), str):
                raise UserError(f"{path}: answer {number} has no text {field!r}.")
        if item["kind"] not in KINDS:
            raise UserError(f"{path}: the kind of answer {number} must be wrong or right.")
    return answers


def try_answers(answers: Sequence[dict], *, jobs: int = 2) -> list[dict]:
    """What came of each answer, in their order.

    Returns
    -------
    Dicts with ``unit``, ``question``, ``name``, ``kind``; ``points`` and ``possible``; ``message``,
    what the student reads first, empty if all is right; ``mistake``, the name of the recognised one
    or None; ``visible_failed``, whether any visible check failed

    Raises
    ------
    UserError
        If there is no such unit or question.
    """
    found: dict[int, dict] = {}
    units = {name: find_unit(name) for name in dict.fromkeys(a["unit"] for a in answers)}
    for name, unit in units.items():
        mine = [(number, item) for number, item in enumerate(answers) if item["unit"] == name]
        results = _try_unit(unit, [item for _, item in mine], jobs)
        found |= {number: result for (number, _), result in zip(mine, results, strict=True)}
    return [found[number] for number in range(len(answers))]


def _try_unit(unit: Unit, answers: Sequence[dict], jobs: int) -> Iterable[dict]:
    bank = load_answers(unit.mistakes_folder)
    executed = run_answers(
        build.solution_from_source(unit),
        [Answer(item["question"], item["code"], SECONDS) for item in answers],
        cell_seconds=unit.assignment.max_seconds,
        folder=unit.release_notebook().parent,
        jobs=jobs,
    )
    for item, nb in zip(answers, executed, strict=True):
        yield {field: item[field] for field in FIELDS[:-1]} | verdict(nb, item["question"], bank)


def verdict(nb: NotebookNode, question: str, bank: AnswerBank) -> dict:
    """Points, message and recognised mistake of a question's cells that were run with an answer."""
    score = score_notebook(nb)[question]
    raised = [error for cell in nb.cells if is_answer(cell) and (error := error_of(cell))]
    visible: list[str] = []
    hidden: list[str] = []
    for cell in nb.cells:
        if is_test(cell) and (failure := failure_of(cell)):
            (hidden if BEGIN_HIDDEN in cell.source else visible).append(failure)
    said = [*raised, *visible, *hidden]
    known = bank.recognised(question, "\n".join(said))
    return {
        "points": score.points,
        "possible": score.possible,
        "message": said[0] if said else "",
        "mistake": known[0].name if known else None,
        "visible_failed": bool(raised or visible),
    }
