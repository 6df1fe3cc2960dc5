"""A tiny unit, written into a temporary folder, that passes every gate. It needs the standard
library only, so that a kernel starts in a second."""

import re
import shutil
from pathlib import Path

import pytest

from course.writing import build
from course.writing.units import Unit, read_unit

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
TOML = """
title = "Medians"
objectives = ["Compute a median.", "Compute shares."]
papers = [{ title = "On medians", url = "https://example.org/medians" }]
[lecture]
minutes = 5
max_seconds = 120
max_mb = 1000
[assignment]
minutes = 10
max_seconds = 60
max_mb = 1000
"""
LECTURE = f"""
# %% [markdown]
# # Medians
#
# ![The middle one of five sorted values](median.png)

# %%
from IPython.display import display

values = [3, 1, 2]

# %%
picture = {{"image/png": "{PIXEL}", "text/plain": "One pixel"}}
display(picture, metadata={{"image/png": {{"alt": "One grey pixel"}}}}, raw=True)

# %%
view = {{"application/vnd.jupyter.widget-view+json": {{"model_id": "a1", "version_major": 2}}}}
display(view | picture, metadata={{"image/png": {{"alt": "One grey pixel"}}}}, raw=True)

# %%
print(sorted(values)[1])
"""
META = (
    '"grade": {grade}, "solution": {solution}, "locked": {locked}, "grade_id": "{id}", '
    '"schema_version": 3, "task": false{points}'
)


def answer(name: str) -> str:
    meta = META.format(grade="false", solution="true", locked="false", id=name, points="")
    return "# %% nbgrader={" + meta + "}"


def test_cell(name: str, points: int) -> str:
    more = f', "points": {points}'
    meta = META.format(grade="true", solution="false", locked="true", id=name, points=more)
    return "# %% nbgrader={" + meta + "}"


def written(name: str, points: int) -> str:
    more = f', "points": {points}'
    meta = META.format(grade="true", solution="true", locked="false", id=name, points=more)
    return "# %% [markdown] nbgrader={" + meta + "}"


