"""What in a student's code looks like an attempt on the grading, for an instructor to look at.

A sign earns and costs nothing: the judge believes no process that runs a student's code. Most of these
have honest uses, too, so each says what was seen and where.
"""

import ast
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.inputtransformer2 import TransformerManager

MODULES = {
    "__main__": "reaches for the process that runs its cells",
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
    "tracemalloc": "measures memory, as a test does",
    "urllib": "uses the network",
    "requests": "uses the network",
    "nbgrader": "uses the gradebook's program",
    "course": "uses the program that grades",
}
THREADS = "starts threads that the watch over answers may not see"
PROCESSES = "starts processes, which the watch over answers does not see"
# What starts them. The watch sees the threads of a POOL that ends with its block, as it does unless its
# "shutdown" or "_threads" are no longer its own.
POOL = "ThreadPoolExecutor"
STARTS = {
    **dict.fromkeys(
        (
            POOL,
            "ThreadPool",
            "shutdown",
            "_threads",
            "Thread",
            "Timer",
            "start_new_thread",
            "to_thread",
        ),
        THREADS,
    ),
    **dict.fromkeys(("_start_new_thread", "_start_joinable_thread"), THREADS),
    **dict.fromkeys(("run_in_executor", "ThreadingMixIn", "QueueListener"), THREADS),
    **dict.fromkeys(("ProcessPoolExecutor", "Pool", "Process", "Parallel", "Manager"), PROCESSES),
    **dict.fromkeys(("BaseManager", "SyncManager"), PROCESSES),
}
NAMES = {
    **STARTS,
    "_getframe": "looks at callers",
    "_current_frames": "looks at callers",
    "f_back": "looks at callers",
    "f_globals": "looks at callers",
    "get_objects": "looks through all objects",
    "get_referents": "looks through all objects",
    "get_referrers": "looks through all objects",
    "_thread": THREADS,
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
# What has one of the names above, and an honest use in many a notebook, if it is of these modules.
HONEST = re.compile(
    r"sys\.(stdin|stdout|stderr)|torch\.backends\..+|platform\.system|psutil\.Process|timeit\.Timer"
)
OF_HONEST = {"sys", "torch", "platform", "psutil", "timeit"}
# As a shell is asked for it: what runs no code of the student's. (Of `system` nothing runs: see
# course.proving.shell.)
PLAIN = re.compile(
    r"system .*|((run_line_)?magic (matplotlib|config|autoreload|(re)?load_ext autoreload|env|pip|conda"
    r"|pinfo2?|pwd|ls|whos?)|getoutput (pip|conda|ls|pwd|nvidia-smi|lscpu|uname|free|df|du|cat|head|wc))"
    r"\b[\w\s.,:/=<>~\"'+-]*",
    re.DOTALL,
)
FRESH = ast.Dict | ast.DictComp | ast.List | ast.ListComp
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
LONG = 20_000  # characters of a cell with magics: to read them takes the square of it

# Magics that do no more than the code below or behind them, and those that run code in another program.
TIMES_CELL = re.compile(r"\A\s*%%(?:time|timeit|capture)\b[\w \t-]*$", re.MULTILINE)
TIMES_LINE = re.compile(r"^([ \t]*)%(?:time|timeit(?:[ \t]+-\w+[ \t]?\d*)*)[ \t]+", re.MULTILINE)
OTHER_CELL = re.compile(r"\A\s*%%(?:bash|sh|html|HTML|markdown|latex|svg|script\s+\w+)\b")
RUNS_PYTHON = re.compile(r"python|utils|import|[$`\\]", re.IGNORECASE)


def signs_in(source: str, library: frozenset[str] = frozenset()) -> list[str]:
    """What was seen, each with its line, in the order of the lines; none in what is no Python. `library`
    are names of the library's functions that answers are to write themselves."""
    try:
        tree = _tree(source)
        found = {(line, what): None for line, what in _seen(tree, library)}
    except (SyntaxError, ValueError):
        return []
    except (RuntimeError, MemoryError):  # which a student's process may have been set up to read
        return ["line 1 is nested too deep, or has too many magics, to be looked at"]
    return [f"line {line} {what}" for line, what in sorted(found)]


def _tree(source: str) -> ast.Module:
    """A cell as Python, its magics as the calls that they are, with the same lines."""
    try:
        return ast.parse(source)
    except SyntaxError:
        if not any(mark in source for mark in "%!?"):
            raise
    if len(source) > LONG:
        raise MemoryError
    if OTHER_CELL.match(source) and not RUNS_PYTHON.search(source):
        raise SyntaxError
    source = TIMES_CELL.sub("pass", source, count=1)
    return ast.parse(_magics().transform_cell(TIMES_LINE.sub(r"\1", source)))


@lru_cache
def _magics() -> "TransformerManager":
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager()


def _seen(tree: ast.Module, library: frozenset[str]) -> Iterator[tuple[int, str]]:
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    imported, of_utils = set[str](), {"utils"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
            whole = isinstance(node, ast.Import)
            imported |= names if whole else set()
            parts = [alias.name for alias in node.names] if whole else [node.module or ""]
            of_utils |= names if any(part.startswith("utils") for part in parts) else set()
    own, fresh = _own(tree)
    trusted = TRUSTED - (fresh - imported)
    passed = own | _ending(tree)  # or for being a part of what is honest
    for node in ast.walk(tree):  # what is around before what is inside
        line = getattr(node, "lineno", 0)
        if node in passed:
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(node.value)  # says what the code below it is for
        elif isinstance(node, ast.Call) and _is_plain(node):
            passed |= set(ast.walk(node))
        elif isinstance(node, ast.Attribute) and HONEST.fullmatch(_dotted(node)):
            passed |= set(ast.walk(node))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            whence = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                if (alias.asname or "") in OF_HONEST - {f"{whence}.{alias.name}"[1:]}:
                    yield line, f"gives another the name of a library ({alias.asname})"
                name = f"{whence}.{alias.name}".removeprefix(".")
                top = name.partition(".")[0]
                if what := MODULES.get(top) or _of_its_own(top):
                    yield line, f"{what} ({whence or name})"
                elif what := NAMES.get(alias.name) if whence else None:
                    if alias.asname or alias.name not in STARTS:  # else seen where it is used
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
                if _root(node) in trusted | imported:
                    yield line, f"replaces a part of a library ({ast.unparse(node)[:60]})"
                elif name.startswith("__") and name not in ("__name__", "__doc__"):
                    yield line, f"replaces a part of a class or function ({name})"
            if isinstance(node, ast.Attribute) and _dotted(node).endswith(REACHES):
                yield line, f"reaches for modules ({_dotted(node)})"
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                if name in OF_HONEST:
                    yield line, f"gives another the name of a library ({name})"
            if isinstance(node, ast.Name) and name in BY_NAME and id(node) not in called:
                yield line, f"gives what reads names another name ({name})"
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            if _root(node) in trusted:
                yield line, f"replaces a part of a library ({ast.unparse(node)[:60]})"
        elif isinstance(node, ast.FunctionDef) and node.name in EQUALS:
            if not _compares(node):
                yield line, f"says what its results equal ({node.name})"
        elif isinstance(node, ast.FunctionDef) and node.name in LAZY:
            yield line, f"gives a result only when it is read ({node.name})"
        elif isinstance(node, ast.arg) and node.arg in OF_HONEST:
            yield line, f"gives another the name of a library ({node.arg})"
        elif isinstance(node, ast.keyword) and node.arg in NAMES:
            yield line, f"{NAMES[node.arg]} ({node.arg})"
        elif isinstance(node, ast.Call) and _reaches(node, trusted | imported | of_utils, library):
            yield line, f"reaches for names that it puts together ({ast.unparse(node.func)[:60]})"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for text, what in TEXTS.items():
                if found := re.search(text, node.value):
                    yield line, f"{what} ({found[0]!r})"


def _own(tree: ast.Module) -> tuple[set[ast.AST], set[str]]:
    """Where code names what it has certainly given a value of its own, and the names that have been given
    nothing but a new list or dict."""
    own, fresh, other = set[ast.AST](), set[str](), set[str]()
    anywhere = {n.id for n in _names(tree) if isinstance(n.ctx, ast.Del)} | OF_HONEST
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            anywhere |= set(node.names)
        elif isinstance(node, ast.Assign):
            (fresh if isinstance(node.value, FRESH) else other).update(_given(node))
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS | ast.Lambda):
            body = node.body if isinstance(node.body, list) else [node.body]
            args = {arg.arg for arg in ast.iter_child_nodes(node.args) if isinstance(arg, ast.arg)}
            local = args.union(*(_given(part) for part in body if isinstance(part, ast.Assign)))
            own |= {n for part in body for n in _names(part) if n.id in local - anywhere}
    given = set[str]()
    for part in tree.body:  # of these alone is it certain that they run
        now = _given(part) - anywhere if isinstance(part, ast.Assign) else set[str]()
        read = {n for n in _names(part) if isinstance(n.ctx, ast.Load)}
        own |= {n for n in read if n.id in given}
        given |= now
        own |= {n for n in _names(part) if n.id in given and n not in read}
    return own, fresh - other


def _given(part: ast.Assign) -> set[str]:
    names = {
        n.id for target in part.targets for n in _names(target) if isinstance(n.ctx, ast.Store)
    }
    return {name for name in names if name[:2] != "__"}


def _names(tree: ast.AST) -> list[ast.Name]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Name)]


