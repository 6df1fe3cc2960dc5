"""Files of wrong answers: one a question, a slip as what it changes."""

import pytest

from course.errors import UserError
from course.writing.mistakes import AnswerBank, Mistake, load_answers

FILE = """
from course.writing.mistakes import Alternative, Mistake

NO_LIBRARY = "there is nothing to call"
MISTAKES = [
    Mistake("off", "It starts at 1.", "Count from 0.", changes=(("+ 0", "+ 1"),), variants=("y = 2",)),
]
ALTERNATIVES = [Alternative("other", "y = 0")]
"""


def test_a_file_a_question(tmp_path):
    (tmp_path / "q1.py").write_text(FILE)
    (tmp_path / "q2.py").write_text(FILE.replace("NO_LIBRARY", "IGNORED"))
    bank = load_answers(tmp_path)
    assert [m.question for m in bank.mistakes] == ["q1", "q2"]
    assert bank.mistakes_of("q1")[0].codes("y = x + 0") == ["y = x + 1", "y = 2"]
    assert bank.alternatives_of("q2")[0].code == "y = 0"
    assert bank.no_library == {"q1": "there is nothing to call"}


def test_helpers_stand_before_the_changed_answer():
    slip = Mistake("a", "b", "c", changes=(("x", "f(x)"),), helpers="def f(x): ...")
    assert slip.codes("y = x") == ["def f(x): ...\n\ny = f(x)"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 / 0", "does not run: ZeroDivisionError"),
        ("MISTAKES = []", "must define ALTERNATIVES"),
        ("MISTAKES = [1]\nALTERNATIVES = []", "must define MISTAKES as a list of Mistake"),
        ("MISTAKES = []\nALTERNATIVES = []\nNO_LIBRARY = {}", "NO_LIBRARY must be a sentence"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, text, words):
    (tmp_path / "q1.py").write_text(text)
    with pytest.raises(UserError, match=words):
        load_answers(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match="holds no q1.py; a unit lists its wrong answers there"):
        load_answers(tmp_path / "mistakes")


def test_a_mistake_is_found_again_in_what_a_check_said():
    short = Mistake("short", "b", "Sort first", question="q1")
    long = Mistake("long", "b", "Sort first, then cut", question="q1")
    bank = AnswerBank((short, long))
    assert bank.recognised("q1", "Sort  first,\nthen cut\n  input: x") == [long]
    assert bank.recognised("q1", "Sort first.") == [short]
    assert bank.recognised("q2", "Sort first.") == []
