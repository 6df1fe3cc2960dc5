import json
import re
from html.parser import HTMLParser

import pytest

from course.grading.classes import QuestionScore, StudentResult
from course.grading.demo import DemoStudent
from course.proving.gates import GateResult
from course.report import Report
from course.writing.execute import Execution
from course.writing.units import Budget


@pytest.fixture
def unit(make_unit):
    return make_unit()


@pytest.fixture
def report(unit):
    report = Report(data="the course sample")
    report.add_notebook(unit, "lecture", Execution(None, 12.34, 456.7, None), unit.lecture)
    right = {"q1": QuestionScore(2, 2), "q3": QuestionScore(0, 2, manual=2)}
    report.add_demo(
        unit,
        [DemoStudent("perfect", "answers everything", None, {"q1": 2})],
        [StudentResult("perfect", "graded", right, seconds=3.2)],
    )
    report.add_gates(unit, [GateResult("well formed", ())])
    return report


def test_a_good_run(report, tmp_path):
    page = report.write(tmp_path / "build").read_text()
    document = json.loads((tmp_path / "build" / "report.json").read_text())
    assert document["ok"] is True
    assert document["problems"] == []
    (notebook,) = document["notebooks"]
    assert notebook == {
        "unit": "01_tiny",
        "kind": "lecture",
        "status": "ok",
        "seconds": 12.3,
        "max_seconds": 120,
        "peak_mb": 456.7,
        "max_mb": 1000,
        "problem": "",
    }
    (student,) = document["demo"]
    assert student["questions"]["q1"]["points"] == 2
    assert student["as_expected"] is True
    assert document["machine"]["cores"] > 0
    assert "python" in document["versions"]
    assert "Everything passed." in page


def test_mistakes_are_named_and_counted(unit, tmp_path):
    report = Report(data="the course sample")
    lost = {"q1": QuestionScore(0, 2, reason="Sort first.", mistakes=("unsorted",))}
    names = ["ada", "bo"]
    report.add_demo(
        unit,
        [DemoStudent(name, "forgets to sort", None, {"q1": 0}) for name in names],
        [StudentResult(name, "graded", lost) for name in names],
    )
    page = " ".join(report.write(tmp_path).read_text().split())
    assert page.count("q1 (unsorted): Sort first.") == 2
    assert '<th scope="row">q1</th><td>unsorted</td> <td class="number">2</td>' in page


def test_everything_that_is_wrong_is_listed(report, unit, tmp_path):
    budget = Budget(minutes=1, max_seconds=2, max_mb=3)
    broken = Execution(None, 1, 1, "cell 2 raised E: <no>")
    failed = report.add_notebook(unit, "lecture", broken, budget)
    over = report.add_notebook(unit, "solution", Execution(None, 5, 9, None), budget)
    assert (failed.status, over.status) == ("failed", "over budget")
    report.add_demo(unit, [DemoStudent("blank", "", None, {"q1": 0})], [])
    report.add_gates(unit, [GateResult("alt text", ("No alt.", "None at all."))])
    page = report.write(tmp_path).read_text()
    assert report.problems == [
        "The lecture of 01_tiny does not run: cell 2 raised E: <no>.",
        "The solution of 01_tiny took 5 s; its budget is 2 s. "
        "The solution of 01_tiny needed 9 MB; its budget is 3 MB.",
        "01_tiny: blank is 'missing', expected 'graded'.",
        "01_tiny: blank got nothing for q1, expected 0.",
        "01_tiny, alt text: No alt.",
        "01_tiny, alt text: None at all.",
    ]
    assert json.loads((tmp_path / "report.json").read_text())["ok"] is False
    assert "E: &lt;no&gt;" in page
    assert "<no>" not in page
    assert "Everything passed" not in page


class Tags(HTMLParser):
    VOID = {"meta", "link", "br", "img", "input"}

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_accessible_and_stands_by_itself(report, tmp_path):
    page = report.write(tmp_path).read_text()
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    names = [name for name, _ in tags.seen]
    assert dict(tags.seen)["html"]["lang"] == "en"
    assert names.count("h1") == names.count("main") == names.count("title") == 1
    assert names.count("caption") == names.count("table") == 3
    assert all(
        attributes.get("scope") in ("row", "col") for n, attributes in tags.seen if n == "th"
    )
    assert not {"script", "img", "link", "iframe"} & set(names)
    assert not re.search(r"(src|href)=", page)
    assert len({attributes["id"] for _, attributes in tags.seen if "id" in attributes}) == len(
        [1 for _, attributes in tags.seen if "id" in attributes]
    )
