"""Cells that were copied, deleted, retyped, marked anew or stripped of their names."""

import json
from copy import deepcopy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from course.grading.intake import COULD_NOT_RUN, NEEDS_A_LOOK, READY
from course.grading.intake.parse import MOST_TEXT
from course.writing.notebooks import grade_id

NAME = "01_tiny/01_tiny.ipynb"


def find(nb, name):
    return next(cell for cell in nb.cells if grade_id(cell) == name)


def copy_of(nb, name):
    nb.cells.append(deepcopy(find(nb, name)))
    nb.cells[-1].id += "-copy"
    return nb.cells[-1]


def copied_test(nb):
    copy_of(nb, "q1_test_hidden").source = "print('all fine')"


def copied_answer(nb):
    copy_of(nb, "q1")


def deleted_test(nb):
    nb.cells.remove(find(nb, "q1_test_hidden"))


def changed_test(nb):
    find(nb, "q1_test_visible").source = "pass"


def moved_answer(nb):
    """Below its tests, as where cells are dragged."""
    nb.cells.remove(cell := find(nb, "q1"))
    nb.cells.append(cell)


def retyped_test(nb):
    cell = find(nb, "q1_test_hidden")
    cell.cell_type = "markdown"
    cell.pop("outputs", None)


def retyped_answer(nb):
    cell = find(nb, "q1")
    cell.cell_type = "raw"
    cell.pop("outputs", None)


def unknown_type(nb):
    find(nb, "q1").cell_type = "heading"


def damaged_metadata(nb):
    find(nb, "q1").metadata["nbgrader"] = {"grade_id": "q1", "schema_version": 1}


def no_dictionary(nb):
    find(nb, "q1").metadata["nbgrader"] = ["q1"]


def renamed_answer(nb):
    find(nb, "q1").metadata["nbgrader"]["grade_id"] = "my_q1"


def long_metadata(nb):
    find(nb, "q1").metadata["nbgrader"]["checksum"] = "0" * 100_000


def stripped(nb):
    for cell in nb.cells:
        cell.metadata.clear()


def stripped_of_ids_too(nb):
    """As an editor that knows nothing of nbgrader saves it."""
    for cell in nb.cells:
        cell.metadata.clear()
        del cell["id"]
    nb.nbformat_minor = 4


def names_of_ones_own(nb):
    nb.cells.append(new_code_cell("1", metadata={"nbgrader": marks("mine", points=100)}))


def tags(nb):
    for cell in nb.cells:
        cell.metadata["tags"] = ["skip-execution"]
    nb.metadata["widgets"] = {}


def half_a_surrogate(nb):
    nb.cells.append(new_markdown_cell("\ud83d"))


def marks(name, **more):
    flags = {"grade": True, "solution": False, "locked": True, "schema_version": 3, "task": False}
    return {"grade_id": name, "cell_type": "code", "checksum": "0" * 32, **flags, **more}


CERTAIN = {
    copied_test: "q1_test_hidden: was copied",
    copied_answer: "q1: was copied",
    deleted_test: "q1_test_hidden: was deleted, and is put back",
    moved_answer: "q1_test_visible, q1_test_hidden: stood above its answer, and is put below it",
    changed_test: "q1_test_visible: was changed, and the original runs instead",
    retyped_test: "q1_test_hidden: was given another cell type",
    retyped_answer: "q1: was given another cell type",
    unknown_type: "q1: was given another cell type",
    damaged_metadata: "q1: was copied or its metadata damaged",
    no_dictionary: "q1: had lost its name in the metadata",
    renamed_answer: "q1: had lost its name in the metadata",
    long_metadata: "q1: was copied or its metadata damaged",
    stripped: "q1, q1_test_visible, q1_test_hidden, q2 (and 2 more): had lost its name",
    stripped_of_ids_too: "(and 2 more): had lost its name in the metadata, and has it again",
    names_of_ones_own: "",
    tags: "",
    half_a_surrogate: "",
}


