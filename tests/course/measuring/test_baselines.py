"""What is trained once is kept; what is scored is what its file predicts."""

import numpy as np
import pytest

from course.measuring import baselines
from utils.data import load_sample
from utils.metrics import macro_f1
from utils.models import SparseLinear
from utils.packing import load_model


@pytest.fixture
def house(tmp_path, monkeypatch):
    """The course sample in place of GoEmotions, models in a temporary folder."""
    monkeypatch.setattr(baselines, "BUILD", tmp_path)
    monkeypatch.setattr(baselines, "data", load_sample)
    return tmp_path


def _train():
    train, dev = load_sample("train"), load_sample("dev")
    model = SparseLinear("ekman", train.label_names, C=2.0).fit(train.texts, train.labels)
    return model.tune(dev.texts, dev.labels), {"training_s": 1.5}


def test_a_model_is_trained_once(house):
    calls = []

    def train():
        calls.append(1)
        return _train()

    first, second = (baselines.kept("sparse linear", "labels", 0, train) for _ in range(2))
    assert len(calls) == 1 and first[1] == second[1] == {"training_s": 1.5}
    texts = load_sample("test").texts
    np.testing.assert_array_equal(first[0].predict(texts), second[0].predict(texts))
    baselines.kept("sparse linear", "labels", 1, train)
    assert len(calls) == 2


def test_a_training_that_failed_is_not_kept(house):
    def fails():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        baselines.kept("sparse linear", "labels", 0, fails)
    assert baselines.kept("sparse linear", "labels", 0, _train)[1]


def test_scores_are_those_of_the_file(house):
    model, _ = _train()
    codecs = {"network.coef": "sparse", "idf": "float16"}
    dev, test = baselines.scored(model, "sparse linear", "labels", 3, codecs, budget_bytes=9000)
    path = baselines.build_path("sparse linear", "labels", 3)
    on = load_sample("test")
    assert test["macro_f1"] == macro_f1(on.labels, load_model(path).predict(on.texts))
    assert (dev["split"], test["split"], test["seed"]) == ("dev", "test", 3)
    assert test["file_bytes"] == path.stat().st_size and test["budget_bytes"] == 9000
    assert test["macro_f1_low"] <= test["macro_f1"] <= test["macro_f1_high"]


def test_thresholds_may_be_tuned_again_with_the_weights_as_stored(house):
    model, _ = _train()
    model.thresholds = np.full(7, 0.99, np.float32)
    dev, _ = baselines.scored(model, "sparse linear", "labels", 0, {}, tune=True)
    assert dev["macro_f1"] > dev["macro_f1_old_thresholds"]
    assert (model.thresholds == np.float32(0.99)).all()  # the model itself is left as it was
