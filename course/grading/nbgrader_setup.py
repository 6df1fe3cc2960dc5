"""nbgrader's converters in this process, set up as `nbgrader_config.py` says."""

import contextlib
import logging
import re
import threading
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

from nbconvert.writers import FilesWriter
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.converters.base import BaseConverter, NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import capture_log
from traitlets.config import Config, PyFileConfigLoader

from course.errors import UserError
from course.grading.warm import kept_gradebooks, open_gradebook
from course.writing.units import ROOT

EXCEPTION = re.compile(r"^ *((?:[\w]+\.)*[A-Z]\w*(?:Error|Exception|Entry)\b:.*)$", re.MULTILINE)
CONFIG_FILE = ROOT / "nbgrader_config.py"


def load_config(root: Path) -> Config:
    """The course's settings, with the folders and the gradebook under `root`."""
    if not CONFIG_FILE.is_file():
        raise UserError(
            f"{CONFIG_FILE} is missing; grading needs a checkout of the course (git clone), not "
            "an installed copy."
        )
    config = PyFileConfigLoader(CONFIG_FILE.name, str(CONFIG_FILE.parent)).load_config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.db_url = f"sqlite:///{root / 'grading' / 'gradebook.db'}"
    config.JudgedExecute.seed = ""  # that of another class
    return config


class _Kept:
    """A step that can be taken again, for another student: it keeps its exporter and preprocessors.

    It takes the folder of one student by its name. nbgrader takes a name for a file pattern, twice,
    so a student called "x[1]" is never found."""

    prepared = False

    def prepare(self) -> None:
        self.writer = FilesWriter(parent=self, config=self.config)
        self.exporter = self.exporter_class(parent=self, config=self.config)
        for preprocessor in self.all_preprocessors():
            self.exporter.register_preprocessor(preprocessor)
        self.prepared = True

    def all_preprocessors(self) -> list[Any]:
        return list(self.preprocessors)

    def start(self) -> None:
        self.init_notebooks()
        if not self.prepared:
            self.prepare()
        with kept_gradebooks():
            self.convert_notebooks()

    def init_notebooks(self) -> None:
        folder = self._format_source(self.coursedir.assignment_id, self.coursedir.student_id)
        notebooks = sorted(str(path) for path in Path(folder).glob("*.ipynb"))
        if not notebooks:
            raise NbGraderException(f"there is no notebook in {folder}")
        self.assignments = {folder: notebooks}

    def convert_single_notebook(self, notebook_filename: str) -> None:
        BaseConverter.convert_single_notebook(self, notebook_filename)
        self.exporter._nb_metadata.clear()  # it would keep a little of every submission


class _Autograde(_Kept, Autograde):
    """nbgrader's two conversions in one: what the first one wrote the second one read again."""

    def all_preprocessors(self) -> list[Any]:
        return [*self.sanitize_preprocessors, *self.autograde_preprocessors]

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        with open_gradebook(self.coursedir.db_url, self.coursedir.course_id):
            super().init_assignment(assignment_id, student_id)


class _GenerateFeedback(_Kept, GenerateFeedback):
    pass


class _Mine(threading.local):
    """The courses that this thread has set up: no two take a step by the same converter."""

    def __init__(self) -> None:
        self.course = lru_cache(maxsize=8)(_course)


def _course(root: Path, settings: tuple[tuple[str, Any], ...], changed: int) -> "Course":
    return Course(root, dict(settings))


_mine = _Mine()


def kept_course(root: Path, settings: dict[str, Any]) -> "Course":
    """A course that this thread may have set up before."""
    changed = CONFIG_FILE.stat().st_mtime_ns if CONFIG_FILE.exists() else 0
    return _mine.course(root.resolve(), tuple(sorted(settings.items())), changed)


class Course:
    """The three nbgrader steps, for the course under `root`.

    `settings` are further options, such as {"Execute.timeout": 20}.
    """

    def __init__(self, root: Path, settings: dict[str, Any] | None = None) -> None:
        self.root = root.resolve()
        self.config = load_config(self.root)
        for name, value in (settings or {}).items():
            section, option = name.split(".")
            self.config[section][option] = value
        self.db_url: str = self.config.CourseDirectory.db_url
        self._steps: dict[type[BaseConverter], BaseConverter] = {}

    def generate_assignment(self, assignment: str, *, database: bool = True) -> None:
        """solutions/ -> assignments/, and the cells into the gradebook unless told not to."""
        config = Config(self.config)
        if database:
            self._make_gradebook()
        else:
            config.SaveCells.enabled = False
            config.GenerateAssignment.no_database = True
        with kept_gradebooks() if database else contextlib.nullcontext():
            result = self._run(self._step(GenerateAssignment, config, assignment))
        if not result["success"]:
            raise UserError(f"nbgrader cannot make the release of {assignment}: {_reason(result)}.")

    def _make_gradebook(self) -> None:
        """nbgrader makes one in two steps, and one of which it was kept from the second is never
        mended."""
        path = self.root / "grading" / "gradebook.db"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            new = path.with_name("gradebook.new")
            new.unlink(missing_ok=True)
            Gradebook(f"sqlite:///{new}", self.config.CourseDirectory.course_id).close()
            new.replace(path)

    def autograde(self, assignment: str, student: str) -> str | None:
        """grading/submitted/ -> grading/autograded/, and the scores into the gradebook.
        Returns None, or the reason why this submission could not be graded."""
        result = self._take(_Autograde, assignment, student)
        return None if result["success"] else _reason(result)

    def generate_feedback(self, assignment: str, student: str) -> str | None:
        """grading/autograded/ -> grading/feedback/. Returns None, or what went wrong."""
        result = self._take(_GenerateFeedback, assignment, student)
        return None if result["success"] else _reason(result)

    def _take(self, step: type[_Kept], assignment: str, student: str) -> dict[str, Any]:
        converter = self._steps.get(step)
        if converter is None:
            converter = self._steps[step] = self._step(step, self.config, assignment)
        converter.coursedir.assignment_id = assignment
        converter.coursedir.student_id = student
        return self._run(converter)

    def _step(self, step: type[BaseConverter], config: Config, assignment: str) -> BaseConverter:
        folders = CourseDirectory(config=config, assignment_id=assignment)
        converter = step(coursedir=folders, config=config)
        converter.force = True
        converter.log = log = logging.Logger(f"course.{step.__name__}", logging.INFO)
        folders.log = log
        return converter

    def _run(self, converter: BaseConverter) -> dict[str, Any]:
        # Of nbgrader's own queries, as SQLAlchemy 2.1 sees them.
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"nbgrader\.")
        return capture_log(converter)


def _reason(result: dict[str, Any]) -> str:
    """The line of nbgrader's log, or else of the traceback, that says what went wrong: the last
    one that reads "SomeError: why" and is not nbgrader's own summary of it."""
    for text in (result.get("log"), result.get("error")):
        found = [
            match for match in EXCEPTION.findall(text or "") if "NbGraderException" not in match
        ]
        if found:
            return found[-1].strip().removesuffix(".")
    lines = (result.get("log") or result["error"]).strip().splitlines()
    return lines[-1].strip().removesuffix(".")
