"""Word vectors: random, from GloVe files, distilled."""

import gzip
import tracemalloc
import zipfile

import numpy as np
import pytest

import utils.embeddings.glove as glove_module
from utils.data import DataError, Vocabulary
from utils.embeddings import (
    random_vectors,
    read_glove,
)

VOCABULARY = Vocabulary(["the", "cat", "don't", "sat"])

LINES = [
    b"the 0.5 -1.0 2e-1",
    b"cat 1 2 3",
    b". . . 9 9 9",
    b"at name@example.org 8 8 8",
    b"sat 4 5 6",
]


@pytest.fixture
def glove(tmp_path):
    """Write a GloVe text file of the given lines."""

    def write(lines=LINES, name="glove.3d.txt"):
        path = tmp_path / name
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return path

    return write


# -------------------------------------------------------------------------------------- GloVe


def assert_is_the_small_file(matrix):
    assert matrix.values.shape == (6, 3) and matrix.values.dtype == np.float32
    np.testing.assert_allclose(matrix.values[[2, 3, 5]], [[0.5, -1, 0.2], [1, 2, 3], [4, 5, 6]])
    small = random_vectors(VOCABULARY, dim=3).values
    assert (matrix.values[[0, 1, 4]] == small[[0, 1, 4]]).all(), "padding, unknown and don't"
    assert (matrix.found, matrix.skipped_lines) == (3, 0)


def test_read_glove_text(glove):
    matrix = read_glove(glove(), VOCABULARY)
    assert_is_the_small_file(matrix)
    assert matrix.source == "GloVe, glove.3d.txt"


def test_read_glove_gzip(tmp_path, glove):
    path = tmp_path / "glove.gz"
    path.write_bytes(gzip.compress(glove().read_bytes()))
    assert_is_the_small_file(read_glove(str(path), VOCABULARY))


def test_read_glove_zip(tmp_path, glove):
    path = tmp_path / "glove.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(glove(), "glove.840B.3d.txt")
        archive.writestr("__MACOSX/._glove.840B.3d.txt", b"\0\5\x16\7 no vectors")
    assert_is_the_small_file(read_glove(path, VOCABULARY))


def test_read_glove_zip_of_several_dimensions(tmp_path, glove):
    path = tmp_path / "glove.6B.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("glove.6B.2d.txt", b"the 1 2\ncat 3 4\n")
        archive.write(glove(), "glove.6B.3d.txt")
    assert_is_the_small_file(read_glove(path, VOCABULARY, dim=3))
    assert read_glove(path, VOCABULARY, dim=2).values[2:4].tolist() == [[1, 2], [3, 4]]
    with pytest.raises(DataError, match="several dimensions; choose dim from 2, 3"):
        read_glove(path, VOCABULARY)
    with pytest.raises(DataError, match="no vectors of 50 dimensions; choose dim from 2, 3"):
        read_glove(path, VOCABULARY, dim=50)


def test_a_word_with_spaces_is_one_word(glove):
    matrix = read_glove(glove(), Vocabulary([". . .", "at name@example.org", "at", "."]))
    assert matrix.found == 2
    assert matrix.values[2:4].tolist() == [[9, 9, 9], [8, 8, 8]]


@pytest.mark.parametrize("space", ["\u00a0", "\u0085", "\u2003"])
def test_a_rare_space_does_not_end_a_word(glove, space):
    odd = f"{space}x{space}"
    matrix = read_glove(glove([*LINES, f"{odd} 7 7 7".encode()]), Vocabulary([odd]))
    assert (matrix.found, matrix.skipped_lines) == (1, 0)
    assert matrix.values[2].tolist() == [7, 7, 7]


