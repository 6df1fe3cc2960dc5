"""Everything hostile and broken that is known, and every honest twin, graded together as a class."""

import sqlite3
from contextlib import ExitStack

import psutil
import pytest

from course.grading.classes import grade_class
from course.grading.intake import read_class
from course.grading.page import write_scores
from course.writing import build
from course.writing.notebooks import write_notebook
from tests.course.grading.escapes import ACCIDENTS, REMAINS, Scene, answer, running
from tests.course.grading.judging import TESTS, assignment, handed_in
from tests.course.grading.unseen import ESCAPES, FORGERIES

SECONDS = 250
FULL = {"q1": 2, "q2": 3}
STATUS = {"took longer": "timed out", "ended the kernel": "crashed"}
SOON = {"JudgedExecute.seconds": 15}  # for what never ends


def submissions(test, scene):
    """The code of each attack and of its twin, the points of the attack, its status (of one that is
    flagged, "needs a look"), and nbgrader's options for it."""
    look, done = "needs a look", "graded"
    for name, forgery in FORGERIES.items():
        if forgery.test == test:
            points = {"q1": forgery.earns, "q2": forgery.keeps}
            yield name, forgery.code, forgery.twin, points, {look}, {}
    if test == "examine":
        none = {"q1": 0, "q2": 3}
        for name, pair in ESCAPES.items():
            yield name, *(answer(body, scene) for body in pair), none, {look, done}, {}
        for name, pair in REMAINS.items():
            yield name, *(answer(body, scene) for body in pair), FULL, {look}, {}
        for name, (code, said, twin) in ACCIDENTS.items():
            options = SOON if said == "took longer" else {}
            yield name, code, twin, none, {STATUS.get(said, done), look}, options


@pytest.mark.hostile
@pytest.mark.parametrize("test", TESTS)
def test_a_class_of_them_all(test, unbuilt, tmp_path):
    root, solution = tmp_path / "class", assignment(test)
    write_notebook(solution, unbuilt.solution_notebook(root))
    release = build.release_from_solution(unbuilt, solution)
    handed, must, settings = root / "grading" / "submitted", {}, {}
    with ExitStack() as stack:
        scene = stack.enter_context(Scene(tmp_path / "scene", f"{tmp_path.name}-class"))
        for name, code, twin, points, statuses, options in submissions(test, scene):
            settings[name] = options
            must[name], must[f"{name}, honest"] = (points, statuses), (FULL, None)
            for student, text in ((name, code), (f"{name}, honest", twin)):
                path = handed / student / unbuilt.name / f"{unbuilt.name}.ipynb"
                write_notebook(handed_in(release, text), path)
        students = read_class(handed, {unbuilt.name: release}, unbuilt.name)
        results = grade_class(unbuilt, root, students, settings=settings, feedback=False)
        came = {r.student: {q: score.points for q, score in r.questions.items()} for r in results}
        assert came.keys() == must.keys()
        wrong = {s: (came[s], points) for s, (points, _) in must.items() if came[s] != points}
        assert wrong == {}
        odd = {r.student: (r.status, r.problem) for r in results}
        for student, (_, statuses) in must.items():
            assert statuses is None or odd[student][0] in statuses, (student, odd[student])
        left = [p for p in running(scene["mark"]) if p.pid != scene.victim.pid]
        assert psutil.wait_procs(left, SECONDS)[1] == []
        assert scene.is_untouched()
    with sqlite3.connect(root / "grading" / "gradebook.db") as book:
        (total,) = book.execute("select sum(auto_score) from grade").fetchone()
    assert total == sum(sum(points.values()) for points in came.values())
    assert write_scores({unbuilt.name: results}, root / "grading").stat().st_size
