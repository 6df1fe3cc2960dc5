"""What a student gets back: a page that opens with what was lost and why.

It is written from what the judge says of each test, the gradebook, and the student's own cells. Nothing
that their code printed is on it, for it may print what it was given, in whichever code. For the same
reason a hidden test says of an error only its kind, and a test with points below it, which students can
run themselves, leaves out what the answer gave: either may hold what a hidden test asked.
"""

import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import GetGrades

from course.grading.judging import ACCIDENTS
from course.proving.scores import STATUS_OF_ERROR, error_of
from course.writing.notebooks import (
    BEGIN_HIDDEN,
    Question,
    grade_id,
    is_answer,
    is_manual,
    is_test,
    questions,
)

# How utils.checking.verdict begins what it says, where words of the answer follow.
RAISES = re.compile(r"(Your answer (?:must raise [\w ,]+ here, and )?raises )(\w*)")
BUILT = re.compile(r"(The result is built in another way than the question says)\b")
STALE = re.compile(r"(The cell that defines `\w+` did not run)\b")
NOT_SHOWN = "  (on inputs that this test does not show)"
PASSED = re.compile(r"(?:Hidden test|Check) of \w+: passed \(\d+ inputs\)\.")
SILENT = "what it says is not shown"
RUN_IT = "  (run this check in your notebook to see more)"
GOT, EXPECTED = "\n  got:      ", "\n  expected: "  # on one line each, except what an error says


@dataclass(frozen=True)
class Told:
    """Of one question. `waits` are points that a person has not given yet, or is to look at again where
    the answer has changed since (`again`)."""

    name: str
    points: float
    possible: float
    waits: float
    again: bool
    why: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        number = self.name.removeprefix("q")
        return f"Question {number}" if number.isdigit() else self.name

    @property
    def lost(self) -> float:
        return 0.0 if self.waits else max(0.0, self.possible - self.points)


class Opening(GetGrades):
    """Takes scores and comments from the gradebook, and collects what the page opens with."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        nb, resources = super().preprocess(nb, resources)
        hush(nb)
        resources["told"] = [_told(name, question) for name, question in questions(nb).items()]
        return nb, resources

    def _get_score(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        super()._get_score(cell, resources)
        names = (grade_id(cell), self.notebook_id, self.assignment_id, self.student_id)
        grade = self.gradebook.find_grade(*names)
        cell.metadata.nbgrader["waits"] = grade.needs_manual_grade
        cell.metadata.nbgrader["by_hand"] = grade.manual_score is not None


def hush(nb: NotebookNode) -> None:
    """Take out of the errors of hidden tests what the answers themselves say, and so out of those of
    all cells below the first of them whose code was there when it ran: it knows its inputs. Of a cell that
    a student added there is not even an error's name, since there may be any number of them."""
    known = False
    for cell in nb.cells:
        if cell.cell_type != "code":
            continue
        hidden = is_test(cell) and BEGIN_HIDDEN in cell.source
        known = known or hidden
        # A check without points asked code that had seen no hidden test (course.grading.judging).
        clean = is_test(cell) and not hidden and not cell.metadata.nbgrader.points
        for output in cell.outputs if known and not clean else ():
            if output.output_type == "stream":  # some checks print what they see
                output.text = "".join(f"{said}\n" for said in PASSED.findall(output.text))
            elif output.output_type == "error":
                said = output.ename, output.evalue
                told = _of_test(*said, hidden) if is_test(cell) else _of_answer(*said)
                output.ename, output.evalue = told
                output.traceback = []
                if not is_test(cell) and not is_answer(cell):
                    output.ename = "an error"


def _of_test(name: str, text: str, hidden: bool) -> tuple[str, str]:
    if name in STATUS_OF_ERROR:
        return name, text
    if name != "AssertionError":
        return _kind(name), SILENT
    more = NOT_SHOWN if hidden else RUN_IT
    if raised := RAISES.match(text):
        kind = raised[2] if raised[2] == "nothing" else _kind(raised[2])
        return name, f"{raised[1]}{kind}.\n{more}"
    if cut := BUILT.match(text) or STALE.match(text):
        return name, f"{cut[1]}.\n{more}"
    said, got, after = text.partition(GOT)
    if got:  # of a check; the last line that begins so is the check's own, whatever was got
        expected = after.rpartition(EXPECTED)[2].partition("\n")[0]
        return name, f"{said}{EXPECTED}{expected}\n{more}"
    return name, text


def _of_answer(name: str, text: str) -> tuple[str, str]:
    """Of a cell of the student's own, who may name an error as the judge names what ended a cell."""
    if name in STATUS_OF_ERROR:
        return name, text if text in ACCIDENTS else "this cell took too long"
    return _kind(name), SILENT


def _kind(name: str) -> str:
    """The name of an error that Python has; students may name their own as they like."""
    known = getattr(builtins, name, None)
    return name if isinstance(known, type) and issubclass(known, BaseException) else "an error"


def _told(name: str, question: Question) -> Told:
    graded = [cell.metadata.nbgrader for cell in [*question.tests, *question.manual]]
    points = sum(cell["score"] or 0.0 for cell in graded)
    possible = sum(cell["points"] for cell in graded)
    waiting = [cell for cell in graded if cell["waits"]]
    why = []
    if points < possible:
        failed = [said for cell in question.tests if (said := error_of(cell))]
        if failed:
            raised = [error_of(cell) for cell in question.answers]
            why = [f"The answer itself raised {said}" for said in raised if said] + failed
        if any(cell["by_hand"] and not cell["waits"] for cell in graded):
            why.append("A person gave these points.")
    return Told(
        name,
        points,
        possible,
        sum(cell["points"] for cell in waiting),
        any(cell["by_hand"] for cell in waiting),
        list(dict.fromkeys(why)),
        list(_comments([*question.answers, *question.manual])),
    )


def _comments(cells: list[NotebookNode]) -> Iterator[str]:
    for cell in cells:
        if (is_answer(cell) or is_manual(cell)) and (said := cell.metadata.nbgrader.get("comment")):
            yield said
