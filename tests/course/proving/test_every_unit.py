"""The units of the course pass the gates that need no kernel; `course check` goes through all.

The answers of a unit are tried in parts, so that the workers of pytest-xdist share them. Here each
mistake is tried in its first form; `course check` tries all its variants."""

import pytest

from course.proving.gates import ANSWERED, GATES, check_unit
from course.writing.units import discover

PARTS = 3
pytestmark = pytest.mark.timeout(1800)  # a hundred answers, on a busy machine
UNITS = pytest.mark.parametrize("unit", discover(), ids=lambda unit: unit.name)


def problems(unit, gates, part=(0, 1)):
    results = check_unit(unit, run=False, jobs=1, gates=gates, part=part, variants=False)
    return [f"{result.gate}: {problem}" for result in results for problem in result.problems]


@UNITS
def test_gates(unit):
    assert problems(unit, [gate for gate in GATES if gate not in ANSWERED]) == []


@pytest.mark.parametrize("part", range(PARTS))
@UNITS
def test_answers(unit, part):
    assert problems(unit, ANSWERED, (part, PARTS)) == []
