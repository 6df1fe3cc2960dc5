"""Notebooks of any version and encoding, read into nbformat 4 without outputs."""

import json
from copy import deepcopy
from typing import Any

import nbformat
from nbformat import NotebookNode

from course.grading.intake.files import Unreadable, shown
from course.writing.notebooks import METADATA

CELL_TYPES = ("code", "markdown", "raw")
# In all cells together; our assignments have at most 165,000. To read, run and show a text takes hundreds
# of times its memory, and some take the square of its length.
MOST_TEXT = 1_000_000


def parse_notebook(data: bytes) -> tuple[NotebookNode, list[str], list[str]]:
    """A notebook of what stands in a file, and what was found in sentences: what an instructor
    should look at, and what is mended without doubt. Raises Unreadable.

    Kept are the cells' types, texts, ids and metadata. Outputs, attachments, kernel and widgets are
    not read: they are run with the kernel of the course, and written anew.
    """
    if not data.strip():
        raise Unreadable("is empty; ask for it again")
    try:
        raw = json.loads(data)  # in UTF-8, 16 or 32, with a byte order mark or without
    except UnicodeDecodeError as error:
        raise Unreadable("is not a text in UTF-8; ask for it again") from error
    except ValueError as error:
        raise Unreadable(f"is no notebook ({shown(str(error))}); ask for it again") from error
    except RecursionError as error:
        raise Unreadable("is no notebook (it is nested without end); ask for it again") from error
    if not isinstance(raw, dict):
        raise Unreadable("is no notebook (it holds other JSON); ask for it again")
    look, notes = [], []
    encoding = json.detect_encoding(data)
    if encoding not in ("utf-8", "utf-8-sig"):
        notes.append(f"It is written in {encoding}, and read all the same.")
    version = raw.get("nbformat")
    if "cells" not in raw:
        raw = _upgraded(raw)
        notes.append(f"It is of version {shown(str(version))} of the format, and brought up to 4.")
    elif version != 4:  # what has cells reads as version 4, whatever it calls itself
        notes.append(f"It says that it is of version {shown(str(version))}, and is read as 4.")
    if not isinstance(raw["cells"], list):
        raise Unreadable("is no notebook (its cells are no list); ask for it again")
    notes += _kernel(raw.get("metadata"))
    cells, ids = [], set()
    for number, cell in enumerate(raw["cells"], start=1):
        source = _source(cell)
        if source is None:
            look.append(f"Cell {number} is no cell and is left out; ask what it was.")
            continue
        cells.append(_cell(cell, source, number, ids))
    if (length := sum(len(cell["source"]) for cell in cells)) > MOST_TEXT:
        raise Unreadable(
            f"holds {length:,} characters in its cells; ask for it without data in them"
        )
    nb = nbformat.from_dict({"cells": cells, "metadata": deepcopy(METADATA)})
    nb.nbformat, nb.nbformat_minor = 4, 5
    return nb, look, notes


def _upgraded(raw: dict[str, Any]) -> dict[str, Any]:
    """A notebook of version 1, 2 or 3 as one of version 4, by nbformat."""
    try:
        read = nbformat.reader.reads(json.dumps(raw))
        return nbformat.convert(read, 4)
    except Exception as error:  # nbformat raises whatever its converters stumble over
        why = shown(str(error).split("\n")[0] or type(error).__name__)
        raise Unreadable(f"is no notebook ({why}); ask for it again") from error


def _kernel(metadata: Any) -> list[str]:
    try:
        spec = metadata["kernelspec"]
        name, language = spec["name"], spec.get("language", "python")
    except (TypeError, KeyError, AttributeError):
        return []
    if (name, language) == ("python3", "python"):
        return []
    return [f"It names the kernel {shown(str(name), 40)}, and runs with Python 3 as all do."]


def _source(cell: Any) -> str | None:
    """The text of a cell, which may be a list of lines; None if it is no cell."""
    if not isinstance(cell, dict):
        return None
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    return source if isinstance(source, str) else None


def _cell(raw: dict[str, Any], source: str, number: int, ids: set[str]) -> dict[str, Any]:
    """A valid cell of version 4.5 with an id of its own."""
    kind = raw.get("cell_type")
    metadata = raw.get("metadata")
    cell = {
        "cell_type": kind if kind in CELL_TYPES else "raw",
        "id": _id(raw.get("id"), number, ids),
        "metadata": metadata if isinstance(metadata, dict) else {},
        # Half of a surrogate pair is no text that can be written.
        "source": source.encode("utf-8", "replace").decode("utf-8"),
    }
    if cell["cell_type"] == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell


def _id(wanted: Any, number: int, ids: set[str]) -> str:
    valid = isinstance(wanted, str) and wanted.isascii() and 0 < len(wanted) <= 64
    if not valid or not wanted.replace("-", "").replace("_", "").isalnum():
        wanted = f"cell-{number}"
    while wanted in ids:
        wanted = f"{wanted[:50]}-{number}"
    ids.add(wanted)
    return wanted
