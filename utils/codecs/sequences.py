"""Codecs of lists in order: words in the order of the alphabet, and rising whole numbers."""

import os.path
from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from utils.codecs.registry import Encoded, Parts, Shape, codec, expect


def pack_words(words: Iterable[str]) -> np.ndarray:
    r"""Lines of text as a uint8 array: UTF-8, ``\n`` between two words, none after the last."""
    return np.frombuffer("\n".join(words).encode(), dtype=np.uint8)


def unpack_words(array: np.ndarray) -> list[str]:
    """The words that :func:`pack_words` packed.

    Raises
    ------
    ValueError
        If the array is not UTF-8.
    """
    text = array.tobytes().decode()
    return text.split("\n") if text else []


@codec
class Words:
    """Lines of text by front coding: how many bytes each shares with the line before, and the rest.

    Takes the bytes of :func:`pack_words`.

    Source: Witten, Moffat and Bell, Managing Gigabytes, 2nd edition, 1999, section 4.1.

    What people get wrong: the order. Words by frequency share next to nothing with their
    neighbours, and the lengths are then an added cost.

    >>> from utils.codecs import encode, pack_words
    >>> _, _, (rest, shared) = encode("words", pack_words(["thank", "thanks", "that"]))
    >>> rest.tobytes(), shared.tolist()
    (b'thank\\ns\\nt', [0, 5, 3])
    """

    name = "words"

    def encode(self, array: np.ndarray) -> Encoded:
        expect(array.dtype == np.uint8 and array.ndim == 1, "words wants the bytes of a text")
        words = array.tobytes().split(b"\n")
        shared = [min(len(os.path.commonprefix(pair)), 255) for pair in pairwise([b"", *words])]
        rest = b"\n".join(word[n:] for word, n in zip(words, shared, strict=True))
        return [], [np.frombuffer(rest, np.uint8), np.array(shared, np.uint8)]

    @classmethod
    def decode(cls, config: list, parts: Parts, shape: Shape) -> np.ndarray:
        rest, shared = parts
        lines = rest.tobytes().split(b"\n")
        # The length is known before a single word is put together.
        expect(
            rest.dtype == shared.dtype == np.uint8
            and shared.shape == (len(lines),)
            and (int(shared.sum()) + rest.size,) == shape,
            f"the words do not fit {shape}",
        )
        words = [b""]
        for n, tail in zip(shared.tolist(), lines, strict=True):
            words.append(words[-1][:n] + tail)
        return np.frombuffer(b"\n".join(words[1:]), np.uint8)


@codec
class Gaps:
    """Rising whole numbers as what lies between them, in bytes; 255 stands for 255, to be continued.

    About a byte a number while fewer than 255 lie between two, where the numbers themselves would
    take 2 to 4.

    Source: Witten, Moffat and Bell, Managing Gigabytes, 2nd edition, 1999, section 3.3.

    What people get wrong: the gap of two neighbours is 0 and not 1, or a value is wasted on what
    cannot be.

    >>> from utils.codecs import encode
    >>> encode("gaps", np.array([0, 1, 5, 300]))[2][0]
    array([  0,   0,   3, 255,  39], dtype=uint8)
    """

    name = "gaps"

    def encode(self, array: np.ndarray) -> Encoded:
        expect(array.ndim == 1 and array.dtype.kind in "iu", "gaps wants a list of whole numbers")
        between: np.ndarray = np.diff(array.astype(np.int64), prepend=-1) - 1
        expect(bool((between >= 0).all()), "gaps wants rising numbers from 0 on")
        ends = np.cumsum(between // 255 + 1)
        gaps = np.full(ends[-1] if len(ends) else 0, 255, np.uint8)
        gaps[ends - 1] = between % 255
        return [], [gaps]

    @classmethod
    def decode(cls, config: list, parts: Parts, shape: Shape) -> np.ndarray:
        (gaps,) = parts
        expect(gaps.dtype == np.uint8 and gaps.ndim == 1, "gaps are no bytes")
        ends = np.flatnonzero(gaps != 255)
        expect(not gaps.size or gaps[-1] != 255, "the last number is cut off")
        return np.cumsum(gaps, dtype=np.int64)[ends] + np.arange(len(ends))
