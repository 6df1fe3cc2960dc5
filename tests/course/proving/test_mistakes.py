import pytest
from course.proving.mistakes import load_answers

from course.errors import UserError


def test_reads_the_answers_by_question(make_unit):
    bank = load_answers(make_unit().mistakes_source)
    names = [mistake.name for mistake in bank.mistakes_of("q1")]
    assert names == ["unsorted", "upper-middle", "calls-the-library"]
    assert [answer.name for answer in bank.alternatives_of("q2")] == ["loop"]
    assert bank.no_library == {}


@pytest.mark.parametrize(
    "text, message",
    [
        ("MISTAKES = [1]\nALTERNATIVES = []", "MISTAKES as a list of Mistake"),
        ("MISTAKES = []", "ALTERNATIVES as a list of Alternative"),
        ("MISTAKES = []\nALTERNATIVES = []\nNO_LIBRARY = ['q1']", "NO_LIBRARY must be"),
        ("1 / 0", "does not run: ZeroDivisionError"),
        ("def (", "does not run: SyntaxError"),
    ],
)
def test_a_broken_file_gets_one_sentence(tmp_path, text, message):
    path = tmp_path / "mistakes.py"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        load_answers(path)
    assert str(path) in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        load_answers(tmp_path / "mistakes.py")
