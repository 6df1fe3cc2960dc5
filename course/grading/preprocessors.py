"""What this course adds to nbgrader's steps; `nbgrader_config.py` puts each in its place.

RepairSubmission  a copied test cell, a tag or broken metadata stops or fools nbgrader 0.9
RestoreCells      nbgrader fails to put a test back when the cell before it is gone too
TolerantExecute   one dead kernel costs a student the whole notebook, one loop costs a whole night
HideTests         feedback shows hidden tests
"""

import re
import time
from typing import Any

from nbclient.exceptions import CellTimeoutError
from nbformat import NotebookNode
from nbgrader.preprocessors import Execute, NbGraderPreprocessor, OverwriteCells
from nbgrader.utils import is_grade, is_solution
from traitlets import Integer

from course.grading.intake.repair import repair
from course.proving.shell import CRASHED, TIMED_OUT, error_output
from course.writing.notebooks import (
    BEGIN_HIDDEN,
    END_HIDDEN,
    grade_id,
    is_answer,
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


class TolerantExecute(Execute):
    """Runs a submission to its end. A cell that kills the kernel, or hangs it beyond interrupting,
    counts as failed; the notebook is run again without that cell, so it costs its own question
    only. The whole submission has a time limit, and a cell's output a size limit."""

    submission_timeout = Integer(1200, help="Seconds that a whole submission may take.").tag(
        config=True
    )
    max_restarts = Integer(6, help="How often a notebook is run again after its kernel died.").tag(
        config=True
    )
    answer_timeout = Integer(
        None, allow_none=True, help="Seconds that a cell with an answer may take, if fewer."
    ).tag(config=True)
    max_output = Integer(100_000, help="Characters of output kept of one cell.").tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any], km: Any = None
    ) -> tuple[NotebookNode, dict[str, Any]]:
        self._deadline = time.monotonic() + self.submission_timeout
        self._failed: dict[int, NotebookNode] = {}
        for attempt in range(self.max_restarts + 1):
            self._index = None
            try:
                return super().preprocess(nb, resources, km)
            except RuntimeError:  # DeadKernelError among them
                if self._index is not None:
                    self._failed[self._index] = error_output(CRASHED, "this cell ended the kernel")
                elif attempt == self.max_restarts:
                    raise  # it never started, which is nothing that the student did
            except CellTimeoutError:
                late = "this cell could not be interrupted"
                self._failed[self._index] = error_output(TIMED_OUT, late)
        for index in range(self._index, len(nb.cells)):
            if nb.cells[index].cell_type == "code":
                nb.cells[index].outputs = [
                    self._failed.get(index)
                    or error_output(CRASHED, "not run: cells before it ended the kernel too often")
                ]
        return nb, resources

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        self._index, self._written = index, 0
        if index in self._failed:
            cell.outputs = [self._failed[index]]
            return cell, resources
        if cell.cell_type == "code" and time.monotonic() > self._deadline:
            cell.outputs = [error_output(TIMED_OUT, "not run: the submission took too long")]
            return cell, resources
        return super().preprocess_cell(cell, resources, index)

    def _get_timeout(self, cell: NotebookNode | None) -> int | None:
        limits = [super()._get_timeout(cell), max(1, round(self._deadline - time.monotonic()))]
        if cell is not None and is_answer(cell):
            limits.append(self.answer_timeout)
        return min(limit for limit in limits if limit is not None)

    async def _async_handle_timeout(
        self, timeout: int, cell: NotebookNode | None = None
    ) -> dict[str, Any] | None:
        late = f"this cell took longer than {timeout} s"
        self.error_on_timeout = dict(error_output(TIMED_OUT, late))
        return await super()._async_handle_timeout(timeout, cell)

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        if msg["msg_type"] in ("stream", "display_data") and self._written > self.max_output:
            return None  # a loop that prints would fill the grader's memory
        if msg["msg_type"] == "stream":
            # nbgrader takes anything that a test writes to stderr for a failure. A warning, a log or a
            # progress bar is none, and an answer may have kept the stream to write to.
            msg["content"]["name"] = "stdout"
            self._written += len(msg["content"]["text"])
        elif msg["msg_type"] == "display_data":
            self._written += len(str(msg["content"]["data"]))
        return super().process_message(msg, cell, cell_index)


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
