"""What is told of a step of nbgrader's that went wrong."""

import pytest

from course.grading.nbgrader_setup import _reason

TRACEBACK = """Traceback (most recent call last):
  File "converters/base.py", line 9, in start
KeyError: 'q1'
nbgrader.converters.base.NbGraderException: Please see the error log.
"""


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"log": "", "error": TRACEBACK}, "KeyError: 'q1'"),
        (
            {"log": "[x]\n  ValueError: two cells.\nGoing on.", "error": TRACEBACK},
            "ValueError: two",
        ),
        ({"log": "Converting.\nThere is no such student.\n\n \n", "error": ""}, "There is no such"),
        ({"log": None, "error": "It ended.\n\n"}, "It ended"),
    ],
)
def test_the_line_that_says_what_went_wrong_is_found(result, reason):
    assert _reason(result).startswith(reason) and _reason(result)[-1] not in ".\n "
