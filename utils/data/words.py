"""From comments to words, ids and mean vectors.

Source: ours; normalisation as in Unicode Standard Annex 15, form NFKC.

What people get wrong: "!", "?", emoticons and emoji are thrown away as if they were punctuation. Of
an emotion they say as much as a word.

>>> from utils.data import length_coverage, tokenize
>>> tokenize("Don't!!! I'm SO glad :)")
["don't", '!', "i'm", 'so', 'glad', ':)']
>>> length_coverage(["so glad", "so very glad"], length=2)
0.5
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from scipy import sparse

from utils.errors import DataError

SEQUENCE_LENGTH = 27

_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u00b4": "'", "`": "'"})
# Variation selector 16 asks for a coloured picture, U+1F3FB to U+1F3FF for a skin tone: with
# them removed, one emoji is one word however it was typed.
_EMOJI_DRESS = re.compile("[\ufe0f\U0001f3fb-\U0001f3ff]")
_RUNS = re.compile(r"[!?]{2,}|\.{2,}")
_PICTURE = "[\U0001f300-\U0001faff\u2300-\u23ff\u2600-\u27bf\u2b50\u2b55]"
_TOKEN = re.compile(
    r"\[name\]|\[religion\]"  # GoEmotions' placeholders
    r"|[0-9]+(?:[.,][0-9]+)+"
    r"|[^\W_]+(?:'[^\W_]+)*"
    r"|\?!|[!?]|\.\.\."
    r"|<3(?![0-9])|[:;=]'?-?(?:[()]|[dp/](?![\w/]))"  # emoticons: :) ;-( :'( =d :p :/
    "|[\U0001f1e6-\U0001f1ff]{2}"  # a flag is two letters
    f"|{_PICTURE}(?:\u200d{_PICTURE})*"  # joined pictures make one emoji
)


def _shorten(run: re.Match) -> str:
    marks = set(run[0])
    return "..." if "." in marks else "?!" if len(marks) == 2 else run[0][0]


def tokenize(text: str) -> list[str]:
    """Split a comment into lower-cased words.

    A word is: letters and digits with inner apostrophes ("don't"); a number ("1,000"); a run
    of "!", "?", both, or dots, shortened to "!", "?", "?!", "..."; an emoticon or emoji; or one
    of the placeholders "[name]" and "[religion]". Everything else is dropped, a lone full stop
    or comma included.
    """
    if not text.isascii():
        text = text.translate(_APOSTROPHES)
        text = _EMOJI_DRESS.sub("", unicodedata.normalize("NFKC", text))
    return _TOKEN.findall(_RUNS.sub(_shorten, text.lower()))


class Vocabulary:
    """The words a model knows, and their ids.

    Ids 0 and 1 are kept for padding (`PAD`) and for every word that is not known (`UNK`); word
    i of `words` has id i + 2, so `len(vocabulary) == len(vocabulary.words) + 2`.

    Source: ours.

    What people get wrong: words of dev and test among them. Their vectors are never trained, and
    the share of unknown words comes out too small.

    >>> from utils.data import Vocabulary
    >>> words = Vocabulary.from_texts(["so glad", "so sad", "glad"], min_count=2)
    >>> words.words, words.encode(["so very glad"], length=4).tolist()
    (('glad', 'so'), [[3, 1, 2, 0]])
    """

    PAD = 0
    UNK = 1

    def __init__(self, words: Sequence[str]):
        if isinstance(words, str):
            raise DataError("A Vocabulary takes a list of words, not one string.")
        self.words = tuple(words)
        self._ids = {word: i for i, word in enumerate(self.words, start=2)}
        if len(self._ids) != len(self.words):
            word = next(word for word, n in Counter(self.words).items() if n > 1)
            raise DataError(f"The word {word!r} occurs more than once in the vocabulary.")

    @classmethod
    def from_texts(
        cls, texts: Iterable[str], min_count: int = 2, max_size: int | None = None
    ) -> "Vocabulary":
        """The words that occur at least `min_count` times, at most `max_size` of them.

        They are ordered by descending count, equal counts alphabetically.
        """
        counts = Counter(word for text in _texts(texts) for word in tokenize(text))
        kept = sorted((-n, word) for word, n in counts.items() if n >= min_count)
        return cls([word for _, word in kept[:max_size]])

    def __len__(self) -> int:
        return len(self.words) + 2

    def __contains__(self, word: object) -> bool:
        return word in self._ids

    def __getitem__(self, word: str) -> int:
        """The id of a word; `UNK` for a word that is not in the vocabulary."""
        return self._ids.get(word, self.UNK)

    def __repr__(self) -> str:
        return f"<Vocabulary of {len(self.words):,} words>"

    def encode(self, texts: Iterable[str], length: int = SEQUENCE_LENGTH) -> np.ndarray:
        """Comments -> ids (n, length) int64: the first `length` words, then PAD."""
        rows = [[self[word] for word in tokenize(text)[:length]] for text in _texts(texts)]
        ids = np.full((len(rows), length), self.PAD, dtype=np.int64)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = row
        return ids

    def oov_rate(self, texts: Iterable[str]) -> float:
        """The share of all words in the comments that the vocabulary lacks (0 if no words)."""
        words = [word for text in _texts(texts) for word in tokenize(text)]
        return sum(word not in self._ids for word in words) / max(len(words), 1)


def _texts(texts: Iterable[str]) -> Iterable[str]:
    if isinstance(texts, str):  # it would be taken for a list of one-letter comments
        raise DataError("Give a list of comments, not one string.")
    return texts


def length_coverage(texts: Iterable[str], length: int = SEQUENCE_LENGTH) -> float:
    """The share of comments with at most `length` words; nan if there are no comments."""
    short = [len(tokenize(text)) <= length for text in _texts(texts)]
    return sum(short) / len(short) if short else float("nan")


def mean_vectors(ids: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Ids (n, T) and vectors (V, d) -> the mean vector of each comment, (n, d) float32.

    PAD is left out of the mean; a comment of nothing but PAD gives zeros.
    """
    ids, vectors = np.asarray(ids), np.asarray(vectors, dtype=np.float32)
    real = ids != Vocabulary.PAD
    rows, _ = np.nonzero(real)
    if len(rows) and not (0 <= ids.min() and ids.max() < len(vectors)):
        raise ValueError(f"ids must lie between 0 and {len(vectors) - 1}, one row of vectors each")
    # The product of a sparse matrix of weights (n, V) with the vectors: vectors[ids] would
    # need n * T * d floats, 470 MB for the training split.
    weights = np.repeat(1 / np.maximum(real.sum(axis=1), 1), real.sum(axis=1))
    shape = (len(ids), len(vectors))
    return sparse.csr_array((weights.astype(np.float32), (rows, ids[real])), shape=shape) @ vectors