def _ending(tree: ast.AST) -> set[ast.AST]:
    """The pools of threads that end with their block: in what may stop halfway, none is sure to."""
    halfway = {
        node
        for function in ast.walk(tree)
        if isinstance(function, FUNCTIONS)
        and any(isinstance(n, ast.Yield | ast.YieldFrom | ast.Await) for n in ast.walk(function))
        for node in ast.walk(function)
    }
    return {
        item.context_expr.func
        for block in ast.walk(tree)
        if isinstance(block, ast.With) and block not in halfway
        for item in block.items
        if isinstance(item.context_expr, ast.Call)
        and _dotted(item.context_expr.func).rpartition(".")[2] == POOL
    }


def _is_plain(call: ast.Call) -> bool:
    """Whether a magic, or a line for the system, runs no code of the student's."""
    whose, _, what = _dotted(call.func).rpartition(".")
    given = [arg.value for arg in call.args if isinstance(arg, ast.Constant)]
    whole = len(given) == len(call.args) and not call.keywords
    said = " ".join([what, *map(str, given)])
    bare = "get_ipython()" == whose == ast.unparse(call.func)[: len(whose)]
    return bare and whole and bool(PLAIN.fullmatch(said))


def _compares(method: ast.FunctionDef) -> bool:
    """Whether an `__eq__` looks at both that it compares."""
    both = {arg.arg for arg in method.args.args}
    read = {node.id for node in _names(method)}
    return method.name == "__eq__" and len(both) == 2 and both <= read


@lru_cache(maxsize=1000)
def _of_its_own(module: str) -> str:
    """What to say of a module that a student's code has written, or that libraries keep to themselves."""
    if module.startswith("_") and module != "__future__":
        return "reaches below Python"
    found = module in ("", *sys.stdlib_module_names) or PathFinder.find_spec(module)
    return "" if found else "imports what is no library"


def _reaches(call: ast.Call, libraries: set[str], library: frozenset[str]) -> bool:
    """Whether an attribute is read or set by a name that is put together, or that is a sign itself."""
    named = isinstance(call.func, ast.Name) and call.func.id in BY_NAME
    if not named or len(call.args) < 2:
        return False
    name, of_library = call.args[1], _root(call.args[0]) in libraries
    if isinstance(name, ast.Constant):
        changes = isinstance(call.func, ast.Name) and call.func.id != "getattr"
        return name.value in NAMES or name.value in library or (changes and of_library)
    return of_library or not isinstance(name, ast.Name)


def _dotted(node: ast.AST) -> str:
    """A name with its attributes, such as "sys.stdout", or the last of many; that of what a call returns
    ends in "()"."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute) and len(parts) < 8:
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
