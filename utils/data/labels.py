"""The 28 emotions of GoEmotions, and their groupings.

The groupings are the files ekman_mapping.json and sentiment_mapping.json beside the official splits,
with neutral as a group of its own.

Source: Demszky et al. (2020), "GoEmotions", arXiv 2005.00547.

What people get wrong: the labels of a coarser taxonomy are a union, not a sum. A comment of joy
and of love is positive once, so labels cannot be counted by adding up the emotions of a group.

>>> from utils.data import EMOTIONS, group_labels, label_names
>>> label_names("sentiment")
('positive', 'negative', 'ambiguous', 'neutral')
>>> emotions = np.array([[name in ("joy", "love") for name in EMOTIONS]])
>>> group_labels(emotions, "sentiment").tolist()
[[1, 0, 0, 0]]
"""

from collections.abc import Iterable

import numpy as np

from utils.errors import DataError

TAXONOMIES = ("emotions", "ekman", "sentiment")

#: The 28 labels in the order of their ids (id 0 is admiration, id 27 is neutral).
EMOTIONS = (
    "admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion",
    "curiosity", "desire", "disappointment", "disapproval", "disgust", "embarrassment",
    "excitement", "fear", "gratitude", "grief", "joy", "love", "nervousness", "optimism",
    "pride", "realization", "relief", "remorse", "sadness", "surprise", "neutral",
)  # fmt: skip

_EKMAN = {
    "anger": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "joy": (
        "joy", "amusement", "approval", "excitement", "gratitude", "love", "optimism",
        "relief", "pride", "admiration", "desire", "caring",
    ),
    "sadness": ("sadness", "disappointment", "embarrassment", "grief", "remorse"),
    "surprise": ("surprise", "realization", "confusion", "curiosity"),
    "neutral": ("neutral",),
}  # fmt: skip

_SENTIMENT = {
    "positive": (
        "amusement", "excitement", "joy", "love", "desire", "optimism", "caring", "pride",
        "admiration", "gratitude", "relief", "approval",
    ),
    "negative": (
        "fear", "nervousness", "remorse", "embarrassment", "disappointment", "sadness",
        "grief", "disgust", "anger", "annoyance", "disapproval",
    ),
    "ambiguous": ("realization", "surprise", "curiosity", "confusion"),
    "neutral": ("neutral",),
}  # fmt: skip

#: taxonomy -> {label name: the emotions it stands for}, neutral last and on its own in each.
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "emotions": {name: (name,) for name in EMOTIONS},
    "ekman": _EKMAN,
    "sentiment": _SENTIMENT,
}


def label_names(taxonomy: str) -> tuple[str, ...]:
    """The label names of a taxonomy in the order of the columns; neutral is the last."""
    if taxonomy not in GROUPS:
        raise DataError(f"There is no taxonomy {taxonomy!r}; choose one of {_listed(TAXONOMIES)}.")
    return tuple(GROUPS[taxonomy])


def group_labels(emotions: np.ndarray, taxonomy: str) -> np.ndarray:
    """Labels (n, 28) -> labels (n, L) of a taxonomy: the union of the groups of the emotions."""
    member = np.zeros((len(EMOTIONS), len(label_names(taxonomy))), dtype=np.uint8)
    for column, members in enumerate(GROUPS[taxonomy].values()):
        member[[EMOTIONS.index(name) for name in members], column] = 1
    # A row has at most 28 ones, so the sum cannot wrap around in uint8.
    return (np.asarray(emotions, dtype=np.uint8) @ member > 0).astype(np.uint8)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
