import csv
import json
import re
import sqlite3

import nbformat
import pytest
from nbgrader.api import Gradebook

from course.errors import UserError
from course.grading import judges
from course.grading.classes import QuestionScore, StudentResult, grade_class
from course.grading.demo import demo_students, grade_demo, surprises
from course.grading.intake import read_class
from course.grading.nbgrader_setup import Course
from course.grading.page import write_scores
from course.grading.processes import ROOMS, alone
from course.proving.harness import run_variants
from course.proving.scores import score_notebook, status_of
from course.writing import build
from course.writing.mistakes import load_answers
from course.writing.notebooks import read_notebook, with_answers, write_notebook
from course.writing.units import ROOT, read_unit

LOOP_SECONDS = 4


@pytest.fixture(scope="session")
def unit(built_root):
    return read_unit(built_root / "course" / "units" / "01_tiny", built_root)


@pytest.fixture(scope="session")
def graded(unit, tmp_path_factory):
    """The demo class of the tiny unit, graded by nbgrader, once for all tests here."""
    workspace = tmp_path_factory.mktemp("demo") / "workspace"
    seen = []
    students, results = grade_demo(
        unit, workspace, loop_seconds=LOOP_SECONDS, on_result=lambda result: seen.append(result)
    )
    assert sorted(seen, key=lambda r: r.student) == results
    return workspace, students, results


def test_the_demo_class_is_graded_as_it_should_be(graded):
    _, students, results = graded
    assert surprises(students, results) == []
    assert len(results) == 13


def test_who_is_in_the_demo_class(graded):
    _, students, results = graded
    scores = {r.student: {q: s.points for q, s in r.questions.items()} for r in results}
    full, none = {"q1": 2, "q2": 3, "q3": 0}, {"q1": 0, "q2": 0, "q3": 0}
    assert scores["perfect"] == scores["other-ways"] == full
    assert scores["deleted-test"] == scores["copied-test"] == full
    assert scores["blank"] == scores["calls-library"] == none
    assert scores["mistake-1"] == scores["mistake-2"] == none
    assert scores["mistake-3"] == {"q1": 2, "q2": 0, "q3": 0}  # q1 has two, besides the library
    assert scores["one-slip"] == scores["syntax-error"] == scores["endless-loop"]
    assert scores["endless-loop"] == {"q1": 0, "q2": 3, "q3": 0}
    assert scores["kernel-crash"] == {"q1": 2, "q2": 0, "q3": 0}
    assert {r.student: r.status for r in results if r.status != "graded"} == {
        "endless-loop": "timed out",
        "kernel-crash": "crashed",
    }


def test_every_lost_point_has_a_reason(graded):
    _, _, results = graded
    by_name = {result.student: result.questions for result in results}
    assert by_name["mistake-1"]["q1"].reason == "You forgot to sort the values."
    assert by_name["calls-library"]["q2"].reason == "Write it: you call math.fsum."
    assert by_name["syntax-error"]["q1"].reason.startswith("the answer itself raised SyntaxError")
    assert by_name["endless-loop"]["q1"].reason.startswith("the answer itself raised CellTimeout")
    assert "Replace this with your answer" in by_name["blank"]["q1"].reason
    for result in results:
        for name, score in result.questions.items():
            lost = score.points + score.manual < score.possible and name != "q3"
            assert bool(score.reason) == lost, (result.student, name)


def test_written_answers_wait_for_a_person(graded):
    _, _, results = graded
    waiting = {result.student: result.questions["q3"].manual for result in results}
    assert waiting.pop("blank") == 0  # nothing written: 0 points at once
    assert set(waiting.values()) == {2}


def test_the_fast_harness_gives_the_same_scores_as_nbgrader(graded, unit):
    """The gates of `course check` rest on this."""
    workspace, _, results = graded
    executed = [
        read_notebook(workspace / "grading/autograded" / r.student / "01_tiny" / "01_tiny.ipynb")
        for r in results
    ]
    again = run_variants(executed, cell_seconds=LOOP_SECONDS)
    for result, real, fast in zip(results, executed, again, strict=True):
        assert score_notebook(fast) == score_notebook(real), result.student
        assert status_of(fast) == status_of(real), result.student


def test_the_gradebook_agrees(graded):
    """An instructor who opens nbgrader's formgrader sees the same points."""
    workspace, _, results = graded
    connection = sqlite3.connect(workspace / "grading" / "gradebook.db")
    total = connection.execute("select sum(auto_score) from grade").fetchone()[0]
    connection.close()
    assert total == sum(result.points for result in results)


