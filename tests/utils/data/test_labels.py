"""The emotions and their groups."""

import numpy as np

from utils.data import (
    EMOTIONS,
    GROUPS,
    TAXONOMIES,
    group_labels,
    label_names,
)


def test_every_emotion_is_in_exactly_one_group():
    for taxonomy, size in zip(TAXONOMIES, (28, 7, 4), strict=True):
        members = [name for group in GROUPS[taxonomy].values() for name in group]
        assert sorted(members) == sorted(EMOTIONS)
        assert len(label_names(taxonomy)) == size
        assert label_names(taxonomy)[-1] == "neutral"
        assert GROUPS[taxonomy]["neutral"] == ("neutral",)


def test_group_labels_are_the_union():
    emotions = np.zeros((4, 28), dtype=np.uint8)
    for row, names in enumerate(
        [("anger", "annoyance"), ("joy", "fear"), ("neutral", "confusion"), ()]
    ):
        emotions[row, [EMOTIONS.index(name) for name in names]] = 1
    ekman = group_labels(emotions, "ekman")
    assert ekman.dtype == np.uint8 and ekman.max() == 1
    names = label_names("ekman")
    assert [[names[j] for j in np.flatnonzero(row)] for row in ekman] == [
        ["anger"], ["fear", "joy"], ["surprise", "neutral"], []
    ]  # fmt: skip
    names = label_names("sentiment")
    assert [[names[j] for j in np.flatnonzero(r)] for r in group_labels(emotions, "sentiment")] == [
        ["negative"], ["positive", "negative"], ["ambiguous", "neutral"], []
    ]  # fmt: skip
    assert (group_labels(emotions, "emotions") == emotions).all()
