import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.codecs import decode, encode, pack_words, unpack_words


@pytest.mark.parametrize(
    ("numbers", "stored"),
    [([], []), ([0], [0]), ([0, 1, 2], [0, 0, 0]), ([254, 255, 511], [254, 0, 255, 0]),
     ([255], [255, 0]), ([1000], [255, 255, 255, 235])],
)  # fmt: skip
def test_gaps_by_hand(numbers, stored):
    _, _, (gaps,) = encode("gaps", np.array(numbers, np.int64))
    assert gaps.tolist() == stored
    assert decode("gaps", [], [gaps], (len(numbers),)).tolist() == numbers


@given(st.sets(st.integers(0, 100_000)))
def test_gaps_take_about_a_byte_a_number(numbers):
    array = np.array(sorted(numbers), np.int64)
    _, _, (gaps,) = encode("gaps", array)
    assert gaps.nbytes <= len(array) + max(numbers, default=0) // 255


@pytest.mark.parametrize(
    "array",
    [np.array([2, 1]), np.array([1, 1]), np.array([-1]), np.array([0.5]), np.ones((2, 2), int)],
)
def test_gaps_want_rising_whole_numbers(array):
    with pytest.raises(ValueError, match="gaps wants"):
        encode("gaps", array)


@pytest.mark.parametrize(
    ("stored", "shape"), [([255], (0,)), ([1, 255], (1,)), ([1, 2], (3,)), ([1, 2], (2, 1))]
)
def test_damaged_gaps_are_noticed(stored, shape):
    with pytest.raises(ValueError, match="cut off|loses it"):
        decode("gaps", [], [np.array(stored, np.uint8)], shape)


@pytest.mark.parametrize("words", [[], ["a"], ["a", "ab", "abc", "b"], ["é", "è", "☕", "z" * 600]])
def test_front_coded_words_come_back(words):
    array = pack_words(words)
    assert unpack_words(decode(*encode("words", array), array.shape)) == words


def test_front_coding_makes_alphabetical_words_smaller():
    array = pack_words(f"word{n:04}" for n in range(2000))
    _, _, parts = encode("words", array)
    assert sum(part.nbytes for part in parts) < array.nbytes / 2


@pytest.mark.parametrize("array", [np.zeros(3), np.zeros((2, 2), np.uint8), np.zeros((), np.uint8)])
def test_words_want_the_bytes_of_a_text(array):
    with pytest.raises(ValueError, match="wants the bytes of a text"):
        encode("words", array)


def test_words_that_lie_about_their_length_are_refused():
    rest, shared = np.frombuffer(b"\n" * 999, np.uint8), np.full(1000, 255, np.uint8)
    for shape in ((1000 * 255 + 999 - 1,), (3,), (1000, 255)):
        with pytest.raises(ValueError, match="do not fit|too large"):
            decode("words", [], [rest, shared], shape)
