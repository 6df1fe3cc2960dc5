"""What the documents beside README.md say is true of this checkout."""

import re

import pytest

from course.cli import app
from course.proving.gates import check_unit
from course.writing import build
from course.writing.mistakes import load_answers
from course.writing.new import new_unit
from course.writing.notebooks import write_notebook
from course.writing.units import ROOT, read_unit

DOCUMENTS = ("CONTRIBUTING.md", "CHANGELOG.md", "AGENTS.md", "docs/tried.md", "docs/judge.md")


def text_of(document):
    return (ROOT / document).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_and_command_that_it_names_exists(document):
    text, folder = text_of(document), (ROOT / document).parent
    named = re.findall(r"`((?:course|utils|tests|docs)/[\w./-]*)`", text)
    paths = [ROOT / name for name in named if not name.startswith("course/units/05_")]
    paths += [folder / link for link in re.findall(r"\]\((?!http)([^)#]+)\)", text)]
    assert [path for path in paths if not path.exists() and "UNIT" not in path.name] == []
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert set(re.findall(r"python\s-m\scourse (\w+)", text)) <= commands


def test_readme_leads_to_each_of_them():
    for document in DOCUMENTS:
        assert f"]({document})" in text_of("README.md"), document


def test_the_question_that_contributing_shows_passes_every_gate(tmp_path):
    exercise, mistakes = re.findall(r"```python\n(.*?)```", text_of("CONTRIBUTING.md"), re.DOTALL)
    (tmp_path / "course" / "units").mkdir(parents=True)
    unit = new_unit("05_adaptive", tmp_path)
    text, sums = unit.exercise_source.read_text(), (unit.folder / "unit.toml").read_text()
    (row,) = re.findall(r"^# \| 1 \|.*\n", text, re.MULTILINE)
    text = text.replace(row, f"{row}# | 2 | the bytes of codes | 10 | 2 |\n")
    unit.exercise_source.write_text(f"{text}\n{exercise}")
    (unit.folder / "unit.toml").write_text(sums.replace("minutes = 10", "minutes = 20"))
    unit = read_unit(unit.folder, tmp_path)
    (unit.mistakes_folder / "q2.py").write_text(mistakes)
    bank = load_answers(unit.mistakes_folder)
    assert len(bank.mistakes_of("q2")) == 3 and bank.alternatives_of("q2")
    write_notebook(build.lecture_from_source(unit), unit.lecture_notebook())
    build.build_assignment(unit)
    results = check_unit(unit, run=False)
    assert [problem for result in results for problem in result.problems] == []
