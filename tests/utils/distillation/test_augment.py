import numpy as np
import pytest

from utils.data import load_sample, tokenize
from utils.distillation import augment

TEXTS = load_sample("train").texts


def test_as_many_texts_none_empty_and_the_same_for_the_same_seed():
    once = augment(TEXTS, seed=1)
    assert len(once) == len(TEXTS) and all(once)
    assert once == augment(TEXTS, seed=1) != augment(TEXTS, seed=2)


def test_without_changes_only_tokenisation_is_left():
    still = augment(TEXTS, splice=0, span=0, drop=0, swap=0)
    assert still == [" ".join(tokenize(text)) for text in TEXTS]


def test_each_change_does_what_it_says():
    words = [tokenize(text) for text in TEXTS]

    def changed(**shares):
        nothing = {"splice": 0, "span": 0, "drop": 0, "swap": 0}
        return [text.split(" ") for text in augment(TEXTS, **nothing | shares)]

    spans = changed(span=1)
    assert all(len(new) <= 6 for new in spans) and len({len(new) for new in spans}) == 6
    assert all(" ".join(new) in " ".join(old) for old, new in zip(words, spans, strict=True))
    dropped = changed(drop=0.1)
    kept = sum(map(len, dropped)) / sum(map(len, words))
    assert kept == pytest.approx(0.9, abs=0.02)
    swapped = changed(swap=0.1)
    assert [len(new) for new in swapped] == [len(old) for old in words]
    new, old = (np.array([w for words in side for w in words]) for side in (swapped, words))
    assert np.mean(new == old) == pytest.approx(0.9, abs=0.02)
    assert set(new) <= set(old)
    spliced = changed(splice=1)
    assert all(new[0] == old[0] for old, new in zip(words, spliced, strict=True) if old)


def test_a_text_without_words_stays_empty():
    assert augment(["", "so good"], seed=3, drop=1, swap=0, splice=0, span=0) == ["", "so good"]


@pytest.mark.parametrize("shares", [{"drop": 0.6, "swap": 0.6}, {"span": -0.1}, {"splice": 2}])
def test_shares_out_of_range_are_refused(shares):
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        augment(TEXTS, **shares)
