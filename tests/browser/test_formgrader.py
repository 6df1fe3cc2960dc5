"""An instructor in nbgrader's formgrader: what is decided there survives grading again."""

import csv
import os
import re
import sqlite3
import subprocess
import sys
from html import unescape

import pytest
from playwright.sync_api import expect

from course.writing.keys import solved
from course.writing.mistakes import load_answers
from course.writing.notebooks import (
    auto_questions,
    grade_id,
    is_manual,
    question_of,
    read_notebook,
    with_answers,
    write_notebook,
)
from course.writing.units import find_unit

UNIT = find_unit("01")
NAME = UNIT.name
SOLUTION = read_notebook(UNIT.solution_notebook())
WRITTEN = next(grade_id(cell) for cell in SOLUTION.cells if is_manual(cell))
RIGHT = {name: solved(q.answers[0].source) for name, q in auto_questions(SOLUTION).items()}
ANSWERED = RIGHT | {WRITTEN: "Model 2, because of its p99. <script>alert(1)</script>"}
POSSIBLE = {name: q.points for name, q in auto_questions(SOLUTION).items()}
LOST = "q2"
MISTAKE = next(m for m in load_answers(UNIT.mistakes_folder).mistakes if m.question == LOST)
TEST = next(
    grade_id(cell) for cell in auto_questions(SOLUTION)[LOST].tests if cell.metadata.nbgrader.points
)  # the one that gives the points
JS = "text/javascript"
MATHJAX = (  # what the formgrader asks of it
    "const none = () => {}; window.MathJax = "
    "{Hub: {Config: none, Queue: none, Startup: {signal: {Interest: none}}}}"
)
COMMENT = "Say what it costs, too: **memory** counts."


@pytest.fixture
def grade(course):
    """A function that grades notebooks by their students, as an instructor does, and returns the rows
    of scores.csv by student."""

    def grade(answers):
        release = read_notebook(UNIT.release_notebook())
        for student, sources in answers.items():
            path = course / "grading" / "submitted" / student / NAME / f"{NAME}.ipynb"
            write_notebook(with_answers(release, sources), path)
        command = [sys.executable, "-m", "course", "grade"]
        environment = os.environ | {"PYTHONPATH": str(course)}
        done = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        with (course / "grading" / "scores.csv").open(newline="") as file:
            return {row["student"]: row for row in csv.DictReader(file)}

    return grade


def in_gradebook(course, student):
    """Manual score and whether it waits, by grade id, and the comments by question."""
    of = (
        "join submitted_notebook n on n.id = {0}.notebook_id join submitted_assignment a on "
        "a.id = n.assignment_id join base_cell c on c.id = {0}.cell_id where a.student_id = ?"
    )
    grades = f"select c.name, manual_score, needs_manual_grade from grade {of.format('grade')}"
    comments = f"select c.name, manual_comment from comment {of.format('comment')}"
    with sqlite3.connect(course / "grading" / "gradebook.db") as book:
        scores = {name: (m, bool(w)) for name, m, w in book.execute(grades, (student,))}
        return scores, dict(book.execute(comments, (student,)))


def feedback(course, student):
    page = course / "grading" / "feedback" / student / NAME / f"{NAME}.html"
    text = page.read_text()
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text[text.index("<main>") :])).split())


def test_what_an_instructor_decides_in_formgrader_survives_grading_again(course, grade, page, lab):
    # What the formgrader takes from the network, where there may be none.
    page.route(re.compile("^https://"), lambda route: route.fulfill(body=MATHJAX, content_type=JS))
    dialogs = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message) or dialog.dismiss())
    wrong = ANSWERED | {LOST: MISTAKE.codes(RIGHT[LOST])[0]}
    rows = grade({"ada": ANSWERED, "bob": wrong})
    full, possible = sum(POSSIBLE.values()), float(rows["ada"]["possible"])
    assert float(rows["ada"]["points"]) == full
    assert float(rows["bob"]["points"]) == full - POSSIBLE[LOST]
    assert f"Question {WRITTEN[1:]} : not graded yet" in feedback(course, "bob")

    # The scores are those of the gradebook.
    page.goto(f"{lab}/login?token=test&next=/formgrader/manage_submissions/{NAME}")
    for student, row in rows.items():
        line = page.locator("tr", has=page.locator(".student-id", has_text=student))
        expect(line.locator(".score")).to_have_text(f"{float(row['points']):g} / {possible:g}")
        expect(line.locator(".status")).to_have_text("needs manual grading")

    # Bob's points of a question are given otherwise, the answer in words is graded, with a comment.
    page.goto(f"{lab}/formgrader/manage_students/bob/{NAME}")
    page.get_by_role("link", name=NAME, exact=True).last.click()
    expect(page.locator(f"[id='{TEST}']")).to_have_attribute("placeholder", "0")
    for selector, text, what in (
        (f"[id='{TEST}']", "3", "grade"),
        (f"[id='{WRITTEN}']", "4", "grade"),
        (f"[id='{WRITTEN}-comment']", COMMENT, "comment"),
    ):
        with page.expect_response(
            lambda r, what=what: r.request.method == "PUT" and f"/api/{what}/" in r.url
        ) as saved:
            page.locator(selector).fill(text)
            page.keyboard.press("Tab")
        assert saved.value.ok
    decided = {TEST: (3.0, False), WRITTEN: (4.0, False)}

    # Nothing is handed in anew; then with another answer to another question; then in other words.
    other = next(name for name in POSSIBLE if name not in (LOST, WRITTEN))
    blank = wrong | {other: "pass"}
    for answers, less, looked_at in (
        (wrong, 0.0, True),
        (blank, POSSIBLE[other], True),
        (blank | {WRITTEN: "In other words."}, POSSIBLE[other], False),
    ):
        rows = grade({"bob": answers})
        points = full - POSSIBLE[LOST] + 3 + 4 - less
        scores, comments = in_gradebook(course, "bob")
        assert {name: scores[name] for name in decided} == decided | {WRITTEN: (4.0, not looked_at)}
        assert comments[WRITTEN] == COMMENT
        assert float(rows["bob"]["points"]) == points
        assert (float(rows["bob"]["waiting_for_manual_grading"]) == 0) == looked_at
        shown = (course / "grading" / "class.html").read_text()
        (line,) = re.findall(r'<th scope="row">bob</th>.*?</tr>', shown, re.DOTALL)
        assert f'<td class="number">{points:g}</td>' in line
        told = feedback(course, "bob")
        assert told.startswith(f"{NAME}: {points:g} of {possible:g} points")
        assert "Say what it costs, too: memory counts." in told
        assert ("waits to be graded again" in told) == (not looked_at)
        page.goto(f"{lab}/formgrader/manage_submissions/{NAME}")
        line = page.locator("tr", has=page.locator(".student-id", has_text="bob"))
        expect(line.locator(".score")).to_have_text(f"{points:g} / {possible:g}")
    assert dialogs == []
    assert question_of(TEST) == LOST and rows["ada"]["status"] == "graded"
