"""Fields in prose: what they become, and what is told when they cannot be filled."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course.writing.execute import run_notebook
from course.writing.prose import as_expression, fields, same_prose


def test_a_field_is_an_expression_with_a_format():
    source = 'It is {{ 1 / 3:.2f }}, in {{ {"a": "ten"}["a"] }} steps.'
    assert fields(source) == ["1 / 3:.2f", '{"a": "ten"}["a"]']
    assert eval(as_expression("1 / 3:.2f")) == "0.33"
    with pytest.raises(ValueError, match="compute it above"):
        as_expression("""f"x" + \"""y\""" + '''z'''""")


@pytest.mark.parametrize(
    ("found", "same"),
    [
        ("It is 0.33 (of 3).", True),
        ("It is two\nlines (of 3).", True),
        ("It is  (of 3).", False),
        ("It was 0.33 (of 3).", False),
        ("It is 0.33 (of 3). Really.", False),
    ],
)
def test_what_stands_in_a_field_is_no_drift_but_all_else_is(found, same):
    assert same_prose(found, "It is {{ x:.2f }} (of 3).") is same


def test_the_last_part_may_occur_before_the_end_and_two_fields_may_touch():
    assert same_prose("1, 2, 3", "{{ x }}, {{ y }}")
    assert not same_prose("1, ", "{{ x }}, {{ y }}")
    assert same_prose("ab.", "{{ x }}{{ y }}.") and not same_prose("a.", "{{ x }}{{ y }}.")


def test_a_text_of_many_fields_that_differs_at_its_end_is_told_at_once():
    """Tried in all combinations, the commas would take longer than anybody waits."""
    source = ", ".join(["{{ x }}"] * 40) + "; words, " * 40 + "the end."
    found = source.replace("{{ x }}", "0.12")
    assert same_prose(found, source) and not same_prose(found[:-1] + "!", source)


def test_fields_are_filled_with_what_the_cells_above_computed():
    nb = new_notebook(
        cells=[
            new_code_cell("f1 = {'gru': 0.6041}"),
            new_markdown_cell('The GRU has {{ f1["gru"]:.3f }}, {{ len(f1) }} model.'),
            new_code_cell("f1['gru'] = 0.5"),
            new_markdown_cell("Now {{ f1['gru']:.1f }}."),
        ]
    )
    run = run_notebook(nb, cell_seconds=60)
    assert run.error is None
    assert run.notebook.cells[1].source == "The GRU has 0.604, 1 model."
    assert run.notebook.cells[3].source == "Now 0.5."
    assert "{{" in nb.cells[1].source


def test_a_field_that_raises_stops_the_build_and_is_named():
    cells = [new_code_cell("x = 1"), new_markdown_cell("It is {{ y }}.")]
    run = run_notebook(new_notebook(cells=cells), cell_seconds=60)
    assert run.error == "cell 2: the field 'y' raised NameError: name 'y' is not defined"


def test_a_claim_that_no_longer_holds_stops_the_build():
    claim = "from utils.claims import claim\nclaim(1 > 2, 'one beats two')"
    run = run_notebook(new_notebook(cells=[new_code_cell(claim)]), cell_seconds=60)
    assert "it is no longer so that one beats two" in run.error
