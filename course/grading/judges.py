"""The judges and sandboxes that a process keeps, from one submission to the next."""

import ast
import atexit
import sys
from functools import lru_cache

import nbformat
from nbformat import NotebookNode

from course.grading.judge import Judge, Judged
from course.grading.sandbox import DERIVES, PRELOAD, Sandbox, Unsafe, chosen

LIGHT = ("numpy", "utils.checking")


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
    return judge.judge(submission, seconds=seconds, answer_seconds=answer_seconds)


@lru_cache(maxsize=4)
def _judge(text: str, unsafe: bool, seed: str) -> Judge:
    solution = nbformat.reads(text, as_version=4)
    box = _box(unsafe, preload_of(solution))
    judge = Judge(solution, box, seed=seed)  # while the server imports
    box.wait()
    return judge


@lru_cache(maxsize=4)
def _box(unsafe: bool, preload: tuple[str, ...]) -> Sandbox:
    """One server for all assignments that need the same; it ends with this process."""
    box = (Unsafe if unsafe else chosen())(preload=preload).launch()
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
