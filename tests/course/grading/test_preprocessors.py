"""What a broken or hostile submission can do to nbgrader, and no longer does."""

import json
import re
import shutil
import subprocess
import sys
from copy import deepcopy
from html import unescape

import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from nbgrader.server_extensions.formgrader import handlers

from course.grading.classes import grade_student
from course.grading.judging import MAX_RESTARTS, TOO_LATE
from course.grading.nbgrader_setup import CONFIG_FILE, Course, load_config
from course.proving.scores import failure_of, score_notebook
from course.writing import build
from course.writing.notebooks import grade_id, read_notebook, write_notebook
from course.writing.units import read_unit
from tests.course.grading.right import RIGHT

NAME = "01_tiny"


def points(result):
    return {name: score.points for name, score in result.questions.items()}


def find(nb, name):
    return next(index for index, cell in enumerate(nb.cells) if grade_id(cell) == name)


def append_copy(nb, name):
    copy = deepcopy(nb.cells[find(nb, name)])
    copy.id += "-copy"
    nb.cells.append(copy)
    return copy


def test_a_copied_test_cell_and_a_copied_answer(submit):
    def copy(nb):
        for name in ("q1", "q1_test_hidden"):
            append_copy(nb, name)

    result, nb, _ = submit(change=copy)
    assert points(result) == {"q1": 2, "q2": 3, "q3": 0}
    assert result.status == "graded"
    assert [grade_id(cell) for cell in nb.cells].count("q1_test_hidden") == 1


def test_a_copied_test_cannot_be_passed_in_place_of_the_real_one(submit):
    def cheat(nb):
        append_copy(nb, "q1_test_hidden").source = "print('all fine')"

    result, _, _ = submit({**RIGHT, "q1": "def median(values):\n    return 2"}, cheat)
    assert points(result)["q1"] == 0


@pytest.mark.parametrize("gone", [("q1_test_hidden",), ("q1_test_visible", "q1_test_hidden")])
def test_deleted_tests_are_put_back(submit, gone):
    def delete(nb):
        nb.cells = [cell for cell in nb.cells if grade_id(cell) not in gone]

    right, nb, _ = submit(change=delete)
    assert points(right) == {"q1": 2, "q2": 3, "q3": 0}
    names = [name for cell in nb.cells if (name := grade_id(cell))]
    assert names == ["q1", "q1_test_visible", "q1_test_hidden", "q2", "q2_test", "q3"]
    wrong, _, _ = submit({**RIGHT, "q1": "def median(values):\n    return 2"}, delete)
    assert points(wrong)["q1"] == 0


def test_a_whole_question_deleted_costs_that_question(submit):
    """nbgrader's own way of putting tests back raises KeyError here."""

    def delete(nb):
        nb.cells = [c for c in nb.cells if not (grade_id(c) or "").startswith("q1")]

    result, nb, _ = submit(change=delete)
    assert points(result) == {"q1": 0, "q2": 3, "q3": 0}
    assert "NameError" in result.questions["q1"].reason


def test_everything_deleted(submit):
    result, _, _ = submit(change=lambda nb: nb.cells.clear())
    assert points(result) == {"q1": 0, "q2": 0, "q3": 0}


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"grade_id": "q1_test_hidden"},
        {"grade_id": "q1_test_hidden", "schema_version": 1, "grade": True, "points": 100},
        {"grade_id": "q1_test_hidden", "schema_version": 9},
        {"grade_id": 7, "grade": "yes", "solution": 0, "locked": [], "schema_version": 3},
    ],
)
def test_damaged_metadata_of_a_test(submit, metadata):
    def damage(nb):
        nb.cells[find(nb, "q1_test_hidden")].metadata["nbgrader"] = metadata

    result, _, _ = submit(change=damage)
    assert points(result) == {"q1": 2, "q2": 3, "q3": 0}


def test_edited_tests_points_and_locks_are_restored(submit):
    def edit(nb):
        cell = nb.cells[find(nb, "q1_test_hidden")]
        cell.source = "pass"
        cell.metadata["nbgrader"].update(points=50, locked=False)

    result, _, _ = submit({**RIGHT, "q1": "def median(values):\n    return 2"}, edit)
    assert (points(result)["q1"], result.questions["q1"].possible) == (0, 2)


def test_a_test_tagged_to_be_skipped_runs_all_the_same(submit):
    def tag(nb):
        for cell in nb.cells:
            cell.metadata["tags"] = ["skip-execution", "raises-exception"]

    result, _, _ = submit({**RIGHT, "q1": "def median(values):\n    return 2"}, tag)
    assert points(result) == {"q1": 0, "q2": 3, "q3": 0}


def test_a_dead_kernel_costs_the_question_that_killed_it(submit):
    crash = "def shares(counts):\n    import os\n    os._exit(1)"
    result, nb, _ = submit({**RIGHT, "q2": crash})
    assert points(result) == {"q1": 2, "q2": 0, "q3": 0}
    assert result.status == "crashed"
    assert result.questions["q2"].reason == "KernelDied: this cell ended the kernel"
    assert failure_of(nb.cells[find(nb, "q1_test_hidden")]) == ""


def test_a_kernel_that_dies_too_often_is_given_up(submit):
    def crash(nb):
        nb.cells[1:1] = [new_code_cell("import os; os._exit(1)") for _ in range(MAX_RESTARTS + 2)]

    result, nb, _ = submit(change=crash)
    assert points(result) == {"q1": 0, "q2": 0, "q3": 0}
    assert result.status == "crashed"
    assert "ended the kernel too often" in result.questions["q1"].reason


