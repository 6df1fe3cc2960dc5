"""From an executed assignment to the score of each question, and why points were lost."""

import re
from copy import deepcopy
from dataclasses import dataclass

from nbformat import NotebookNode
from nbgrader.utils import determine_grade

from course.writing.notebooks import Question, auto_questions

SYNTAX_ERROR_FILE = re.compile(r"\([^()]*, line (\d+)\)")  # names a file that nobody knows
STATUS_OF_ERROR = {"KernelDied": "crashed", "CellTimeoutError": "timed out"}


@dataclass(frozen=True)
class Score:
    """Points of one question's tests. `reason` says why some are missing: what the answer cell
    raised, if it did, and what each failed test said."""

    points: float
    possible: float
    reason: str = ""


def score_notebook(nb: NotebookNode) -> dict[str, Score]:
    """The score of every question that tests score, by nbgrader's rules."""
    return {name: _score(question) for name, question in auto_questions(nb).items()}


def _score(question: Question) -> Score:
    got, said = 0.0, []
    for cell in question.tests:
        points, _ = determine_grade(calmed(cell))
        got += points or 0.0
        said.append(failure_of(cell))
    if any(said):
        raised = [failure for cell in question.answers if (failure := error_of(cell))]
        said = [f"the answer itself raised {failure}" for failure in raised] + said
    lines = dict.fromkeys(" ".join(failure.split()) for failure in said if failure)
    return Score(got, question.points, " | ".join(lines))


def error_of(cell: NotebookNode) -> str:
    """The error a cell raised, in words; empty when it raised none. What an assertion says stands
    for itself, and a cell that was stopped says so, not that it was interrupted."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    errors.sort(key=lambda error: error.ename not in STATUS_OF_ERROR)
    if not errors:
        return ""
    if errors[0].ename == "AssertionError":
        return errors[0].evalue or "AssertionError without a message"
    said = SYNTAX_ERROR_FILE.sub(r"(line \1)", errors[0].evalue)
    return f"{errors[0].ename}: {said}"


def failure_of(cell: NotebookNode) -> str:
    """Why a test failed. Empty when it passed."""
    return error_of(cell)


def calmed(cell: NotebookNode) -> NotebookNode:
    """A copy of a cell without what it wrote to stderr, which nbgrader would take for a failure: a
    warning, a log or a progress bar is no error."""
    copy = deepcopy(cell)
    copy.outputs = [
        o for o in copy.outputs if not (o.output_type == "stream" and o.name == "stderr")
    ]
    return copy


def status_of(nb: NotebookNode) -> str:
    """ "graded", or "crashed" or "timed out" when a cell of the notebook was."""
    names = {
        output.ename
        for cell in nb.cells
        for output in cell.get("outputs", ())
        if output.output_type == "error"
    }
    for error, status in STATUS_OF_ERROR.items():
        if error in names:
            return status
    return "graded"
