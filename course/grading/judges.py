"""The judges and sandboxes that a process keeps, from one submission to the next."""

import atexit
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course.grading.judge import Judge, Judged
from course.grading.sandbox import DERIVES, PRELOAD, Sandbox, Unsafe, chosen

MOST_BOXES = 2  # of an assignment, and for those who import more
LIGHT = ("numpy", "utils.checking", "IPython.core.interactiveshell")
HELD = {name if name.startswith("utils.") else name.partition(".")[0] for name in PRELOAD}
WATCHED = re.compile(r"\butils\.\w+")
IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+)?import[ \t]+(.+)", re.MULTILINE)


def judged_here(
    solution: str,
    submission: NotebookNode,
    *,
    unsafe: bool,
    seed: str,
    seconds: float,
    answer_seconds: float | None,
) -> Judged:
    """A submission as :meth:`course.grading.judge.Judge.judge` gives it back; `solution` is the text of a
    notebook."""
    judge = _judge(solution, unsafe, seed)
    box = _box(unsafe, judge.box.preload).ready()
    if imported(submission) - box.modules:  # which an assignment does not need, and few import
        box = _box(unsafe, (*PRELOAD, DERIVES)).ready()
    return judge.judge(submission, box, seconds=seconds, answer_seconds=answer_seconds)


def box_for(solution: Path, unsafe: bool) -> Sandbox:
    """Where submissions of an assignment run: launched, if it was not, and perhaps not yet ready."""
    text = solution.read_text(encoding="utf-8")
    return _box(unsafe, preload_of(nbformat.reads(text, as_version=4)))


@lru_cache(maxsize=4)
def _judge(text: str, unsafe: bool, seed: str) -> Judge:
    solution = nbformat.reads(text, as_version=4)
    box = _box(unsafe, preload_of(solution))
    return Judge(solution, box, seed=seed)  # while the server imports


_boxes: dict[tuple[type[Sandbox], Sequence[str]], Sandbox] = {}  # which was used last is the last


def _box(unsafe: bool, preload: Sequence[str]) -> Sandbox:
    """One server for all submissions that need the same. It ends with this process, or when there are
    others in its place: each holds libraries of up to 400 MB."""
    key = Unsafe if unsafe else chosen(), preload
    box = _boxes.pop(key, None)
    if box is None:
        box = key[0](preload=preload).launch()
    _boxes[key] = box
    if len(_boxes) > MOST_BOXES:
        _boxes.pop(next(iter(_boxes))).close()
    return box


@atexit.register
def close_boxes() -> None:
    while _boxes:
        _boxes.popitem()[1].close()


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
