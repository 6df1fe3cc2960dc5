"""What is kept from one submission to the next."""

import pytest
from nbgrader.api import Gradebook
from nbgrader.preprocessors import saveautogrades

from course.grading.warm import SHORT, kept_gradebooks, open_gradebook, remembered


@pytest.fixture
def url(tmp_path):
    path = tmp_path / "gradebook.db"
    Gradebook(f"sqlite:///{path}").close()
    return f"sqlite:///{path}"


def students(url):
    """As another program sees them."""
    with Gradebook(url) as gradebook:
        return sorted(student.id for student in gradebook.students)


def test_a_block_is_written_whole_at_its_end(url):
    with open_gradebook(url) as gradebook:
        gradebook.add_student("ada")
        with open_gradebook(url) as inner:
            inner.add_student("bo")
        assert students(url) == []
    assert students(url) == ["ada", "bo"]


def test_a_block_that_raises_leaves_nothing(url):
    with pytest.raises(KeyError), open_gradebook(url) as gradebook:
        gradebook.add_student("ada")
        raise KeyError
    with open_gradebook(url) as gradebook:
        gradebook.add_student("bo")
    assert students(url) == ["bo"]


def test_what_others_write_is_seen_in_the_next_block(url):
    with open_gradebook(url) as gradebook:
        assert gradebook.students == []
    with Gradebook(url) as other:
        other.add_student("ada")
    with open_gradebook(url) as gradebook:
        assert [student.id for student in gradebook.students] == ["ada"]


def test_a_gradebook_made_anew_in_the_same_place_is_opened_anew(url, tmp_path):
    first = open_gradebook(url)
    assert open_gradebook(url) is first
    (tmp_path / "gradebook.db").unlink()
    Gradebook(url).close()
    with open_gradebook(url) as second:
        second.add_student("ada")
    assert second is not first and students(url) == ["ada"]


def test_nbgrader_has_its_own_gradebook_back(url):
    with pytest.raises(KeyError), kept_gradebooks():
        assert saveautogrades.Gradebook is open_gradebook
        raise KeyError
    assert saveautogrades.Gradebook is Gradebook


def test_long_texts_are_not_remembered():
    calls = []
    function = remembered(lambda text: calls.append(len(text)) or text)
    for text in ("a", "a", "b" * (SHORT + 1), "b" * (SHORT + 1)):
        assert function(text) == text
    assert calls == [1, SHORT + 1, SHORT + 1]
