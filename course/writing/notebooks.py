"""Notebooks as data: reading sources, stable cell ids, the questions of an assignment."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course.errors import UserError

METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}
BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
KEYS = "keys"  # the grade id of the cell that holds the keys of the visible checks
MARKERS = re.compile(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)")


def read_source(path: Path) -> NotebookNode:
    """The notebook written in a jupytext percent file, without outputs and with stable cell ids."""
    import jupytext  # costs a third of a second, and half of the commands do not need it

    try:
        nb = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    except FileNotFoundError:
        raise UserError(f"{path} does not exist.") from None
    except Exception as error:  # jupytext and nbformat raise many kinds
        reason = str(error).splitlines()[0]
        raise UserError(f"{path} cannot be read as a jupytext percent file: {reason}") from error
    nb.metadata = nbformat.from_dict(deepcopy(METADATA))
    nb.nbformat, nb.nbformat_minor = 4, 5
    for cell in nb.cells:
        cell.metadata.pop("lines_to_next_cell", None)  # about the percent file, not the notebook
    set_cell_ids(nb)
    return nb


def set_cell_ids(nb: NotebookNode) -> None:
    """Give each cell an id that depends only on what it says (or on its grade id), so that
    inserting a cell changes no other and building twice gives the same bytes."""
    seen: Counter[str] = Counter()
    for cell in nb.cells:
        cell_id = grade_id(cell)
        if cell_id is None:
            cell_id = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        seen[cell_id] += 1
        cell.id = cell_id if seen[cell_id] == 1 else f"{cell_id}-{seen[cell_id]}"


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook file. Raises UserError when it is missing or no notebook."""
    try:
        nb = nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; run `python -m course build`.") from None
    except Exception as error:  # nbformat raises whatever its parsers stumble over
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path} is not a notebook: {reason[:100]}") from error
    return nb


def write_notebook(nb: NotebookNode, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(nb) + "\n", encoding="utf-8")


def grade_id(cell: NotebookNode) -> str | None:
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _flag(cell: NotebookNode, name: str) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get(name, False))


def is_answer(cell: NotebookNode) -> bool:
    """A code cell in which a student writes."""
    return cell.cell_type == "code" and _flag(cell, "solution")


def is_test(cell: NotebookNode) -> bool:
    """A code cell that nbgrader scores by running it."""
    return cell.cell_type == "code" and _flag(cell, "grade") and not _flag(cell, "solution")


def is_manual(cell: NotebookNode) -> bool:
    """A cell that a person scores: a written answer."""
    return _flag(cell, "grade") and _flag(cell, "solution")


def points(cell: NotebookNode) -> float:
    return float(cell.metadata["nbgrader"].get("points", 0))


def question_of(name: str) -> str:
    """The question a grade id belongs to: everything up to the first underscore."""
    return name.split("_")[0]


@dataclass
class Question:
    """One question. `points` are given by tests, `manual_points` by a person."""

    name: str
    answers: list[NotebookNode] = field(default_factory=list)
    tests: list[NotebookNode] = field(default_factory=list)
    manual: list[NotebookNode] = field(default_factory=list)

    @property
    def points(self) -> float:
        return sum(map(points, self.tests))

    @property
    def manual_points(self) -> float:
        return sum(map(points, self.manual))


def questions(nb: NotebookNode) -> dict[str, Question]:
    """The questions of an assignment, in the order in which they stand."""
    found: dict[str, Question] = {}
    for cell in nb.cells:
        name = grade_id(cell)
        if name is None or not (is_answer(cell) or is_test(cell) or is_manual(cell)):
            continue
        question = found.setdefault(question_of(name), Question(question_of(name)))
        if is_manual(cell):
            question.manual.append(cell)
        elif is_answer(cell):
            question.answers.append(cell)
        else:
            question.tests.append(cell)
    return found


def auto_questions(nb: NotebookNode) -> dict[str, Question]:
    """The questions that tests score."""
    return {name: question for name, question in questions(nb).items() if question.tests}


def with_answers(nb: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """A copy of the notebook in which the cells with these grade ids hold other sources."""
    copy = deepcopy(nb)
    missing = set(answers)
    for cell in copy.cells:
        if grade_id(cell) in answers:
            cell.source = answers[grade_id(cell)].strip("\n")
            missing.discard(grade_id(cell))
    if missing:
        raise UserError(f"No cell has the grade id {sorted(missing)[0]!r}.")
    return copy


def answer_sources(nb: NotebookNode) -> dict[str, str]:
    """What stands in every cell that a student fills in, code and text, by grade id."""
    return {grade_id(c): c.source for c in nb.cells if is_answer(c) or is_manual(c)}


def region_lines(source: str, begin: str, end: str) -> Iterator[tuple[str, bool]]:
    """Each line of a cell, and whether it stands between the markers (which are left out)."""
    inside = False
    for line in source.split("\n"):
        if begin in line:
            inside = True
        elif end in line:
            inside = False
        else:
            yield line, inside


def secret_lines(nb: NotebookNode) -> set[str]:
    """Lines that must not reach a student: those of solutions, hidden tests and written model
    answers that stand nowhere else in the notebook."""
    secret: set[str] = set()
    public: set[str] = set()
    for cell in nb.cells:
        begin, end = (BEGIN_HIDDEN, END_HIDDEN) if is_test(cell) else (BEGIN_SOLUTION, END_SOLUTION)
        lines = list(region_lines(cell.source, begin, end))
        whole = (is_answer(cell) or is_manual(cell)) and begin not in cell.source
        for line, inside in lines:
            (secret if inside or whole else public).add(line.strip())
    return {line for line in secret - public if len(line) > 3}


def images(nb: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    """Each output that holds an image, with the number of its cell (from 1)."""
    for number, cell in enumerate(nb.cells, start=1):
        for output in cell.get("outputs", ()):
            if any(kind.startswith("image/") for kind in output.get("data", {})):
                yield number, output


def code_cells(nb: NotebookNode) -> Iterable[tuple[int, NotebookNode]]:
    """The code cells, each with its number among all cells (from 1)."""
    return ((n, c) for n, c in enumerate(nb.cells, start=1) if c.cell_type == "code")
