"""A unit's `rubric.toml` is read, or refused in a sentence that says where it is wrong."""

import pytest

from course.errors import UserError
from course.proving.gates import Workbench, check_unit, rubrics_written
from course.writing.rubrics import Criterion, load_rubrics


def test_a_rubric_is_read(make_unit):
    (rubric,) = load_rubrics(make_unit().rubric_source).values()
    assert rubric.points == 2
    assert rubric.criteria == (
        Criterion(
            2.0,
            "Why the median withstands outliers.",
            "An outlier moves the mean by its size, and the median by a rank at most.",
            "Outliers do not matter to the median.",
            "The median is smaller.",
        ),
    )


def test_no_file_is_no_rubric(tmp_path):
    assert load_rubrics(tmp_path / "rubric.toml") == {}


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("[q3]", "[q3", "is not valid TOML"),
        ("remember =", "note =", "q3 must have `remember` and `criteria`"),
        ("The words do not matter, the reason does.", " ", "q3: remember must be a text"),
        ("points = 2", "points = true", "q3, criterion 1: points must be a positive number"),
        ("points = 2", "points = 0", "criterion 1: points must be a positive number, got 0"),
        ("half =", "some =", "criterion 1 must have points, earns, full, half, none"),
        ("The median is smaller.", "Outliers do not matter to the median.", "the same twice"),
        ("The median is smaller.", "", "criterion 1: none must be a text that is not empty"),
    ],
)
def test_what_is_refused(make_unit, old, new, message):
    unit = make_unit(rubric=(old, new))
    with pytest.raises(UserError) as error:
        load_rubrics(unit.rubric_source)
    assert str(unit.rubric_source) in str(error.value)
    assert message in str(error.value)
    (result,) = check_unit(unit, run=False, gates=[rubrics_written])
    assert message in result.problems[0]


def test_a_unit_without_the_file_is_rejected(make_unit):
    unit = make_unit()
    unit.rubric_source.unlink()
    (problem,) = rubrics_written(Workbench(unit))
    assert "q3 is a written question without a rubric; write one in " in problem
