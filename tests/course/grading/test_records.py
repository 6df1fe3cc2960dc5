"""What is written of a class is written from all of it, and agrees with the gradebook."""

import csv
import json
import sqlite3
from dataclasses import replace

import pytest
from nbgrader.api import Gradebook

from course.grading import page
from course.grading.classes import grade_class
from course.grading.gradebook import gradebook_of
from course.grading.intake import read_class
from course.grading.page import Running, write_scores
from course.grading.records import BEFORE, BY_HAND, UNFINISHED, all_results
from course.writing import build
from course.writing.notebooks import with_answers, write_notebook
from tests.course.grading.right import RIGHT

NAME = "01_tiny"


@pytest.fixture
def grade(tiny, tmp_path):
    """A function that grades these notebooks or texts, by their students, as the command does, and
    returns the class's root and all results by student."""
    root, count = tmp_path / "class", iter(range(99))
    write_notebook(build.solution_from_source(tiny.unit), tiny.unit.solution_notebook(root))

    def grade(handed_in, **options):
        folder = tmp_path / f"handed in {next(count)}"
        for student, what in handed_in.items():
            path = folder / student / NAME / f"{NAME}.ipynb"
            if isinstance(what, str):
                path.parent.mkdir(parents=True)
                path.write_text(what)
            else:
                write_notebook(what, path)
        submissions = read_class(folder, {NAME: tiny.release}, NAME)
        with Running(root, NAME, len(handed_in)) as running:
            grade_class(
                tiny.unit,
                root,
                submissions,
                jobs=1,
                feedback=False,
                on_result=running.add,
                **options,
            )
        return root, {result.student: result for result in all_results(root)[NAME]}

    return grade


def points(result):
    return {name: score.points for name, score in result.questions.items()}


def test_who_was_graded_before_stays_in_all_that_is_written(grade, tiny):
    wrong = with_answers(tiny.release, RIGHT | {"q1": "def median(values):\n    return values[0]"})
    grade({"ada": with_answers(tiny.release, RIGHT), "bob": wrong, "eve": "{"})
    root, results = grade({"fay": tiny.release})
    assert list(results) == ["ada", "bob", "eve", "fay"]
    assert [r.status for r in results.values()] == [
        "graded",
        "graded",
        "could not run",
        "graded",
    ], results
    assert "is no notebook" in results["eve"].problem and not results["eve"].questions
    assert results["bob"].questions["q1"].reason and points(results["ada"]) == {
        "q1": 2,
        "q2": 3,
        "q3": 0,
    }
    write_scores(all_results(root), root / "grading")
    with (root / "grading" / "scores.csv").open(newline="") as file:
        assert [row["student"] for row in csv.DictReader(file)] == list(results)
    told = json.loads((root / "grading" / "scores.json").read_text())[NAME]
    assert [one["status"] for one in told] == [r.status for r in results.values()]


def test_what_a_person_decided_is_in_it(grade, tiny):
    wrong = with_answers(tiny.release, RIGHT | {"q1": "def median(values):\n    return values[0]"})
    root, _ = grade({"ada": wrong, "bob": wrong})
    with Gradebook(f"sqlite:///{gradebook_of(root)}") as book:
        for student, name, score in (("ada", "q1_test_hidden", 2), ("bob", "q1_test_hidden", 0.5)):
            one = book.find_grade(name, NAME, NAME, student)
            one.manual_score, one.needs_manual_grade = score, False
        book.find_grade("q2_test", NAME, NAME, "bob").extra_credit = 1
        book.db.commit()
    results = {result.student: result for result in all_results(root)[NAME]}
    assert points(results["ada"]) == {"q1": 2, "q2": 3, "q3": 0}
    assert results["ada"].questions["q1"].reason == ""
    assert points(results["bob"]) == {"q1": 0.5, "q2": 4, "q3": 0}
    assert results["bob"].questions["q1"].reason.endswith(BY_HAND)


def test_a_worse_hand_in_that_cannot_be_read_loses_no_points(grade, tiny):
    grade({"ada": with_answers(tiny.release, RIGHT)})
    _, results = grade({"ada": "{"})
    assert results["ada"].status == "could not run" and results["ada"].problem.endswith(BEFORE)
    assert results["ada"].points == 5
    _, results = grade({"ada": with_answers(tiny.release, RIGHT)})
    assert (results["ada"].status, results["ada"].problem, results["ada"].points) == (
        "graded",
        "",
        5,
    )


def test_what_nbgrader_alone_has_graded_is_in_it_too_and_what_was_ended(grade, tiny):
    root, results = grade({"ada": with_answers(tiny.release, {"q1": "1 / 0"}), "bob": tiny.release})
    with sqlite3.connect(gradebook_of(root)) as book:
        book.execute("delete from course_result")
    notebook = root / "grading" / "autograded" / "bob" / NAME / f"{NAME}.ipynb"
    notebook.chmod(0o644)
    notebook.write_text(notebook.read_text()[:-200])
    ada, bob = all_results(root)[NAME]
    plain = {name: replace(s, mistakes=()) for name, s in results["ada"].questions.items()}
    assert (ada.status, ada.questions) == ("graded", plain)
    assert (bob.status, bob.problem) == ("could not run", UNFINISHED)
    assert points(bob) == points(results["bob"])


def test_the_page_is_written_while_a_class_is_graded_and_what_was_done_is_kept(
    grade, tiny, tmp_path, monkeypatch
):
    seen = []
    monkeypatch.setattr(page, "PAUSE", 0)
    monkeypatch.setattr(page, "SHARE", 0)
    add = Running.add

    def look(running, result):
        add(running, result)
        seen.append((running.root / "grading" / "class.html").read_text())
        if len(seen) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Running, "add", look)
    with pytest.raises(KeyboardInterrupt):
        grade({name: tiny.release for name in ("ada", "bob", "eve")})
    assert "being graded" not in (tmp_path / "class" / "grading" / "class.html").read_text()
    assert ["is being graded: 1 of 3 so far" in seen[0], "2 of 3 so far" in seen[1]] == [True] * 2
    monkeypatch.setattr(Running, "add", add)
    _, results = grade({"fay": tiny.release})
    assert {"ada", "bob", "fay"} <= set(results)


def test_a_persons_grade_stays_and_is_looked_at_again_only_if_the_answer_has_changed(grade, tiny):
    def answered(**others):
        return with_answers(tiny.release, RIGHT | {"q3": "In words."} | others)

    root, results = grade({"ada": answered()})
    assert results["ada"].questions["q3"].manual == 2
    with Gradebook(f"sqlite:///{gradebook_of(root)}") as book:
        for name, score in (("q2_test", 1), ("q3", 1.5)):
            one = book.find_grade(name, NAME, NAME, "ada")
            one.manual_score, one.needs_manual_grade = score, False
        book.find_comment("q3", NAME, NAME, "ada").manual_comment = "Longer."
        book.db.commit()
    full = {"q1": 2, "q2": 1, "q3": 1.5}
    for options in ({}, {"seed": "another"}):  # the second time all cells run again
        _, results = grade({"ada": answered()}, **options)
        assert points(results["ada"]) == full
        assert [score.manual for score in results["ada"].questions.values()] == [0, 0, 0]
    wrong = "def median(values):\n    return 7"
    _, results = grade({"ada": answered(q1=wrong, q3="In other words.")})
    assert points(results["ada"]) == full | {"q1": 0}
    assert [score.manual for score in results["ada"].questions.values()] == [0, 0, 2]
    with Gradebook(f"sqlite:///{gradebook_of(root)}") as book:
        assert book.find_comment("q3", NAME, NAME, "ada").comment == "Longer."
