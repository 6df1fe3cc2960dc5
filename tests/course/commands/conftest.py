"""The command line on a copy of the tiny unit's course."""

import io
import shutil
import sys

import pytest

from course import cli, run
from course.commands import shared
from course.writing import house, published, readme
from course.writing.units import ROOT, discover, find_unit

MARKS = [readme.PICTURE_BEGIN, readme.PICTURE_END, readme.UNITS_BEGIN, readme.UNITS_END]
MARKS += [readme.BEGIN, readme.END, published.BEGIN, published.END]


@pytest.fixture(scope="module")
def empty_readme():
    """A page with places for all that is written into it, and nothing in them."""
    return "\n".join(["# Tiny", *MARKS])


@pytest.fixture(scope="module")
def built_root(built_root, empty_readme, tmp_path_factory):
    """The tiny unit's course with all that the commands look for. `built_unit` copies it."""
    root = tmp_path_factory.mktemp("course") / "root"
    shutil.copytree(built_root, root)
    (root / "README.md").write_text(empty_readme)
    shutil.copy(ROOT / "pyproject.toml", root)
    for room in ("course/errors.py", "utils/errors.py"):
        (root / room).parent.mkdir(exist_ok=True)
        (root / room).touch()
    readme.update_readme(root)
    house.update_house(root)
    published.update_citation(root)
    return root


@pytest.fixture
def course(monkeypatch, capfd, built_unit):
    """A function that runs the command line on a copy of the tiny unit's course."""
    root = built_unit.root
    monkeypatch.setattr(shared, "ROOT", root)
    monkeypatch.setattr(shared, "discover", lambda: discover(root))
    monkeypatch.setattr(shared, "find_unit", lambda name: find_unit(name, root))
    monkeypatch.setattr(shared.console, "width", 200)
    monkeypatch.setattr(run, "find_data", lambda console: "made up for a test")

    def invoke(*arguments, stdin=None):
        monkeypatch.setattr(sys, "argv", ["course", *arguments])
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return ended.value.code, out, err

    return invoke
