"""What a failed check says."""

import statistics
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch

from utils.checking import check, check_close, check_raises


def test_check():
    check(1 < 2, "never seen")
    check(np.bool_(True), "never seen")
    with pytest.raises(AssertionError) as error:
        check(np.bool_(False), "The mean is not a percentile.")
    assert str(error.value) == "The mean is not a percentile."


def failure(*args, **options):
    with pytest.raises(AssertionError) as error:
        check_close(*args, **options)
    return str(error.value)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (1, 1.0),
        (1 + 5e-7, 1.0),
        (1e9 + 100, 1e9),
        ([1, 2], np.array([1.0, 2.0])),
        (np.float32(0.1), 0.1),
        (np.nan, np.nan),
        ([np.inf, -np.inf], [np.inf, -np.inf]),
        (torch.ones(2, requires_grad=True), [1.0, 1.0]),
        ({"p50": 1, "p99": 2.0}, {"p99": 2, "p50": 1.0}),
        (Fraction(1, 4), 0.25),
        (True, 1),
        (1 + 2j, 1 + 2j),
        ([], np.zeros(0)),
        (np.zeros((0, 3)), np.zeros((0, 3))),
    ],
)
def test_check_close_accepts(actual, expected):
    check_close(actual, expected, "never seen")


def test_check_close_shows_both_numbers_on_lines_of_their_own():
    assert failure(1.5, 2.0, "Take the 99th percentile.").splitlines() == [
        "Take the 99th percentile.",
        "  got:      1.5",
        "  expected: 2.0",
    ]
    assert failure([1, 3], [1, 2], "m").splitlines()[1:] == [
        "  got:      [1., 3.]",
        "  expected: [1., 2.]",
    ]


def test_check_close_compares_relative_to_large_numbers_only():
    assert failure(0.0, 2e-6, "m")
    assert failure(1e9 + 2000, 1e9, "m")
    check_close(1.4, 1.0, "never seen", tol=0.5)


def test_check_close_says_what_is_wrong_with_shapes():
    assert failure([1, 2, 3], [1, 2], "m").splitlines()[1:] == [
        "  got:      shape (3,)",
        "  expected: shape (2,)",
    ]
    assert "got:      shape (2, 1)" in failure([[1], [2]], [1, 2], "m")
    assert "expected: a single number, 1.0" in failure([1.0], 1.0, "m")


def test_check_close_says_nan_and_where():
    text = failure(np.where(np.eye(5) > 0, np.nan, 0.0), np.zeros((5, 5)), "Masked rows count.")
    assert text.splitlines() == [
        "Masked rows count. (5 of 25 values differ)",
        "  got:      nan at index (0, 0)",
        "  expected: 0.0",
    ]
    assert "got:      nan" in failure(np.nan, 0.0, "m")
    for actual, expected in [(0.0, np.nan), (np.inf, 1e300), (-np.inf, np.inf)]:
        assert failure(actual, expected, "m")


def test_check_close_shows_the_worst_of_many():
    actual = np.zeros(100)
    actual[[3, 70]] = 0.5, -2
    assert failure(actual, np.zeros(100), "m").splitlines() == [
        "m (2 of 100 values differ)",
        "  got:      -2.0 at index 70",
        "  expected: 0.0",
    ]


def test_check_close_suspects_a_missing_return():
    assert "None (is the `return` missing?)" in failure(None, 1.0, "m")


@pytest.mark.parametrize("actual", ["1.0", ["1", "2"], [[1], [1, 2]], {"a": 1}, object()])
def test_check_close_rejects_what_is_no_number(actual):
    assert failure(actual, [1.0, 2.0], "m").startswith("m\n  got:      ")


def test_check_close_of_dicts_names_the_keys():
    assert failure({"p50": 1}, {"p50": 1, "p99": 2}, "m").splitlines()[1:] == [
        "  got:      a dict with the keys 'p50'",
        "  expected: keys 'p50', 'p99'",
    ]
    assert failure({"p50": 1, "p99": 3}, {"p50": 1, "p99": 2}, "m").startswith("m (at 'p99')\n")
    assert "expected: a dict with the keys 'p50'" in failure(3, {"p50": 1}, "m")


def test_check_close_does_not_expect_what_it_cannot_compare():
    with pytest.raises(TypeError, match="compares numbers"):
        check_close(1, "one", "m")


def test_check_raises():
    check_raises(lambda: statistics.mean([]), statistics.StatisticsError, "never seen")
    check_raises(lambda: [][0], (KeyError, IndexError), "never seen")
    with pytest.raises(AssertionError) as error:
        check_raises(lambda: 3, ValueError, "No latencies have no percentile.")
    assert str(error.value).splitlines() == [
        "No latencies have no percentile.",
        "  got:      no error; it returned 3",
        "  expected: ValueError",
    ]
    with pytest.raises(AssertionError, match=r"got:      ZeroDivisionError: division by zero"):
        check_raises(lambda: 1 / 0, (ValueError, KeyError), "m")


def test_a_warning_of_a_right_answer_goes_to_stdout():
    code = """
import sys
import numpy as np
from utils.checking import own_work

def ratio(a, b):
    print("counting", file=sys.stderr)
    return np.array(a) / np.array(b)

def lazily():
    yield float(np.float64(1) / np.float64(0))

assert np.isnan(own_work(ratio)([0.0], [0.0])).all()
assert list(own_work(lazily)()) == [np.inf]
"""
    # In a process of its own: pytest keeps warnings to itself.
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    for said in ("counting", "invalid value", "divide by zero"):
        assert said in done.stdout
