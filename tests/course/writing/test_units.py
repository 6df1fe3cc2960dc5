import pytest

from course.errors import UserError
from course.writing.units import discover, find_unit, read_unit, survey


def test_reads_everything_in_unit_toml(make_unit):
    unit = make_unit()
    assert (unit.name, unit.number, unit.topic, unit.title) == ("01_tiny", "01", "tiny", "Medians")
    assert unit.objectives == ("Compute a median.", "Compute shares.")
    assert unit.papers[0].url == "https://example.org/medians"
    assert (unit.lecture.minutes, unit.lecture.max_seconds, unit.lecture.max_mb) == (5, 120, 1000)
    assert unit.release_notebook() == unit.root / "assignments" / "01_tiny" / "01_tiny.ipynb"


@pytest.mark.parametrize("name", ["01_tiny", "tiny", "01", "1"])
def test_finds_a_unit_by_any_of_its_names(make_unit, name):
    unit = make_unit()
    assert find_unit(name, unit.root) == unit


def test_an_unknown_unit_names_the_known_ones(make_unit):
    unit = make_unit()
    with pytest.raises(UserError, match="no unit 'huge'; choose one of: 01_tiny"):
        find_unit("huge", unit.root)


def test_a_draft_is_worked_on_only_when_it_is_named(make_unit):
    unit = make_unit(unit=('title = "Medians"', 'title = "Medians"\ndraft = true'))
    assert discover(unit.root) == []
    assert discover(unit.root, drafts=True) == [unit]
    assert find_unit("tiny", unit.root) == unit


def test_no_units_is_no_error(tmp_path):
    assert discover(tmp_path) == []


@pytest.mark.parametrize(
    "old, new, message",
    [
        ('title = "Medians"', "", "title must be a text"),
        ('title = "Medians"', 'title = " "', "title must be a text"),
        ('title = "Medians"', 'title = "M"\nauthor = "me"', "author is not known"),
        ('["Compute a median.", "Compute shares."]', "[]", "objectives must be a list with"),
        ('["Compute a median.", "Compute shares."]', "[1]", "an objective must be a text"),
        ("https://example.org/medians", "example.org", "must start with https"),
        ("url =", "link =", "a paper's link is not known"),
        ("minutes = 5", "minutes = 0", "lecture.minutes must be a positive number, got 0"),
        ("minutes = 5", "", "lecture.minutes must be a positive number"),
        ("max_mb = 1000\n[assignment]", "[assignment]", "lecture.max_mb must be a positive number"),
        ("max_mb = 1000\n[assignment]", "max_mb = true\n[assignment]", "got True"),
        ("[lecture]", "[lektion]", "lektion is not known"),
        ('title = "Medians"', "title = Medians", "is not valid TOML"),
        ('title = "Medians"', 'title = "M"\ndraft = "yes"', "draft must be true or false"),
    ],
)
def test_a_malformed_unit_toml_gets_one_sentence(make_unit, old, new, message):
    with pytest.raises(UserError) as caught:
        make_unit(unit=(old, new))
    assert message in str(caught.value)
    assert "unit.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_with_another_name(make_unit):
    unit = make_unit()
    with pytest.raises(UserError, match="two digits"):
        read_unit(unit.folder.rename(unit.folder.with_name("Tiny")), unit.root)


@pytest.mark.parametrize(
    "name, toml, message",
    [
        ("02_empty", None, "unit.toml does not exist; every unit needs one"),
        ("02_broken", "title = ", "unit.toml is not valid TOML"),
        ("Notes", "", "is not a unit: name the folder with two digits"),
    ],
)
def test_a_folder_that_is_no_unit_stops_nobody_else(make_unit, name, toml, message):
    unit = make_unit()
    folder = unit.folder.with_name(name)
    folder.mkdir()
    if toml is not None:
        (folder / "unit.toml").write_text(toml)
    assert discover(unit.root) == [unit]
    assert find_unit("tiny", unit.root) == unit
    found, (problem,) = survey(unit.root)
    assert found == [unit]
    assert message in problem and str(folder) in problem
    with pytest.raises(UserError) as caught:
        find_unit(name, unit.root)
    assert str(caught.value) == problem


def test_two_units_with_one_number(make_unit):
    unit = make_unit()
    second = unit.folder.with_name("01_other")
    second.mkdir()
    (second / "unit.toml").write_text((unit.folder / "unit.toml").read_text())
    assert survey(unit.root)[1] == [
        f"Two units have the number 01; rename one in {unit.folder.parent}."
    ]
    with pytest.raises(UserError, match="Two units have the number 01"):
        find_unit("1", unit.root)
    assert find_unit("other", unit.root).name == "01_other"
