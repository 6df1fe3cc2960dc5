"""Wrong answers that students of this unit give, and right answers written another way."""

from course.writing.mistakes import Alternative, Mistake

MISTAKES = [
    # --------------------------------------------------------------------------- q1: the median
    Mistake(
        question="q1",
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        code="""
import statistics


def median(milliseconds):
    return float(statistics.median(milliseconds))
""",
        message="your answer calls statistics.median",
    ),
    Mistake(
        question="q1",
        name="not-sorted",
        misconception="The value in the middle of the list is the median.",
        code="""
def median(milliseconds):
    return float(milliseconds[len(milliseconds) // 2])
""",
        message="sort it first",
    ),
    Mistake(
        question="q1",
        name="upper-middle",
        misconception="The upper one of the middle two is the median.",
        code="""
def median(milliseconds):
    return float(sorted(milliseconds)[len(milliseconds) // 2])
""",
        message="take their mean",
    ),
    Mistake(
        question="q1",
        name="sorts-what-it-was-given",
        misconception="What a function does to its arguments is nobody else's business.",
        code="""
def median(milliseconds):
    milliseconds.sort()
    n = len(milliseconds)
    return (milliseconds[(n - 1) // 2] + milliseconds[n // 2]) / 2
""",
        message="sort a copy of it",
    ),
]

ALTERNATIVES = [
    Alternative(
        question="q1",
        name="NumPy's sort, and the mean of the two in the middle",
        code="""
import numpy as np


def median(milliseconds):
    ordered, n = np.sort(milliseconds), len(milliseconds)
    return ordered[(n - 1) // 2 : n // 2 + 1].mean()
""",
    ),
]

# For a question whose answer no library has, instead of a mistake "calls-the-library":
# NO_LIBRARY = {"q2": "Nothing in utils or its dependencies does this."}
