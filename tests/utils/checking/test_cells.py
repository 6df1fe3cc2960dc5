"""A check whose answer cell failed says so instead of testing the older definition."""

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

SETUP = """
from utils.checking import examine, watch_cells
from utils.checking.keys import Key
from utils.checking.trials import run_cases

watch_cells()
cases = lambda random: iter([(1,), (2,)])
KEY = Key("q1", 0, tuple(r.outcome for r in run_cases(lambda x: x + 1, cases, 0)))
"""
CHECK = """
def trial(x):
    return answer(x)

examine(trial, cases, KEY)
"""


@pytest.fixture
def shell():
    quiet = Config({"HistoryManager": {"enabled": False, "hist_file": ":memory:"}})
    shell = InteractiveShell(config=quiet, colors="nocolor")
    yield shell
    InteractiveShell.clear_instance()


def run(shell, source):
    result = shell.run_cell(source)
    return result.error_before_exec or result.error_in_exec


def test_an_answer_cell_that_does_not_run_is_named(shell):
    assert run(shell, SETUP) is None
    assert run(shell, "def answer(x):\n    return x + 1") is None
    assert run(shell, CHECK) is None
    assert run(shell, "def answer(x):\n    return x +") is not None
    assert "cell that defines `answer` did not run (SyntaxError" in str(run(shell, CHECK))
    assert run(shell, "def answer(x):\n    return 1 + x") is None
    assert run(shell, CHECK) is None


def test_a_failing_cell_that_defines_nothing_of_the_answer_does_not_matter(shell):
    run(shell, SETUP)
    run(shell, "def answer(x):\n    return x + 1")
    run(shell, "def other(x):\n    return\nother(")
    run(shell, "1 / 0")
    assert run(shell, CHECK) is None


def test_the_watch_may_be_set_twice(shell):
    run(shell, SETUP)
    run(shell, SETUP)
    run(shell, "def answer(x):\n    return x +")
    assert "did not run" in str(run(shell, CHECK))


def test_an_answer_that_was_never_defined_is_named(shell):
    run(shell, SETUP)
    said = str(run(shell, CHECK))
    assert "name 'answer' is not defined" in said
