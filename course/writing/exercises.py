"""From an exercise's source, in which cells carry short tags, to the cells that nbgrader knows.

    answer:q1               the student writes here; the solution stands between the markers
    locked:q1_example       code that the student may run but not change
    check:q1:4              a check that students see; its hidden twin, with other inputs, gives 4 points
    check:q2_rate           one of several checks of q2; the hidden test stands after the last of them
    test:q1_hidden:4        a test written by hand
    written:q7:6            an answer in words, graded by a person

A check ends in a call of `examine` with `KEYS["q1"]`. Its key, of right results and fingerprints of
the named mistakes, is computed by `course.writing.keys` when the notebook is built, and stands in a
cell after the first code cell. The hidden twin runs the same check with a key of its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from course.errors import UserError
from course.writing.notebooks import BEGIN_HIDDEN, END_HIDDEN, KEYS, question_of

KINDS = ("answer", "locked", "check", "test", "written")
TAG = re.compile(r"(?P<kind>[a-z]+):(?P<name>q\d+\w*)(?::(?P<points>\d+(?:\.\d+)?))?")
KEYS_CELL = """\
# What the checks know of right results, and of wrong ones. Made with this notebook, from {stamp}.
from utils.checking import examine, unpacked, watch_cells

watch_cells()
KEYS = unpacked("{text}")"""
HIDDEN_CELL = """\
# Hidden test of question {number}: {points} points.
{begin}
from utils.checking import examine, unpacked

HIDDEN = unpacked("{text}")
{sources}
{end}"""


@dataclass(frozen=True)
class Tag:
    """What a cell's tag says. `points` is None where the tag gives none."""

    kind: str
    name: str
    points: float | None

    @property
    def question(self) -> str:
        return question_of(self.name)


def tag_of(cell: NotebookNode, path: Path | str = "the exercise") -> Tag | None:
    """The tag by which a cell of the source is meant for nbgrader; None if it has none.

    Raises UserError when it has one of an unknown kind or form.
    """
    tags = [t for t in cell.metadata.get("tags", ()) if t.partition(":")[0] in KINDS or ":" in t]
    if not tags:
        return None
    match = TAG.fullmatch(tags[0]) if len(tags) == 1 else None
    if match is None or match["kind"] not in KINDS:
        raise UserError(
            f"{path}: a cell has the tags {', '.join(tags)}; give it one of the form "
            "KIND:NAME or KIND:NAME:POINTS, such as answer:q1, check:q1:4, locked:q1_example, "
            "test:q1_hidden:4 or written:q7:6."
        )
    return Tag(match["kind"], match["name"], float(match["points"]) if match["points"] else None)


def nbgrader_metadata(tag: Tag) -> dict:
    """nbgrader's metadata for a cell."""
    names = {"check": f"{tag.name}_check"}
    graded = tag.kind in ("check", "test", "written")
    metadata = {
        "grade": graded,
        "grade_id": names.get(tag.kind, tag.name),
        "locked": tag.kind in ("locked", "check", "test"),
        "schema_version": 3,
        "solution": tag.kind in ("answer", "written"),
        "task": False,
    }
    if graded:
        points = 0.0 if tag.kind == "check" else tag.points or 0.0
        metadata["points"] = int(points) if points == int(points) else points
    return metadata


def checks(nb: NotebookNode) -> dict[str, list[tuple[Tag, NotebookNode]]]:
    """The cells of a source that are checks, by question."""
    found: dict[str, list[tuple[Tag, NotebookNode]]] = {}
    for cell in nb.cells:
        tag = tag_of(cell)
        if tag is not None and tag.kind == "check":
            found.setdefault(tag.question, []).append((tag, cell))
    return found


def hidden_name(question: str) -> str:
    """The grade id of a question's hidden test."""
    return f"{question}_hidden"


def expanded(
    nb: NotebookNode, keys: str = "", hidden: Mapping[str, str] | None = None, stamp: str = ""
) -> NotebookNode:
    """A source with its tags expanded, the keys' cell put in, and a hidden test after the last check
    of each question. `keys` and `hidden` (by question) are what `utils.checking.keys.packed` made of
    what `stamp` stands for."""
    by_question = checks(nb)
    last = {question: group[-1][1] for question, group in by_question.items()}
    cells = []
    for cell in nb.cells:
        tag = tag_of(cell)
        if tag is not None:
            cell.metadata.pop("tags")
            cell.metadata["nbgrader"] = nbgrader_metadata(tag)
        cells.append(cell)
        if len(cells) == _first_code(nb) + 1 and by_question:
            cells.append(_locked(KEYS, KEYS_CELL.format(text=keys, stamp=stamp), grade=False))
        if tag is not None and cell is last.get(tag.question):
            cells.append(
                _hidden(tag.question, by_question[tag.question], (hidden or {})[tag.question])
            )
    nb.cells = cells
    return nb


def _first_code(nb: NotebookNode) -> int:
    return next(i for i, cell in enumerate(nb.cells) if cell.cell_type == "code")


def _hidden(question: str, group: list[tuple[Tag, NotebookNode]], text: str) -> NotebookNode:
    points = sum(tag.points or 0 for tag, _ in group)
    if not points:
        raise UserError(
            f"The checks of {question} give no points; tag the last of them "
            f"check:{group[-1][0].name}:POINTS."
        )
    source = HIDDEN_CELL.format(
        number=question[1:],
        points=f"{points:g}",
        begin=BEGIN_HIDDEN,
        end=END_HIDDEN,
        text=text,
        sources="\n".join(cell.source.replace('KEYS["', 'HIDDEN["') for _, cell in group),
    )
    cell = _locked(hidden_name(question), source, grade=True)
    cell.metadata["nbgrader"]["points"] = int(points) if points == int(points) else points
    return cell


def _locked(name: str, source: str, grade: bool) -> NotebookNode:
    metadata = nbgrader_metadata(Tag("test" if grade else "locked", name, None))
    collapsed = {} if grade else {"jupyter": {"source_hidden": True}}
    return new_code_cell(source, metadata={"nbgrader": metadata, **collapsed})
