"""What is kept is found again only if nothing that went into it has changed."""

import importlib.util
import json
import sys
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

from course.errors import UserError
from course.measuring import cache
from course.measuring.cache import entry, plain, trained_once
from utils.data import load_sample
from utils.distillation import SoftLabelLoss, WeightedLoss
from utils.models import SparseLinear

TRAINING = """
from utils.data import load_sample
from utils.models import SparseLinear

calls = []

def train(C, seed):
    calls.append(C)
    train, dev = load_sample("train"), load_sample("dev")
    model = SparseLinear("ekman", train.label_names, C=C).fit(train.texts, train.labels)
    return model.tune(dev.texts, dev.labels), {"training_s": 1.5, "words": len(model.words)}

def fails(seed):
    raise ZeroDivisionError
"""


def _module(path):
    spec = importlib.util.spec_from_file_location("trains", path)
    module = sys.modules["trains"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def training(tmp_path, cache_folder):
    """A module that trains; its functions say how often they were called."""
    (tmp_path / "trains.py").write_text(TRAINING)
    yield _module(tmp_path / "trains.py")
    del sys.modules["trains"]


def test_a_model_is_trained_once_for_each_setting(training):
    one, cost = trained_once(training.train, C=1, seed=0)
    again, same_cost = trained_once(training.train, C=1, seed=0)
    assert training.calls == [1] and cost == same_cost
    texts = load_sample("test").texts
    np.testing.assert_array_equal(one.predict_proba(texts), again.predict_proba(texts))
    nine, more = trained_once(training.train, C=9, seed=0)
    assert training.calls == [1, 9] and more["words"] > cost["words"]
    assert (nine.predict_proba(texts) != one.predict_proba(texts)).any()
    trained_once(training.train, C=1, seed=1)
    assert training.calls == [1, 9, 1]


def test_changed_code_trains_anew(training, tmp_path):
    trained_once(training.train, C=1, seed=0)
    (tmp_path / "trains.py").write_text(TRAINING.replace("C=C", "C=C, letters=3"))
    changed = _module(tmp_path / "trains.py")
    trained_once(changed.train, C=1, seed=0)
    assert changed.calls == [1]
    (tmp_path / "trains.py").write_text(TRAINING)  # and back: it is there
    back = _module(tmp_path / "trains.py")
    trained_once(back.train, C=1, seed=0)
    assert back.calls == []


def test_changed_code_of_what_is_imported_and_other_data_train_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "BUILD", tmp_path)
    first, second = tmp_path / "a.py", tmp_path / "b.py"
    first.write_text("import b\n")
    second.write_text("x = 1\n")

    def folder():
        return entry("models", {"C": 1}, (first, second)).folder

    monkeypatch.setattr(cache, "data_digest", lambda: "sample")
    before = folder()
    assert folder() == before
    second.write_text("x = 2\n")
    assert folder() != before
    second.write_text("x = 1\n")
    monkeypatch.setattr(cache, "data_digest", lambda: "GoEmotions")
    assert folder() != before


def test_a_training_that_failed_is_not_kept(training):
    with pytest.raises(ZeroDivisionError):
        trained_once(training.fails, seed=0)
    with pytest.raises(ZeroDivisionError):
        trained_once(training.fails, seed=0)


def test_an_interrupted_making_finds_what_it_left(cache_folder):
    place = entry("teachers", {"seed": 0}, ())

    def stops(folder):
        (folder / "checkpoint").write_text("epoch 1")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.make(stops)
    assert not place.made

    def goes_on(folder):
        assert (folder / "checkpoint").read_text() == "epoch 1"

    assert place.make(goes_on) == place.folder and place.made
    place.make(stops)  # made already: nothing is called
    place.forget()
    assert not place.folder.exists()


def test_code_that_changed_since_it_was_looked_up_is_refused(tmp_path, cache_folder):
    file = tmp_path / "a.py"
    file.write_text("x = 1\n")
    place = entry("parts", {}, (file,))
    file.write_text("x = 2\n")
    with pytest.raises(UserError, match="changed while it ran; start again"):
        place.make(lambda folder: None)


def test_the_entry_says_what_it_is_made_of(training):
    trained_once(training.train, C=1, seed=0)
    (file,) = cache.BUILD.glob("models/*/made_of.json")
    made_of = json.loads(file.read_text())
    assert made_of["settings"] == {"train": "trains.train", "C": 1, "seed": 0}
    assert {"trains.py", "utils/models/networks.py"} <= set(made_of["code"])
    assert set(made_of["data"]) == {"GoEmotions", "word_vectors.bin"}


@dataclass
class Recipe:
    units: int
    fitted: object = None


def build(units):
    return units


@pytest.mark.parametrize(
    "one, other",
    [
        (1, 2),
        (np.arange(3.0), np.arange(3.0) + 1e-9),
        (np.arange(6), np.arange(6).reshape(2, 3)),
        (np.zeros(2, np.float32), np.zeros(1, np.float64)),
        ([0] * 60, [0] * 59 + [1]),
        ([0] * 60, [0] * 61),
        (SoftLabelLoss(1.0, 1.0), SoftLabelLoss(2.0, 1.0)),
        (WeightedLoss(np.eye(2)), WeightedLoss(np.array([[1, 0], [1, 1]]))),
        (Recipe(8), Recipe(9)),
        (partial(build, units=8), partial(build, units=9)),
        (partial(build, 8), build),
        (np.float64(0.5), 0.25),
        (None, "None"),
    ],
)
def test_other_settings_are_written_otherwise_and_equal_ones_alike(one, other):
    assert json.dumps(plain(one)) != json.dumps(plain(other))
    assert json.dumps(plain(one)) == json.dumps(plain(one))


def test_what_a_dataclass_learns_is_no_setting():
    recipe = Recipe(8)
    recipe.network = object()
    assert plain(recipe)["units"] == 8 and "network" not in plain(recipe)


@pytest.mark.parametrize(
    "value", [lambda x: x, object(), SparseLinear.fit.__get__(0), np.random.default_rng(0), {1}]
)
def test_a_setting_that_does_not_show_what_it_is_is_refused(value):
    with pytest.raises(UserError, match="cannot be a setting"):
        plain({"setting": value})
