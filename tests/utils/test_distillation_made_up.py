import numpy as np
import pytest
from scipy.special import expit

from utils.distillation import augment, with_made_up_texts

TEXTS = ["thank you so much", "this is awful", "who knows"]
TARGETS = np.arange(12, dtype=np.float32).reshape(3, 4)


def _say(texts, seed):
    return np.array([[len(text), -seed] for text in texts], dtype=np.float32)


def test_made_up_texts_follow_the_comments_with_what_the_teacher_says_of_them():
    texts, targets = with_made_up_texts(TEXTS, TARGETS, 2, _say)
    assert texts == [*TEXTS, *augment(TEXTS, 0), *augment(TEXTS, 1)]
    np.testing.assert_array_equal(targets[:3], TARGETS)
    for seed in (0, 1):
        logits = _say(augment(TEXTS, seed), seed)
        rows = targets[3 + 3 * seed : 6 + 3 * seed]
        np.testing.assert_array_equal(rows, np.hstack([expit(logits), logits]))
    assert targets.dtype == np.float32


def test_no_set_is_the_comments_alone():
    texts, targets = with_made_up_texts(TEXTS, TARGETS, 0, _say)
    assert texts == TEXTS and (targets == TARGETS).all()


def test_shapes_that_do_not_fit_are_refused():
    for targets in (TARGETS[:2], TARGETS[:, :3], TARGETS[0]):
        with pytest.raises(ValueError, match=r"3 texts need targets \(3, 2k\)"):
            with_made_up_texts(TEXTS, targets, 1, _say)
    with pytest.raises(ValueError, match=r"must say logits \(3, 2\), got \(3, 1\)"):
        with_made_up_texts(TEXTS, TARGETS, 1, lambda texts, seed: np.zeros((3, 1)))
