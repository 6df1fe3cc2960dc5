"""What adaptive depth earns: the same test comments, by a control of as many steps in the mean."""

from collections.abc import Mapping

import numpy as np

from course.measuring.pairs import difference_to
from course.measuring.training import data
from utils.metrics import macro_f1


def of_mean_depth(said: Mapping[int, np.ndarray], mean_steps: float, seed: int) -> np.ndarray:
    """Predictions of a control that takes as many steps in the mean, wherever they are needed.

    Each comment is drawn, blindly, to go to one of the two neighbouring depths.
    """
    low = min(int(mean_steps), max(said) - 1)
    deeper = np.random.default_rng(seed).random(len(said[low])) < mean_steps - low
    return np.where(deeper[:, None], said[low + 1], said[low])


def compared(
    record: dict, predictions: np.ndarray, said: Mapping[int, np.ndarray], seed: int
) -> dict:
    """A record on test with its paired differences from equal mean steps, and from the full depth."""
    labels, fields = data("test").labels, {}
    equal = of_mean_depth(said, record["mean_steps"], seed)
    for name, control in (("equal_steps", equal), ("full_depth", said[max(said)])):
        fields[f"{name}_macro_f1"] = macro_f1(labels, control)
        fields |= difference_to(name, labels, predictions, control)
    return record | fields
