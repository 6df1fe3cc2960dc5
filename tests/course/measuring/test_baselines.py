"""What is scored is what a file predicts, and what is shipped is what was scored."""

import numpy as np
import pytest

from course.errors import UserError
from course.measuring import baselines, training
from utils.data import load_sample
from utils.metrics import macro_f1
from utils.models import SparseLinear
from utils.packing import load_model


@pytest.fixture
def house(tmp_path, monkeypatch, cache_folder):
    """The course sample in place of GoEmotions, models and files in temporary folders."""
    monkeypatch.setattr(baselines, "FILES", tmp_path / "files")
    monkeypatch.setattr(baselines, "SHIPPED", tmp_path / "shipped")
    for module in (baselines, training):
        monkeypatch.setattr(module, "data", load_sample)
    return tmp_path


def _model(C=2.0):
    train, dev = load_sample("train"), load_sample("dev")
    model = SparseLinear("ekman", train.label_names, C=C).fit(train.texts, train.labels)
    return model.tune(dev.texts, dev.labels)


def test_another_penalty_is_another_model(house, monkeypatch):
    """It was once found by its name alone."""
    weak, cost = baselines.trained(*baselines.SPARSE, 0)
    monkeypatch.setitem(baselines.LINEAR, baselines.SPARSE, 9.0)
    strong, more = baselines.trained(*baselines.SPARSE, 0)
    assert more["words"] > cost["words"] and len(strong.words) == more["words"]
    monkeypatch.setitem(baselines.LINEAR, baselines.SPARSE, 0.25)
    assert baselines.trained(*baselines.SPARSE, 0)[1] == cost  # with its seconds: the same training
    assert set(cost) == {"training_s", "parameters", "words"} and weak.words


def test_a_seed_reaches_the_training(monkeypatch):
    monkeypatch.setattr(baselines, "trained_once", lambda train, **settings: settings["seed"])
    for known in (*baselines.LINEAR, *baselines.NEURAL):
        assert baselines.trained(*known, 3) == 3


def test_every_baseline_has_a_key_of_its_own(cache_folder):
    from course.measuring.cache import plain

    keys = [str(plain(settings)) for settings in baselines.NEURAL.values()]
    assert len(set(keys)) == len(keys) == 5


def test_scores_are_those_of_the_file(house):
    codecs = {"network.coef": "sparse", "idf": "float16"}
    dev, test = baselines.scored(_model(), "sparse linear", "labels", 3, codecs, budget_bytes=9000)
    path = baselines.file_path("sparse linear", "labels", 3)
    on = load_sample("test")
    assert test["macro_f1"] == macro_f1(on.labels, load_model(path).predict(on.texts))
    assert (dev["split"], test["split"], test["seed"]) == ("dev", "test", 3)
    assert test["file_bytes"] == path.stat().st_size and test["budget_bytes"] == 9000
    assert test["macro_f1_low"] <= test["macro_f1"] <= test["macro_f1_high"]


def test_thresholds_may_be_tuned_again_with_the_weights_as_stored(house):
    model = _model()
    model.thresholds = np.full(7, 0.99, np.float32)
    dev, _ = baselines.scored(model, "sparse linear", "labels", 0, {}, tune=True)
    assert dev["macro_f1"] > dev["macro_f1_old_thresholds"]
    assert (model.thresholds == np.float32(0.99)).all()  # the model itself is left as it was


def test_names_that_differ_by_punctuation_are_different_files(house):
    names = {baselines.file_path("GRU", setting, 0) for setting in ("C=0.25", "C=0-25", "C 0,25")}
    assert len(names) == 3


def test_only_the_file_that_was_measured_is_shipped(house):
    dev, _ = baselines.scored(_model(), "sparse linear", "labels", 0, {})
    path = baselines.file_path("sparse linear", "labels", 0)
    baselines.ship(dev, "best.slm")
    assert (house / "shipped" / "best.slm").read_bytes() == path.read_bytes()
    baselines.scored(_model(C=9.0), "sparse linear", "labels", 0, {})  # another one, same name
    other_scores = dev | {"file_bytes": path.stat().st_size}
    for record in (dev, other_scores):
        with pytest.raises(UserError, match="not the file that was measured .* measure it again"):
            baselines.ship(record, "best.slm")
    path.unlink()
    with pytest.raises(UserError, match="measure it again to ship it as best.slm"):
        baselines.ship(dev, "best.slm")