@pytest.mark.parametrize("change", CERTAIN)
def test_what_is_certain_is_mended_and_graded(one, tiny, answered, change):
    change(answered)
    raw = nbformat.v4.writes(answered).encode("utf-8", "surrogatepass")
    submission = one({NAME: raw.replace(b"\xed\xa0\xbd", b"\\ud83d")})
    assert submission.status == READY, submission.findings
    assert CERTAIN[change] in " ".join(submission.findings)
    mended = nbformat.reads(submission.notebook.decode(), 4)
    names = [name for cell in mended.cells if (name := grade_id(cell))]
    assert sorted(names) == sorted(set(names))
    for name in names:
        cell, right = find(mended, name), find(tiny.answered, name)
        assert cell.metadata.nbgrader == find(tiny.release, name).metadata.nbgrader
        assert cell.cell_type == right.cell_type
        assert cell.metadata.nbgrader.locked or cell.source == right.source
    assert {"q1", "q2", "q3", "q2_test"} <= set(names)
    assert not any("tags" in cell.metadata for cell in mended.cells)


def test_an_untouched_notebook_has_no_findings(one, answered):
    submission = one({NAME: answered})
    assert (submission.status, submission.findings) == (READY, ())


def points(nb):
    find(nb, "q1_test_hidden").metadata["nbgrader"]["points"] = 50


def no_test(nb):
    find(nb, "q1_test_hidden").metadata["nbgrader"].update(grade=False, solution=True)


def deleted_answer(nb):
    nb.cells.remove(find(nb, "q2"))


def two_answers(nb):
    copy_of(nb, "q1").source = "def median(values):\n    return 7"


def everything(nb):
    nb.cells.clear()


def a_cell_that_is_none(nb):
    nb.cells.append("q1")


SHOWN = {
    points: "q1_test_hidden: has other points or marks in its metadata; the original ones count",
    no_test: "q1_test_hidden: has other points or marks in its metadata",
    deleted_answer: "q2: has no cell and counts as unanswered; look for it in others.",
    two_answers: "q1: stands there more than once, in different words; the last counts",
    everything: "q1, q2, q3: has no cell and counts as unanswered",
    a_cell_that_is_none: "is no cell and is left out; ask what it was.",
}


@pytest.mark.parametrize("change", SHOWN)
def test_what_is_not_certain_is_graded_and_shown(one, tiny, answered, change):
    change(answered)
    submission = one({NAME: json.dumps(answered).encode()})
    assert submission.status == NEEDS_A_LOOK
    assert SHOWN[change] in " ".join(submission.findings)
    mended = nbformat.reads(submission.notebook.decode(), 4)
    for cell in mended.cells:
        if name := grade_id(cell):
            assert cell.metadata.nbgrader == find(tiny.release, name).metadata.nbgrader


def test_cells_of_ones_own_are_no_answers(one, answered):
    """The honest twin of the copies: a student tries things in cells of her own."""
    answered.cells.insert(5, new_code_cell("median([3, 1, 2])"))
    answered.cells.append(new_markdown_cell("Done!"))
    assert one({NAME: answered}).findings == ()


def test_answers_are_found_by_their_place_only_where_it_is_certain(one, answered):
    """Without names and ids, and with a cell beside the answer that may be it just as well."""
    where = answered.cells.index(find(answered, "q1"))
    answered.cells.insert(where, new_code_cell("def median(values):\n    return 7"))
    stripped_of_ids_too(answered)
    submission = one({NAME: json.dumps(answered).encode()})
    assert submission.status == NEEDS_A_LOOK
    assert "q1: has no cell and counts as unanswered" in submission.findings[0]


def test_twenty_thousand_cells(one, answered):
    answered.cells += [new_code_cell("x = 1", id=f"more-{n}") for n in range(3)]
    raw = nbformat.v4.writes_json(answered)
    begin = raw.rindex("  {", 0, raw.index('"more-2"'))
    cell = raw[begin : raw.index("  }", begin) + 3]
    raw = raw.replace(cell, ",\n".join([cell] * 20_000))
    submission = one({NAME: raw.encode()})
    assert submission.status == READY
    cells = json.loads(submission.notebook)["cells"]
    assert len(cells) == len(answered.cells) + 19_999
    assert len({cell["id"] for cell in cells}) == len(cells)


def test_a_notebook_of_more_text_than_can_be_shown_is_listed(one, answered):
    """Parsers take hundreds of times a text's memory, or the square of its length."""
    answered.cells.append(new_code_cell("#" * (MOST_TEXT // 2)))
    assert one({NAME: answered}).status == READY
    answered.cells.append(new_code_cell("#" * (MOST_TEXT // 2)))
    submission = one({NAME: answered})
    assert submission.status == COULD_NOT_RUN
    assert "characters in its cells" in submission.findings[0]
