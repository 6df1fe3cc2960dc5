"""The units of the course pass the gates that need no kernel; `course check` goes through all.

Here each mistake is tried in its first form; `course check` tries all its variants."""

import pytest

from course.proving.gates import ANSWERED, GATES, check_unit
from course.writing.units import discover

pytestmark = pytest.mark.timeout(1800)  # a hundred answers, on a busy machine
UNITS = pytest.mark.parametrize("unit", discover(), ids=lambda unit: unit.name)


def problems(unit, gates):
    results = check_unit(unit, run=False, jobs=1, gates=gates, variants=False)
    return [f"{result.gate}: {problem}" for result in results for problem in result.problems]


@UNITS
def test_gates(unit):
    assert problems(unit, [gate for gate in GATES if gate not in ANSWERED]) == []


@UNITS
def test_answers(unit):
    assert problems(unit, ANSWERED) == []
