"""The gradebook, read and changed beside nbgrader, and the grades that a person gave in it."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from course.errors import UserError
from course.writing.notebooks import answer_sources, question_of, read_notebook

WAIT = 60  # seconds for another process that writes
GRADES = """
from grade
join base_cell on base_cell.id = grade.cell_id
join grade_cells on grade_cells.id = grade.cell_id
join submitted_notebook on submitted_notebook.id = grade.notebook_id
join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
join assignment on assignment.id = submitted_assignment.assignment_id
"""
OF_STUDENT = "where assignment.name = ? and submitted_assignment.student_id = ?"
REVIEWED = f"""
select base_cell.name {GRADES} {OF_STUDENT} and manual_score is not null and not needs_manual_grade
"""
SETTLE = f"""
update grade set needs_manual_grade = 0 where id in (
    select grade.id {GRADES} where base_cell.name = ? and {OF_STUDENT.removeprefix("where ")}
)
"""


def gradebook_of(root: Path) -> Path:
    return root / "grading" / "gradebook.db"


@contextlib.contextmanager
def opened(root: Path) -> Iterator[sqlite3.Connection]:
    book = sqlite3.connect(gradebook_of(root), timeout=WAIT)
    try:
        with book:
            yield book
    finally:
        book.close()


@contextlib.contextmanager
def settled(root: Path, assignment: str, student: str) -> Iterator[None]:
    """Around grading a submission again: nbgrader then asks a person to look at every grade that a
    person gave. There is nothing to look at where the answer is the one that was graded."""
    with opened(root) as book:
        reviewed = [name for (name,) in book.execute(REVIEWED, (assignment, student))]
    before = _answers(graded_notebook(root, assignment, student)) if reviewed else {}
    yield
    now = _answers(graded_notebook(root, assignment, student)) if before else {}
    same = [
        (name, assignment, student)
        for name in reviewed
        if (question := question_of(name)) in now and before.get(question) == now[question]
    ]
    if same:
        with opened(root) as book:
            book.executemany(SETTLE, same)


def graded_notebook(root: Path, assignment: str, student: str) -> NotebookNode | None:
    """A submission with the outputs of its cells; None where there is none, or half of one, because
    the process that wrote it was ended."""
    path = root / "grading" / "autograded" / student / assignment / f"{assignment}.ipynb"
    try:
        return read_notebook(path)
    except UserError:
        return None


def _answers(nb: NotebookNode | None) -> dict[str, list[str]]:
    """What stands in the cells that a student fills in, by question."""
    found: dict[str, list[str]] = {}
    for name, source in answer_sources(nb).items() if nb is not None else ():
        found.setdefault(question_of(name), []).append(source)
    return found
