"""What is kept from one submission to the next."""

import os
import subprocess
import sys

import nbgrader.api
import pytest
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import saveautogrades

from course.grading.warm import SHORT, as_html, kept_gradebooks, newest_version, open_gradebook


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


def test_the_newest_version_is_the_one_that_nbgrader_says(monkeypatch):
    scripts = os.path.dirname(sys.executable)
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")  # for `alembic`
    code = "from nbgrader.api import get_alembic_version; print(get_alembic_version())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert said.stdout.strip() == newest_version() == nbgrader.api.get_alembic_version()


@pytest.mark.filterwarnings("ignore:Object of type")  # nbgrader's, as in its own gradebook
def test_cells_that_are_added_in_a_block_are_found_in_it(url):
    """All of a notebook are asked for at once, and remembered while the block lasts."""
    with open_gradebook(url) as gradebook:
        gradebook.add_assignment("a")
        gradebook.add_notebook("n", "a")
        gradebook.add_grade_cell("one", "n", "a", max_score=2, cell_type="code")
        assert gradebook.find_graded_cell("one", "n", "a").max_score == 2
        with pytest.raises(MissingEntry):
            gradebook.find_graded_cell("two", "n", "a")
        gradebook.add_grade_cell("two", "n", "a", max_score=3, cell_type="code")
        assert gradebook.find_graded_cell("two", "n", "a").max_score == 3
        gradebook.add_student("ada")
        gradebook.add_submission("a", "ada")
        gradebook.find_grade("one", "n", "a", "ada").auto_score = 1.5
    with open_gradebook(url) as gradebook:
        found = gradebook.grades_of("n", "a", "ada")
        assert {name: (g.score, g.max_score) for name, g in found.items()} == {
            "one": (1.5, 2),
            "two": (0, 3),
        }
        assert gradebook.find_grade("one", "n", "a", "ada") is found["one"]
        with pytest.raises(MissingEntry):
            gradebook.grades_of("n", "a", "bo")


def test_a_text_that_takes_long_to_lay_out_is_not():
    """Some parsers take the square of a text's length: hours for a megabyte, and a class waits for it."""
    calls = []
    function = as_html(lambda text: calls.append(len(text)) or f"<p>{text}</p>")
    assert [function("a"), function("a")] == ["<p>a</p>"] * 2
    assert function("<" * (SHORT + 1)) == f"<pre>{'&lt;' * (SHORT + 1)}</pre>"
    gaps = [function("a" + " \n" * n + "b") for n in (100, SHORT // 2 - 1)]
    assert gaps == ["<p>a" + " \n" * 100 + "b</p>"] * 2
    assert calls == [1, 202]
