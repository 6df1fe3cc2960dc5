"""Cells of a submission that were copied, damaged, deleted, retyped or stripped of their names."""

import difflib
import json
from collections.abc import Iterable
from copy import deepcopy
from functools import lru_cache

import nbformat
from nbformat import NotebookNode

from course.writing.notebooks import grade_id, is_answer, is_manual, is_test, question_of

MARKS = ("grade", "solution", "locked", "points", "task")
MOST_METADATA = 2000  # characters; nbgrader writes some 300


def repair(nb: NotebookNode) -> list[NotebookNode]:
    """Make a submission fit to be graded, whatever was done to its metadata, and return the cells
    that no longer count as part of the assignment.

    Of several cells with the same grade id the last one keeps it (as nbgrader's DeduplicateIds
    chooses, but that leaves metadata behind which stops the whole class). Metadata that nbgrader
    cannot read is dropped. Tags are dropped: a test tagged "skip-execution" would not run and so
    give full points. Widget state is dropped.
    """
    nb.metadata.pop("widgets", None)
    seen: set[str] = set()
    dropped = []
    for cell in reversed(nb.cells):
        cell.metadata.pop("tags", None)
        if "nbgrader" not in cell.metadata:
            continue
        if not is_readable(cell) or grade_id(cell) in seen:
            dropped.append(deepcopy(cell))
            del cell.metadata["nbgrader"]
        elif (name := grade_id(cell)) is not None:
            seen.add(name)
    return dropped[::-1]


def give_back(nb: NotebookNode, release: NotebookNode) -> list[str]:
    """Give cells that lost their nbgrader metadata the release's, where it is certain whose it was,
    and return their grade ids: a cell with the release's cell id, or with the same text, or the one
    that stands where it stood between cells with the same text."""
    missing = {grade_id(c): c for c in release.cells if grade_id(c)}
    for cell in nb.cells:
        missing.pop(grade_id(cell), None)
    given = []

    def give(cell: NotebookNode, original: NotebookNode) -> None:
        name = grade_id(original)
        if name in missing and grade_id(cell) is None:
            cell.metadata["nbgrader"] = deepcopy(original.metadata["nbgrader"])
            given.append(name)
            del missing[name]

    if missing:
        by_id = {c.id: c for c in nb.cells if "id" in c}
        by_text = {_text(c): c for c in nb.cells}
        for found in (
            [(by_id.get(c.id), c) for c in missing.values()],
            [(by_text.get(_text(c)), c) for c in missing.values()],
        ):
            for cell, original in found:
                if cell is not None:
                    give(cell, original)
    if missing:
        before, after = [_text(c) for c in release.cells], [_text(c) for c in nb.cells]
        matcher = difflib.SequenceMatcher(a=before, b=after)
        for what, a, a_end, b, b_end in matcher.get_opcodes():
            if what == "replace" and a_end - a == b_end - b:
                for original, cell in zip(release.cells[a:a_end], nb.cells[b:b_end], strict=True):
                    if cell.cell_type == original.cell_type:
                        give(cell, original)
    return given


