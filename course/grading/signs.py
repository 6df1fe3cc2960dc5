"""What in a student's code looks like an attempt on the grading, for an instructor to look at.

A sign earns and costs nothing: the judge believes no process that runs a student's code. Most of these
have honest uses, too, so each says what was seen and where.
"""

import ast
import re
from collections.abc import Iterator

MODULES = {
    "ctypes": "reaches below Python",
    "inspect": "looks at callers or at source code",
    "linecache": "looks at source code",
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
    "get_objects": "looks through all objects",
    "get_referents": "looks through all objects",
    "get_referrers": "looks through all objects",
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
TEXTS = {  # each a pattern
    r"/proc\b": "looks at processes",
    "HIDDEN TESTS": "looks for hidden tests",
    "NBGRADER": "asks whether it is being graded",
    r"gradebook\.db": "looks for the gradebook",
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
# What has one of the names above, and an honest use in many a notebook.
HONEST = re.compile(
    r"sys\.(stdin|stdout|stderr)|torch\.backends\..+|platform\.system"
    r"|get_ipython\(\)\.(run_line_magic|magic|system|getoutput)"
)
FRESH = ast.Dict | ast.DictComp | ast.List | ast.ListComp


def signs_in(source: str) -> list[str]:
    """What was seen, each with its line, in the order of the lines; none in what is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        try:
            tree = ast.parse(_without_magics(source))
        except (SyntaxError, ValueError, RecursionError):
            return []
    found = {(line, what): None for line, what in _seen(tree)}
    return [f"line {line} {what}" for line, what in sorted(found)]


def _without_magics(source: str) -> str:
    """A cell as the notebook's shell runs it, with the same lines; what a magic for the whole cell would
    do with them is not asked."""
    from IPython.core.inputtransformer2 import TransformerManager

    first, rest = source.partition("\n")[::2]
    return TransformerManager().transform_cell(f"pass\n{rest}" if first[:2] == "%%" else source)


def _seen(tree: ast.AST) -> Iterator[tuple[int, str]]:
    own, fresh = _own(tree)
    passed: set[ast.AST] = set()  # for being a part of what is honest
    for node in ast.walk(tree):  # what is around before what is inside
        line = getattr(node, "lineno", 0)
        if node in passed or (isinstance(node, ast.Name) and node.id in own):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(node.value)  # says what the code below it is for
        elif isinstance(node, ast.Attribute) and HONEST.fullmatch(_dotted(node)):
            passed |= set(ast.walk(node))
        elif isinstance(node, ast.Import | ast.ImportFrom):
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
                if _root(node) in TRUSTED - fresh:
                    yield line, f"replaces a part of a library ({ast.unparse(node)[:60]})"
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            if _root(node) in TRUSTED - fresh:
                yield line, f"replaces a part of a library ({ast.unparse(node)[:60]})"
        elif isinstance(node, ast.FunctionDef) and node.name in EQUALS:
            if not _compares(node):
                yield line, f"says what its results equal ({node.name})"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for text, what in TEXTS.items():
                if found := re.search(text, node.value):
                    yield line, f"{what} ({found[0]!r})"


def _own(tree: ast.AST) -> tuple[set[str], set[str]]:
    """The names that code gives a value of its own before it reads them, and those that it gives a new
    list or dict."""
    first: dict[str, ast.Name | ast.arg] = {}
    fresh: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.arg):
            name = node.id if isinstance(node, ast.Name) else node.arg
            place = min(first.get(name, node), node, key=lambda n: (n.lineno, n.col_offset))
            first[name] = place
        elif isinstance(node, ast.Assign) and isinstance(node.value, FRESH):
            fresh |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    own = {
        name
        for name, node in first.items()
        if name[:2] != "__" and (isinstance(node, ast.arg) or isinstance(node.ctx, ast.Store))
    }
    return own, fresh


def _compares(method: ast.FunctionDef) -> bool:
    """Whether an `__eq__` looks at what it compares with."""
    names = [arg.arg for arg in method.args.args[1:]]
    read = {node.id for node in ast.walk(method) if isinstance(node, ast.Name)}
    return method.name == "__eq__" and bool(read & set(names))


def _dotted(node: ast.AST) -> str:
    """A name with its attributes, such as "sys.stdout"; that of what a call returns ends in "()"."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    call = isinstance(node, ast.Call)
    root = node.func if isinstance(node, ast.Call) else node
    parts.append((root.id if isinstance(root, ast.Name) else "") + "()" * call)
    return ".".join(reversed(parts))


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
