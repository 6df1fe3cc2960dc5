"""From short tags to nbgrader's metadata, the cell of keys, and the hidden twin of a check."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course.errors import UserError
from course.writing.exercises import expanded, tag_of

CHECK = 'def cases_q1(random):\n    yield (1,)\n\nexamine(try_q1, cases_q1, KEYS["q1"])'


def cell(tag, source="x = 1", kind=new_code_cell):
    return kind(source, metadata={"tags": [tag]})


def notebook():
    return new_notebook(
        cells=[
            new_markdown_cell("# Medians"),
            new_code_cell("import math"),
            cell("locked:q1_example"),
            cell("answer:q1"),
            cell("check:q1", CHECK),
            cell("check:q1_edges:4", CHECK.replace('"q1"', '"q1_edges"')),
            cell("answer:q2"),
            cell("test:q2_hidden:2.5"),
            cell("written:q3:6", "Say why.", new_markdown_cell),
        ]
    )


def by_id(nb):
    return {c.metadata["nbgrader"]["grade_id"]: c for c in nb.cells if "nbgrader" in c.metadata}


def test_tags_become_what_nbgrader_knows():
    cells = by_id(expanded(notebook(), "KEYTEXT", {"q1": "HIDDENTEXT"}, "STAMP"))
    flags = {
        name: tuple(
            c.metadata["nbgrader"].get(k) for k in ("grade", "solution", "locked", "points")
        )
        for name, c in cells.items()
    }
    assert flags == {
        "keys": (False, False, True, None),
        "q1_example": (False, False, True, None),
        "q1": (False, True, False, None),
        "q1_check": (True, False, True, 0),
        "q1_edges_check": (True, False, True, 0),
        "q1_hidden": (True, False, True, 4),
        "q2": (False, True, False, None),
        "q2_hidden": (True, False, True, 2.5),
        "q3": (True, True, False, 6),
    }
    assert all("tags" not in c.metadata for c in cells.values())


def test_the_hidden_twin_asks_what_all_checks_ask_with_a_key_of_its_own():
    nb = expanded(notebook(), "KEYTEXT", {"q1": "HIDDENTEXT"}, "STAMP")
    cells = by_id(nb)
    hidden = cells["q1_hidden"].source
    assert hidden.startswith("# Hidden test of question 1: 4 points.\n### BEGIN HIDDEN TESTS\n")
    assert 'HIDDEN["q1"]' in hidden and 'HIDDEN["q1_edges"]' in hidden and "KEYS[" not in hidden
    assert 'unpacked("HIDDENTEXT")' in hidden and "HIDDENTEXT" not in cells["q1_check"].source
    order = [c.metadata.get("nbgrader", {}).get("grade_id") for c in nb.cells]
    assert order.index("q1_hidden") == order.index("q1_edges_check") + 1
    assert order[2] == "keys"  # after the first code cell
    assert 'KEYS = unpacked("KEYTEXT")' in cells["keys"].source


def test_checks_that_give_no_points_are_refused():
    nb = notebook()
    for c in nb.cells:
        c.metadata["tags"] = [
            re.sub(r"^(check:\w+):.*", r"\1", tag) for tag in c.metadata.get("tags", [])
        ]
    with pytest.raises(UserError, match="q1 give no points; tag the last of them check:.*:POINTS"):
        expanded(nb, "KEYTEXT", {"q1": "HIDDENTEXT"}, "STAMP")


@pytest.mark.parametrize("tag", ["answr:q1", "check:1", "check:q1:four", "answer:", "q1:answer"])
def test_a_tag_of_no_known_form_is_named(tag):
    with pytest.raises(UserError, match="KIND:NAME:POINTS"):
        tag_of(cell(tag))


def test_other_tags_are_left_alone():
    assert tag_of(cell("hide-input")) is None
    assert tag_of(new_code_cell("x")) is None
