"""nbgrader's step that runs a submission, done by the judge: see course.grading.judge."""

from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Float, Unicode

from course.grading.judges import judged_here


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
    scheduler = Unicode("", help="Of a Dask cluster, whose workers judge.").tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        folders, names = self.config.CourseDirectory, resources["nbgrader"]
        source = Path(folders.root) / folders.source_directory / names["assignment"]
        solution = (source / f"{names['notebook']}.ipynb").read_text(encoding="utf-8")
        how = {"unsafe": self.unsafe, "seed": self.seed, "seconds": self.seconds}
        how |= {"answer_seconds": self.answer_seconds}
        if self.scheduler:
            from course.grading.cluster import judged_by

            judged = judged_by(self.scheduler, solution, nb, **how)
        else:
            judged = judged_here(solution, nb, **how)
        judged.notebook.metadata["course"] = {"flags": judged.flags}
        return judged.notebook, resources
