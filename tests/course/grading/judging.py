"""A tiny assignment with every kind of test, its judge, and an unprotected runner to compare with."""

import numpy as np
import torch  # noqa: F401 - here, so that no judge has to import it while it judges
from nbformat.v4 import new_code_cell, new_notebook

from course.proving.harness import run_variants
from course.proving.scores import score_notebook
from course.writing.notebooks import grade_id, with_answers
from utils.checking import trials
from utils.checking.keys import Key, packed

PRELOAD = ("numpy", "utils.checking")
WITH_TORCH = (*PRELOAD, "torch")  # else each submission that uses it imports it anew
RIGHT = "def double(values):\n    return 2 * np.asarray(values)"
WRONG = "def double(values):\n    return 0 * np.asarray(values)"
OTHER = "def half(value):\n    return value / 2"
CASES = """
def cases_double(random):
    for n in (1, 4, 9):
        yield random.normal(size=n)

def try_double(values):
    return double(values)
"""
EXAMINE = (
    CASES
    + """
from utils.checking import examine, unpacked
KEY = unpacked("{key}")
examine(try_double, cases_double, KEY["q1"], protect=["values"], seconds=1, forbidden={forbidden})
"""
)
TESTS = {
    "examine": EXAMINE.replace("{forbidden}", "()"),
    "own": EXAMINE.replace("{forbidden}", "'numpy.polyval'"),  # by which doubling is [2, 0]
    "equal": "import numpy as np\nfor n in (7, 9):\n    assert double(n) == 2 * n, 'wrong'",
    "close": "import numpy as np\nfor n in (5, 6):\n"
    "    np.testing.assert_allclose(double(np.arange(n)), 2 * np.arange(n))",
    "torch": "import numpy as np, torch\nfor n in (3, 2):\n"
    "    assert torch.allclose(torch.tensor(double(np.arange(n))), 2 * torch.arange(n))",
}


def cell(source, name=None, points=None):
    if name is None:
        return new_code_cell(source)
    flags = {"grade": points is not None, "solution": points is None, "grade_id": name}
    more = {} if points is None else {"points": points}
    common = {"locked": points is not None, "schema_version": 3, "task": False}
    return new_code_cell(source, metadata={"nbgrader": flags | more | common})


def key():
    space = {"np": np, "double": lambda values: 2 * values}
    exec(CASES, space)  # noqa: S102
    runs = trials.run_cases(space["try_double"], space["cases_double"], 3)
    return packed([Key("q1", 3, tuple(run.outcome for run in runs), hidden=True)])


def assignment(test="examine"):
    """Question 1 is to double, and question 2 to halve."""
    hidden = "### BEGIN HIDDEN TESTS\n" + TESTS[test].replace("{key}", key())
    return new_notebook(
        cells=[
            cell("import numpy as np"),
            cell(RIGHT, "q1"),
            cell(hidden + "\n### END HIDDEN TESTS", "q1_hidden", 2),
            cell(OTHER, "q2"),
            cell("assert [half(n) for n in (4, 3)] == [2, 1.5], 'not half'", "q2_hidden", 3),
        ]
    )


def handed_in(nb, first=RIGHT, second=OTHER, before="", between=""):
    """A submission: answers, and cells that the student added before them or between."""
    done = with_answers(nb, {"q1": first, "q2": second})
    if between:
        at = next(i for i, c in enumerate(done.cells) if grade_id(c) == "q2")
        done.cells.insert(at, cell(between))
    if before:
        done.cells.insert(1, cell(before))
    return done


def points(nb):
    return {name: score.points for name, score in score_notebook(nb).items()}


def reason(nb, question):
    return score_notebook(nb)[question].reason


def unprotected(notebooks, seconds=30):
    """The points of each where the tests run in the process that runs the student's code."""
    return [points(done) for done in run_variants(notebooks, cell_seconds=seconds, jobs=1)]
