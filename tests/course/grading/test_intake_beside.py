"""What was handed in beside the notebook that was meant."""

import nbformat

from course.grading.intake import NEEDS_A_LOOK
from tests.course.grading.test_intake import NAME, ready, says


def test_notes_of_ones_own_beside_the_notebook(one, answered, answers_of, tiny):
    scratch = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    submission = one({NAME: answered, "01_tiny/try.ipynb": scratch, "01_tiny/helper.py": b"1"})
    ready(submission, answers_of, tiny)
    says(submission, "Not used: 01_tiny/helper.py, 01_tiny/try.ipynb.")


def test_all_units_in_one_archive(one, tiny, make_zip, answers_of):
    members = {f"course/{name}/{name}.ipynb": nb for name, nb in tiny.releases.items()}
    members["course/01_tiny/01_tiny.ipynb"] = tiny.answered
    submission = one({"01_tiny/course.zip": make_zip(members)})
    ready(submission, answers_of, tiny)
    says(submission, "Not used: 01_tiny/course.zip/course/02_other/02_other.ipynb.")


def test_texts_beside_the_notebook_are_no_notebooks(one, answered, answers_of, tiny):
    files = {NAME: answered, "01_tiny/notes.txt": b"See the cells.", "01_tiny/data.json": b"{}"}
    submission = one(files)
    ready(submission, answers_of, tiny)
    says(submission, "Not used: 01_tiny/data.json, 01_tiny/notes.txt.")


def test_a_notebook_that_needs_a_file_beside_it_is_shown(one, answered):
    answered.cells.append(nbformat.v4.new_code_cell("import json, math\nfrom helper import mean"))
    files = {NAME: answered, "01_tiny/helper.py": b"1", "01_tiny/course/math.py": b"1"}
    submission = one(files)
    assert submission.status == NEEDS_A_LOOK and submission.notebook is not None
    says(submission, "It imports helper, handed in beside it, which does not run here;")
