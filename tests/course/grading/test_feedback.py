"""What a student gets back says first what was lost and why, and nothing that it must not say."""

import base64
import re
from html import unescape

import pytest
from nbformat.v4 import new_output
from nbgrader.api import Gradebook

from course.grading.feedback import hush
from course.grading.nbgrader_setup import Course
from course.grading.preprocessors import HideTests
from course.proving.shell import error_output
from tests.course.grading.judging import cell
from tests.course.grading.right import RIGHT
from utils.checking.keys import Key, as_known
from utils.checking.outcomes import outcome_of, outcome_of_error
from utils.checking.trials import Run
from utils.checking.verdict import diagnose

NAME = "01_tiny"
# Raises what it was asked, and what it was asked before, encoded.
TELLS = """import base64
seen = []

def median(values):
    seen.append(repr(values))
    raise ValueError(base64.b64encode("; ".join(seen).encode()).decode())
"""

# A right answer to the first question that notes what it was asked, for the second one to tell.
NOTES = """seen = []

def median(values):
    seen.append(repr(values))
    ordered = sorted(values)
    return (ordered[(len(values) - 1) // 2] + ordered[len(values) // 2]) / 2

def told():
    return "; ".join(seen[-4:]).encode().hex()
"""
VERDICT = """def shares(counts):
    error = AssertionError(told())
    error.not_own_work = True
    raise error
"""
CALLED = """class KernelDied(Exception):
    pass

def shares(counts):
    return counts

raise KernelDied(told())
"""
# Ways in which an answer tells what another was asked.
LATER = {
    "an error": "def shares(counts):\n    raise ValueError(told())",
    "a failure": "def shares(counts):\n    raise AssertionError(told())",
    "a verdict": VERDICT,
    "an assertion": "def shares(counts):\n    return counts\n\nassert False, told()",
    "an accident": CALLED,
}


def opening(page):
    """The text of a page above the cells that were handed in."""
    text = page[page.index("<main>") : page.index("What you handed in")]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())


def test_feedback_opens_with_what_was_lost_and_why_and_what_is_not_graded_yet(submit):
    unsorted = {"q1": "def median(values):\n    return values[len(values) // 2]"}
    _, _, page = submit(RIGHT | unsorted | {"q3": "It withstands outliers."}, feedback=True)
    said = opening(page)
    assert said.startswith("01_tiny: 3 of 7 points so far 2 points are not graded yet:")
    lost = "Question 1 : 2 of 2 points lost You forgot to sort the values."
    assert f"What was lost, and why {lost} Question 3 : not graded yet (2 points)" in said
    assert "Question 2 :" not in said and "Question 2 3 3" in said
    assert "Question 3 not graded yet 2" in said
    assert "q3: not graded yet (of 2)" in page


def test_who_lost_nothing_is_told_so(submit):
    _, _, page = submit(feedback=True)  # the question in words is as it was handed out
    assert "Question 3 : 2 of 2 points lost" in opening(page)
    assert "Question 1 2 2 Question 2 3 3 Question 3 0 2" in opening(page)


def test_what_a_person_gave_and_wrote_is_in_it(submit, class_root, request):
    student = request.node.name
    submit(RIGHT | {"q1": "def median(values):\n    return 7", "q3": "Words."}, feedback=True)
    with Gradebook(f"sqlite:///{class_root / 'grading' / 'gradebook.db'}") as gradebook:
        for name, score in (("q1_test_hidden", 1.5), ("q3", 2)):
            grade = gradebook.find_grade(name, NAME, NAME, student)
            grade.manual_score, grade.needs_manual_grade = score, False
        comment = gradebook.find_comment("q3", NAME, NAME, student)
        comment.manual_comment = "**Good**, but <script>alert(1)</script> short."
        gradebook.db.commit()
    assert Course(class_root).generate_feedback(NAME, student) is None
    page = (class_root / "grading" / "feedback" / student / NAME / f"{NAME}.html").read_text()
    said = opening(page)
    assert said.startswith("01_tiny: 6.5 of 7 points What was lost")
    assert "Question 1 : 0.5 of 2 points lost" in said and "A person gave these points." in said
    assert "Comments Question 3 Good , but" in said and "<script>alert" not in page


def test_what_a_hidden_test_asked_is_not_in_it_however_it_is_told(submit):
    _, nb, page = submit(RIGHT | {"q1": TELLS}, feedback=True)
    said = str([c.get("outputs") for c in nb.cells])
    visible, hidden = (
        base64.b64encode(text.encode()).decode() for text in ("[1, 2, 3]", "[30, 10, 20]")
    )
    assert visible in said and visible in page  # asked of code that has seen no hidden test
    assert hidden in said and hidden not in page
    assert "ValueError: what it says is not shown" in unescape(page)


