"""Encoding comments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.data import (
    DataError,
    Vocabulary,
    length_coverage,
    mean_vectors,
    tokenize,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \t ", []),
        ("Hello, World.", ["hello", "world"]),
        ("I DON'T know, y'all'd've", ["i", "don't", "know", "y'all'd've"]),
        ("it\u2019s rock `n' roll'", ["it's", "rock", "n", "roll"]),
        ("well-known and/or snake_case", ["well", "known", "and", "or", "snake", "case"]),
        ("1,000 points, 3.5 of 7. 2nd!", ["1,000", "points", "3.5", "of", "7", "2nd", "!"]),
        ("No!!! Why??? What?!?! Hm!", ["no", "!", "why", "?", "what", "?!", "hm", "!"]),
        ("well.. ok.... fine\u2026 end.", ["well", "...", "ok", "...", "fine", "...", "end"]),
        ("[NAME]'s dog and [RELIGION]", ["[name]", "s", "dog", "and", "[religion]"]),
        ("[edited]", ["edited"]),
        ("fine :) no :( :'( ;-) :D :p", ["fine", ":)", "no", ":(", ":'(", ";-)", ":d", ":p"]),
        ("(note: this) <3 <30", ["note", "this", "<3", "30"]),
        ("https://example.org", ["https", "example", "org"]),
        ("\U0001f602\U0001f602", ["\U0001f602"] * 2),
        ("love\u2764\ufe0f", ["love", "\u2764"]),
        ("\U0001f44d\U0001f3fd", ["\U0001f44d"]),
        ("\U0001f937\U0001f3fb\u200d\u2640\ufe0f ok", ["\U0001f937\u200d\u2640", "ok"]),
        ("\u2764\ufe0f\u200d\U0001f525", ["\u2764\u200d\U0001f525"]),
        ("\U0001f1e8\U0001f1e6\U0001f1eb\U0001f1f7",
         ["\U0001f1e8\U0001f1e6", "\U0001f1eb\U0001f1f7"]),
        ("CAFE\u0301 \uff57\uff49\uff44\uff45", ["caf\u00e9", "wide"]),
    ],
)  # fmt: skip
def test_tokenize(text, words):
    assert tokenize(text) == words


@given(st.text(st.characters(codec="ascii")))
def test_a_word_stays_one_word(text):
    words = tokenize(text)
    assert tokenize(" ".join(words)) == words
    assert words == [word.lower() for word in words]


def test_vocabulary_orders_by_count_then_alphabet():
    vocabulary = Vocabulary.from_texts(["b a b c", "c a d", "e"], min_count=2)
    assert vocabulary.words == ("a", "b", "c")
    assert Vocabulary.from_texts(["b b a c"], min_count=1, max_size=2).words == ("b", "a")


def test_vocabulary_ids():
    vocabulary = Vocabulary(["yes", "no"])
    assert (vocabulary.PAD, vocabulary.UNK, len(vocabulary)) == (0, 1, 4)
    assert [vocabulary[word] for word in ("yes", "no", "never", "")] == [2, 3, 1, 1]
    assert "no" in vocabulary and "never" not in vocabulary


def test_encode_pads_and_cuts_at_the_end():
    vocabulary = Vocabulary(["a", "b"])
    ids = vocabulary.encode(["a b zzz a", "b", ""], length=3)
    assert ids.dtype == np.int64
    assert ids.tolist() == [[2, 3, 1], [3, 0, 0], [0, 0, 0]]
    assert vocabulary.encode([]).shape == (0, 27)


def test_oov_rate():
    vocabulary = Vocabulary(["a"])
    assert vocabulary.oov_rate(["a b", "a a"]) == 0.25
    assert vocabulary.oov_rate([""]) == 0


def test_vocabulary_rejects_what_would_go_wrong_later():
    with pytest.raises(DataError, match="'b' occurs more than once"):
        Vocabulary(["a", "b", "b"])
    with pytest.raises(DataError, match="not one string"):
        Vocabulary("abc")
    for ask in (Vocabulary.from_texts, Vocabulary(["a"]).encode, length_coverage):
        with pytest.raises(DataError, match="list of comments, not one string"):
            ask("a comment")


def test_length_coverage():
    texts = ["one", "one two", "one two three", "one two three four"]
    assert length_coverage(texts, length=2) == 0.5
    assert length_coverage(["word " * 27]) == 1
    assert length_coverage(["word " * 28]) == 0
    assert np.isnan(length_coverage([]))


def test_mean_vectors_by_hand():
    vectors = np.array([[100, 100], [1, 2], [3, 6]], dtype=np.float64)
    means = mean_vectors(np.array([[1, 2, 0], [2, 0, 0], [0, 0, 0], [2, 2, 1]]), vectors)
    assert means.dtype == np.float32 and means.shape == (4, 2)
    np.testing.assert_allclose(means, [[2, 4], [3, 6], [0, 0], [7 / 3, 14 / 3]], rtol=1e-6)


def test_mean_vectors_against_a_loop():
    generator = np.random.default_rng(0)
    ids, vectors = generator.integers(0, 9, (50, 6)), generator.normal(size=(9, 4))
    expected = [vectors[row[row > 0]].mean(axis=0) for row in ids]
    np.testing.assert_allclose(mean_vectors(ids, vectors), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("ids", [[[3]], [[-1]]])
def test_mean_vectors_rejects_ids_without_a_vector(ids):
    with pytest.raises(ValueError, match="between 0 and 2"):
        mean_vectors(np.array(ids), np.ones((3, 2)))


def test_mean_vectors_of_nothing():
    assert mean_vectors(np.zeros((0, 27), dtype=int), np.ones((3, 2))).shape == (0, 2)
