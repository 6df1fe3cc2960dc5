"""The judges and sandboxes that a process keeps, from one submission to the next."""

import ast
import atexit
import sys
from functools import lru_cache

import nbformat
from nbformat import NotebookNode

from course.grading.judge import Judge
from course.grading.sandbox import DERIVES, PRELOAD, Sandbox, Unsafe, chosen

LIGHT = ("numpy", "utils.checking")


@lru_cache(maxsize=4)
def judge_of(text: str, unsafe: bool, seed: str) -> Judge:
    """Of the assignment whose solution is the notebook in this text."""
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
