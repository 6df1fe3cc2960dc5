"""Keys: made of what the right answer and each mistake compute, and kept until something changes."""

from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course.errors import UserError
from course.writing import keys as writing_keys
from course.writing.exercises import expanded
from course.writing.keys import make_keys, seeds_of
from course.writing.mistakes import AnswerBank, Mistake
from course.writing.notebooks import write_notebook
from utils.checking import unpacked

SOLUTION = """
def middle(values):
    ### BEGIN SOLUTION
    return sorted(values)[len(values) // 2]
    ### END SOLUTION
"""
CHECK = """
def cases_q1(random):
    yield ([3, 1, 2],)
    yield (random.integers(0, 50, 9).tolist(),)


def try_q1(values):
    return middle(values)


examine(try_q1, cases_q1, KEYS["q1"])
"""
FIRST = "# The first cell.\nimport math"


def notebook(solution=SOLUTION):
    return new_notebook(
        cells=[
            new_code_cell(FIRST),
            new_code_cell(solution, metadata={"tags": ["answer:q1"]}),
            new_code_cell(CHECK, metadata={"tags": ["check:q1:4"]}),
        ]
    )


def mistake(name, *changes, **more):
    return Mistake(name, "A belief.", f"Says {name}.", changes=changes, question="q1", **more)


BANK = AnswerBank(
    mistakes=(
        mistake("unsorted", ("sorted(values)", "values")),
        mistake("as-it-comes", ("sorted(values)", "list(values)")),
        mistake("first", ("len(values) // 2", "0"), variants=((("len(values) // 2", "-1"),),)),
        mistake("harmless", ("values)[", "list(values))[")),
        mistake("crashes", ("sorted(values)", "no_such_name")),
        mistake("loops", ("return", "while len(values) > 3: pass\n    return"), seconds=0.3),
    )
)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return make_keys("01_medians", notebook(), BANK, tmp_path_factory.mktemp("none") / "x.ipynb")


def test_a_key_knows_right_results_and_mistakes_but_neither_code_nor_hidden_inputs(keys):
    visible, hidden = unpacked(keys.visible)["q1"], unpacked(keys.hidden["q1"])["q1"]
    assert (visible.seed, hidden.seed) == seeds_of("01_medians", "q1")
    assert not visible.hidden and hidden.hidden
    assert visible.expected[0].shown == "2"
    said = [message for message, _ in visible.mistakes]
    assert said == [
        *("Says unsorted.", "Says as-it-comes.", "Says first.", "Says first."),
        *("Says harmless.", "Says crashes.", "Says loops."),
    ]
    assert dict(visible.mistakes)["Says loops."] == {1: None}
    assert dict(visible.mistakes)["Says harmless."] == {}  # it keeps its number, and proves nothing


def test_keys_are_taken_from_the_notebook_until_a_mistake_changes(keys, tmp_path, monkeypatch):
    path = tmp_path / "built.ipynb"
    write_notebook(expanded(notebook(), keys.visible, keys.hidden, keys.stamp), path)
    monkeypatch.setattr(writing_keys, "_computed", lambda unit, nb, codes, stamp: stamp)
    assert make_keys("01_medians", notebook(), BANK, path) == keys
    fewer = make_keys("01_medians", notebook(), AnswerBank(BANK.mistakes[:1]), path)
    assert fewer not in (keys, keys.stamp)
    path.write_text(path.read_text().replace("HIDDEN = unpacked", "HIDDEN = nothing"))
    assert make_keys("01_medians", notebook(), BANK, path) == keys.stamp


def test_the_stamp_is_the_same_in_whatever_order_a_folder_lists_its_files(monkeypatch):
    stamps = [writing_keys._stamp("01_medians", notebook(), {})]
    listed = Path.glob
    monkeypatch.setattr(Path, "glob", lambda *arguments: reversed(list(listed(*arguments))))
    stamps.append(writing_keys._stamp("01_medians", notebook(), {}))
    assert stamps[0] == stamps[1] != writing_keys._stamp("02_medians", notebook(), {})


def test_making_them_twice_gives_the_same_bytes(keys, tmp_path):
    assert make_keys("01_medians", notebook(), BANK, tmp_path / "none.ipynb") == keys


def test_a_solution_that_does_not_run_is_named(tmp_path):
    with pytest.raises(UserError, match="the solution of q1 does not run: NameError"):
        make_keys("01_medians", notebook("nothing"), AnswerBank(), tmp_path / "none.ipynb")


def test_a_slip_that_changes_nothing_in_the_solution_is_named(tmp_path):
    bank = AnswerBank((mistake("typo", ("sroted", "x")),))
    with pytest.raises(UserError, match="q1/typo changes 'sroted', which does not occur"):
        make_keys("01_medians", notebook(), bank, tmp_path / "none.ipynb")