@pytest.mark.parametrize("answer", LATER.values(), ids=LATER)
def test_what_a_hidden_test_asked_is_in_no_later_check_and_cell(submit, answer):
    _, nb, page = submit(RIGHT | {"q1": NOTES, "q2": answer}, feedback=True)
    asked = b"[30, 10, 20]".hex()
    outputs = [str(cell.get("outputs")) for cell in nb.cells]
    assert any(asked in text for text in outputs)  # else there is nothing to leave out
    assert asked not in page
    assert "Question 2 : 3 of 3 points lost" in opening(page)


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("AssertionError", "You forgot to sort.\n  (on)", "You forgot to sort.\n  (on)"),
        ("AssertionError", "Your answer raises KeyError: 'c2Vj'.", "Your answer raises KeyError."),
        (
            "AssertionError",
            "Your answer must raise ValueError or TypeError here, and raises Sec: r3t, in line 3: x.",
            "Your answer must raise ValueError or TypeError here, and raises an error.",
        ),
        (
            "AssertionError",
            "Your answer must raise ValueError here, and raises nothing.",
            "Your answer must raise ValueError here, and raises nothing.",
        ),
        (
            "AssertionError",
            "The result is built in another way than the question says: {'c2Vj': #}, not #.",
            "The result is built in another way than the question says.",
        ),
        (
            "AssertionError",
            "Your answer must raise ValueError here, and raises nothing.c2Vj: x.",
            "Your answer must raise ValueError here, and raises nothing.",
        ),
        ("AssertionError", "Your answer raises !c2Vj: x.", "Your answer raises an error."),
        ("c2VjcmV0", "c2VjcmV0", "an error: what it says is not shown"),
        ("CellTimeoutError", "this cell took longer than 3 s", "this cell took longer than 3 s"),
    ],
)
def test_hidden_tests_tell_no_words_of_the_answer(name, text, shown):
    hidden = cell("### BEGIN HIDDEN TESTS\n1", "q1_test_hidden", 2)
    hidden.outputs = [error_output(name, text)]
    hush(type("Notebook", (), {"cells": [hidden]}))
    (error,) = hidden.outputs
    said = f"{error.ename}: {error.evalue}" if "not shown" in shown else error.evalue
    assert said.split("\n  (on inputs")[0] == shown and error.traceback == []


def test_cells_below_a_hidden_test_tell_at_most_the_kind_of_their_errors():
    """Of those that a student added not even that: a thousand of them could spell what a test asked."""
    above, below, answer = cell("1"), cell("1"), cell("1", "q2")
    check = cell("1", "q2_test", 1)
    hidden = cell("### BEGIN HIDDEN TESTS\n1", "q1_test_hidden", 2)
    for one in (above, below, answer, check):
        one.outputs = [error_output("KeyError", "c2VjcmV0")]
    hush(type("Notebook", (), {"cells": [above, hidden, below, answer, check]}))
    errors = [one.outputs[0] for one in (above, below, answer, check)]
    quiet = "what it says is not shown"
    said = [("an error", quiet), ("KeyError", quiet), ("KeyError", quiet)]
    assert [(e.ename, e.evalue) for e in errors] == [("KeyError", "c2VjcmV0"), *said]


def test_what_a_check_prints_of_an_answer_is_not_in_it_below_a_hidden_test():
    passed, told = "Hidden test of q1: passed (2 inputs).\n", "8 bits: error 0.123\n"
    first, hidden = cell("1", "q1_check", 0), cell("### BEGIN HIDDEN TESTS\n1", "q1_hidden", 2)
    for one in (first, hidden):
        one.outputs = [new_output("stream", name="stdout", text=told + passed)]
    hush(type("Notebook", (), {"cells": [first, hidden]}))
    assert [one.outputs[0].text for one in (first, hidden)] == [told + passed, passed]


TOLD = "c2VjcmV0"


@pytest.mark.parametrize(
    "outcome",
    [
        outcome_of(TOLD),
        outcome_of({TOLD: 1.0}),
        outcome_of([TOLD, 1.0]),
        outcome_of([float(n) for n in TOLD.encode()] + [0.0] * 32),
        outcome_of_error(ValueError(TOLD)),
        outcome_of_error(ValueError(f"\n  input:    {TOLD}\n  expected: {TOLD}\n  {TOLD}")),
        outcome_of_error(type(f"Mine\n  input:    {TOLD}", (Exception,), {})()),
    ],
    ids=lambda outcome: outcome.shown[:20],
)
@pytest.mark.parametrize("recognised", [True, False])
def test_a_check_below_a_hidden_test_says_nothing_that_the_answer_gave(outcome, recognised):
    right = as_known(outcome_of([1.0] * 40))
    named = (("Look again.", {0: outcome.sketch()}),) if recognised else ()
    said = diagnose([Run({"counts": [3]}, outcome)], Key("q2", 1, (right,), named), 1e-6)
    given = TOLD if TOLD in said else str(TOLD.encode()[0])
    assert given in said and recognised == said.startswith("Look again.")
    hidden = cell("### BEGIN HIDDEN TESTS\n1", "q1_test_hidden", 2)
    above, below = cell("1", "q1_test", 1), cell("1", "q2_test", 1)
    for one in (above, below):
        one.outputs = [error_output("AssertionError", said)]
    hush(type("Notebook", (), {"cells": [above, hidden, below]}))
    assert above.outputs[0].evalue == said
    told = below.outputs[0].evalue
    assert given not in told and told.endswith("run this check in your notebook to see more)")
    if recognised:
        assert told.startswith("Look again.\n  input:    counts=[3]\n  expected: [1")


def test_the_keys_of_the_checks_are_not_in_it():
    keys = cell("KEYS = unpacked('c2VjcmV0')", "keys")
    HideTests().preprocess_cell(keys, {}, 0)
    assert "c2VjcmV0" not in keys.source and keys.source.startswith("# What the checks know")
