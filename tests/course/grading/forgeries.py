"""Answers to question 1 that are wrong and would pass if their own process said what they earn.

Of each the kind of test that it fools (of `judging.TESTS`), what stands in the answer's cell, and its
honest twin: a right answer that does something similar for a good reason.
"""

from typing import NamedTuple

from tests.course.grading.judging import RIGHT, WRONG


class Forgery(NamedTuple):
    test: str
    code: str
    twin: str
    earns: int = 0  # if its answers are right and only the way to them is not: it must be flagged
    keeps: int = 3  # of question 2, if it does not keep its own sandbox from running that


def wrong(code):
    return f"{WRONG}\n{code.strip()}"


def right(code):
    return f"{RIGHT}\n{code.strip()}"


SAME = """
class Same:
    __array_ufunc__ = None
    def __eq__(self, other): return True
    def __mul__(self, other): return self
"""
SHELL = """
import types
shell = get_ipython()
done = types.SimpleNamespace(error_before_exec=None, error_in_exec=None, result=None, execution_count=1)
"""
FAKE = """
import importlib, os, sys, types
fake = types.ModuleType("utils.checking")
fake.examine, fake.unpacked = lambda *args, **more: None, lambda text: {"q1": None}
"""
IMPORT = """
import builtins
old = builtins.__import__
def imported(name, *args, **more):
    return fake if name == "utils.checking" else old(name, *args, **more)
"""
# `{frame}` is where it begins to look for the source of the test that calls it.
CALLER = """
import inspect, sys, threading
def double(values):
    {begin}
    while frame is not None:
        if "HIDDEN" + " TESTS" in str(frame.f_locals.get("raw_cell", "")):
            return eval("2 * values", {{"values": values}})
        frame = frame.f_back
    return 0 * values
"""

