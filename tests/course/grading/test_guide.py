"""The instructor's page holds what the unit says, and nothing runs as HTML that is not meant to."""

import pytest

from course.errors import UserError
from course.grading.guide import ToAsk, assignment_questions, lecture_questions, write_guide
from course.writing.units import discover

LAST = "print(sorted(values)[1])"
UNITS = discover()


def test_the_page_of_the_tiny_unit(make_unit, tmp_path):
    asks = 'quiz("Which is *larger*?", {"3 < 4": "Yes.", "Neither": "No."}, answer="3 < 4")'
    unit = make_unit(lecture=(LAST, f'predict("key", "How many?", unit="ms")\n{asks}'))
    page = write_guide(unit, tmp_path / "guide").read_text(encoding="utf-8")
    for part in (
        "The lecture takes 5\nminutes, the assignment 10.",
        "Compute shares.",
        "How many?",
        "<em>larger</em>",
        "<strong>Right:</strong> 3 &lt; 4 <em>Yes.</em>",
        "The middle of the list is the median.",
        "you call statistics.median",
        "Why the median withstands outliers.",
        "The median withstands outliers, unlike the mean of the sample.",
    ):
        assert part in page
    assert page.count("<strong>Right:</strong>") == 1


def test_what_the_lecture_asks(make_unit):
    unit = make_unit(lecture=(LAST, '%matplotlib inline\npredict("key", question="How many?")'))
    assert lecture_questions(unit) == [ToAsk("How many?", {}, "")]


def test_a_number_that_the_lecture_computes_is_left_open(make_unit):
    unit = make_unit(lecture=(LAST, 'predict("key", f"How many of {len(values):g}?")'))
    assert lecture_questions(unit) == [ToAsk("How many of [...]?", {}, "")]


def test_the_limits_of_a_guess_may_be_computed(make_unit):
    unit = make_unit(lecture=(LAST, 'predict("key", "How many?", high=len(found))'))
    assert lecture_questions(unit) == [ToAsk("How many?", {}, "")]


def test_a_question_that_is_computed_is_refused(make_unit):
    unit = make_unit(lecture=(LAST, 'predict("key", "How many?".upper())'))
    with pytest.raises(UserError, match="is computed; write it as a text"):
        lecture_questions(unit)


@pytest.mark.parametrize("unit", UNITS, ids=[unit.name for unit in UNITS])
def test_every_unit_has_a_page_with_all_its_parts(unit, tmp_path):
    asked = assignment_questions(unit)
    assert sum(question.minutes for question in asked) == unit.assignment.minutes
    assert all(q.mistakes or (q.rubric and q.model_answer) for q in asked)
    assert any(question.rubric for question in asked)
    asks = lecture_questions(unit)
    assert any(ask.answers for ask in asks)
    assert all(ask.right in ask.answers for ask in asks if ask.answers)
    assert write_guide(unit, tmp_path).stat().st_size > 0