def mend(nb: NotebookNode, release: NotebookNode) -> tuple[list[str], list[str]]:
    """Make the cells of a submission those of the release again, as far as it is certain which is
    which: their names, points and marks. (Changed and deleted tests are left to RestoreCells, which
    knows the hidden ones.) Returns what was found, in sentences: first what an instructor should
    look at, then what is mended without doubt."""
    dropped = repair(nb)
    original = {name: c for c in release.cells if (name := grade_id(c)) is not None}
    for cell in nb.cells:
        if grade_id(cell) not in original:
            cell.metadata.pop("nbgrader", None)
    given = give_back(nb, release)
    own = {name for name, cell in original.items() if is_answer(cell) or is_manual(cell)}
    present, marked = {}, []
    for cell in nb.cells:
        name = grade_id(cell)
        if name in original:
            present[name] = cell
            if _marks(cell) != _marks(original[name]):
                marked.append(name)
            cell.metadata["nbgrader"] = deepcopy(original[name].metadata["nbgrader"])
    early = _without_early_tests(nb)
    both = [name for name in original if name in present]
    changed = [n for n in both if n not in own and present[n].source != original[n].source]
    retyped = [n for n in both if _retype(present[n], original[n].cell_type)]
    gone = [n for n in original if n not in present]
    copied, twice = [], []
    for name in dict.fromkeys(n for c in dropped if (n := _name(c)) in original):
        texts = {c.source for c in dropped if _name(c) == name} - {original[name].source}
        differs = name in own and name in present and texts - {present[name].source}
        (twice if differs else copied).append(name)
    look = [
        (marked, "has other points or marks in its metadata; the original ones count, ask why"),
        (
            [n for n in gone if n in own],
            "has no cell and counts as unanswered; look for it in others",
        ),
        (twice, "stands there more than once, in different words; the last counts, look at it"),
    ]
    mended = [
        (given, "had lost its name in the metadata, and has it again"),
        ([n for n in gone if n not in own], "was deleted, and is put back"),
        (early, "stood above its answer, and is put below it"),
        (changed, "was changed, and the original runs instead"),
        (retyped, "was given another cell type, and has its own again"),
        (copied, "was copied or its metadata damaged, and one of it counts"),
    ]
    return _sentences(look), _sentences(mended)


def _without_early_tests(nb: NotebookNode) -> list[str]:
    """Take out the tests that stand above an answer of their question, for RestoreCells to put back below
    it, and return their names."""
    last = {question_of(grade_id(cell)): n for n, cell in enumerate(nb.cells) if is_answer(cell)}
    early = [
        cell
        for number, cell in enumerate(nb.cells)
        if is_test(cell) and number < last.get(question_of(grade_id(cell)), 0)
    ]
    nb.cells = [cell for cell in nb.cells if cell not in early]
    return [grade_id(cell) for cell in early]


def _sentences(found: Iterable[tuple[list[str], str]], most: int = 4) -> list[str]:
    sentences = []
    for names, what in found:
        rest = f" (and {len(names) - most} more)" if len(names) > most else ""
        if names:
            sentences.append(f"{', '.join(names[:most])}{rest}: {what}.")
    return sentences


def _text(cell: NotebookNode) -> tuple[str, str]:
    return cell.cell_type, cell.source.strip()


def _name(cell: NotebookNode) -> str:
    """The grade id of metadata that may be damaged."""
    damaged = cell.metadata.get("nbgrader")
    return str(damaged.get("grade_id")) if isinstance(damaged, dict) else ""


def _retype(cell: NotebookNode, kind: str) -> bool:
    """Make a cell one of this type; False if it is already."""
    if cell.cell_type == kind:
        return False
    cell.cell_type = kind
    if kind == "code":
        cell.update(execution_count=None, outputs=[])
    else:
        cell.pop("execution_count", None)
        cell.pop("outputs", None)
    return True


def _marks(cell: NotebookNode) -> list[object]:
    return [cell.metadata["nbgrader"].get(mark) or 0 for mark in MARKS]


def is_readable(cell: NotebookNode) -> bool:
    """Whether nbgrader can read the metadata of a cell as it stands."""
    written = json.dumps(cell.metadata["nbgrader"], sort_keys=True)
    return len(written) <= MOST_METADATA and _nbgrader_reads(cell.cell_type, written)


@lru_cache(4096)  # nbgrader compiles its schema for every cell, and a class has the same cells
def _nbgrader_reads(cell_type: str, metadata: str) -> bool:
    from nbgrader.nbgraderformat import MetadataValidator, SchemaTooNewError, SchemaTooOldError
    from nbgrader.nbgraderformat import ValidationError as InvalidMetadata

    cell = nbformat.from_dict(
        {"cell_type": cell_type, "metadata": {"nbgrader": json.loads(metadata)}, "source": ""}
    )
    try:
        MetadataValidator().validate_cell(cell)
    except (InvalidMetadata, SchemaTooOldError, SchemaTooNewError):
        return False
    except (KeyError, TypeError, AttributeError):  # not even a dictionary with its keys
        return False
    return True
