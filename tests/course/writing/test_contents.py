"""Links, contents and sealed quizzes of built notebooks."""

from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course.errors import UserError
from course.writing.asking import asking_calls
from course.writing.contents import add_contents, links, seal_quizzes
from course.writing.units import discover
from utils.widgets import sealed

QUIZ = (
    'quiz(\n    "Is \\"it\\"?",\n    {"yes": "Why " "not.", "no": "Look."},\n    answer="yes",\n)'
)


def test_links_and_a_list_of_contents_end_the_first_cell():
    nb = new_notebook(
        cells=[
            new_markdown_cell("# Title"),
            new_markdown_cell("## One (of `two`)\n\n### Not this\n\n## What, then?"),
            new_code_cell("## no heading"),
        ]
    )
    add_contents(nb, "[Assignment](a.ipynb)", "Shut the kernel down.")
    assert nb.cells[0].source == (
        "# Title\n\n[Assignment](a.ipynb)\n\n**Contents**\n\n"
        "- [One (of `two`)](#One-%28of-two%29)\n- [What, then?](#What,-then?)\n\n"
        "Shut the kernel down."
    )
    assert len(nb.cells) == 3


def test_every_link_of_the_course_leads_to_a_notebook():
    units = discover()
    for unit in units:
        for kind, path in (
            ("lecture", unit.lecture_notebook()),
            ("assignment", unit.release_notebook()),
        ):
            targets = [part.partition(")")[0] for part in links(unit, kind).split("](")[1:]]
            assert len(targets) == 1 + (unit is not units[0]) + (unit is not units[-1])
            assert all((path.parent / target).resolve().is_file() for target in targets)


def test_a_built_quiz_holds_no_answer():
    nb = new_notebook(cells=[new_code_cell(f"# why\n{QUIZ}"), new_code_cell("x = 1")])
    seal_quizzes(nb, Path("lecture.py"))
    cell = nb.cells[0]
    text = sealed({"yes": "Why not.", "no": "Look."}, "yes")
    assert cell.source == f'quiz(\'Is "it"?\',\n     "{text}")'
    assert cell.metadata == {"jupyter": {"source_hidden": True}, "tags": ["hide-input"]}
    assert nb.cells[1].source == "x = 1" and nb.cells[1].metadata == {}


@pytest.mark.parametrize(
    "source",
    [
        'quiz("?", OPTIONS, "a")',
        'quiz("?")',
        'quiz("?", {"a": "b"}, "a")',
        f"x = 2\n{QUIZ}",  # else its answer would stand there, unsealed
        f"{QUIZ}\n{QUIZ}",
    ],
)
def test_a_quiz_that_cannot_be_sealed_is_named(source):
    nb = new_notebook(cells=[new_code_cell(source)])
    with pytest.raises(UserError, match=r"^lecture\.py: a cell of a quiz must be one call"):
        seal_quizzes(nb, Path("lecture.py"))


@pytest.mark.parametrize("source", ["what is this?", "%%bash\nif true; then", "x = predict(1)"])
def test_a_cell_that_asks_nothing_need_not_be_python(source):
    assert asking_calls(source) == []


def test_what_a_cell_asks_is_found_beside_all_else():
    source = f"%time x\n{QUIZ}\nx = predict(1)\npredict('k', 2)\nshow(quiz)"
    assert [call.func.id for call in asking_calls(source)] == ["quiz", "predict"]
