"""nbgrader's step that runs a submission, done by the judge: see course.grading.judge."""

import ast
import atexit
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Float, Unicode

from course.grading.judge import Judge
from course.grading.sandbox import DERIVES, PRELOAD, Sandbox, Unsafe
from course.writing.notebooks import read_notebook

LIGHT = ("numpy", "utils.checking")


class JudgedExecute(NbGraderPreprocessor):
    """Fills in what each cell of a submission came to. Of a student's own cells only errors are kept:
    what code prints may be anything that it was given.

    What an instructor should look at goes into the notebook's metadata, as ``course.flags``.
    """

    seconds = Float(300, help="Seconds for a cell, and for the tests of a question.").tag(
        config=True
    )
    answer_seconds = Float(
        None, allow_none=True, help="Seconds for a cell with an answer, if fewer."
    ).tag(config=True)
    unsafe = Bool(False, help="Run students' code without a sandbox.").tag(config=True)
    seed = Unicode("", help="Hidden tests draw inputs of a class's own from it.").tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        folders, names = self.config.CourseDirectory, resources["nbgrader"]
        source = Path(folders.root) / folders.source_directory / names["assignment"]
        path = source / f"{names['notebook']}.ipynb"
        judge = _judge(path, path.stat().st_mtime_ns, self.unsafe, self.seed)
        judged = judge.judge(nb, seconds=self.seconds, answer_seconds=self.answer_seconds)
        judged.notebook.metadata["course"] = {"flags": judged.flags}
        return judged.notebook, resources


@lru_cache(maxsize=4)
def _judge(path: Path, changed: int, unsafe: bool, seed: str) -> Judge:
    solution = read_notebook(path)
    box = _box(unsafe, preload_of(solution))
    judge = Judge(solution, box, seed=seed)  # while the server imports
    box.wait()
    return judge


@lru_cache(maxsize=4)
def _box(unsafe: bool, preload: tuple[str, ...]) -> Sandbox:
    """One server for all assignments that need the same; it ends with this process."""
    box = (Unsafe if unsafe else Sandbox)(preload=preload).launch()
    atexit.register(box.close)
    return box


def preload_of(solution: NotebookNode) -> tuple[str, ...]:
    """The libraries that a server imports before students' code runs: for an assignment of plain Python
    and NumPy no others, which would take seconds."""
    trees = (ast.parse(cell.source) for cell in solution.cells if cell.cell_type == "code")
    nodes = [node for tree in trees for node in ast.walk(tree)]
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    heavy = {name for name in named if name.partition(".")[0] not in sys.stdlib_module_names}
    if not heavy - set(LIGHT):
        return LIGHT
    return (*PRELOAD, DERIVES) if any(name.startswith("torch") for name in named) else PRELOAD
