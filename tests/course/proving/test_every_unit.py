"""The units of the course pass the gates that need no kernel; `course check` goes through all."""

import pytest

from course.proving.gates import check_unit
from course.writing.units import discover


@pytest.mark.timeout(1800)  # a hundred wrong answers each, on a busy machine
@pytest.mark.parametrize("unit", discover(), ids=lambda unit: unit.name)
def test_gates(unit):
    problems = [f"{r.gate}: {p}" for r in check_unit(unit, run=False) for p in r.problems]
    assert problems == []
