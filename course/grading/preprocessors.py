"""What this course adds to nbgrader's steps; `nbgrader_config.py` puts each in its place.

RepairSubmission  a copied test cell, a tag or broken metadata stops or fools nbgrader 0.9
RestoreCells      nbgrader fails to put a test back when the cell before it is gone too
CheckMetadata     nbgrader reads its JSON schema anew for each cell of each submission
HideTests         feedback shows hidden tests
safe_markdown     what a student writes between the cells of code runs in the browser of whoever reads it

What runs a submission is course.grading.execute.
"""

import re
from html import unescape
from typing import Any

import bleach
from nbconvert.filters import markdown2html
from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.preprocessors import NbGraderPreprocessor, OverwriteCells

from course.grading.intake.repair import is_readable, repair
from course.grading.warm import as_html
from course.writing.notebooks import (
    BEGIN_HIDDEN,
    END_HIDDEN,
    KEYS,
    grade_id,
    is_test,
    region_lines,
)

TAGS = {
    *bleach.ALLOWED_TAGS,
    "br",
    "del",
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "p",
    "pre",
}
TAGS |= {"span", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr"}
ESCAPED = re.compile(r"&(?:#\d+|#[xX][\da-fA-F]+|bsol);?")
ATTRIBUTES = {**bleach.ALLOWED_ATTRIBUTES, "*": ["class", "id"]}


class RepairSubmission(NbGraderPreprocessor):
    """Makes a submission fit to be graded, whatever the student did to its metadata (see `repair`).
    If a test lost its metadata, RestoreCells puts the test back."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        for _ in repair(nb):
            self.log.warning("Ignoring the nbgrader metadata of a copied or damaged cell")
        return nb, resources


class RestoreCells(OverwriteCells):
    """Overwrites every test with the instructor's version, and puts back the missing ones: after
    the nearest cell before it that is still there, or else at the end. (nbgrader's own way raises
    KeyError when the cell before is missing too, and puts a first test before the imports.)"""

    def add_missing_grade_cells(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        source = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
        order = [cell.name for cell in source.source_cells]
        cells = {cell.name: cell for cell in source.source_cells}
        solutions = {cell.name for cell in source.solution_cells}
        present = [grade_id(cell) for cell in nb.cells]
        for missing in sorted(source.grade_cells, key=lambda cell: order.index(cell.name)):
            if missing.name in present:
                continue
            self.log.warning("Putting back the missing cell %s", missing.name)
            cell = self.missing_cell_transform(
                cells[missing.name], missing.max_score, is_solution=missing.name in solutions
            )
            if nb.nbformat_minor >= 5:
                cell["id"] = re.sub(r"[^a-zA-Z0-9_-]", "-", f"restored-{missing.name}")[:64]
            before = [n for n in order[: order.index(missing.name)] if n in present]
            at = present.index(before[-1]) + 1 if before else len(present)
            nb.cells.insert(at, cell)
            present.insert(at, missing.name)
        return nb, resources


class CheckMetadata(NbGraderPreprocessor):
    """nbgrader's CheckCellMetadata, which remembers what it has read: the cells of a class are alike."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        _Validator().validate_nb(nb)
        return nb, resources


class _Validator(MetadataValidator):
    def validate_cell(self, cell: NotebookNode) -> None:
        if "nbgrader" in cell.metadata and not is_readable(cell):
            super().validate_cell(cell)  # says what is wrong


class HideTests(NbGraderPreprocessor):
    """Takes hidden tests out of feedback, and the keys of the checks, a page of letters. Outputs hold no
    test: a test's is what the judge says of it, and the process that ran the student's code never had
    one."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        if is_test(cell):
            lines = list(region_lines(cell.source, BEGIN_HIDDEN, END_HIDDEN))
            visible = [line for line, inside in lines if not inside]
            if len(visible) < len(lines):
                visible.append("# Hidden tests ran here; what they found is shown below.")
                cell.source = "\n".join(visible).strip("\n")
        elif grade_id(cell) == KEYS:
            cell.source = "# What the checks know of right and of wrong results stands here."
        return cell, resources


@as_html
def safe_markdown(text: str) -> str:
    """Markdown as HTML that runs nothing. In the formgrader a script would have all that an instructor may
    do there, and nbgrader shows what students write as it is. (MathJax makes a link of a formula's
    \\href to whatever address. It reads what the page shows, so letters are written as letters first.)"""
    html = bleach.clean(markdown2html(text), tags=TAGS, attributes=ATTRIBUTES)
    return ESCAPED.sub(_letter, str(html)).replace("\\href", "\\text")


def _letter(entity: re.Match[str]) -> str:
    """A letter or backslash that is written as a number or by name; other characters stay escaped."""
    letter = unescape(entity[0])
    return letter if letter == "\\" or letter.isalnum() else entity[0]