FORGERIES = {
    # ------------------------------------------------------------ answers that are no answers
    "equals everything": Forgery(
        "equal",
        SAME + "def double(values): return Same()",
        """
class Pair:
    def __init__(self, value): self.value = value
    def __eq__(self, other): return isinstance(other, Pair) and self.value == other.value
def double(values): return values * 2 if Pair(1) == Pair(1) else None
""",
    ),
    "a number that equals everything": Forgery(
        "equal",
        """
class Number(int):
    def __eq__(self, other): return True
def double(values): return Number(0)
""",
        """
class Number(int):
    def __repr__(self): return f"number {int(self)}"
def double(values): return Number(2 * values)
""",
    ),
    "an object made for tests": Forgery(
        "equal",
        "from unittest.mock import ANY\ndef double(values): return ANY",
        "from unittest.mock import Mock\ndouble = Mock(side_effect=lambda values: 2 * values)",
    ),
    "an object in an array": Forgery(
        "equal",
        SAME + "def double(values): return np.array(Same(), dtype=object)",
        "def double(values): return np.array(2 * values, dtype=object)",
    ),
    "an array that says how it compares": Forgery(
        "close",
        """
class Array(np.ndarray):
    def __array_function__(self, function, types, args, kwargs):
        if function.__name__ == "isclose":
            return np.ones(self.shape, dtype=bool)
        return super().__array_function__(function, types, args, kwargs)
def double(values): return (0 * values).view(Array)
""",
        """
class Array(np.ndarray):
    unit = "s"
def double(values): return (2 * values).view(Array)
""",
    ),
    # ------------------------------------------------------------ parts of libraries replaced
    "patches numpy.testing": Forgery(
        "close",
        wrong("np.testing.assert_allclose = lambda *args, **more: None"),
        right("np.testing.assert_allclose(double([1, 2]), [2, 4])"),
    ),
    "patches beneath numpy.testing": Forgery(
        "close",
        wrong("np.testing._private.utils.assert_array_compare = lambda *args, **more: None"),
        right("allclose = np.testing.assert_allclose\nnp.set_printoptions(precision=3)"),
    ),
    "patches what makes inputs": Forgery(
        "close",
        wrong("np.arange = lambda n: np.zeros(0)"),
        right("arange = np.arange\nassert len(double(arange(3))) == 3"),
    ),
    "patches torch.allclose": Forgery(
        "torch",
        wrong("import torch\ntorch.allclose = lambda *args, **more: True"),
        right("import torch\nassert torch.allclose(torch.tensor(double([1])), torch.tensor([2]))"),
    ),
    "patches torch.arange": Forgery(
        "torch",
        wrong("import torch\ntorch.arange = lambda n: torch.zeros(n, dtype=torch.int64)"),
        right("import torch\ntorch.manual_seed(0)\ntorch.set_num_threads(1)"),
    ),
    "patches utils.checking": Forgery(
        "examine",
        wrong("import utils.checking\nutils.checking.examine = lambda *args, **more: None"),
        right("from utils.checking import check_close\ncheck_close(double([1]), [2], 'double')"),
    ),
    "patches what checks compare with": Forgery(
        "examine",
        wrong("from utils.checking import verdict\nverdict.diagnose = lambda *args: None"),
        right("import utils\nassert utils.__doc__ is None or utils.__doc__"),
    ),
    "patches what is right": Forgery(
        "examine",
        wrong("from utils.checking import verdict\nverdict.is_right = lambda *args: True"),
        right("import math\nassert math.isclose(1, 1)"),
    ),
    "replaces the key": Forgery(
        "examine",
        wrong("""
import dataclasses
from utils import checking
from utils.checking import trials
old = checking.unpacked
def unpacked(text):
    key, space = old(text)["q1"], get_ipython().user_ns
    runs = trials.run_cases(space["try_double"], space["cases_double"], key.seed)
    return {"q1": dataclasses.replace(key, expected=tuple(run.outcome for run in runs))}
checking.unpacked = unpacked
"""),
        right("""
import dataclasses
@dataclasses.dataclass
class Setting:
    rate: float = 0.1
assert dataclasses.replace(Setting(), rate=0.2).rate == 0.2
"""),
    ),
    "stops the clock": Forgery(
        "examine",
        """
import signal, time
signal.setitimer = lambda *args: (0.0, 0.0)
def double(values):
    end = time.process_time() + 1.3
    while time.process_time() < end:
        pass
    return 2 * values
""",
        """
import time
def double(values):
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
    return 2 * values
""",
        earns=2,
    ),
    # ------------------------------------------------------------ modules and names replaced
    "replaces a module": Forgery(
        "examine",
        wrong(FAKE + 'sys.modules["utils.checking"] = fake'),
        right("import sys\nassert 'numpy' in sys.modules"),
    ),
    "puts a package of its own first": Forgery(
        "examine",
        wrong("""
import os, sys
os.makedirs("utils/checking")
open("utils/__init__.py", "w").close()
with open("utils/checking/__init__.py", "w") as file:
    file.write("examine = lambda *args, **more: None\\nunpacked = lambda text: {'q1': None}\\n")
sys.path.insert(0, os.getcwd())
for name in [name for name in sys.modules if name.partition(".")[0] == "utils"]:
    del sys.modules[name]
"""),
        """
import sys
with open("helpers.py", "w") as file:
    file.write("def twice(values): return 2 * values")
sys.path.insert(0, ".")
from helpers import twice
def double(values): return twice(np.asarray(values))
""",
    ),
    "finds modules of its own": Forgery(
        "examine",
        wrong(
            FAKE
            + """
from importlib.machinery import ModuleSpec
class Finder:
    def find_spec(self, name, path, target=None):
        return ModuleSpec(name, self) if name == "utils.checking" else None
    def create_module(self, spec): return fake
    def exec_module(self, module): pass
del sys.modules["utils.checking"]
sys.meta_path.insert(0, Finder())
"""
        ),
        right("import importlib\nassert importlib.import_module('fractions').Fraction(1) == 1"),
    ),
    "replaces import": Forgery(
        "examine",
        wrong(FAKE + IMPORT + "builtins.__import__ = imported"),
        right("assert __import__('numpy') is np"),
    ),
    "gives the notebook builtins of its own": Forgery(
        "examine",
        wrong(FAKE + IMPORT + "__builtins__ = dict(vars(builtins), __import__=imported)"),
        right("import builtins\nassert len([name for name in dir(builtins)]) > 100"),
    ),
    "rewrites names while a test runs": Forgery(
        "equal",
        wrong("""
import sys
class Same(int):
    def __eq__(self, other): return True
def trace(frame, event, argument):
    if frame.f_code.co_name == "<module>" and "double" in frame.f_globals:
        frame.f_globals["double"] = lambda values: Same()
    return trace
sys.settrace(trace)
"""),
        right("import sys\nassert sys.gettrace() is None or True"),
    ),
    # ------------------------------------------------------------ answers read where they stand
    "reads its caller's frame": Forgery(
        "close",
        CALLER.format(begin="frame = sys._getframe()"),
        """
import sys
def double(values):
    print(sys._getframe(1).f_code.co_name)
    return 2 * np.asarray(values)
""",
    ),
    "reads a traceback's frame": Forgery(
        "close",
        CALLER.format(
            begin="try: 1 / 0\n    except ZeroDivisionError as e: frame = e.__traceback__.tb_frame"
        ),
        """
import traceback
def double(values):
    try: 1 / 0
    except ZeroDivisionError: traceback.format_exc()
    return 2 * values
""",
    ),
    "reads the frames of threads": Forgery(
        "close",
        CALLER.format(begin="frame = sys._current_frames()[threading.get_ident()]"),
        right("import threading\nassert threading.active_count() >= 1"),
    ),
    "inspects its callers": Forgery(
        "close",
        CALLER.format(begin="frame = inspect.stack()[0].frame"),
        right("import inspect\nassert list(inspect.signature(double).parameters) == ['values']"),
    ),
    "reads the key": Forgery(
        "examine",
        """
import itertools
count = itertools.count()
def double(values):
    return get_ipython().user_ns["KEY"]["q1"].expected[next(count)].values
""",
        right("assert get_ipython().user_ns['double'] is double"),
    ),
    "finds the key among all objects": Forgery(
        "examine",
        """
import gc, itertools
count = itertools.count()
def double(values):
    key, *_ = [thing for thing in gc.get_objects() if type(thing).__name__ == "Key"]
    return key.expected[next(count)].values
""",
        right("import gc\ngc.collect()"),
    ),
    "reads the test in the history": Forgery(
        "equal",
        "def double(values): return 2 * values if 'HIDDEN' + ' TESTS' in In[-1] else 0",
        right("assert isinstance(In, list)"),
    ),
    "reads the test among the cached sources": Forgery(
        "equal",
        """
import linecache
def double(values):
    texts = ["".join(entry[2]) for entry in linecache.cache.values() if len(entry) > 2]
    return 2 * values if any("HIDDEN" + " TESTS" in text for text in texts) else 0
""",
        right("import linecache\nassert linecache.getline(np.__file__, 1)"),
    ),
    # ------------------------------------------------------------ the shell
    "runs no more cells": Forgery(
        "examine",
        wrong(SHELL + "shell.run_cell = lambda *args, **more: done"),
        right("get_ipython().run_cell('1 + 1')\n%time double([3])"),
        keeps=0,
    ),
    "drops the tests as text": Forgery(
        "equal",
        wrong(
            SHELL
            + "old = shell.transform_cell\n"
            + "shell.transform_cell = lambda text: '' if 'HIDDEN' in text else old(text)"
        ),
        right("assert '\\n' in get_ipython().transform_cell('1\\n')"),
    ),
    "drops the tests as lines": Forgery(
        "equal",
        wrong(
            SHELL
            + "drop = lambda lines: [] if any('HIDDEN' in line for line in lines) else lines\n"
            + "shell.input_transformers_cleanup.append(drop)\n"
            + "type(shell).transform_cell.cache_clear()"
        ),
        right("get_ipython().register_magic_function(lambda line: None, 'line', 'nothing')"),
    ),
    "drops assertions as syntax": Forgery(
        "equal",
        wrong(
            SHELL
            + """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
shell.ast_transformers.append(Drop())
"""
        ),
        right("import ast\nassert ast.literal_eval('[1, 2]') == [1, 2]"),
    ),
    "replaces what runs code": Forgery(
        "equal",
        wrong(SHELL + "async def nothing(*args, **more): return False\nshell.run_code = nothing"),
        right("assert get_ipython().ev('1 + 1') == 2"),
        keeps=0,
    ),
    "forgives errors afterwards": Forgery(
        "equal",
        wrong(
            SHELL
            + """
def forgive(result): result.error_in_exec = result.error_before_exec = None
shell.events.register("post_run_cell", forgive)
"""
        ),
        right("get_ipython().events.register('post_run_cell', lambda result: None)"),
    ),
    "replaces exec": Forgery(
        "equal",
        wrong("import builtins\nbuiltins.exec = lambda *args, **more: None"),
        right("space = {}\nexec('x = 2', space)\nassert space['x'] == 2"),
        keeps=0,
    ),
    "replaces compile": Forgery(
        "equal",
        wrong("""
import builtins
old = builtins.compile
def compiled(source, *args, **more):
    return old("" if "HIDDEN" in str(source) else source, *args, **more)
builtins.compile = compiled
"""),
        right("assert eval(compile('1 + 1', 'sum', 'eval')) == 2"),
    ),
    # ------------------------------------------------------------ the process
    "patches from a thread": Forgery(
        "close",
        wrong("""
import threading
def patch(): np.testing.assert_allclose = lambda *args, **more: None
thread = threading.Thread(target=patch)
thread.start()
thread.join()
"""),
        """
from concurrent.futures import ThreadPoolExecutor
def double(values):
    with ThreadPoolExecutor(2) as pool:
        return np.array(list(pool.map(lambda value: 2 * value, np.atleast_1d(values))))
""",
    ),
    # Last, because without a judge its message is taken for that of the one that comes next.
    "answers in place of the process": Forgery(
        "equal",
        """
import os, pickle, stat, struct
data = pickle.dumps({})
pipes = [fd for fd in range(3, 100) if os.path.exists(f"/proc/self/fd/{fd}")
         and stat.S_ISFIFO(os.fstat(fd).st_mode)]
if pipes:
    os.write(max(pipes), struct.pack("!i", len(data)) + data)
    os._exit(0)
""",
        right("import os, pickle, sys\nassert pickle.loads(pickle.dumps([1])) == [1]\nos.close(1)"),
    ),
}
