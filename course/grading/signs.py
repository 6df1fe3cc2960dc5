"""What in a student's code looks like an attempt on the grading, for an instructor to look at.

A sign earns and costs nothing: the judge believes no process that runs a student's code. Most of these
have honest uses, too, so each says what was seen and where.
"""

import ast
from collections.abc import Iterator

MODULES = {
    "ctypes": "reaches below Python",
    "gc": "looks through all objects",
    "inspect": "looks at callers or at source code",
    "linecache": "looks at source code",
    "multiprocessing": "starts processes",
    "pty": "starts processes",
    "signal": "handles signals, which stop an endless answer",
    "socket": "uses the network",
    "subprocess": "starts programs",
    "urllib": "uses the network",
    "requests": "uses the network",
    "nbgrader": "uses the gradebook's program",
    "course": "uses the program that grades",
}
NAMES = {
    "_getframe": "looks at callers",
    "_current_frames": "looks at callers",
    "f_back": "looks at callers",
    "f_globals": "looks at callers",
    "setprofile": "takes the watch over answers off",
    "settrace": "takes the watch over answers off",
    "fork": "starts processes",
    "forkpty": "starts processes",
    "kill": "ends processes",
    "killpg": "ends processes",
    "system": "starts programs",
    "popen": "starts programs",
    "ast_transformers": "changes how cells run",
    "input_transformers_post": "changes how cells run",
    "run_cell": "changes how cells run",
    "get_ipython": "uses the notebook's shell",
    "__subclasses__": "looks for classes that it was not given",
    "HIDDEN": "looks for hidden tests",
    "In": "reads the cells that ran",
    "_ih": "reads the cells that ran",
    "ANY": "says what its results equal",
    "__builtins__": "reaches for Python's own names",
}
EQUALS = ("__eq__", "__array_ufunc__", "__array_function__", "__torch_function__")
TEXTS = {
    "/proc": "looks at processes",
    "HIDDEN TESTS": "looks for hidden tests",
    "NBGRADER": "asks whether it is being graded",
    "gradebook.db": "looks for the gradebook",
    "solutions/": "looks for solutions",
}
TRUSTED = {
    "numpy",
    "np",
    "torch",
    "builtins",
    "utils",
    "sys",
    "math",
    "testing",
    "checking",
    "modules",
}


def signs_in(source: str) -> list[str]:
    """What was seen, each with its line, in the order of the lines; none in what is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return []
    found = {(line, what): None for line, what in _seen(tree)}
    return [f"line {line} {what}" for line, what in sorted(found)]


def _seen(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            for name in [node.module or ""] if isinstance(node, ast.ImportFrom) else names:
                if what := MODULES.get(name.partition(".")[0]):
                    yield line, f"{what} ({name})"
                if name.startswith("utils.checking"):
                    yield line, "uses what checks answers (utils.checking)"
        elif isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if what := NAMES.get(name):
                yield line, f"{what} ({name})"
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
                if _root(node) in TRUSTED:
                    yield line, f"replaces a part of a library ({ast.unparse(node)[:60]})"
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            if _root(node) in TRUSTED:
                yield line, f"replaces a part of a library ({ast.unparse(node)[:60]})"
        elif isinstance(node, ast.FunctionDef) and node.name in EQUALS:
            yield line, f"says what its results equal ({node.name})"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for text, what in TEXTS.items():
                if text in node.value:
                    yield line, f"{what} ({text!r})"


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
