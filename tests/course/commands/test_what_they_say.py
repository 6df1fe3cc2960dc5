"""What commands do and say when all goes well."""

import json
import re
import shutil
import zipfile

from course import run
from course.grading import classes
from course.proving import trying
from course.proving.gates import GateResult
from course.writing.bundle import FILES, TOP
from course.writing.notebooks import read_notebook, write_notebook
from course.writing.units import ROOT, find_unit
from utils.data import SPLITS, describe, load_sample


def test_grade_takes_the_units_that_were_handed_in(course, built_unit, monkeypatch):
    other = built_unit.folder.with_name("02_other")
    shutil.copytree(built_unit.folder, other)
    other = find_unit("other", built_unit.root)
    write_notebook(read_notebook(built_unit.release_notebook()), other.release_notebook())
    asked = []

    def grade_class(unit, root, submissions, **options):
        asked.append((unit.name, [submission.student for submission in submissions]))
        return [classes.StudentResult("ada", "graded")]

    monkeypatch.setattr(classes, "grade_class", grade_class)
    folder = built_unit.root / "grading" / "submitted" / "ada" / "02_other"
    write_notebook(read_notebook(other.release_notebook()), folder / "02_other.ipynb")
    assert course("grade")[0] == 0 and asked == [("02_other", ["ada"])]


def test_run_puts_units_through_the_gates_when_asked(course, built_unit, monkeypatch):
    monkeypatch.setattr(run, "_notebooks", lambda *arguments: None)
    monkeypatch.setattr(run, "grade_demo", lambda unit, *a, **k: ([], []))
    monkeypatch.setattr(run, "check_unit", lambda *a, **k: [GateResult("alt text", ("None.",))])
    assert course("run")[0] == 0
    code, out, _ = course("run", "--check")
    assert code == 1 and "01_tiny, alt text: None." in out


def test_a_new_unit_is_a_draft_and_its_author_is_told_how_to_go_on(course, built_unit):
    code, out, _ = course("new", "02_means")
    assert code == 0
    assert f"Wrote {built_unit.folder.with_name('02_means')}, a draft." in out
    assert "python -m course build 02_means" in out and "python -m course check 02_means" in out


def test_guide_says_where_its_page_is(course, built_unit):
    code, out, _ = course("guide", "tiny")
    (page,) = (built_unit.root / "build" / "guide").iterdir()
    assert (code, out) == (0, f"Wrote {page}.\n")


def test_bundle_is_for_students_unless_asked_otherwise(course, built_unit, tmp_path):
    for name in (*FILES, "environment.yml"):
        shutil.copy(ROOT / name, built_unit.root)
    out = tmp_path / "out.zip"
    code, said, _ = course("bundle", str(out))
    assert code == 0 and said.startswith(f"Wrote {out}: ")
    names = set(zipfile.ZipFile(out).namelist())
    assert f"{TOP}/assignments/01_tiny/01_tiny.ipynb" in names
    assert not any(name.startswith((f"{TOP}/solutions", f"{TOP}/guide")) for name in names)
    assert course("bundle", str(out), "--instructors", "--unit", "tiny")[0] == 0
    more = set(zipfile.ZipFile(out).namelist()) - names
    assert more == {f"{TOP}/solutions/01_tiny/01_tiny.ipynb", f"{TOP}/guide/01_tiny.html"}


def test_data_is_described_split_by_split(course, monkeypatch):
    monkeypatch.setattr("utils.data.load_goemotions", load_sample)
    code, out, _ = course("data")
    told = [describe(load_sample(split)) for split in SPLITS]
    for name, cells in {
        "rows": [f"{split['rows']:.4g}" for split in told],
        "labels per comment": [f"{split['labels_per_comment']:.4g}" for split in told],
        "joy": [str(split["rows_per_label"]["joy"]) for split in told],
    }.items():
        assert re.search(rf"│ {name} +│ +{' │ +'.join(map(re.escape, cells))} │", out), (name, out)
    assert code == 0 and "rows per label" not in out


def test_answers_are_tried_in_their_order(course, built_unit, monkeypatch, tmp_path):
    monkeypatch.setattr(trying, "find_unit", lambda name: find_unit(name, built_unit.root))
    codes = {
        "as-counted": ("q2", "wrong", "def shares(counts):\n    return counts"),
        "nothing": ("q1", "wrong", "def median(values):\n    return 0"),
        "by-hand": ("q2", "right", "def shares(c):\n    return [x / (sum(c) or 1) for x in c]"),
    }
    file = tmp_path / "answers.json"
    answers = [
        {"unit": "01_tiny", "name": name}
        | dict(zip(("question", "kind", "code"), what, strict=True))
        for name, what in codes.items()
    ]
    file.write_text(json.dumps(answers))
    code, out, _ = course("try", str(file), "--json", "--jobs", "1")
    found = json.loads(out)
    assert code == 0 and [item["name"] for item in found] == list(codes)
    fields = ("points", "possible", "mistake", "visible_failed")
    assert [tuple(item[field] for field in fields) for item in found] == [
        (0, 3, "counts", False),  # the visible assertion stands in a cell with hidden ones
        (0, 2, "unsorted", True),
        (3, 3, None, False),
    ]
    assert "The median of 1, 2, 3 is 2." in found[1]["message"] and found[2]["message"] == ""
    monkeypatch.setattr(trying, "try_answers", lambda answers, jobs: found)
    out = course("try", str(file), "--unit", "tiny")[1]
    assert re.search(r"01 q2 as-counted \(wrong\) +│ 0 of 3 +│ counts +│ .*A share is a part", out)
    assert re.search(r"01 q2 by-hand \(right\) +│ 3 of 3 +│ +│ +│", out), out


def test_files_that_hold_no_answers_are_refused(course, tmp_path):
    file, answer = tmp_path / "answers.json", dict.fromkeys(trying.FIELDS, "x")
    for held, complaint in {
        "[": "is not JSON",
        "{}": "must hold a list of objects",
        "[1]": "must hold a list of objects",
        json.dumps([answer | {"code": 1}]): "answer 1 has no text 'code'",
        json.dumps([answer | {"kind": "odd"}]): "the kind of answer 1 must be wrong or right",
    }.items():
        file.write_text(held)
        code, _, err = course("try", str(file))
        assert code == 2 and complaint in err
    assert "cannot be read" in course("try", str(tmp_path))[2]
