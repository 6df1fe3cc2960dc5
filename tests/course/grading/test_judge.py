"""What the judge believes: no forgery earns a point, and nothing honest loses one."""

from unittest.mock import Mock

import numpy as np
import pytest

from course.grading.judge import Judge
from course.grading.sandbox import Sandbox
from course.writing.notebooks import grade_id, write_notebook
from tests.course.grading import judging
from tests.course.grading.judging import (
    CASES,
    RIGHT,
    TESTS,
    WITH_TORCH,
    WRONG,
    assignment,
    cell,
    handed_in,
    points,
    reason,
)

SECONDS = 250  # of a busy machine; what has to run out of them gets fewer


@pytest.fixture(scope="module")
def box():
    with Sandbox(preload=WITH_TORCH) as box:
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


# What nobody may be punished for.
HONEST = {
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
    "lines for the system's shell": f"!pip install numpy\n%pip install numpy\n{RIGHT}",
    "a list": "def double(values):\n    return [2 * value for value in values]",
    "a tensor": "import torch\ndef double(values):\n    return 2 * torch.tensor(values)",
    "a series": "from collections import deque\ndef double(values):\n    return deque(2 * values)",
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_answer_keeps_its_points(judge, name):
    done = judge(handed_in(assignment(), HONEST[name]))
    assert points(done.notebook) == {"q1": 2, "q2": 3}, reason(done.notebook, "q1")


def test_recursion_without_end_is_no_attempt_on_the_watch(judge):
    done = judge(handed_in(assignment(), "def double(values):\n    return double(values)"))
    assert "raises RecursionError: maximum recursion depth" in reason(done.notebook, "q1")
    assert done.flags == []


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


GRADIENTS = """
import torch
x, factor = torch.arange(3.0).requires_grad_(), torch.tensor(2.0)
(double(x) * double(x.exp())).sum().backward()
expected = 4 * (1 + x) * x.exp()
assert torch.allclose(x.grad, expected), 'gradient'
"""
OWN = """
import torch
class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values): return 2 * values
    @staticmethod
    def backward(ctx, gradient): return {gradient}
double = Double.apply
"""
GRADED = {
    "by PyTorch": ("def double(values): return 2 * values", 2, ""),
    "by its own rule": (OWN.format(gradient="2 * gradient"), 2, ""),
    "by a wrong rule": (OWN.format(gradient="gradient"), 0, "gradient"),
    "by a rule that raises": (OWN.format(gradient="1 / 0"), 0, "ZeroDivisionError"),
    "not at all": ("def double(values): return (2 * values).detach()", 0, "does not require grad"),
    "of another shape": (OWN.format(gradient="gradient[:1]"), 0, "shape"),
}


@pytest.mark.parametrize("name", GRADED)
def test_gradients_cross(box, name, monkeypatch):
    code, earned, said = GRADED[name]
    monkeypatch.setitem(TESTS, "gradients", GRADIENTS)
    nb = assignment("gradients")
    done = Judge(nb, box).judge(handed_in(nb, code), seconds=SECONDS)
    assert points(done.notebook) == {"q1": earned, "q2": 3}
    assert said in reason(done.notebook, "q1")


def test_a_cell_for_which_no_time_is_left_has_not_run(judge):
    nb = handed_in(assignment(), "# In the cell above.", before=RIGHT)
    nb.cells.insert(1, cell("while True: pass"))
    done = judge(nb, seconds=3)
    assert points(done.notebook) == {"q1": 0, "q2": 3}
    said = "The cell that defines `double` did not run (CellTimeoutError: not run: cells of the"
    assert said in reason(done.notebook, "q1")


HANDED = """
class Scale:
    def __init__(self):
        self.factor, self.inside = 2, {"calls": 0}

    def of(self, value):
        self.inside["calls"] += 1
        return self.factor * value

scale = Scale()
assert double(scale) == [2 * n for n in range(40)], "not double"
assert (scale.factor, scale.inside["calls"]) == %s, "changed"
"""
THREADS = """
from concurrent.futures import ThreadPoolExecutor
def double(scale):
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(scale.of, range(40)))
"""
COPIES = """
import copy
def double(scale):
    one, other = copy.copy(scale), copy.deepcopy(scale)
    other.factor = one.factor = 1
    return [one.of(n) + other.of(n) for n in range(40)]
"""


@pytest.mark.parametrize(("code", "left"), [(THREADS, (2, 40)), (COPIES, (2, 40))])
def test_what_a_test_hands_over_may_be_copied_and_asked_from_threads(box, monkeypatch, code, left):
    monkeypatch.setitem(TESTS, "handed", HANDED % (left,))
    nb = assignment("handed")
    done = Judge(nb, box).judge(handed_in(nb, code), seconds=SECONDS)
    assert points(done.notebook) == {"q1": 2, "q2": 3}, reason(done.notebook, "q1")
    assert done.flags == []


def test_copies_have_an_end(box, monkeypatch):
    monkeypatch.setitem(TESTS, "handed", HANDED % ((2, 0),))
    nb = assignment("handed")
    code = "import copy\ndef double(scale):\n    while True:\n        copy.deepcopy(scale)"
    done = Judge(nb, box).judge(handed_in(nb, code), seconds=SECONDS)
    assert "MemoryError: too many copies" in reason(done.notebook, "q1")
    assert points(done.notebook) == {"q1": 0, "q2": 3}


LATER = "\nimport os, threading\nthreading.Timer(2, os._exit, [0]).start()"


def test_a_crash_costs_the_question_whose_code_crashed_also_when_it_comes_later(judge):
    slow = "import time\ndef half(value):\n    time.sleep(1.5)\n    return value / 2"  # twice
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


CANCELS = """
from utils.checking.outcomes import weights
def double(values):
    return np.resize([1e30, -1e30], len(values)) / weights(len(values))
"""


def test_many_numbers_that_cancel_out_are_no_answer_in_a_class_with_its_own_seed(box, monkeypatch):
    """A notebook's key holds sums of many numbers, each right within a part of its terms' sizes."""
    many = CASES.replace("(1, 4, 9)", "(1200,)")
    monkeypatch.setattr(judging, "CASES", many)
    monkeypatch.setitem(TESTS, "many", TESTS["examine"].replace(CASES, many))
    nb = assignment("many")
    done = [
        Judge(nb, box, seed=s).judge(handed_in(nb, CANCELS), seconds=SECONDS) for s in ("", "7")
    ]
    assert [points(one.notebook)["q1"] for one in done] == [2, 0]
    right = Judge(nb, box, seed="7").judge(handed_in(nb), seconds=SECONDS)
    assert points(right.notebook)["q1"] == 2


def test_the_step_of_nbgrader(box, tmp_path, monkeypatch):
    from traitlets.config import Config

    from course.grading import execute, judges

    monkeypatch.setattr(judges, "_box", lambda unsafe, preload: box)
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


REMEMBERS = """import numpy as np
seen = []
def double(values):
    seen.append(len(values))
    return -2 * np.asarray(values)
"""


def with_check(nb, source="assert double(np.zeros(8)) is None, str(seen)"):
    """The assignment with a check without points above the hidden test of question 1."""
    at = next(i for i, c in enumerate(nb.cells) if grade_id(c) == "q1_hidden")
    nb.cells.insert(at, cell(source, "q1_check", 0))
    return nb


def test_a_check_without_points_is_asked_only_where_points_were_lost(box):
    nb = with_check(assignment())
    judge = Judge(nb, box)
    right, wrong = (
        judge.judge(handed_in(nb, code), seconds=SECONDS) for code in (RIGHT, REMEMBERS)
    )
    said = [
        next(c for c in done.notebook.cells if grade_id(c) == "q1_check").outputs
        for done in (right, wrong)
    ]
    assert points(right.notebook) == {"q1": 2, "q2": 3} and said[0] == []
    assert points(wrong.notebook) == {"q1": 0, "q2": 3} and len(said[1]) == 1


def test_a_check_without_points_asks_code_that_has_seen_no_hidden_input(box):
    check = "double(np.zeros(8)); assert False, str(double.seen())"
    tells = REMEMBERS + "double.seen = lambda: seen\n"
    nb = with_check(assignment(), check)
    done = Judge(nb, box).judge(handed_in(nb, tells), seconds=SECONDS).notebook
    outputs = {grade_id(c): str(c.get("outputs")) for c in done.cells if grade_id(c)}
    assert "[8]" in outputs["q1_check"] and points(done)["q1"] == 0


@pytest.mark.parametrize("by_another", [True, False])
def test_a_server_that_ended_is_started_anew_by_one_thread(monkeypatch, by_another):
    """Several threads may have a submission in the sandboxes of a server that ends."""
    box = Mock(process="first")
    box.ready.return_value = box
    judge, tries = Judge(assignment(), box), []

    def judged(*how):
        tries.append(how)
        if len(tries) > 1:
            return {"outputs": {}, "flags": []}
        box.process = "second" if by_another else "first"
        return {"broken": "the server of the sandboxes has ended"}

    monkeypatch.setattr(judge, "_judged", judged)
    judge.judge(handed_in(assignment()), seconds=SECONDS)
    assert len(tries) == 2 and box.restart.called is not by_another
