"""All that is broken, odd or hostile in what was handed in, and every honest twin, through the command: as
many rows as students, each with its status, and nobody harmed by another."""

import csv
import json
import os

import nbformat
import pytest
import typer
from nbformat.v4 import new_code_cell

from course.commands import shared
from course.commands.grade import grade
from course.grading.intake import files
from course.writing.notebooks import with_answers, write_notebook
from tests.course.grading.conftest import zipped
from tests.course.grading.right import RIGHT
from tests.course.grading.test_intake import (
    ARCHIVES,
    FEW_FILES,
    HONEST_ARCHIVES,
    NO_NOTEBOOKS,
    ODD,
)
from tests.course.grading.test_intake_cells import CERTAIN, SHOWN

UNIT = "01_tiny"
NAME = f"{UNIT}/{UNIT}.ipynb"
FULL, NONE, ANY = (2.0, 3.0), ("", ""), None  # points of both tested questions
TO_LEAVE = ("../../../bob/01_tiny/01_tiny.ipynb", "/etc/01_tiny.ipynb", "C:\\ada\\01_tiny.ipynb")


def students(right, solution, tmp_path):
    """Name, files (bytes, or what makes them at a path), status and points of everyone."""

    def changed(change):
        raw = json.loads(nbformat.writes(right))
        change(raw)
        return json.dumps(raw).encode()

    def after(change):
        nb = with_answers(right, {})
        change(nb)
        return json.dumps(nb).encode("utf-8", "surrogatepass")

    plain = nbformat.writes(right).encode()
    for name, (make, _) in ARCHIVES.items():
        yield f"archive, {name}", {f"{UNIT}/work.zip": make(zipped, right)}, "could not run", NONE
    for name, make in HONEST_ARCHIVES.items():
        yield f"honest archive, {name}", {f"{UNIT}/work.zip": make(zipped, right)}, "graded", FULL
    for name in TO_LEAVE:
        work = {f"{UNIT}/work.zip": zipped({name: right})}
        yield f"path {len(name)}", work, "needs a look", FULL
    for name, (data, _) in NO_NOTEBOOKS.items():
        yield f"no notebook, {name}", {NAME: data}, "could not run", NONE
    for name, (change, _) in ODD.items():
        yield f"odd, {name}", {NAME: changed(change)}, "graded", FULL
    for encoding in ("utf-8-sig", "utf-16", "utf-16-be", "utf-32"):
        yield encoding, {NAME: nbformat.writes(right).encode(encoding)}, "graded", FULL
    yield (
        "version 3",
        {NAME: nbformat.writes(with_answers(right, {}), version=3).encode()},
        "graded",
        FULL,
    )
    for change in CERTAIN:
        yield f"cells, {change.__name__}", {NAME: after(change)}, "graded", FULL
    for change in SHOWN:
        yield f"cells, {change.__name__}", {NAME: after(change)}, "needs a look", ANY
    for name in ("01_TINY/01_Tiny.IPYNB", f"{UNIT}/{UNIT} (1).ipynb", "homework/final.ipynb"):
        yield f"named {name.split('/')[1]}", {name: plain}, "graded", FULL
    yield "two copies", {NAME: plain, f"{UNIT}/{UNIT} (1).ipynb": plain}, "graded", FULL
    yield "no time", {NAME: plain, f"{UNIT}/timestamp.txt": b"yesterday"}, "needs a look", FULL
    yield (
        "a time",
        {NAME: plain, f"{UNIT}/timestamp.txt": b"2026-01-30 15:30:10 UTC"},
        "graded",
        FULL,
    )
    yield "of a Mac", {NAME: plain, f"__MACOSX/{UNIT}/._{UNIT}.ipynb": b"\0"}, "graded", FULL
    yield "nothing", {"notes.txt": b""}, "could not run", NONE
    (tmp_path / "solution.ipynb").write_text(nbformat.writes(solution))
    for where, what in {"solution": tmp_path / "solution.ipynb", "nowhere": "nowhere"}.items():
        link = {NAME: lambda path, what=what: path.symlink_to(what)}
        yield f"link, {where}", link, "could not run", NONE
    yield "pipe", {NAME: os.mkfifo}, "could not run", NONE
    yield "link beside", {NAME: plain, "bin": lambda p: p.symlink_to("/bin")}, "graded", FULL
    many = with_answers(right, {})
    many.cells += [new_code_cell("x = 1", id=f"more-{number}") for number in range(20_000)]
    yield "20,000 cells", {NAME: json.dumps(many).encode()}, "graded", FULL
    for name in ("o'hara, [x] *\u00e9", "=SUM(A1)", "a,b", "zoe"):
        yield name, {NAME: plain}, "graded", FULL


@pytest.mark.hostile
def test_as_many_rows_as_students_and_nobody_harmed(tiny, built_unit, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_FILES", FEW_FILES)
    root, handed_in = built_unit.root, tmp_path / "handed in"
    monkeypatch.setattr(shared, "ROOT", root)
    monkeypatch.setattr(shared, "discover", lambda: [built_unit])
    monkeypatch.setattr("course.run.find_data", lambda console: "made up")
    write_notebook(tiny.solution, built_unit.solution_notebook())
    must = {}
    right = with_answers(tiny.release, RIGHT)
    for student, handed, status, points in students(right, tiny.solution, tmp_path):
        assert student not in must
        must[student] = (status, points)
        for name, what in handed.items():
            path = handed_in / student / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if callable(what):
                what(path)
            else:
                path.write_bytes(what)
    with pytest.raises(typer.Exit) as ended:
        grade(handed_in)
    assert ended.value.exit_code == 1
    with (root / "grading" / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(must) == len(list(handed_in.iterdir()))
    came = {row["student"].removeprefix("'"): row for row in rows}
    assert came.keys() == must.keys()
    wrong = {}
    for student, (status, points) in must.items():
        row = came[student]
        got = tuple(float(row[q]) if row[q] else "" for q in ("q1", "q2"))
        if row["status"] != status or points not in (ANY, got):
            wrong[student] = (row["status"], got, row["problem"])
        assert bool(row["problem"]) == (status != "graded"), (student, row)
    assert wrong == {}
    page = (root / "grading" / "class.html").read_text()
    told = root / "grading" / "feedback"
    for student, (status, _) in must.items():
        assert (told / student / UNIT / f"{UNIT}.html").is_file() == (status != "could not run")
    looks = sum(status != "graded" for status, _ in must.values())
    assert f"Who needs a look, and why: {looks} of {len(must)} submissions" in page
