"""What this course adds to nbgrader's steps; `nbgrader_config.py` puts each in its place.

RepairSubmission  a copied test cell, a tag or broken metadata stops or fools nbgrader 0.9
RestoreCells      nbgrader fails to put a test back when the cell before it is gone too
HideTests         feedback shows hidden tests

What runs a submission is course.grading.execute.
"""

import re
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor, OverwriteCells
from nbgrader.utils import is_grade, is_solution

from course.grading.intake.repair import repair
from course.writing.notebooks import (
    BEGIN_HIDDEN,
    END_HIDDEN,
    grade_id,
    is_test,
    region_lines,
)


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


class HideTests(NbGraderPreprocessor):
    """Takes hidden tests out of feedback: the lines themselves, the tracebacks that quote them (the
    message stays), and every output line in which a submission printed one of them."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        hidden = set()
        for cell in nb.cells:
            if is_test(cell):
                lines = list(region_lines(cell.source, BEGIN_HIDDEN, END_HIDDEN))
                hidden |= {line.strip() for line, inside in lines if inside}
                hidden |= {BEGIN_HIDDEN, END_HIDDEN}
                visible = [line for line, inside in lines if not inside]
                if len(visible) < len(lines):
                    visible.append("# Hidden tests ran here; what they found is shown below.")
                    cell.source = "\n".join(visible).strip("\n")
        secret = [line for line in hidden if len(line) > 8]
        for cell in nb.cells:
            for output in cell.get("outputs", ()):
                self._clean(output, secret, message_only=is_grade(cell) and not is_solution(cell))
        return nb, resources

    def _clean(self, output: NotebookNode, secret: list[str], message_only: bool) -> None:
        if output.output_type == "error":
            if message_only or any(line in _plain(output.traceback) for line in secret):
                output.traceback = [f"{output.ename}: {output.evalue}"]
            output.evalue = _without(output.evalue, secret)
            output.traceback = [_without(part, secret) for part in output.traceback]
        elif output.output_type == "stream":
            output.text = _without(output.text, secret)
        else:
            for kind, value in output.data.items():
                if isinstance(value, str) and not kind.startswith("image/png"):
                    output.data[kind] = _without(value, secret)


def _plain(traceback: list[str]) -> str:
    """A traceback without the colours that would break up its lines."""
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(traceback))


def _without(text: str, secret: list[str]) -> str:
    return "\n".join(
        "(a line of a hidden test)" if any(line in part for line in secret) else part
        for part in text.split("\n")
    )
