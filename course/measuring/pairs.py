"""What a model decides, and two models on the same comments, as fields of a record."""

from pathlib import Path
from typing import Any

import numpy as np

from course.measuring.training import data
from utils.data import Dataset
from utils.metrics import bootstrap_interval, f1_report, paired_difference
from utils.packing import load_model


def on_test(path: Path) -> np.ndarray:
    """What the model in a file says of test, 0/1 of shape (comments, labels)."""
    return load_model(path).predict(data("test").texts)


def scores(
    comments: Dataset, probabilities: np.ndarray, thresholds: np.ndarray, samples: int
) -> dict[str, Any]:
    """F1 of probabilities (comments, labels) at these thresholds, and the interval of macro-F1.

    ``samples`` is how often comments are drawn for it, see :func:`utils.metrics.bootstrap_interval`.
    """
    report = f1_report(comments.labels, probabilities, thresholds, comments.label_names)
    low, high = bootstrap_interval(comments.labels, probabilities >= thresholds, samples=samples)
    return {
        "macro_f1": report["macro_f1"],
        "macro_f1_low": low,
        "macro_f1_high": high,
        "micro_f1": report["micro_f1"],
        "per_label_f1": {name: one["f1"] for name, one in report["per_label"].items()},
    }


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
