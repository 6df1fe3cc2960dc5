"""What nbgrader and nbconvert make anew for every submission, made once for a process that grades many.

The work is theirs; only what it needs is kept: the connection to the gradebook, the exporters with their
templates, what a cell that all students have looks like. `nbgrader autograde` and `nbgrader
generate_feedback`, called by themselves, come to the same without the connection.
"""

import html
import importlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import nbgrader.api
from alembic.script import ScriptDirectory
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter
from nbformat import NotebookNode
from nbgrader.api import BaseCell, Comment, Grade, Gradebook, GradeCell, SourceCell, TaskCell
from nbgrader.dbutil import ALEMBIC_DIR
from sqlalchemy.orm import Query, Session, joinedload, scoped_session, sessionmaker, undefer

OPENERS = (  # modules of nbgrader's that open a gradebook in one of its steps
    "nbgrader.converters.autograde",
    "nbgrader.converters.generate_assignment",
    "nbgrader.preprocessors.getgrades",
    "nbgrader.preprocessors.latesubmissions",
    "nbgrader.preprocessors.overwritecells",
    "nbgrader.preprocessors.overwritekernelspec",
    "nbgrader.preprocessors.saveautogrades",
    "nbgrader.preprocessors.savecells",
)
SHORT = 20_000  # characters of a text that is remembered, and laid out
# What makes HTML of a text takes the square of its length for some texts: hours for a megabyte. So a long
# one is shown as it is, and one with long gaps, which are the slowest, without them.
GAPS = re.compile(r"(\s{200})\s+")


class _Session(Session):
    """Writes to the disk at the end of a block, not after each grade in it: nbgrader commits some thirty
    times for a submission, and a disk takes 5 to 20 ms for each. What is changed is sent to the database
    before the next question to it."""

    def commit(self) -> None:
        if self.new or self.deleted:
            self.flush()
            self.info.clear()

    def keep(self) -> None:
        super().commit()


class KeptGradebook(Gradebook):
    """A gradebook that stays open. What is done in a block (`with`) is written at its end, all of it, or
    nothing if the block raises. A block in a block is a part of it."""

    def __init__(self, db_url: str, course_id: str) -> None:
        super().__init__(db_url, course_id)
        self.db.remove()
        self.db = scoped_session(sessionmaker(bind=self.engine, class_=_Session))
        self._depth = 0

    def __enter__(self) -> "KeptGradebook":
        self._depth += 1
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._depth -= 1
        if not self._depth:
            try:
                if kind is None:
                    self.db().keep()
            finally:
                self.db.remove()

    def grades_of(self, notebook: str, assignment: str, student: str) -> dict[str, Grade]:
        """By the names of their cells. Raises MissingEntry if there is no such submission."""
        return self._by_name(
            (Grade, notebook, assignment, student),
            lambda query: query.options(undefer(Grade.max_score), joinedload(Grade.cell)),
        )

    def find_grade(self, grade_cell: str, *of: str) -> Grade:
        return self.grades_of(*of).get(grade_cell) or super().find_grade(grade_cell, *of)

    def find_comment(self, solution_cell: str, *of: str) -> Comment:
        found = self._by_name((Comment, *of)).get(solution_cell)
        return found or super().find_comment(solution_cell, *of)

    def find_source_cell(self, name: str, *of: str) -> SourceCell:
        return self._by_name((SourceCell, *of)).get(name) or super().find_source_cell(name, *of)

    def find_graded_cell(self, name: str, *of: str) -> GradeCell | TaskCell:
        return self._by_name((GradeCell, *of)).get(name) or super().find_graded_cell(name, *of)

    def _by_name(
        self, key: tuple, more: Callable[[Query], Query] = lambda query: query
    ) -> dict[str, Any]:
        """All of a kind that belong to a notebook, or to one that was submitted, by the names of cells:
        in one query for each block, where nbgrader asks for each cell."""
        known = self.db().info
        if key not in known:
            kind, *of = key
            if kind in (Grade, Comment):
                whose = self.find_submission_notebook(*of)
                query = self.db.query(BaseCell.name, kind).join(
                    BaseCell, BaseCell.id == kind.cell_id
                )
            else:
                whose = self.find_notebook(*of)
                query = self.db.query(kind.name, kind)
            known[key] = dict(more(query.filter(kind.notebook_id == whose.id)).all())
        return known[key]

    def end(self) -> None:
        super().close()


def newest_version() -> str:
    """Of a gradebook's tables, as alembic says. nbgrader starts a program for it, which takes a second, and
    finds it only in an environment that is activated."""
    return str(ScriptDirectory(ALEMBIC_DIR).get_current_head())


nbgrader.api.get_alembic_version = newest_version
_kept: dict[tuple[str, str], tuple[int, KeptGradebook]] = {}


def open_gradebook(db_url: str, course_id: str = "default_course") -> KeptGradebook:
    """The gradebook at an address, as nbgrader's own class opens one, but once for each process."""
    # A file made anew in the same place is another one. While it is open no new one gets its number.
    number = os.stat(db_url.removeprefix("sqlite:///")).st_ino
    found = _kept.get((db_url, course_id))
    if found is None or found[0] != number:
        for other in [key for key, (old, _) in _kept.items() if key[0] != db_url or old != number]:
            _kept.pop(other)[1].end()
        found = _kept[db_url, course_id] = (number, KeptGradebook(db_url, course_id))
    return found[1]


_users: set[object] = set()


@contextmanager
def kept_gradebooks() -> Iterator[None]:
    """Here nbgrader's own steps take the gradebook that is open. Several threads may be in here."""
    modules = [importlib.import_module(name) for name in OPENERS]
    user = object()
    _users.add(user)
    for module in modules:
        module.Gradebook = open_gradebook
    try:
        yield
    finally:
        _users.remove(user)
        for module in modules if not _users else ():
            module.Gradebook = Gradebook


def as_html(function: Callable[[str], str]) -> Callable[[str], str]:
    """A function that makes HTML of a text. It remembers what it gave, as most cells are the course's own;
    a long text is shown as it is."""
    known = lru_cache(maxsize=500)(function)

    def apply(text: str) -> str:
        if len(text) > SHORT:
            return f"<pre>{html.escape(text)}</pre>"
        return known(GAPS.sub(r"\1", text))

    return apply


class FeedbackExporter(HTMLExporter):
    """nbconvert's, without its last step, which reads the page that it has just made, to give a text to
    images that lack one and a focus to cells, and writes it again. That takes four times as long as all
    else, and feedback has no images, and none of JupyterLab's cells."""

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **options: Any
    ) -> tuple[str, dict[str, Any]]:
        resources = self._init_resources(resources)
        shows = WidgetsDataTypeFilter(
            notebook_metadata=self._nb_metadata, parent=self, resources=resources
        )
        self.register_filter("filter_data_type", shows)
        return super(HTMLExporter, self).from_notebook_node(nb, resources, **options)
