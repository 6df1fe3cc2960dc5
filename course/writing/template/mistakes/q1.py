"""Question 1, the median: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls statistics.median",
        code="""
import statistics


def median(milliseconds):
    return float(statistics.median(milliseconds))
""",
    ),
    Mistake(
        name="not-sorted",
        misconception="The value in the middle of the list is the median.",
        message="You take what stands in the middle of the list as it was given: sort it first.",
        changes=(("sorted(milliseconds)", "milliseconds"),),
    ),
    Mistake(
        name="upper-middle",
        misconception="The upper one of the middle two is the median.",
        message="With an even number of values you take one of the middle two: take their mean.",
        changes=(("if len(ordered) % 2:", "if True:"),),
        variants=((("(ordered[middle - 1] + ordered[middle]) / 2", "ordered[middle - 1]"),),),
    ),
    Mistake(
        name="mean",
        misconception="The median is another word for the mean.",
        message="That is the mean, which a few slow answers pull up.",
        code="""
def median(milliseconds):
    return sum(milliseconds) / len(milliseconds)
""",
    ),
    Mistake(
        name="sorts-what-it-was-given",
        misconception="What a function does to its arguments is nobody else's business.",
        message="Your answer changes `milliseconds`, which must be the same after the call as before.",
        changes=(("sorted(milliseconds)", "milliseconds.sort() or milliseconds"),),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="NumPy's sort, and the mean of the two in the middle",
        code="""
import numpy as np


def median(milliseconds):
    ordered, n = np.sort(milliseconds), len(milliseconds)
    return ordered[(n - 1) // 2 : n // 2 + 1].mean()
""",
    ),
]

# Where no library has what the question asks for, instead of a mistake "calls-the-library":
# NO_LIBRARY = "Nothing in utils or its dependencies does this."
