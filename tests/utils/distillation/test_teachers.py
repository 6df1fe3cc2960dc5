from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit

import utils.distillation.teachers as teachers
from utils.data import DataError, load_sample
from utils.distillation import (
    dropout_distillation_targets,
    ensemble_logits,
    teacher_logits,
    write_teacher_logits,
)
from utils.models import GRUNetwork, MeanVectorNetwork, predict_logits
from utils.packing import PackingError, write_file
from utils.training import set_seed

# --- shipped logits -------------------------------------------------------------------------------


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A synthetic teacher of all splits of the sample, its rows in another order."""
    monkeypatch.setattr(teachers, "FOLDER", tmp_path)
    ids = [i for split in ("train", "dev", "test") for i in load_sample(split).ids]
    ids = [ids[i] for i in np.random.default_rng(0).permutation(len(ids))]
    logits = np.random.default_rng(1).normal(0, 4, (len(ids), 35)).astype(np.float32)
    size = write_teacher_logits(tmp_path / "transformer.bin", ids, logits)
    assert size == (tmp_path / "transformer.bin").stat().st_size
    return dict(zip(ids, logits, strict=True))


@pytest.mark.parametrize("taxonomy, columns", [("ekman", slice(0, 7)), ("emotions", slice(7, 35))])
def test_logits_follow_the_comments_and_the_taxonomy(shipped, taxonomy, columns):
    for split in ("train", "dev"):
        data = load_sample(split, taxonomy)
        logits = teacher_logits(data)
        assert logits.shape == data.labels.shape and logits.dtype == np.float32
        expected = np.stack([shipped[i][columns] for i in data.ids])
        np.testing.assert_allclose(expit(logits), expit(expected), atol=0.004)
        assert (logits * 32 == np.round(logits * 32)).all()


def test_what_a_teacher_cannot_say_is_a_clear_error(shipped, tmp_path):
    data = load_sample("dev")
    with pytest.raises(DataError, match="no teacher 'gru'; there are: transformer"):
        teacher_logits(data, "gru")
    with pytest.raises(DataError, match="ekman, emotions, not 'sentiment'"):
        teacher_logits(load_sample("dev", "sentiment"))
    strangers = replace(data, ids=["a", "b", "c", "d", *data.ids[4:]])
    with pytest.raises(DataError, match=f"4 of {len(data):,} comments; the first ids are a, b, c"):
        teacher_logits(strangers)
    write_file(tmp_path / "vectors.bin", {"x": np.zeros(3)}, {"kind": "WordVectors"})
    with pytest.raises(DataError, match="holds no logits"):
        teacher_logits(data, "vectors")
    path = tmp_path / "transformer.bin"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(PackingError, match="truncated|damaged"):
        teacher_logits(data)


def test_without_any_teacher_the_error_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(teachers, "FOLDER", tmp_path / "nowhere")
    with pytest.raises(DataError, match="there are: none"):
        teacher_logits(load_sample("dev"))


@pytest.mark.parametrize(
    "ids, logits, message",
    [
        (["a"], np.zeros((2, 35)), r"need logits \(1, 35\), got \(2, 35\)"),
        (["a", "b"], np.zeros((2, 7)), r"need logits \(2, 35\)"),
        (["a", "a"], np.zeros((2, 35)), "must differ"),
        (["a", "b\n"], np.zeros((2, 35)), "one line"),
        (["a"], np.full((1, 35), 1e6), "float16"),
        (["a"], np.full((1, 35), np.nan), "float16"),
    ],
)
def test_writing_refuses_what_cannot_be_read_back(tmp_path, ids, logits, message):
    with pytest.raises(ValueError, match=message):
        write_teacher_logits(tmp_path / "t.bin", ids, logits)
    assert not list(tmp_path.iterdir())


# --- ensembles ------------------------------------------------------------------------------------


def test_ensemble_by_hand():
    # Probabilities 1/2 and 3/4: mean 5/8, odds 5/3. Weighted 1 to 3: 11/16, odds 11/5.
    logits = [np.zeros((1, 1)), np.full((1, 1), np.log(3))]
    assert ensemble_logits(logits).item() == pytest.approx(np.log(5 / 3))
    assert ensemble_logits(logits, [1, 3]).item() == pytest.approx(np.log(11 / 5))
    assert ensemble_logits(logits, [0, 2]).item() == pytest.approx(np.log(3))
    # 1 - p is (e^-80 + e^-100) / 2, which 1 - probability would round to 0.
    assert ensemble_logits([[80.0], [100.0]]).item() == pytest.approx(80 + np.log(2))
    assert ensemble_logits([[-80.0], [-100.0]]).item() == pytest.approx(-80 - np.log(2))


@given(arrays(np.float64, (3, 4, 2), elements=st.floats(-12, 12)))
def test_ensemble_is_the_mean_of_probabilities(logits):
    np.testing.assert_allclose(
        expit(ensemble_logits(logits)), expit(logits).mean(axis=0), rtol=1e-4
    )


def test_ensembles_that_make_no_sense():
    with pytest.raises(ValueError, match="one shape"):
        ensemble_logits([])
    with pytest.raises(ValueError, match="one shape"):
        ensemble_logits([np.zeros((2, 3)), np.zeros((1, 3))])
    for weights in ([1], [1, -1], [0, 0], [1, np.nan]):
        with pytest.raises(ValueError, match="as many weights"):
            ensemble_logits([np.zeros(2), np.zeros(2)], weights)


# --- dropout --------------------------------------------------------------------------------------


def _task(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, 12, (rows, 6))
    ids[::3, 4:] = 0
    return ids, np.stack([(ids == 2).any(axis=1), (ids == 3).any(axis=1)], axis=1).astype(float)


def test_dropout_targets_are_the_mean_of_runs_with_dropout():
    set_seed(0)
    network, (ids, _) = MeanVectorNetwork(12, 4, 8, 2, dropout=0.5).eval(), _task(9)
    ids = ids[np.argsort((ids != 0).sum(axis=1), kind="stable")]  # as they are read
    state = torch.get_rng_state()
    targets = dropout_distillation_targets(network, ids, samples=3, seed=5)
    assert torch.equal(torch.get_rng_state(), state) and not network.training
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(5)
        runs = [torch.sigmoid(network.train()(torch.from_numpy(ids))) for _ in range(3)]
    np.testing.assert_allclose(expit(targets), torch.stack(runs).mean(dim=0), rtol=1e-4)
    again = dropout_distillation_targets(network, ids, samples=3, seed=5)
    np.testing.assert_array_equal(targets, again)
    assert network.training
    assert not np.array_equal(targets, dropout_distillation_targets(network, ids, 3, seed=6))


def test_without_dropout_the_targets_are_the_logits():
    set_seed(0)
    network, (ids, _) = GRUNetwork(12, 4, 5, 2, layers=2, dropout=0.0), _task(50)
    targets = dropout_distillation_targets(network, ids, samples=2, batch_size=16)
    np.testing.assert_allclose(targets, predict_logits(network, ids), atol=1e-5)
    assert dropout_distillation_targets(network, ids[:0]).shape == (0, 2)
    with pytest.raises(ValueError, match="at least 1"):
        dropout_distillation_targets(network, ids, samples=0)
