"""What grading takes, on a small scale."""

import pytest

from course.measuring.grading import experiments
from course.measuring.results import ROOMS, measuring_code
from course.writing.notebooks import read_notebook
from course.writing.units import find_unit


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(experiments, "HONEST", 2)
    monkeypatch.setattr(experiments, "STOCK", 2)
    monkeypatch.setattr(experiments, "WATCHED", (1,))


def test_a_student_hands_in_the_same_again_and_nobody_else_does():
    unit = find_unit("efficiency")
    many = experiments.made_up(unit, range(12))
    assert experiments.made_up(unit, range(3, 4)) == {"student-0003": many["student-0003"]}
    texts = {str([cell.source for cell in nb.cells]) for nb in many.values()}
    assert len(texts) == 12
    release = read_notebook(unit.release_notebook())
    assert all(len(nb.cells) == len(release.cells) for nb in many.values())


def test_stock_nbgrader_and_ours_come_to_the_same_points(small):
    stock, one, two = experiments.throughput(0, topic="efficiency")
    assert (one["jobs"], two["jobs"]) == experiments.AT_ONCE and stock["points_equal"]
    assert one["times_stock"] == stock["seconds_per_submission"] / one["seconds_per_submission"]


def test_what_a_student_prints_is_not_stored(small):
    first, last = experiments.large_class(0, many=2)
    assert (first["submissions"], last["submissions"]) == (1, 2)
    assert last["statuses"] == {"graded": 2}
    assert last["stored_bytes"] < last["printed_bytes"] / 100
    assert 0 < first["grader_mb"] and 0 < first["server_mb"]


def test_grading_is_measured_by_all_the_code_that_grades():
    names = {path.name for path in measuring_code(ROOMS["grading"])}
    assert {"classes.py", "judging.py", "inside.py", "warm.py", "elsewhere.py"} <= names
