"""nbgrader's step that runs a submission, done by the judge: see course.grading.judge."""

import atexit
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Float, Unicode

from course.grading.judge import Judge
from course.grading.sandbox import DERIVES, PRELOAD, Sandbox, Unsafe
from course.writing.notebooks import read_notebook

LIGHT = ("numpy", "utils.checking", "IPython.core.interactiveshell")
HELD = {name if name.startswith("utils.") else name.partition(".")[0] for name in PRELOAD}
WATCHED = re.compile(r"\butils\.\w+")
IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+)?import[ \t]+(.+)", re.MULTILINE)


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
        box = judge.box.ready()
        if imported(nb) - box.modules:  # which an assignment does not need, and few import
            box = _box(self.unsafe, (*PRELOAD, DERIVES))
        judged = judge.judge(nb, box, seconds=self.seconds, answer_seconds=self.answer_seconds)
        judged.notebook.metadata["course"] = {"flags": judged.flags}
        return judged.notebook, resources


@lru_cache(maxsize=4)
def _judge(path: Path, changed: int, unsafe: bool, seed: str) -> Judge:
    solution = read_notebook(path)
    box = _box(unsafe, preload_of(solution))
    return Judge(solution, box, seed=seed)  # while the server imports


@lru_cache(maxsize=4)
def _box(unsafe: bool, preload: tuple[str, ...]) -> Sandbox:
    """One server for all submissions that need the same; it ends with this process."""
    box = (Unsafe if unsafe else Sandbox)(preload=preload).launch()
    atexit.register(box.close)
    return box


def preload_of(solution: NotebookNode) -> tuple[str, ...]:
    """The libraries that a server imports before students' code runs: those that an assignment imports,
    or whose functions its checks watch. For one of plain Python and NumPy the others would take seconds,
    and make every fork dearer."""
    named = imported(solution).union(*(WATCHED.findall(cell.source) for cell in solution.cells))
    found = [name for name in PRELOAD if {name, name.partition(".")[0]} & named]
    return (*LIGHT, *found, *([DERIVES] if "torch" in found else []))


def imported(nb: NotebookNode) -> set[str]:
    """What a notebook imports of that which a server can hold: packages, and parts of `utils`."""
    found: set[str] = set()
    for cell in nb.cells:
        if cell.cell_type == "code":
            for whence, names in IMPORT.findall(cell.source):
                parts = [name.split(".") for name in re.findall(r"[\w.]+", names)]
                head = whence.split(".") if whence else []
                for part in ([*head, *part] for part in parts):
                    found.add(".".join(part[:2]) if part[0] == "utils" else part[0])
    return found & HELD
