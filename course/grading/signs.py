"""What in a student's code looks like an attempt on the grading, for an instructor to look at.

A sign earns and costs nothing: the judge believes no process that runs a student's code. Most of these
have honest uses, too, so each says what was seen and where.
"""

import ast
import builtins
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.inputtransformer2 import TransformerManager

MODULES = {
    "__main__": "reaches for the process that runs its cells",
    "_thread": "starts threads, which the watch over answers may not see",
    "builtins": "reaches for Python's own names",
    "ctypes": "reaches below Python",
    "doctest": "makes code of data",
    "importlib": "imports in a way of its own",
    "inspect": "looks at callers or at source code",
    "linecache": "looks at source code",
    "marshal": "makes code of data",
    "pickle": "makes code of data",
    "pydoc": "imports in a way of its own",
    "pty": "starts processes",
    "runpy": "makes code of data",
    "signal": "handles signals, which stop an endless answer",
    "socket": "uses the network",
    "subprocess": "starts programs",
    "threading": "starts threads, which the watch over answers may not see",
    "tracemalloc": "measures memory, as a test does",
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
    "getprofile": "looks at the watch over answers",
    "exec": "makes code of data",
    "eval": "makes code of data",
    "compile": "makes code of data",
    "__import__": "imports in a way of its own",
    "import_module": "imports in a way of its own",
    "__code__": "looks at the code of a function",
    "__globals__": "looks into a module from within",
    "__dict__": "looks into a module from within",
    "vars": "looks into a module from within",
    "globals": "looks into a module from within",
    "__self__": "looks into a module from within",
    "__loader__": "imports in a way of its own",
    "__spec__": "imports in a way of its own",
    "allow_pickle": "makes code of data",
    "attrgetter": "reaches for names that it puts together",
    "ctypeslib": "reaches below Python",
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
BUILT_IN = ("exec", "eval", "compile", "vars", "globals")  # a part of a library may be called so
EQUALS = ("__eq__", "__array_ufunc__", "__array_function__", "__torch_function__")
BY_NAME = ("getattr", "setattr", "delattr")
REACHES = ("sys.modules", "torch.multiprocessing")
LAZY = ("__array__", "detach", "toarray", "tocoo")  # called when a result is read
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
RUNS = ("run", "rerun", "macro", "load_ext")  # magics that run code which does not stand there
# Magics of a notebook that do no more than their code does; of all others the shell's own name is seen.
TIMES_CELL = re.compile(r"\A\s*%%(?:time|capture)[ \t]*\w*[ \t]*$", re.MULTILINE)
SETS_UP_CELL = re.compile(r"\A\s*%%(?:timeit|prun)(?:[ \t]+-\w[ \t]?\d*)*[ \t]*", re.MULTILINE)
OTHER_CELL = re.compile(r"\A\s*%%.*$", re.MULTILINE)  # of which no Python may follow
TIMES_LINE = re.compile(r"^([ \t]*)%(?:time|timeit(?:[ \t]+-\w[ \t]?\d+)*)[ \t]+", re.MULTILINE)
SETS_UP = re.compile(
    r"^([ \t]*)%(?:matplotlib[ \t]+\w+|config[ \t]+[\w.]+[ \t]*=[ \t]*[\w'\" ]+)[ \t]*$",
    re.MULTILINE,
)


def signs_in(source: str, library: frozenset[str] = frozenset()) -> list[str]:
    """What was seen, each with its line, in the order of the lines; none in what is no Python. `library`
    are names of the library's functions that answers are to write themselves."""
    try:
        tree = ast.parse(_plain(source))
        found = {(line, what): None for line, what in _seen(tree, library)}
    except (SyntaxError, ValueError):
        return []
    except (RecursionError, MemoryError):  # which a student's process may have been set up to read
        return ["line 1 is nested too deep to be looked at"]
    return [f"line {line} {what}" for line, what in sorted(found)]


def _plain(source: str) -> str:
    """A cell as Python, its magics as the calls that they are."""
    if "%" not in source and "!" not in source and "?" not in source:
        return source
    source = SETS_UP_CELL.sub("pass;", TIMES_CELL.sub("pass", source, count=1), count=1)
    source = OTHER_CELL.sub("pass", source, count=1)
    source = SETS_UP.sub(r"\1pass", TIMES_LINE.sub(r"\1", source))
    return _magics().transform_cell(source)


@lru_cache
def _magics() -> "TransformerManager":
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager()


def _seen(tree: ast.AST, library: frozenset[str]) -> Iterator[tuple[int, str]]:
    own, fresh = _own(tree)
    passed: set[ast.AST] = set()  # for being a part of what is honest
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    imported, of_utils = set[str](), {"utils"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
            whole = isinstance(node, ast.Import)
            imported |= names if whole else set()
            parts = [alias.name for alias in node.names] if whole else [node.module or ""]
            of_utils |= names if any(part.startswith("utils") for part in parts) else set()
    for node in ast.walk(tree):  # what is around before what is inside
        line = getattr(node, "lineno", 0)
        if node in passed or (isinstance(node, ast.Name) and node.id in own):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(node.value)  # says what the code below it is for
        elif isinstance(node, ast.Attribute) and HONEST.fullmatch(_dotted(node)):
            passed |= set(ast.walk(node))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            whence = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                name = f"{whence}.{alias.name}".removeprefix(".")
                top = name.partition(".")[0]
                if what := MODULES.get(top) or _of_its_own(top):
                    yield line, f"{what} ({whence or name})"
                elif what := NAMES.get(alias.name) if whence else None:
                    yield line, f"{what} ({alias.name})"
                if whence.startswith("utils") and alias.name in (*library, "*"):
                    yield line, f"imports what a question asks to write ({name})"
                if name.startswith("utils.checking"):
                    yield line, "uses what checks answers (utils.checking)"
        elif isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            known = NAMES if isinstance(node, ast.Name) or name not in BUILT_IN else {}
            if what := known.get(name):
                yield line, f"{what} ({name})"
            if isinstance(node, ast.Attribute) and name in library and _root(node) in of_utils:
                yield line, f"names what a question asks to write ({ast.unparse(node)[:60]})"
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
                if _root(node) in (TRUSTED | imported) - fresh:
                    yield line, f"replaces a part of a library ({ast.unparse(node)[:60]})"
                elif name.startswith("__") and name not in ("__name__", "__doc__"):
                    yield line, f"replaces a part of a class or function ({name})"
            if isinstance(node, ast.Attribute) and ast.unparse(node).endswith(REACHES):
                yield line, f"reaches for modules ({ast.unparse(node)[:60]})"
            if isinstance(node, ast.Name) and name in BY_NAME and id(node) not in called:
                yield line, f"gives what reads names another name ({name})"
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            if _root(node) in TRUSTED - fresh:
                yield line, f"replaces a part of a library ({ast.unparse(node)[:60]})"
        elif isinstance(node, ast.FunctionDef) and node.name in EQUALS:
            if not _compares(node):
                yield line, f"says what its results equal ({node.name})"
        elif isinstance(node, ast.FunctionDef) and node.name in LAZY:
            yield line, f"gives a result only when it is read ({node.name})"
        elif isinstance(node, ast.keyword) and node.arg in NAMES:
            yield line, f"{NAMES[node.arg]} ({node.arg})"
        elif isinstance(node, ast.Call) and _runs(node):
            yield line, f"runs code by a magic ({ast.unparse(node.args[0])[:60]})"
        elif isinstance(node, ast.Call) and _reaches(node, TRUSTED | imported | of_utils):
            yield line, f"reaches for names that it puts together ({ast.unparse(node.func)[:60]})"
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
        if name not in dir(builtins)
        and name[:2] != "__"
        and (isinstance(node, ast.arg) or isinstance(node.ctx, ast.Store))
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


def _runs(call: ast.Call) -> bool:
    """Whether a magic runs code that stands in a file, or in its own line."""
    magic = isinstance(call.func, ast.Attribute) and call.func.attr in ("run_line_magic", "magic")
    texts = [str(arg.value) for arg in call.args if isinstance(arg, ast.Constant)]
    return magic and bool(texts) and (texts[0].split()[0] in RUNS or "{" in " ".join(texts))


@lru_cache(maxsize=1000)
def _of_its_own(module: str) -> str:
    """What to say of a module that a student's code has written, or that libraries keep to themselves."""
    if module.startswith("_") and module != "__future__":
        return "reaches below Python"
    found = module in ("", *sys.stdlib_module_names) or find_spec(module)
    return "" if found else "imports what is no library"


def _reaches(call: ast.Call, libraries: set[str]) -> bool:
    """Whether an attribute is read or set by a name that is put together, or that is a sign itself."""
    named = isinstance(call.func, ast.Name) and call.func.id in BY_NAME
    if not named or len(call.args) < 2:
        return False
    name, of_library = call.args[1], _root(call.args[0]) in libraries
    if isinstance(name, ast.Constant):
        changes = isinstance(call.func, ast.Name) and call.func.id != "getattr"
        return name.value in NAMES or (changes and of_library)
    return of_library or not isinstance(name, ast.Name)


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
