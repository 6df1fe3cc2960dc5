"""The package that students receive works by itself, and holds nothing that would do their work."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile

import pytest

from course.errors import UserError
from course.writing.bundle import NOT_FOR_STUDENTS, TOP, bundle_files, solution_files, write_bundle
from course.writing.notebooks import (
    BEGIN_HIDDEN,
    BEGIN_SOLUTION,
    END_HIDDEN,
    END_SOLUTION,
    is_answer,
    is_manual,
    is_test,
    read_notebook,
    region_lines,
    secret_lines,
)
from course.writing.units import ROOT, discover

UNITS = discover()
# The cells of code of a notebook, one after another, up to the first that raises.
RUN = """
import json, os, sys
import matplotlib
matplotlib.use("agg")
from IPython.core.interactiveshell import InteractiveShell
import utils
path, raising = sys.argv[1], 0
assert utils.__file__.startswith(os.getcwd()), utils.__file__
os.chdir(os.path.dirname(path))
shell = InteractiveShell.instance()
ran = []
for cell in json.load(open(os.path.basename(path), encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        done = shell.run_cell("".join(cell["source"]))
        error = done.error_before_exec or done.error_in_exec
        ran.append(type(error).__name__ if error else "")
print("RAN", json.dumps(ran), "course" in sys.modules)
"""


@pytest.fixture(scope="module")
def files():
    return dict(bundle_files(UNITS, ROOT))


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    write_bundle(UNITS, ROOT, folder / "students.zip")
    with zipfile.ZipFile(folder / "students.zip") as archive:
        assert all(name.startswith(f"{TOP}/") for name in archive.namelist())
        archive.extractall(folder)
    return folder / TOP


def regions(cell, begin, end):
    """The text of each region between marks, however it is indented."""
    texts, open_ = [""], False
    for line, inside in region_lines(cell.source, begin, end):
        if inside and not open_:
            texts.append("")
        open_ = inside
        texts[-1] += f"{line.strip()}\n" if inside and line.strip() else ""
    return [text.strip() for text in texts if text]


def secrets(unit):
    """The text of each hidden test and the body of each solution."""
    for cell in read_notebook(unit.solution_notebook()).cells:
        begin, end = (BEGIN_HIDDEN, END_HIDDEN) if is_test(cell) else (BEGIN_SOLUTION, END_SOLUTION)
        found = regions(cell, begin, end)
        if not found and (is_manual(cell) or is_answer(cell)):
            found = ["\n".join(line.strip() for line in cell.source.split("\n") if line.strip())]
        for text in found:
            yield cell.metadata.nbgrader.grade_id, text


def plain(name, content):
    """The text of a file as it is read, without indentation and empty lines; notebooks cell by cell."""
    text = content.decode("utf-8", "replace")
    if name.endswith(".ipynb"):
        cells = json.loads(text)["cells"]
        text = "\n".join(
            "".join(cell["source"]) + "\n" + json.dumps(cell.get("outputs", "")) for cell in cells
        )
    return "\n".join(line.strip() for line in text.split("\n") if line.strip())


def test_no_hidden_test_and_no_solution_is_in_it(files):
    texts = {name: plain(name, content) for name, content in files.items()}
    found, looked_for = [], 0
    for unit in UNITS:
        for cell, secret in secrets(unit):
            looked_for += 1
            found += [(unit.name, cell, name) for name, text in texts.items() if secret in text]
        release = texts[unit.release_notebook().relative_to(ROOT).as_posix()].split("\n")
        lines = secret_lines(read_notebook(unit.solution_notebook())) & set(release)
        assert lines == set()
    assert found == [] and looked_for > 10 * len(UNITS)
    marks = (BEGIN_HIDDEN, BEGIN_SOLUTION, "course.writing.mistakes")
    # The library says how checks are written, not what a hidden one is.
    assert [
        n for n, text in texts.items() if n.endswith("ipynb") and any(m in text for m in marks)
    ] == []
    names = ("solutions/", "course/units/", "tests/", "grading/", ".git", "mistakes/")
    assert [name for name in files if name.startswith(names) or name.endswith("rubric.toml")] == []


def test_solutions_would_be_found(files):
    """Otherwise the test above could not fail."""
    for name, content in solution_files(UNITS, ROOT):
        unit = next(unit for unit in UNITS if unit.name in name)
        missing = [cell for cell, secret in secrets(unit) if secret not in plain(name, content)]
        assert missing == []


@pytest.mark.parametrize(
    "name", ["lectures/05_adaptive.ipynb", "assignments/01_efficiency/01_efficiency.ipynb"]
)
def test_unpacked_it_works_without_the_course(unpacked, name):
    here = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    # -P: of all folders only the package's is searched for what the notebooks import.
    here |= {"PYTHONPATH": str(unpacked), "GOEMOTIONS_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", RUN, name],
        cwd=unpacked,
        env=here,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    ran, course = done.stdout.split("RAN ")[-1].rsplit(" ", 1)
    assert course.strip() == "False"
    errors = set(json.loads(ran))
    if name.startswith("lectures"):
        assert errors == {""}
    else:  # the answers are the student's to write, and the checks say so
        assert (
            errors <= {"", "NotImplementedError", "AssertionError"}
            and "NotImplementedError" in errors
        )


def test_what_it_asks_to_install_is_what_the_course_has_less_what_grades(files):
    mine = tomllib.loads(files["pyproject.toml"].decode())["project"]
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    left_out = set(whole["dependencies"]) - set(mine["dependencies"])
    assert {line.split(">")[0] for line in left_out} == set(NOT_FOR_STUDENTS)
    assert mine["requires-python"] == whole["requires-python"]
    assert (
        mine["optional-dependencies"]["transformer"]
        == whole["optional-dependencies"]["transformer"]
    )
    conda = files["environment.yml"].decode()
    assert "numpy" in conda and "nbgrader" not in conda
    assert "{" not in files["README.md"].decode()


def test_the_same_course_makes_the_same_bytes(tmp_path):
    for name in ("a.zip", "b.zip"):
        write_bundle(UNITS[:1], ROOT, tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "b.zip"]


@pytest.mark.parametrize(
    ("name", "said"), [("students.tar", "ends in .zip"), ("no/such/students.zip", "does not exist")]
)
def test_a_place_that_is_none(name, said, tmp_path):
    with pytest.raises(UserError, match=said):
        write_bundle(UNITS[:1], ROOT, tmp_path / name)


def test_a_notebook_that_was_not_built(built_unit, tmp_path):
    built_unit.release_notebook().unlink()
    with pytest.raises(
        UserError, match="01_tiny.ipynb does not exist; run `python -m course build`"
    ):
        write_bundle([built_unit], built_unit.root, tmp_path / "students.zip")