def test_a_wrong_grade_is_noticed(graded):
    _, students, results = graded
    index = next(i for i, r in enumerate(results) if r.student == "blank")
    tampered = list(results)
    questions = results[index].questions | {"q1": QuestionScore(2, 2)}
    tampered[index] = StudentResult("blank", "crashed", questions)
    assert surprises(students, tampered) == [
        "blank is 'crashed', expected 'graded'.",
        "blank got 2 for q1, expected 0.",
    ]
    del tampered[index]
    assert surprises(students, tampered) == ["blank was not graded at all."]


def test_the_expected_scores_come_from_the_mistakes(unit):
    solution = build.solution_from_source(unit)
    release = build.release_from_solution(unit, solution)
    bank = load_answers(unit.mistakes_folder)
    students = {s.name: s for s in demo_students(unit, solution, release, bank)}
    assert students["perfect"].expected == {"q1": 2, "q2": 3}
    assert students["mistake-3"].expected == {"q1": 2, "q2": 0}
    assert "BEGIN SOLUTION" not in str(students["perfect"].notebook)
    assert students["blank"].notebook == release


@pytest.fixture
def grade(unit, tmp_path):
    """A function that grades the files of a class by their names, and returns the results."""
    root, submitted = tmp_path / "class", tmp_path / "handed in"
    write_notebook(build.solution_from_source(unit), unit.solution_notebook(root))
    release = read_notebook(unit.release_notebook())

    def grade(files, **options):
        for name, text in files.items():
            path = submitted / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        submissions = read_class(submitted, {unit.name: release}, unit.name)
        return root, {r.student: r for r in grade_class(unit, root, submissions, **options)}

    return grade


def test_submissions_that_are_no_notebooks_stop_nobody(unit, grade):
    release = unit.release_notebook().read_text()
    files = {
        "empty/01_tiny/01_tiny.ipynb": "",
        "garbage/01_tiny/01_tiny.ipynb": "{'not json",
        "other format/01_tiny/01_tiny.ipynb": '{"cells": 1, "nbformat": 4, "nbformat_minor": 5}',
        "nothing/01_tiny/notes.txt": "sorry",
        "without a folder/notes.txt": "sorry",
        "misnamed/01_tiny/01_tiny (1).ipynb": release,
        "elsewhere/02_other/02_other.ipynb": release,
        "o'hara, [x] *\u00e9/01_tiny/01_tiny.ipynb": release,
        "zoe/01_tiny/01_tiny.ipynb": release,
    }
    root, results = grade(files)
    assert {name: result.status for name, result in results.items()} == {
        "empty": "could not run",
        "garbage": "could not run",
        "other format": "could not run",
        "nothing": "could not run",
        "without a folder": "could not run",
        "misnamed": "graded",
        "elsewhere": "graded",
        "o'hara, [x] *\u00e9": "graded",
        "zoe": "graded",
    }
    for result in results.values():
        assert bool(result.problem) == (result.status != "graded") == (not result.questions)
        assert "\n" not in result.problem
    assert (root / "grading/feedback/zoe/01_tiny/01_tiny.html").is_file()

    write_scores({"01_tiny": list(results.values())}, root)
    rows = list(csv.DictReader((root / "scores.csv").open()))
    assert {row["student"]: row["status"] for row in rows} == {
        name: result.status for name, result in results.items()
    }
    assert {row["student"]: row["points"] for row in rows if row["points"] != "0.0"} == {
        name: "" for name, result in results.items() if result.status == "could not run"
    }
    assert json.loads((root / "scores.json").read_text())["01_tiny"][0]["student"]


def test_what_somebody_must_look_at_is_graded_if_it_is_certain(unit, grade):
    files = {"ada/01_tiny/01_tiny.ipynb": unit.solution_notebook().read_text()}
    files["ada/01_tiny/timestamp.txt"] = "yesterday"
    _, results = grade(files, jobs=1)
    ada = results["ada"]
    assert (ada.status, ada.points) == ("needs a look", 5)
    assert "01_tiny/01_tiny.ipynb holds the marks of the instructor's solution;" in ada.problem
    assert "timestamp.txt holds no time" in ada.problem


