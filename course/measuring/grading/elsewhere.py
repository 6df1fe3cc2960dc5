"""Grade a class of a unit in another folder than the checkout's, for measurements: what `python -m course
grade` does, without what it prints.

    python -m course.measuring.grading.elsewhere efficiency CLASS COURSE 2

reads CLASS/STUDENT/UNIT/UNIT.ipynb, grades into COURSE/grading by two processes, and prints the points of
each student's questions as JSON.
"""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from course.grading.classes import StudentResult, grade_class
from course.grading.intake import read_class
from course.grading.seeds import class_seed
from course.writing.notebooks import read_notebook
from course.writing.units import Unit, find_unit


def grade_elsewhere(
    unit: Unit,
    folder: Path,
    course: Path,
    jobs: int,
    on_result: Callable[[StudentResult], None] = lambda result: None,
) -> list[StudentResult]:
    """Grade the submissions in `folder` by the unit's own solution; all that is written is in `course`."""
    path = unit.solution_notebook(course)
    path.parent.mkdir(parents=True)
    shutil.copy(unit.solution_notebook(), path)
    releases = {unit.name: read_notebook(unit.release_notebook())}
    submissions = read_class(folder, releases, unit.name)
    seed = class_seed(course / "grading", "measured")
    return grade_class(unit, course, submissions, seed=seed, jobs=jobs, on_result=on_result)


if __name__ == "__main__":
    topic, folder, course, jobs = sys.argv[1:]
    results = grade_elsewhere(find_unit(topic), Path(folder), Path(course), int(jobs))
    print(json.dumps({r.student: {n: q.points for n, q in r.questions.items()} for r in results}))
