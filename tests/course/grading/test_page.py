import csv
import json
from html.parser import HTMLParser

import pytest

from course.grading.classes import QuestionScore, StudentResult
from course.grading.page import Progress, class_page, write_scores

EVIL = "</td><script>alert(1)</script>"


def result(name, q1=2.0, status="graded", **more):
    questions = {"q1": QuestionScore(q1, 2.0), "q2": QuestionScore(0.0, 3.0, manual=3.0)}
    return StudentResult(name, status, questions, **more)


@pytest.fixture
def results():
    lost = {"q1": QuestionScore(0.0, 2.0, reason="You forgot to sort.", mistakes=("unsorted",))}
    return {
        "01_tiny": [
            result("ada"),
            StudentResult("bob", "graded", lost),
            StudentResult("eve", "needs a look", lost, problem="Look at its code: q1."),
            result("fay", 0.0, "crashed"),
        ],
        "02_other": [StudentResult("ada", "could not run", problem="There is no notebook.")],
    }


class Cells(HTMLParser):
    """The texts of a page's table cells, by row, and all of its tags."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.tags, self.inside = [], set(), False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data.strip()


def test_the_page_says_who_needs_a_look_which_mistakes_were_made_and_all_points(results):
    page = class_page(results)
    rows = Cells(page).rows
    assert "Who needs a look, and why: 2 of 5 submissions" in page
    assert ["eve", "01_tiny", "needs a look", "Look at its code: q1."] in rows
    assert ["ada", "02_other", "could not run", "There is no notebook."] in rows
    assert ["q1", "unsorted", "2"] in rows
    assert ["Student", "Status", "q1 (of 2)", "q2 (of 3)", "Sum", "Why points were lost"] in rows
    assert ["ada", "graded", "2", "?", "2", ""] in rows
    assert ["bob", "graded", "0", "none", "0", "q1 (unsorted): You forgot to sort."] in rows
    assert ["fay", "crashed", "0", "?", "0", ""] in rows


def test_the_page_says_what_a_class_came_to_in_each_question(results):
    rows = Cells(class_page(results)).rows
    head = ["Question", "Mean", "Of", "Full marks", "No marks", "Students", "Not graded yet"]
    at = rows.index(head)
    assert rows[at + 1 : at + 3] == [
        ["q1", "0.50", "2", "1", "3", "4", "0"],
        ["q2", "?", "3", "0", "0", "0", "2"],
    ]


def test_the_page_says_how_far_it_is_while_it_goes_on(results):
    assert "http-equiv" not in class_page(results)
    page = class_page(results, Progress("01_tiny", 3, 20, "12:30:00"))
    assert "01_tiny is being graded: 3 of 20 so far" in page and 'http-equiv="refresh"' in page


def test_a_class_in_which_nobody_needs_a_look():
    assert "Nobody of 1 needs a look." in class_page({"01_tiny": [result("ada")]})


def test_what_students_wrote_is_no_markup(results):
    lost = {"q1": QuestionScore(0.0, 2.0, reason=EVIL)}
    page = class_page({EVIL: [StudentResult(EVIL, "graded", lost, problem=EVIL)]})
    assert "script" not in Cells(page).tags
    assert Cells(page).rows[1] == [EVIL, EVIL, "graded", EVIL]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(1)", " =1", "a\x1b[31m", "a\r\nb", 'a,"b"']
)
def test_a_spreadsheet_shows_texts_as_they_are(text, tmp_path):
    page = write_scores({"01_tiny": [result(text, problem=text)]}, tmp_path)
    assert page == tmp_path / "class.html" and page.is_file()
    (row,) = csv.DictReader((tmp_path / "scores.csv").open(newline=""))
    shown = row["student"]
    assert shown == row["problem"]
    assert shown.isprintable() and not shown.lstrip().startswith(("=", "+", "-", "@"))
    assert (row["q1"], row["points"], row["waiting_for_manual_grading"]) == ("2.0", "2.0", "3.0")
    assert json.loads((tmp_path / "scores.json").read_text())["01_tiny"][0]["student"] == text
