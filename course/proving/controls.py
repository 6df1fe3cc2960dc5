"""A gate on what the controls of a lecture read. See `course.proving.gates`."""

import ast
from collections.abc import Iterator

from course.proving.workbench import Workbench
from course.writing.notebooks import code_cells

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
OWN_NAMES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def controls_keep_drawing(bench: Workbench) -> list[str]:
    """No name that the functions given to `explore` read is bound anew in a later cell: after "Run
    All" a control would draw something else, or nothing."""
    cells = [
        (number, ast.parse(cell.source))
        for number, cell in code_cells(bench.lecture)
        if not cell.source.startswith("%")
    ]
    functions = {
        node.name: node
        for _, tree in cells
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    problems = []
    for number, tree in cells:
        read = {name for call in _explores(tree) for name in _reads(call.args, functions)}
        problems += [
            f"Cell {number} has controls whose picture reads {name!r}, and cell {later} binds it anew."
            for later, other in cells
            if later > number
            for name in sorted(read.intersection(_bound(other)))
        ]
    return problems


def _explores(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "explore":
            yield node


def _reads(arguments: list[ast.expr], functions: dict[str, ast.FunctionDef]) -> set[str]:
    """The global names that the arguments and all functions of the notebook behind them read."""
    found: set[str] = set()
    waiting = [
        node.id for part in arguments for node in ast.walk(part) if isinstance(node, ast.Name)
    ]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name in functions:
            inside = list(ast.walk(functions[name]))
            own = {node.arg for node in inside if isinstance(node, ast.arg)}
            names = [node for node in inside if isinstance(node, ast.Name)]
            own |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
            waiting += [node.id for node in names if node.id not in own]
    return found


def _bound(node: ast.AST) -> Iterator[str]:
    """The global names that a cell binds."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FUNCTIONS):
            yield child.name
        elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        elif not isinstance(child, OWN_NAMES):
            yield from _bound(child)
