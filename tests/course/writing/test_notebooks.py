import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course.errors import UserError
from course.writing.notebooks import (
    auto_questions,
    code_cells,
    grade_id,
    questions,
    read_notebook,
    read_source,
    secret_lines,
    set_cell_ids,
    with_answers,
)


@pytest.fixture
def solution(make_unit):
    return read_source(make_unit().exercise_source)


def test_a_source_becomes_a_clean_notebook(solution):
    assert solution.metadata.kernelspec.name == "python3"
    assert "jupytext" not in solution.metadata
    assert not any("lines_to_next_cell" in cell.metadata for cell in solution.cells)


def test_questions_with_their_cells_and_points(solution):
    found = questions(solution)
    assert list(found) == ["q1", "q2", "q3"]
    assert [grade_id(cell) for cell in found["q1"].tests] == ["q1_test_visible", "q1_test_hidden"]
    assert [(q.points, q.manual_points) for q in found.values()] == [(2, 0), (3, 0), (0, 2)]
    assert list(auto_questions(solution)) == ["q1", "q2"]


def test_cell_ids_depend_on_content_only():
    def ids(*sources):
        nb = new_notebook(cells=[new_code_cell(source) for source in sources])
        set_cell_ids(nb)
        return [cell.id for cell in nb.cells]

    a, b = ids("a", "b")
    assert ids("a", "new", "b") == [a, ids("new")[0], b]
    assert ids("a", "a") == [a, f"{a}-2"]


def test_putting_in_an_answer_changes_a_copy(solution):
    changed = with_answers(solution, {"q1": "\ndef median(values):\n    return 0\n"})
    assert auto_questions(changed)["q1"].answers[0].source == "def median(values):\n    return 0"
    assert "ordered" in auto_questions(solution)["q1"].answers[0].source
    with pytest.raises(UserError, match="grade id 'q9'"):
        with_answers(solution, {"q9": ""})


def test_secret_lines_are_those_of_solutions_hidden_tests_and_written_answers(solution):
    secret = secret_lines(solution)
    assert "ordered = sorted(values)" in secret
    assert any("You forgot to sort" in line for line in secret)
    assert "The median withstands outliers, unlike the mean of the sample." in secret
    assert "def median(values):" not in secret
    assert not any("The median of 1, 2, 3 is 2" in line for line in secret)


def test_a_line_that_also_stands_in_the_open_is_no_secret():
    cell = new_code_cell("### BEGIN SOLUTION\nimport math\nx = 42\n### END SOLUTION")
    cell.metadata["nbgrader"] = {"grade_id": "q1", "solution": True, "grade": False}
    nb = new_notebook(cells=[new_code_cell("import math"), cell, new_markdown_cell("text")])
    assert secret_lines(nb) == {"x = 42"}


def test_cells_are_counted_from_one(solution):
    assert [number for number, _ in code_cells(solution)][:2] == [2, 3]


def test_reading_what_is_no_notebook(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        read_notebook(tmp_path / "no.ipynb")
    for text in ("", "{}", "hello", '{"cells": 3}', "[]"):
        (tmp_path / "bad.ipynb").write_text(text)
        with pytest.raises(UserError, match="is not a notebook"):
            read_notebook(tmp_path / "bad.ipynb")
    with pytest.raises(UserError, match="does not exist"):
        read_source(tmp_path / "no.py")