def test_what_looks_like_an_attempt_on_the_grading_costs_nothing_and_is_told(unit, grade):
    nb = build.release_from_solution(unit, build.solution_from_source(unit))
    q1 = "import inspect\n\ndef median(values):\n    return sorted(values)[len(values) // 2]"
    q2 = "def shares(counts):\n    return [count / (sum(counts) or 1) for count in counts]"
    text = nbformat.writes(with_answers(nb, {"q1": q1, "q2": q2}))
    _, results = grade({"ada/01_tiny/01_tiny.ipynb": text}, jobs=1, feedback=False)
    ada = results["ada"]
    assert {name: score.points for name, score in ada.questions.items()} == {
        "q1": 0,
        "q2": 3,
        "q3": 0,
    }
    assert ada.status == "needs a look"
    seen = "line 1 looks at callers or at source code (inspect)"
    assert ada.problem == f"Look at its code: q1: {seen}."


def test_the_options_reach_the_judge(unit, grade, monkeypatch):
    seen, judge = [], judges._judge
    monkeypatch.setattr(judges, "_judge", lambda *asked: seen.append(asked[1:]) or judge(*asked))
    files = {"ada/01_tiny/01_tiny.ipynb": unit.release_notebook().read_text()}
    _, results = grade(files, jobs=1, feedback=False, seed="autumn")
    assert results["ada"].status == "graded"
    assert seen == [(False, "autumn")]


def test_the_time_of_a_submission_reaches_the_gradebook(unit, grade):
    files = {"ada/01_tiny/01_tiny.ipynb": unit.release_notebook().read_text()}
    files["ada/01_tiny/timestamp.txt"] = "2026-01-30 15:30:10 -0100"
    root, results = grade(files, jobs=1, feedback=False)
    assert results["ada"].status == "graded"
    with sqlite3.connect(root / "grading" / "gradebook.db") as connection:
        found = connection.execute("select timestamp from submitted_assignment").fetchall()
    assert found == [("2026-01-30 16:30:10.000000",)]


def test_two_do_not_grade_at_once(unit, grade, tmp_path):
    files = {"ada/01_tiny/01_tiny.ipynb": unit.release_notebook().read_text()}
    with alone(tmp_path / "class" / "grading"):
        with pytest.raises(UserError, match="Another process is grading in .*; wait until it"):
            grade(files, jobs=1)
        assert not (tmp_path / "class" / "grading" / "intake").exists()
    assert grade(files, jobs=1, feedback=False)[1]["ada"].status == "graded"


def test_grading_again_replaces_the_grades(unit, grade):
    name = "ada/01_tiny/01_tiny.ipynb"
    files = {name: unit.release_notebook().read_text()}
    assert grade(files, jobs=1, feedback=False)[1]["ada"].points == 0
    files = {name: unit.solution_notebook().read_text()}
    root, results = grade(files, jobs=1, feedback=False)
    assert results["ada"].points == 5
    assert not (root / "assignments").exists()  # the release of the repository is left alone


def test_a_change_in_any_room_that_grading_uses_grades_anew():
    code = "\n".join(path.read_text() for path in (ROOT / "course" / "grading").rglob("*.py"))
    used = {
        name
        for name in re.findall(r"from course\.(\w+)", code)
        if (ROOT / "course" / name).is_dir()
    }
    assert len(used) >= 3 and {f"course/{name}" for name in used} <= set(ROOMS)


def test_what_has_run_does_not_run_again_and_a_persons_grade_stays(unit, grade, monkeypatch):
    name, ran, autograde = "ada/01_tiny/01_tiny.ipynb", [], Course.autograde
    monkeypatch.setattr(Course, "autograde", lambda *a: ran.append(a[-1]) or autograde(*a))
    files = {name: unit.solution_notebook().read_text()}
    root, _ = grade(files, jobs=1, feedback=False)
    with Gradebook(f"sqlite:///{root / 'grading' / 'gradebook.db'}") as gradebook:
        written = gradebook.find_grade("q3", "01_tiny", "01_tiny", "ada")
        written.manual_score, written.needs_manual_grade = 1.5, False
        gradebook.db.commit()
    _, results = grade(files, jobs=1, feedback=False)
    assert ran == ["ada"] and results["ada"].questions["q3"].points == 1.5
    _, results = grade(files, jobs=1, feedback=False, seed="another")
    assert ran == ["ada", "ada"] and results["ada"].questions["q3"].points == 1.5
    _, results = grade({name: unit.release_notebook().read_text()}, jobs=1, feedback=False)
    assert ran == ["ada"] * 3 and results["ada"].questions["q1"].points == 0
