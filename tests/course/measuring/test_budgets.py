"""A budget's file is the best on dev of all that fit, and hashed codes pay for what they take."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from course.measuring import budgets
from course.measuring.results import _load_experiments
from course.writing.units import find_unit
from utils.data import load_sample
from utils.distillation import augment
from utils.packing import load_model, save_model


def _row(setting, dev, size=1400, budget=1500, experiment="budgets", seed=0, split="dev"):
    found = {"experiment": experiment, "method": "hashed words", "setting": setting, "seed": seed}
    return found | {
        "budget_bytes": budget,
        "file_bytes": size,
        "macro_f1": dev,
        "split": split,
    }


def test_what_is_best_on_dev_and_fits_is_shipped_if_it_is_new(monkeypatch):
    old = [_row("old", 0.5), _row("old", 0.9, size=1501), _row("lucky", 0.9, split="test")]
    old += [_row("older pairs", 0.7, budget=6000, experiment="cross-fitted budgets")]
    new = [_row("new", 0.6), _row("new pairs", 0.65, budget=6000), _row("race", 0.9)]
    new[-1] |= {"experiment": "race"}  # has bytes to keep to as well, and is no candidate
    new += [_row("too large to ship", 0.6, budget=1_000_000)]
    shipped = {}
    files = {"distillation": {"records": old}, "aware": {"records": new}, "published": {}}
    monkeypatch.setattr(budgets, "load_results", lambda name: files.get(name, {}))
    monkeypatch.setattr(budgets, "ship", lambda row, name: shipped.update({name: row["setting"]}))
    budgets.ship_best(new)
    assert shipped == {"best-in-1500-bytes.slm": "new"}
    budgets.ship_best(old)
    assert shipped.pop("best-in-6000-bytes.slm") == "older pairs" and len(shipped) == 1


@pytest.fixture(scope="module")
def hashed():
    _load_experiments(find_unit("aware"))
    return sys.modules["course_experiments_aware.hashed"].hashed_codes


def test_a_higher_price_makes_a_smaller_file_of_the_same_values(hashed, tmp_path):
    train, sizes = load_sample("train"), []
    for price in (0.1, 1.0):
        reading = {"letters": 5, "buckets": 1 << 12}
        model, codec = hashed(
            train.texts,
            train.labels,
            "ekman",
            train.label_names,
            step=0.5,
            price=price,
            shrink=1e-5,
            **reading,
        )
        file = tmp_path / "model.slm"
        sizes.append(save_model(model, file, {"network.coef": codec, "idf": "float16"}))
        said = load_model(file).predict_proba(train.texts)
        np.testing.assert_allclose(said, model.predict_proba(train.texts), atol=1e-6)
        assert (model.coef.data % 0.5 == 0).all() and model.coef.nnz
    assert sizes[1] < 0.8 * sizes[0]


@pytest.fixture
def unit(hashed):
    names = ("budgets", "made_up", "recipe")
    return SimpleNamespace(**{n: sys.modules[f"course_experiments_aware.{n}"] for n in names})


def test_made_up_texts_come_after_the_comments_and_are_heard_by_the_shipped_transformer(
    unit, cache_folder, monkeypatch
):
    train, asked = load_sample("train"), []

    def predict_proba(texts):
        asked.append(texts)
        return np.full((len(texts), 7), len(asked) / 4)

    monkeypatch.setattr(unit.made_up, "data", lambda split: train)
    monkeypatch.setattr(unit.made_up, "soft_labels", lambda: np.ones((len(train), 7), np.float32))
    teacher = {unit.made_up.TEACHER: SimpleNamespace(predict_proba=predict_proba)}
    monkeypatch.setattr(unit.made_up, "load_model", teacher.__getitem__)
    texts, heard = unit.made_up.with_made_up(2)
    n = len(train)
    assert asked == [augment(train.texts, seed) for seed in (0, 1)]
    assert texts == [*train.texts, *asked[0], *asked[1]]
    assert [set(heard[i * n : i * n + n].ravel()) for i in range(3)] == [{1.0}, {0.25}, {0.5}]
    again = unit.made_up.with_made_up(2)
    assert len(asked) == 2 and again[0] == texts and (again[1] == heard).all()  # kept


def test_a_higher_price_makes_a_smaller_file_of_a_gru(unit, cache_folder, monkeypatch, tmp_path):
    train, sizes = load_sample("train"), []
    heard = train.texts * 2, np.tile(train.labels, (2, 1)).astype(np.float32)
    for module in (unit.budgets, unit.recipe):
        monkeypatch.setattr(module, "with_made_up", lambda sets: heard)
    monkeypatch.setattr(unit.recipe, "data", lambda split: train)
    for cached in ("vocabulary", "vectors"):
        monkeypatch.setattr(unit.recipe, cached, getattr(unit.recipe, cached).__wrapped__)
    for price in (0.0, 1e-2):
        recipe = unit.budgets.PricedGRU(4, 8, 20, epochs_before=1, epochs_with_codes=8, price=price)
        model, codecs, cost = recipe.trained(0)
        assert cost["best_epoch"] in (7, 8)  # earlier ones are larger
        file = tmp_path / "model.slm"
        sizes.append(save_model(model, file, codecs | unit.budgets.FLOAT16))
        said = load_model(file).predict_proba(train.texts)
        np.testing.assert_allclose(said, model.predict_proba(train.texts), atol=2e-3)  # float16
    assert sizes[1] < 0.97 * sizes[0]