EXERCISE = f"""
# %% [markdown]
# # Medians: exercises
#
# | Question | You write | Minutes | Points |
# |---|---|---|---|
# | 1 | the median | 4 | 2 |
# | 2 | shares | 4 | 3 |
# | 3 | in words | 2 | 2 |

# %%
import math

# %%
def own_work(answer):  # the real watch would import NumPy
    return answer

# %% [markdown]
# ## Question 1
#
# *4 minutes, 2 points*

{answer("q1")}
def median(values):
    ### BEGIN SOLUTION
    ordered = sorted(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return (low + high) / 2
    ### END SOLUTION

{test_cell("q1_test_visible", 0)}
assert own_work(median)([1, 2, 3]) == 2, "The median of 1, 2, 3 is 2."

{test_cell("q1_test_hidden", 2)}
### BEGIN HIDDEN TESTS
assert "statistics" not in median.__code__.co_names, "Write it: you call statistics.median."
assert own_work(median)([30, 10, 20]) == 20, "You forgot to sort the values."
assert median([4, 8]) == 6, "With an even number of values, take the mean of the middle two."
### END HIDDEN TESTS

# %% [markdown]
# ## Question 2
#
# *4 minutes, 3 points*

{answer("q2")}
def shares(counts):
    ### BEGIN SOLUTION
    total = sum(counts)
    return [count / total if total else 0.0 for count in counts]
    ### END SOLUTION

{test_cell("q2_test", 3)}
assert own_work(shares)([1, 3])[0] != 1, "A share is a part of the total, not the count."
### BEGIN HIDDEN TESTS
assert "fsum" not in shares.__code__.co_names, "Write it: you call math.fsum."
assert math.isclose(sum(shares([1, 2, 4])), 1), "The shares must add up to one."
try:
    nothing = shares([0, 0])
except ZeroDivisionError:
    raise AssertionError("With no counts at all you divide by zero.")
### END HIDDEN TESTS

# %% [markdown]
# ## Question 3: in words
#
# *2 minutes, 2 points, read by a person*

{written("q3", 2)}
# The median withstands outliers, unlike the mean of the sample.
"""
MISTAKES_Q1 = '''
from course.writing.mistakes import Alternative, Mistake

MISTAKES = [
    Mistake(
        name="unsorted",
        misconception="The middle of the list is the median.",
        code="""
def median(values):
    return (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
""",
        message="You forgot to sort",
    ),
    Mistake(
        name="upper-middle",
        misconception="The upper one of two middle values is the median.",
        code="""
def median(values):
    return sorted(values)[len(values) // 2]
""",
        message="take the mean of the middle two",
    ),
    Mistake(
        name="calls-the-library",
        misconception="Calling it is writing it.",
        code="""
import statistics


def median(values):
    return statistics.median(values)
""",
        message="you call statistics.median",
    ),
]
ALTERNATIVES = [
    Alternative(
        name="two-halves",
        code="""
def median(values):
    ordered, n = sorted(values), len(values)
    return ordered[n // 2] if n % 2 else sum(ordered[n // 2 - 1 : n // 2 + 1]) / 2
""",
    ),
]
'''
MISTAKES_Q2 = '''
from course.writing.mistakes import Alternative, Mistake

MISTAKES = [
    Mistake(
        name="counts",
        misconception="A count is a share.",
        code="""
def shares(counts):
    return counts
""",
        message="not the count",
    ),
    Mistake(
        name="divides-by-zero",
        misconception="There is always something to count.",
        code="""
def shares(counts):
    return [count / sum(counts) for count in counts]
""",
        message="divide by zero",
    ),
    Mistake(
        name="of-the-largest",
        misconception="A share is relative to the largest count.",
        code="""
def shares(counts):
    return [0.5 * count / (max(counts) or 1) for count in counts]
""",
        message="add up to one",
    ),
    Mistake(
        name="calls-the-library",
        misconception="Calling it is writing it.",
        code="""
def shares(counts):
    total = math.fsum(counts)
    return [count / total if total else 0.0 for count in counts]
""",
        message="you call math.fsum",
    ),
]
ALTERNATIVES = [
    Alternative(
        name="loop",
        code="""
def shares(counts):
    result = []
    for count in counts:
        result.append(count / max(sum(counts), 1))
    return result
""",
    ),
]
'''
RUBRIC = """
[q3]
remember = "The words do not matter, the reason does."

[[q3.criteria]]
points = 2
earns = "Why the median withstands outliers."
full = "An outlier moves the mean by its size, and the median by a rank at most."
half = "Outliers do not matter to the median."
none = "The median is smaller."
"""
SOURCES = {
    "unit.toml": TOML,
    "lecture.py": LECTURE,
    "exercise.py": EXERCISE,
    "rubric.toml": RUBRIC,
    "mistakes/q1.py": MISTAKES_Q1,
    "mistakes/q2.py": MISTAKES_Q2,
}


def write_unit(root: Path, name: str = "01_tiny", **changes: tuple[str, str]) -> Unit:
    """Write the tiny unit under `root`. Each change is a pair: what to replace in the file of that
    name (without its ending; in the one of `mistakes` that has it), by what."""
    folder = root / "course" / "units" / name
    (folder / "mistakes").mkdir(parents=True)
    left = set(changes)
    for file, text in SOURCES.items():
        what = re.split("[./]", file)[0]
        old, new = changes.get(what, ("", ""))
        if old and old in text:
            text = text.replace(old, new)
            left.discard(what)
        (folder / file).write_text(text.lstrip("\n"), encoding="utf-8")
    assert not left, f"not found: {[changes[what][0] for what in left]}"
    return read_unit(folder, root)


@pytest.fixture
def make_unit(tmp_path):
    """A function that writes the tiny unit, changed as its arguments say, and reads it."""
    return lambda **changes: write_unit(tmp_path, **changes)


@pytest.fixture(scope="session")
def unbuilt(tmp_path_factory) -> Unit:
    """The tiny unit as sources only. Do not change it."""
    return write_unit(tmp_path_factory.mktemp("unbuilt"))


@pytest.fixture(scope="session")
def built_root(tmp_path_factory) -> Path:
    """The tiny unit with all its notebooks built. Do not change it: copy it."""
    root = tmp_path_factory.mktemp("built")
    unit = write_unit(root)
    build.save_lecture(unit, build.execute_lecture(unit))
    build.build_assignment(unit)
    return root


@pytest.fixture
def built_unit(built_root, tmp_path) -> Unit:
    """A copy of the built tiny unit, to break."""
    root = tmp_path / "copy"
    shutil.copytree(built_root, root)
    return read_unit(root / "course" / "units" / "01_tiny", root)
