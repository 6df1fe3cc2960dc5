"""What unit 01 does around fastText, without fastText."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from course.measuring import results
from course.writing.units import find_unit


@pytest.fixture
def rival():
    results._load_experiments(find_unit("efficiency"))
    return sys.modules["course_experiments_efficiency.rival"]


def test_probabilities_go_to_the_columns_of_their_labels(rival, monkeypatch):
    comments = SimpleNamespace(
        texts=["So HAPPY!!!", "hm"],
        labels=np.zeros((2, 3)),
        label_names=["anger", "joy", "neutral"],
    )
    monkeypatch.setattr(rival, "data", lambda split: comments)
    seen = []

    class Model:
        def predict(self, lines, k):
            seen.append((lines, k))
            names = [["__label__joy", "__label__anger", "__label__neutral"], ["__label__neutral"]]
            return names, [[0.9, 0.2, 0.1], [0.7]]

    probabilities = rival._probabilities(Model(), "dev", "tokenized")
    assert probabilities.tolist() == [[0.2, 0.9, 0.1], [0.0, 0.0, 0.7]]
    rival._probabilities(Model(), "dev", "raw")
    assert seen == [(["so happy !", "hm"], -1), (["So HAPPY!!!", "hm"], -1)]


def test_options_become_plain_fields(rival):
    (storing,) = rival._grid({"dim": (7,), "retrain epoch, lr": ((3, 0.25),)})
    assert rival._flat({"epoch, lr": (5, 0.5)} | storing) == {
        "epoch": 5,
        "lr": 0.5,
        "dim": 7,
        "retrain_epoch": 3,
        "retrain_lr": 0.25,
    }


def test_a_budget_gets_the_best_on_dev_that_fits_and_no_worse_larger_one(rival, monkeypatch):
    stored = {256: (10_000, 0.50), 350: (15_000, 0.55), 500: (20_000, 0.60), 1000: (90_000, 0.58)}
    monkeypatch.setattr(rival, "TRAINING", {"text": ("raw", "tokenized"), "units": ("words",)})
    monkeypatch.setattr(
        rival,
        "STORING",
        {"dim": (7,), "cutoff": tuple(stored), "retrain epoch, lr": ((3, 0.25),)},
    )
    monkeypatch.setattr(rival, "data", lambda split: SimpleNamespace(label_names=["a"] * 7))
    monkeypatch.setattr(rival, "_train", lambda folder, seed, training, dim: training["text"])

    def store(float32, storing):
        size, score = stored[storing["cutoff"]]
        return SimpleNamespace(stat=lambda: SimpleNamespace(st_size=size - 14), score=score)

    monkeypatch.setattr(rival, "_store", store)
    monkeypatch.setattr(rival, "_load", lambda path: path)
    scores = {"raw": 0.4, "tokenized": 0.5}
    monkeypatch.setattr(
        rival,
        "_on_dev",
        lambda model, text: scores[model] if isinstance(model, str) else model.score,
    )
    chosen = rival.chosen.__wrapped__()
    assert {budget: (t["text"], s["cutoff"]) for budget, (t, s) in chosen.items()} == {
        16_000: ("tokenized", 350),
        64_000: ("tokenized", 500),
    }