def test_a_loop_that_cannot_be_interrupted(submit):
    stubborn = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    result, _, _ = submit({**RIGHT, "q2": stubborn}, JudgedExecute__answer_seconds=2)
    assert points(result) == {"q1": 2, "q2": 0, "q3": 0}
    assert result.status == "timed out"


def test_cells_of_a_students_own_take_no_more_time_than_one_of_them_may(submit):
    def dawdle(nb):
        nb.cells[1:1] = [new_code_cell("import time; time.sleep(3000)") for _ in range(3)]

    result, nb, _ = submit(change=dawdle, JudgedExecute__seconds=10)
    assert result.status == "timed out"
    assert points(result) == {"q1": 2, "q2": 3, "q3": 0}
    said = [cell.outputs[0].evalue for cell in nb.cells[1:4]]
    assert said == ["this cell took longer than 10 s", TOO_LATE, TOO_LATE]


def test_a_flood_of_output_is_cut_off(submit):
    flood = f"for _ in range(20_000):\n    print('x' * 100)\n{RIGHT['q1']}"
    result, nb, _ = submit({**RIGHT, "q1": flood})
    assert points(result)["q1"] == 2
    assert len(json.dumps(nb)) < 400_000


def test_files_that_shadow_the_standard_library_are_left_behind(submit, class_root, request):
    folder = class_root / "grading" / "submitted" / request.node.name / NAME
    folder.mkdir(parents=True)
    (folder / "statistics.py").write_text("raise SystemExit")
    (folder / "math.json").write_text("{}")
    result, _, _ = submit()
    assert points(result) == {"q1": 2, "q2": 3, "q3": 0}
    left = class_root / "grading" / "autograded" / request.node.name / NAME
    assert [path.name for path in left.iterdir()] == ["01_tiny.ipynb"]


SPY = """
import sys

def median(values):
    frame = sys._getframe(1)
    print(In[-1])
    raise RuntimeError(In[-1])
"""


@pytest.mark.parametrize("q1", ["def median(values):\n    return 2", SPY])
def test_feedback_shows_messages_and_no_hidden_test(submit, q1):
    result, _, page = submit({**RIGHT, "q1": q1}, feedback=True, flagged=q1 is SPY)
    assert points(result)["q1"] == 0
    assert "The median of 1, 2, 3 is 2." in page  # a visible test
    assert "Hidden tests ran here" in page
    hidden = ["co_names", "median([4, 8])", "median([30, 10, 20])", "nothing = shares"]
    assert not [
        line for line in hidden if line in page.replace("<span>", "").replace("</span>", "")
    ]
    assert "BEGIN HIDDEN" not in page
    if q1 is not SPY:
        assert "You forgot to sort the values." in page


def test_without_our_preprocessor_feedback_would_show_hidden_tests(submit, class_root, request):
    """Otherwise the test above could not fail."""
    submit({**RIGHT, "q1": "def median(values):\n    return 2"})
    steps = {"GenerateFeedback.preprocessors": ["nbgrader.preprocessors.GetGrades"]}
    student = request.node.name
    assert Course(class_root, steps).generate_feedback(NAME, student) is None
    page = class_root / "grading" / "feedback" / student / NAME / f"{NAME}.html"
    assert "BEGIN HIDDEN" in page.read_text()


MARKUP = """**bold** <b onclick="alert(1)">b</b> <script>alert(2)</script> <img src=x onerror=alert(3)>

[link](javascript:alert(4)) [other](https://example.org) <a href="data:text/html,x">data</a> $a<b$

$\\href{javascript:alert(6)}{x}$

<div>$\\&#104;ref{javascript:alert(7)}{x}$ $\\h<!-- -->ref{javascript:alert(8)}{x}$
$&bsol;&#x68;ref{javascript:alert(9)}{x}$</div>

| a | b |
|---|---|
| 1 | 2 |
"""


def test_what_a_student_writes_runs_in_nobodys_browser(submit):
    def write(nb):
        nb.cells += [new_markdown_cell(MARKUP), new_raw_cell("<script>alert(5)</script>")]

    _, nb, feedback = submit(change=write, feedback=True)
    config = load_config(CONFIG_FILE.parent)  # as the formgrader does
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    exporter, where = HTMLExporter(config=config), {"index": 0, "total": 1}
    for page in (feedback, exporter.from_notebook_node(nb, where)[0]):
        page = page[page.index("<strong>bold") :]
        assert "<td>1</td>" in page and 'href="https://example.org"' in page
        runs = r"<[^<>]*alert[^<>]*>|<script[^>]*>\s*alert|javascript:|href=.data"
        assert re.findall(runs, page.replace("\\text{javascript:", "")) == []
        assert "\\href" not in unescape(page)


def test_nbgrader_typed_by_hand_does_the_same(class_root):
    """An instructor may never call `course grade`: nbgrader reads nbgrader_config.py."""
    submitted = class_root / "grading" / "submitted" / "by-hand" / NAME
    write_notebook(
        build.solution_from_source(read_unit(class_root / "course/units/01_tiny", class_root)),
        submitted / f"{NAME}.ipynb",
    )
    shutil.copy(CONFIG_FILE, class_root)
    command = [sys.executable, "-m", "nbgrader", "autograde", NAME, "--student=by-hand"]
    done = subprocess.run(command, cwd=class_root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "course.grading" not in done.stderr
    path = class_root / "grading" / "autograded" / "by-hand" / NAME / f"{NAME}.ipynb"
    assert {name: s.points for name, s in score_notebook(read_notebook(path)).items()} == {
        "q1": 2,
        "q2": 3,
    }


def test_grade_student_never_raises(tmp_path):
    result = grade_student(tmp_path, "01_tiny", "ada", {"no-dot": 1}, False)
    assert result.status == "could not run"
    assert result.problem.startswith("ValueError")
