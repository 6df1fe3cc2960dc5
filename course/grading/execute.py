"""nbgrader's step that runs a submission, done by the judge: see course.grading.judge."""

import atexit
from functools import lru_cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Float, Unicode

from course.grading.judge import Judge
from course.grading.sandbox import Sandbox, Unsafe
from course.writing.notebooks import read_notebook


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
    return Judge(read_notebook(path), _box(unsafe), seed=seed)


@lru_cache(maxsize=2)
def _box(unsafe: bool) -> Sandbox:
    """One server for each process that grades; it ends with this process."""
    box = (Unsafe() if unsafe else Sandbox()).start()
    atexit.register(box.close)
    return box
