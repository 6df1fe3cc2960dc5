import numpy as np
import pytest

from course.measuring.pairs import difference_to, scores
from utils.data import load_sample
from utils.metrics import bootstrap_interval, macro_f1, paired_difference


def test_the_fields_hold_the_difference_and_its_interval_in_this_order():
    rng = np.random.default_rng(0)
    targets, control = rng.integers(0, 2, (2, 200, 3))
    predicted = np.where(rng.random((200, 3)) < 0.8, targets, control)
    record = difference_to("control", targets, predicted, control, n=50)
    assert list(record) == [f"difference_to_control{end}" for end in ("", "_low", "_high")]
    difference, low, high = record.values()
    assert difference == pytest.approx(macro_f1(targets, predicted) - macro_f1(targets, control))
    assert (difference, low, high) == paired_difference(targets, predicted, control, n=50)
    assert low < difference < high


def test_scores_are_of_what_is_decided_at_each_label_s_threshold():
    comments = load_sample("dev")
    shape = comments.labels.shape
    probabilities = np.random.default_rng(0).random(shape) * 0.5 + 0.5 * comments.labels
    thresholds = np.linspace(0.3, 0.7, shape[1])
    decided = probabilities >= thresholds
    record = scores(comments, probabilities, thresholds, samples=50)
    assert record["macro_f1"] == pytest.approx(macro_f1(comments.labels, decided))
    interval = record["macro_f1_low"], record["macro_f1_high"]
    assert interval == bootstrap_interval(comments.labels, decided, samples=50)
    assert tuple(record["per_label_f1"]) == tuple(comments.label_names)
    assert np.mean(list(record["per_label_f1"].values())) == pytest.approx(record["macro_f1"])
