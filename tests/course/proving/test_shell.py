"""A cell is read as IPython reads it."""

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from course.proving.shell import make_shell
from course.writing.notebooks import read_notebook
from course.writing.units import discover

CELLS = [
    "x = 1\ny = 2",
    "x = 1\ny = 2\n\n",
    "\n\nx = 1\ny = 2",
    "    x = 1\n    y = 2",
    "x = 7\nx = x % 3\nx != 2",
    "%matplotlib inline\nx = 1",
    "x = 1\n!ls",
    "x = 1\nx?",
    "x = 1\n/print 2",
    "x = 1\n,print 2",
    "x = 1\n;print 2",
    ">>> x = 1\n>>> y = 2",
    '"""\n>>> f(1)\n"""\nx = 1',
    "In [1]: x = 1\n   ...: y = 2",
    "x = 1\n...\ny = 2",
    "x = 1\r\ny = 2",
    "x = 1\x0c\ny = 2",
    "def f(:\n    pass",
]


@pytest.fixture(scope="module")
def shell():
    return make_shell()


@pytest.mark.parametrize("source", CELLS)
def test_a_cell_that_is_left_as_it_is_would_be_anyway(shell, source):
    assert shell.transform_cell(source) == TransformerManager().transform_cell(source)


def test_so_is_every_cell_of_the_assignments(shell):
    for unit in discover():
        for cell in read_notebook(unit.solution_notebook()).cells:
            if cell.cell_type == "code" and "\n" in cell.source:
                done = shell.transform_cell(cell.source)
                assert done == TransformerManager().transform_cell(cell.source)


def test_unless_what_reads_cells_was_changed(shell):
    def shout(lines):
        return [line.upper() for line in lines]

    shell.input_transformers_post.append(shout)
    try:
        assert shell.transform_cell("a = 1\nb = 3") == "A = 1\nB = 3\n"
    finally:
        shell.input_transformers_post.remove(shout)
