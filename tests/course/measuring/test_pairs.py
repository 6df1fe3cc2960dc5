import numpy as np
import pytest

from course.measuring.pairs import difference_to
from utils.metrics import macro_f1, paired_difference


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
