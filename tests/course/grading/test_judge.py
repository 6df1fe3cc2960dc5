"""What the judge believes: no forgery earns a point, and nothing honest loses one."""

import numpy as np
import pytest

from course.grading.judge import Judge
from course.grading.sandbox import Sandbox
from course.writing.notebooks import write_notebook
from tests.course.grading.judging import (
    CASES,
    PRELOAD,
    RIGHT,
    TESTS,
    WRONG,
    assignment,
    handed_in,
    points,
    reason,
    unprotected,
)

SECONDS = 250  # of a busy machine; what has to run out of them gets fewer


@pytest.fixture(scope="module")
def box():
    with Sandbox(preload=PRELOAD) as box:
        yield box


@pytest.fixture(scope="module")
def judge(box):
    """A function that judges a submission of the assignment with such a test."""
    judges = {}

    def judged(nb, test="examine", seconds=SECONDS):
        if test not in judges:
            judges[test] = Judge(assignment(test), box)
        return judges[test].judge(nb, seconds=seconds)

    return judged


SAME = """
class Same:
    __array_ufunc__ = None
    def __eq__(self, other): return True
    def __mul__(self, other): return self
def double(values): return Same()
"""
SHELL = """
import types
shell = get_ipython()
done = types.SimpleNamespace(error_before_exec=None, error_in_exec=None, result=None, execution_count=1)
"""
# Of each forgery: the kind of test that it fools, and what stands in the answer's cell.
FORGERIES = {
    "equals everything": ("equal", SAME),
    "patches numpy.testing": (
        "close",
        WRONG + "\nnp.testing.assert_allclose = lambda *args, **more: None",
    ),
    "patches torch.allclose": (
        "torch",
        WRONG + "\nimport torch\ntorch.allclose = lambda *args, **more: True",
    ),
    "patches utils.checking": (
        "examine",
        WRONG + "\nimport utils.checking\nutils.checking.examine = lambda *args, **more: None",
    ),
    "patches what checks compare with": (
        "examine",
        WRONG + "\nfrom utils.checking import verdict\nverdict.diagnose = lambda *args: None",
    ),
    "replaces a module": (
        "examine",
        WRONG
        + """
import sys, types
fake = types.ModuleType("utils.checking")
fake.examine, fake.unpacked = lambda *args, **more: None, lambda text: {"q1": None}
sys.modules["utils.checking"] = fake
""",
    ),
    "puts a package of its own first": (
        "examine",
        WRONG
        + """
import os, sys
os.makedirs("utils/checking")
open("utils/__init__.py", "w").close()
with open("utils/checking/__init__.py", "w") as file:
    file.write("examine = lambda *args, **more: None\\nunpacked = lambda text: {'q1': None}\\n")
sys.path.insert(0, os.getcwd())
for name in [name for name in sys.modules if name.partition(".")[0] == "utils"]:
    del sys.modules[name]
""",
    ),
    "reads what is expected in a caller's frame": (
        "close",
        """
import sys
def double(values):
    frame = sys._getframe()
    while frame is not None:
        if "HIDDEN TESTS" in str(frame.f_locals.get("raw_cell", "")):
            return eval("2 * values", {"values": values})
        frame = frame.f_back
    return 0 * values
""",
    ),
    "reads the key": (
        "examine",
        """
import sys
count = 0
def double(values):
    global count
    outcome = get_ipython().user_ns["KEY"]["q1"].expected[count]
    count += 1
    return outcome.values
""",
    ),
    "runs no more cells": (
        "examine",
        WRONG + SHELL + "shell.run_cell = lambda *args, **more: done",
    ),
    "drops the tests as text": (
        "equal",
        WRONG
        + SHELL
        + "old = shell.transform_cell\n"
        + "shell.transform_cell = lambda text: '' if 'HIDDEN' in text else old(text)",
    ),
    "drops assertions as syntax": (
        "equal",
        WRONG
        + SHELL
        + """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
shell.ast_transformers.append(Drop())
""",
    ),
    "replaces what runs code": (
        "equal",
        WRONG + SHELL + "async def nothing(*args, **more): return False\nshell.run_code = nothing",
    ),
    "replaces exec": (
        "equal",
        WRONG + "\nimport builtins\nbuiltins.exec = lambda *args, **more: None",
    ),
    "answers in place of the process": (
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
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_earns_nothing(judge, name):
    test, code = FORGERIES[name]
    nb = handed_in(assignment(test), code)
    assert unprotected(nb)["q1"] == 2, "against an unprotected runner it works"
    done = judge(nb, test)
    assert points(done.notebook)["q1"] == 0
    assert done.flags


# What somebody may do for a good reason that looks like one of these.
HONEST = {
    "a class that says what equals it": """
class Pair:
    def __init__(self, value): self.value = value
    def __eq__(self, other): return isinstance(other, Pair) and self.value == other.value
def double(values): return np.asarray(values) * 2 if Pair(1) == Pair(1) else None
""",
    "tests of one's own": RIGHT + "\nnp.testing.assert_allclose(double([1, 2]), [2, 4])",
    "a check of one's own": RIGHT
    + "\nfrom utils.checking import check_close\ncheck_close(double([1]), [2], 'double')",
    "looks at modules": RIGHT + "\nimport sys\nassert 'numpy' in sys.modules",
    "a module of one's own": """
import sys
with open("helpers.py", "w") as file:
    file.write("def twice(values): return 2 * values")
sys.path.insert(0, ".")
from helpers import twice
def double(values): return twice(np.asarray(values))
""",
    "the name of its caller, for a log": """
import sys
def double(values):
    print(sys._getframe(1).f_code.co_name)
    return 2 * np.asarray(values)
""",
    "uses the shell": RIGHT + "\nget_ipython().run_cell('1 + 1')\n%time double([3])",
    "a copy of NumPy's function": RIGHT + "\nallclose = np.testing.assert_allclose",
    "prints a great deal": RIGHT.replace("    return", "    print('x' * 1_000_000)\n    return"),
    "writes to stderr in every way": """
import logging, os, sys, warnings
def double(values):
    print("careful", file=sys.stderr)
    os.write(2, b"careful")
    os.system("echo careful >&2")
    warnings.warn("careful")
    logging.warning("careful")
    return 2 * np.asarray(values)
""",
    "closes stdout": RIGHT + "\nimport sys, os\nsys.stdout.close()\nos.close(1)",
    "threads": """
from concurrent.futures import ThreadPoolExecutor
def double(values):
    with ThreadPoolExecutor(2) as pool:
        return np.array(list(pool.map(lambda value: 2 * value, np.atleast_1d(values))))
""",
    "a process of one's own": RIGHT
    + "\nimport subprocess, sys\nsubprocess.run([sys.executable, '-c', '1'], check=True)",
    "a temporary file": """
import tempfile
def double(values):
    with tempfile.TemporaryFile() as file:
        np.save(file, values)
        file.seek(0)
        return 2 * np.load(file)
""",
    "a list": "def double(values):\n    return [2 * value for value in values]",
    "a generator": "def double(values):\n    yield from (2 * value for value in values)",
    "a tensor": "import torch\ndef double(values):\n    return 2 * torch.tensor(values)",
    "a series": "from collections import deque\ndef double(values):\n    return deque(2 * values)",
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_answer_keeps_its_points(judge, name):
    done = judge(handed_in(assignment(), HONEST[name]))
    assert points(done.notebook) == {"q1": 2, "q2": 3}, reason(done.notebook, "q1")


# Whatever goes wrong in question 1 costs question 1.
ACCIDENTS = {
    "a syntax error": ("def double(:", "SyntaxError"),
    "nothing defined": ("twice = 2", "name 'double' is not defined"),
    "exit() above the answer": ("exit()\n" + RIGHT, "exit() ends a notebook"),
    "sys.exit() in the answer": ("import sys\ndef double(v):\n    sys.exit(1)", "SystemExit"),
    "input()": ("def double(v):\n    return 2 * float(input())", "input() is not answered"),
    "the kernel ended in its cell": ("import os\nos._exit(0)", "ended the kernel"),
    "the kernel ended in the answer": (
        "import os\ndef double(v):\n    os._exit(0)",
        "ended the kernel",
    ),
    "a crash": ("import os\ndef double(v):\n    os.abort()", "ended the kernel"),
    "a segmentation fault": (
        "import ctypes\ndef double(v):\n    ctypes.string_at(0)",
        "ended the kernel",
    ),
    "an endless cell": ("while True:\n    pass", "took longer"),
    "an endless answer": (
        "def double(v):\n    while True:\n        pass",
        "still running after 1 s",
    ),
    "an answer that cannot be stopped": (
        "def double(v):\n    while True:\n        try:\n            while True: pass\n"
        "        except BaseException: pass",
        "took longer",
    ),
    "an answer that sleeps": ("import time\ndef double(v):\n    time.sleep(1000)", "took longer"),
    "an answer without end": ("def double(v):\n    while True:\n        yield 1", "100000 numbers"),
    "too deep": ("def double(v):\n    v = []\n    v.append(v)\n    return v", "too deep"),
    "too much memory": ("def double(v):\n    return bytearray(10**11)", "MemoryError"),
    "too large": ("def double(v):\n    return np.zeros(10**8)", "more than 64,000,000 bytes"),
}


@pytest.mark.parametrize("name", ACCIDENTS)
def test_an_accident_costs_its_own_question(judge, name):
    code, said = ACCIDENTS[name]
    seconds = 10 if said == "took longer" else SECONDS
    done = judge(handed_in(assignment(), code), seconds=seconds)
    assert points(done.notebook) == {"q1": 0, "q2": 3}
    assert said in reason(done.notebook, "q1")


def test_what_an_answer_does_to_its_arguments_is_seen(judge):
    code = "def double(values):\n    values *= 2\n    return values"
    done = judge(handed_in(assignment(), code))
    assert points(done.notebook)["q1"] == 0
    assert "changes `values`" in reason(done.notebook, "q1")


@pytest.mark.parametrize("test", TESTS)
def test_the_right_answer_passes_every_kind_of_test(judge, test):
    done = judge(handed_in(assignment(test)), test)
    assert points(done.notebook) == {"q1": 2, "q2": 3}
    assert done.flags == []


LATER = "\nimport os, threading\nthreading.Timer(2, os._exit, [0]).start()"


def test_a_crash_costs_the_question_whose_code_crashed_also_when_it_comes_later(judge):
    slow = "import time\ndef half(value):\n    time.sleep(3)\n    return value / 2"
    done = judge(handed_in(assignment(), RIGHT + LATER, slow))
    assert points(done.notebook) == {"q1": 0, "q2": 3}
    assert "ended the kernel later" in reason(done.notebook, "q1")
    wrong = "import os\ndef half(value):\n    os._exit(0)"
    done = judge(handed_in(assignment(), RIGHT, wrong))
    assert points(done.notebook) == {"q1": 2, "q2": 0}


BY_HEART = """
known = {known}
def double(values):
    return np.array(known.get(float(np.sum(values)), 0 * values))
"""


def test_inputs_known_from_a_public_repository_help_nobody_in_a_class_with_its_own_seed(box):
    space = {"np": np}
    exec(CASES, space)  # noqa: S102
    drawn = [
        case[0] if isinstance(case, tuple) else case
        for case in space["cases_double"](np.random.default_rng(3))
    ]
    known = {float(np.sum(values)): (2 * values).tolist() for values in drawn}
    nb = handed_in(assignment(), BY_HEART.replace("{known}", repr(known)))
    assert points(Judge(assignment(), box).judge(nb, seconds=SECONDS).notebook)["q1"] == 2
    own = Judge(assignment(), box, seed="2026")
    assert points(own.judge(nb, seconds=SECONDS).notebook)["q1"] == 0
    right = own.judge(handed_in(assignment()), seconds=SECONDS)
    assert points(right.notebook)["q1"] == 2


def test_the_step_of_nbgrader(box, tmp_path, monkeypatch):
    from traitlets.config import Config

    from course.grading import execute

    monkeypatch.setattr(execute, "_box", lambda unsafe: box)
    write_notebook(assignment(), tmp_path / "solutions" / "u" / "u.ipynb")
    config = Config()
    config.CourseDirectory.root, config.CourseDirectory.source_directory = (
        str(tmp_path),
        "solutions",
    )
    step = execute.JudgedExecute(config=config, seconds=SECONDS)
    names = {"nbgrader": {"assignment": "u", "notebook": "u"}}
    done, _ = step.preprocess(handed_in(assignment(), WRONG), names)
    assert points(done) == {"q1": 0, "q2": 3}
    assert done.metadata["course"] == {"flags": []}
