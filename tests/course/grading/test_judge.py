"""What the judge believes: no forgery earns a point, and nothing honest loses one."""

import numpy as np
import pytest

from course.grading.judge import Judge
from course.grading.sandbox import Sandbox
from course.writing.notebooks import write_notebook
from tests.course.grading import judging
from tests.course.grading.judging import (
    CASES,
    RIGHT,
    TESTS,
    WITH_TORCH,
    WRONG,
    assignment,
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
    "a list": "def double(values):\n    return [2 * value for value in values]",
    "a tensor": "import torch\ndef double(values):\n    return 2 * torch.tensor(values)",
    "a series": "from collections import deque\ndef double(values):\n    return deque(2 * values)",
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_answer_keeps_its_points(judge, name):
    done = judge(handed_in(assignment(), HONEST[name]))
    assert points(done.notebook) == {"q1": 2, "q2": 3}, reason(done.notebook, "q1")


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


SPEAKS = """
def double(values):
    error = AssertionError("asked: " + repr(values.tolist()) + {more})
    error.not_own_work = True
    raise error
"""


@pytest.mark.parametrize("more", ["''", "' calls numpy.polyval'"])
def test_what_is_said_for_the_watch_is_said_in_the_judges_words(judge, more):
    """A student reads them, and an answer knows what a hidden test asks."""
    for test in ("own", "examine"):
        done = judge(handed_in(assignment(test), SPEAKS.replace("{more}", more)), test)
        assert points(done.notebook) == {"q1": 0, "q2": 3}
        assert "asked" not in reason(done.notebook, "q1")
        assert any("watch" in flag for flag in done.flags)
    calls = "def double(values):\n    return np.polyval([2, 0], values)"
    done = judge(handed_in(assignment("own"), calls), "own")
    assert (points(done.notebook)["q1"], done.flags) == (0, [])
    said = "This question asks you to write it: your answer calls numpy.polyval."
    assert reason(done.notebook, "q1") == said


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