@pytest.mark.parametrize(
    "bad",
    [
        b"cat 1 2",
        b"cat",
        b"",
        b"1 2 3",
        b" 1 2 3",
        b"cat 1 two 3",
        b"cat 1 nan 3",
        b"cat 1 inf 3",
        b"cat 1 1e300 3",
        b"c\xe9t 1 2 3",
        b"c\xe9t 1.0 2.0 3.0",
        b"dog 1.0 2.0",
        b"dog 1.0 2.0 3.0.0",
        b"x" * 1_000_000,
        b"400000 3",  # the header of a word2vec text file
    ],
    ids=lambda bad: repr(bad[:20]),
)
@pytest.mark.parametrize("position", [0, 3, 5])
def test_a_malformed_line_is_skipped_and_counted(glove, bad, position):
    lines = [*LINES[:position], bad, *LINES[position:]]
    matrix = read_glove(glove(lines), VOCABULARY)
    assert matrix.skipped_lines == 1
    assert matrix.found == 3
    assert (
        matrix.values[[2, 3, 5]].tolist()
        == read_glove(glove(), VOCABULARY).values[[2, 3, 5]].tolist()
    )


def test_dim_is_not_inferred_from_lines_that_were_cut_off(glove):
    matrix = read_glove(glove([b"cat 1", b"the 1 2 3", b"sat 1 2"]), VOCABULARY)
    assert matrix.values.shape[1] == 3 and matrix.skipped_lines == 2


def test_the_first_of_two_lines_for_a_word_counts(glove):
    matrix = read_glove(glove([*LINES, b"cat 7 7 7"]), VOCABULARY)
    assert matrix.values[3].tolist() == [1, 2, 3]
    assert (matrix.found, matrix.skipped_lines) == (3, 0)


def test_other_line_ends_and_a_space_at_the_end(glove):
    assert_is_the_small_file(read_glove(glove([line + b" \r" for line in LINES]), VOCABULARY))


def test_what_is_not_a_glove_file(tmp_path, glove):
    with pytest.raises(DataError, match="no file .*nowhere"):
        read_glove(tmp_path / "nowhere", VOCABULARY)
    with pytest.raises(DataError, match="cannot be read"):
        read_glove(tmp_path, VOCABULARY)
    for lines in ([], [b"just a text", b"without numbers"], [b"\0\xff" * 100_000]):
        with pytest.raises(DataError, match="is not a GloVe file"):
            read_glove(glove(lines), VOCABULARY)
    with pytest.raises(DataError, match="only 0 of 4 words .* 100 numbers.* line 1, b'the 0.5 "):
        read_glove(glove(), VOCABULARY, dim=100)
    with pytest.raises(DataError, match="dim must be at least 1, got 0"):
        read_glove(glove(), VOCABULARY, dim=0)


def test_next_to_nothing_found_is_an_error_and_never_random_vectors(glove):
    words = Vocabulary(["the", *(f"word{i}" for i in range(100))])
    with pytest.raises(DataError, match="only 1 of 101 words .* 0 lines are none"):
        read_glove(glove(), words)
    assert read_glove(glove(), Vocabulary(["the", *words.words[1:99]])).found == 1
    quoted = [b'"' + line.replace(b" ", b'" ', 1) for line in LINES]
    with pytest.raises(DataError, match="only 0 of 4 words"):
        read_glove(glove(quoted), VOCABULARY)
    commas = [line.replace(b" ", b",") for line in LINES]
    with pytest.raises(DataError, match="is not a GloVe file"):
        read_glove(glove(commas), VOCABULARY)
    with pytest.raises(DataError, match="5 lines are none; the first is line 1, b'the,0.5,"):
        read_glove(glove(commas), VOCABULARY, dim=3)


