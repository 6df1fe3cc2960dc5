"""The shipped models on the same comments: their differences, and the comments that are in train, too."""

from functools import cache
from itertools import combinations

import numpy as np

from course.measuring.baselines import MODEL_1, MODEL_2, SHIPPED, SPARSE, TAXONOMY
from course.measuring.training import data
from utils.data import tokenize
from utils.metrics import f1_report, paired_difference
from utils.packing import load_model, size_report

FILES = {SPARSE: "sparse-linear.slm", MODEL_1: "model-1.slm", MODEL_2: "model-2.slm"}


@cache
def _probabilities(file: str) -> tuple[np.ndarray, np.ndarray]:
    """What a shipped file says of test, and its thresholds."""
    model = load_model(SHIPPED / file)
    return model.predict_proba(data("test").texts), model.thresholds


def _predicted(file: str) -> np.ndarray:
    probabilities, thresholds = _probabilities(file)
    return probabilities >= thresholds


def paired(seed: int) -> list[dict]:
    """Of each two shipped files the difference in macro-F1 on test, paired comment by comment."""
    records = []
    for other, one in combinations(FILES, 2):
        difference, low, high = paired_difference(
            data("test").labels, _predicted(FILES[one]), _predicted(FILES[other])
        )
        records.append(
            {
                "method": one[0],
                "setting": f"minus {other[0]}",
                "other": other[0],
                "seed": seed,
                "split": "test",
                "taxonomy": TAXONOMY,
                "difference": difference,
                "difference_low": low,
                "difference_high": high,
            }
        )
    return records


def in_train(split: str, exactly: bool = True) -> np.ndarray:
    """Which comments of a split are in train, verbatim or as the same words; booleans, (comments,)."""

    def form(text: str) -> str:
        return text if exactly else " ".join(tokenize(text))

    known = {form(text) for text in data("train").texts}
    return np.array([form(text) in known for text in data(split).texts])


def duplicates(seed: int) -> list[dict]:
    """Macro-F1 of the shipped files on test: all comments, and without those that are in train."""
    test, repeated, same_words = data("test"), in_train("test"), in_train("test", exactly=False)
    labels = dict(zip(data("train").texts, data("train").labels, strict=True))
    agree = [
        bool((labels[text] == row).all())
        for text, row in zip(test.texts, test.labels, strict=True)
        if text in labels
    ]
    kept = {
        "all test comments": np.ones(len(test), dtype=bool),
        "without verbatim copies of train": ~repeated,
        "without the words of a comment in train": ~same_words,
    }
    records = []
    for (method, _), file in FILES.items():
        probabilities, thresholds = _probabilities(file)
        on_copies = f1_report(test.labels[repeated], probabilities[repeated], thresholds)
        for setting, rows in kept.items():
            report = f1_report(test.labels[rows], probabilities[rows], thresholds, test.label_names)
            records.append(
                {
                    "method": method,
                    "setting": setting,
                    "seed": seed,
                    "split": "test",
                    "taxonomy": TAXONOMY,
                    "comments": int(rows.sum()),
                    "copies": int(repeated.sum()),
                    "copies_with_the_labels_of_train": sum(agree),
                    "copies_in_dev": int(in_train("dev").sum()),
                    "copies_micro_f1": on_copies["micro_f1"],
                    "macro_f1": report["macro_f1"],
                    "micro_f1": report["micro_f1"],
                    "per_label_f1": {n: score["f1"] for n, score in report["per_label"].items()},
                    **size_report(SHIPPED / file),
                }
            )
    return records
