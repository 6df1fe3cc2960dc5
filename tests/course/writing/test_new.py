"""`course new` makes a draft that passes every gate and stands in nobody's way."""

import pytest

from course.errors import UserError
from course.proving.gates import GATES, check_unit
from course.writing import build
from course.writing.new import new_unit
from course.writing.units import ROOT, discover


@pytest.fixture
def scratch(tmp_path):
    """A copy of the house with nothing in it."""
    (tmp_path / "course" / "units").mkdir(parents=True)
    return tmp_path


def test_a_new_unit_passes_every_gate(scratch):
    unit = new_unit("05_vector_search", scratch)
    assert (unit.title, unit.draft) == ("Vector search", True)
    build.save_lecture(unit, build.execute_lecture(unit))
    build.build_assignment(unit)
    results = check_unit(unit)
    assert len(results) == len(GATES)
    assert [problem for result in results for problem in result.problems] == []


def test_a_draft_disturbs_nobody_else(scratch):
    unit = new_unit("05_adaptive", scratch)
    assert discover(scratch) == []
    assert build.drift(discover(scratch), scratch) == []  # nor before it is built
    build.build_assignment(unit)
    assert build.drift(discover(scratch), scratch) == []
    (problem,) = build.drift([unit], scratch)
    assert "05_adaptive.ipynb does not exist; run `python -m course build 05_adaptive`" in problem


def test_no_word_of_the_template_is_left_over(scratch):
    unit = new_unit("05_adaptive", scratch)
    assert "UNIT_" not in "".join(path.read_text() for path in unit.folder.rglob("*.*"))
    assert unit.exercise_source.read_text().startswith("# %% [markdown]\n# # Assignment 05: Adapt")
    template = ROOT / "course" / "writing" / "template"
    assert {p.name for p in template.glob("[!_]*")} == {p.name for p in unit.folder.iterdir()}


@pytest.mark.parametrize(
    "name, message",
    [
        ("adaptive", "'adaptive' is not a unit's name; use two digits"),
        ("5_adaptive", "use two digits"),
        ("05_Adaptive", "in lower case"),
        ("../05_adaptive", "is not a unit's name"),
        ("01_first", "exists already; edit it, or delete it first"),
        ("01_other", "The number 01 is taken by 01_first; 02 is free."),
        ("02_first", "The topic 'first' is taken by 01_first; choose another name."),
    ],
)
def test_what_it_refuses(scratch, name, message):
    new_unit("01_first", scratch)
    with pytest.raises(UserError) as caught:
        new_unit(name, scratch)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [unit.name for unit in discover(scratch, drafts=True)] == ["01_first"]


def test_a_broken_folder_has_its_number_too(scratch):
    (scratch / "course" / "units" / "03_empty").mkdir()
    with pytest.raises(UserError, match="number 03 is taken by 03_empty"):
        new_unit("03_other", scratch)