def test_an_explicit_dim_wins(glove):
    lines = [b"1 2 3 4", b"5 6 7 8", b"cat 1 2"]  # words that are numbers, or vectors of 2, or of 3
    assert read_glove(glove(lines), Vocabulary(["cat"]), dim=2).values[2].tolist() == [1, 2]
    assert read_glove(glove(lines), Vocabulary(["1", "5"]), dim=3).values[2].tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b" ", b"\t"),
        lambda text: text.replace(b" ", b"  "),
        lambda text: text.replace(b" ", b" \t "),
        lambda text: b" " + text.replace(b"\n", b"\n "),
        lambda text: text.replace(b"\n", b"\r"),
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.removesuffix(b"\n"),
    ],
    ids=["tabs", "two blanks", "both", "leading blank", "CR", "CR LF", "mark", "no last line end"],
)
def test_other_blanks_and_line_ends_are_read(change, tmp_path, monkeypatch):
    lines = [line for line in LINES if not line.startswith(b".")]
    text = change(b"".join(line + b"\n" for line in lines))
    (tmp_path / "glove.3d.txt").write_bytes(text)
    for chunk in (1, 2, 3, 7, 1 << 13):  # a chunk may end anywhere, within a line end too
        monkeypatch.setattr(glove_module, "_CHUNK", chunk)
        for dim in (None, 3):
            matrix = read_glove(tmp_path / "glove.3d.txt", VOCABULARY, dim=dim)
            assert matrix.found == 3 and matrix.values[5].tolist() == [4, 5, 6]
            assert matrix.values[3].tolist() == [1, 2, 3]
            # A blank after the last line end is a line of nothing.
            assert matrix.skipped_lines == int(text.endswith(b"\n "))


@pytest.mark.parametrize("inner", ["glove.6B.zip", "glove.6B.txt.gz", "folder/glove.tar"])
def test_an_archive_in_an_archive_is_refused_by_name(inner, tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(inner, b"PK")
        archive.writestr("readme.md", "x")
    with pytest.raises(DataError, match=f"no .txt file in it; it holds {inner}, which must be"):
        read_glove(path, VOCABULARY)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.md", "x")
    with pytest.raises(DataError, match="has no .txt file in it.$"):
        read_glove(path, VOCABULARY)


@pytest.mark.parametrize("kind", ["zip", "gz"])
def test_a_damaged_archive_has_a_clear_error(tmp_path, kind):
    generator = np.random.default_rng(0)
    text = b"".join(b"w%d %f %f\n" % (i, *generator.normal(size=2)) for i in range(20_000))
    path = tmp_path / f"glove.{kind}"
    if kind == "gz":
        path.write_bytes(gzip.compress(text))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("glove.txt", text)
    whole = path.read_bytes()
    half = len(whole) // 2
    for damaged in (whole[:half], whole[:half] + b"?" * 64 + whole[half + 64 :]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="cannot be unpacked .* download it again"):
            read_glove(path, Vocabulary(["w1"]))


@pytest.mark.parametrize("kind", ["txt", "zip", "gz"])
def test_the_peak_memory_is_near_the_size_of_the_result(tmp_path, kind):
    dim, words, lines = 100, 500, 4_000
    vector = b" ".join(b"%.5f" % x for x in np.random.default_rng(0).normal(size=dim))
    text = b"".join(b"w%d %s\n" % (i, vector) for i in range(lines))
    path = tmp_path / f"glove.{kind}"
    if kind == "txt":
        path.write_bytes(text)
    elif kind == "gz":
        path.write_bytes(gzip.compress(text, compresslevel=1))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("glove.txt", text)
    file_bytes = len(text)
    del text
    vocabulary = Vocabulary([f"w{i * 7}" for i in range(words)])
    tracemalloc.start()
    try:
        matrix = read_glove(path, vocabulary)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert matrix.found == words and matrix.skipped_lines == 0
    buffers = 300_000  # of the decompressors, and the vocabulary's words
    assert file_bytes > 5 * (matrix.values.nbytes + buffers), "or the test would show nothing"
    assert peak < matrix.values.nbytes + buffers


def test_a_file_without_line_ends_does_not_fill_the_memory(tmp_path):
    path = tmp_path / "zeros"
    with path.open("wb") as file:
        file.write(b"cat 1 2 3\n")
        file.truncate(200_000_000)  # sparse: takes no room on the disk
    tracemalloc.start()
    try:
        matrix = read_glove(path, VOCABULARY)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (matrix.found, matrix.skipped_lines) == (1, 1)
    assert peak < 2_000_000
