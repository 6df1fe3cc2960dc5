"""Two models on the same comments, as fields of a record."""

from pathlib import Path
from typing import Any

import numpy as np

from course.measuring.training import data
from utils.metrics import paired_difference
from utils.packing import load_model


def on_test(path: Path) -> np.ndarray:
    """What the model in a file says of test, 0/1 of shape (comments, labels)."""
    return load_model(path).predict(data("test").texts)


def difference_to(
    name: str, targets: np.ndarray, predicted: np.ndarray, control: np.ndarray, **options: Any
) -> dict[str, float]:
    """``difference_to_NAME`` and, with ``_low`` and ``_high``, its interval, for a record.

    Of macro-F1: what ``predicted`` has more than ``control`` on the same comments; all of shape
    (comments, labels). ``options`` are those of :func:`utils.metrics.paired_difference`, which raises.
    """
    found = paired_difference(targets, predicted, control, **options)
    fields = (f"difference_to_{name}{end}" for end in ("", "_low", "_high"))
    return dict(zip(fields, found, strict=True))
