"""More texts for a teacher to label: a student may learn from texts that nobody wrote."""

from collections.abc import Sequence

import numpy as np

from utils.data import tokenize

LONGEST_SPAN = 6


def augment(
    texts: Sequence[str],
    seed: int = 0,
    *,
    splice: float = 0.3,
    span: float = 0.25,
    drop: float = 0.1,
    swap: float = 0.1,
) -> list[str]:
    """One changed text for each text, for a teacher to label. The old labels do not hold for it.

    In this order: the end of another text may take the place of the text's own; the text may be cut
    down to a span of 1 to 6 words; then each word may be dropped, or swapped for a word drawn as
    often as it stands in ``texts``. What comes out is seldom English, but a teacher answers all the same.

    Parameters
    ----------
    texts : n texts
    seed : of the changes
    splice, span : share of the texts that are spliced, and cut down to a span
    drop, swap : share of the words that are dropped, and swapped

    Returns
    -------
    list of n texts, in lower case as ``utils.data.tokenize`` leaves them; none is empty unless the
    text had no word.

    Raises
    ------
    ValueError
        If a share is not between 0 and 1, or drop and swap add up to more than 1.

    Source: Tang et al. (2019), arXiv 1903.12136, section 3.2 (masking, swaps of one part of speech,
    and n-grams); splicing is ours.

    What people get wrong: the old labels. They do not hold for what a text has become; the teacher
    is asked again (:func:`with_made_up_texts`).

    >>> from utils.distillation import augment
    >>> augment(["So glad!", "So sad."], splice=0, span=0, drop=0, swap=0)
    ['so glad !', 'so sad']
    """
    shares = {
        "splice": splice,
        "span": span,
        "drop": drop,
        "swap": swap,
        "drop + swap": drop + swap,
    }
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"{name} must lie between 0 and 1, got {share}")
    rng = np.random.default_rng(seed)
    comments = [tokenize(text) for text in texts]
    pool = np.array([word for words in comments for word in words], dtype=object)
    return [" ".join(_changed(words, comments, pool, rng, splice, span, drop, swap))
            for words in comments]  # fmt: skip


def _changed(words, comments, pool, rng, splice, span, drop, swap) -> list[str]:
    if not words:
        return words
    if rng.random() < splice:
        other = comments[rng.integers(len(comments))]
        words = words[: rng.integers(1, len(words) + 1)] + other[rng.integers(len(other) + 1) :]
    if rng.random() < span:
        length = rng.integers(1, min(LONGEST_SPAN, len(words)) + 1)
        start = rng.integers(len(words) - length + 1)
        words = words[start : start + length]
    fate = rng.random(len(words))
    drawn = pool[rng.integers(len(pool), size=len(words))]
    changed = [
        new if f < drop + swap else word
        for word, new, f in zip(words, drawn, fate, strict=True)
        if f >= drop
    ]
    return changed or words
