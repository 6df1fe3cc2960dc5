import numpy as np
import pytest
import torch

from utils.models import GRUNetwork, MeanVectorNetwork
from utils.training import fit, length_sorted_batches, set_seed


def _task(rows=300, seed=0):
    """Label 0: token 2 is there; label 1: token 3 is there."""
    rng = np.random.default_rng(seed)
    ids = np.zeros((rows, 8), dtype=np.int64)
    for row, length in zip(ids, rng.integers(1, 9, rows), strict=True):
        row[:length] = rng.integers(1, 12, length)
    labels = np.stack([(ids == 2).any(axis=1), (ids == 3).any(axis=1)], axis=1).astype(np.uint8)
    return ids, labels


def _network(kind=MeanVectorNetwork, seed=0):
    set_seed(seed)
    return kind(12, 6, 16, 2)


def _fit(network, **options):
    return fit(network, _task(), _task(200, 1), lr=0.01, batch_size=32, progress=False, **options)


@pytest.mark.parametrize("kind", [MeanVectorNetwork, GRUNetwork])
def test_a_learnable_task_is_learned(kind):
    history = _fit(_network(kind), epochs=25, patience=25)
    assert history.best_dev_macro_f1 > 0.9
    assert history.epochs[-1]["loss"] < history.epochs[0]["loss"] / 2


def test_the_same_seed_gives_the_same_weights_and_another_does_not():
    networks = [_network() for _ in range(3)]
    for network, seed in zip(networks, (0, 0, 1), strict=True):
        _fit(network, epochs=2, seed=seed)
    weights = [network.output.weight for network in networks]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize("keep_from", [1, 6])  # with and without an epoch that is kept by then
def test_an_interrupted_run_ends_where_an_uninterrupted_one_does(tmp_path, monkeypatch, keep_from):
    whole, options = _network(GRUNetwork), {"warmup": 0.1, "decay": True, "keep_from": keep_from}
    expected = _fit(whole, epochs=6, **options)

    import utils.training as training

    calls, real = [], training.tune_thresholds

    def interrupt(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*arguments)

    broken = _network(GRUNetwork)
    monkeypatch.setattr(training, "tune_thresholds", interrupt)
    with pytest.raises(KeyboardInterrupt):
        _fit(broken, epochs=6, **options, checkpoint=tmp_path / "run.ckpt")
    monkeypatch.undo()
    resumed = _network(GRUNetwork, seed=5)
    history = _fit(resumed, epochs=6, **options, checkpoint=tmp_path / "run.ckpt")
    assert history.epochs == expected.epochs
    assert all(
        torch.equal(a, b)
        for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True)
    )


def test_the_best_epoch_is_kept_and_patience_ends_the_run():
    network = _network()
    history = fit(
        network,
        _task(),
        _task(200, 1),
        lr=3.0,
        epochs=50,
        patience=2,
        batch_size=32,
        progress=False,
    )
    assert len(history.epochs) == history.best_epoch + 2
    scores = [epoch["dev_macro_f1"] for epoch in history.epochs]
    assert history.best_dev_macro_f1 == max(scores) == scores[history.best_epoch - 1]


def test_frozen_embedding_stays_and_the_rest_moves():
    network = _network()
    before, head = network.embedding.weight.clone(), network.output.weight.clone()
    _fit(network, epochs=1, embedding_lr=0)
    assert torch.equal(network.embedding.weight, before)
    assert not torch.equal(network.output.weight, head)


def test_the_last_layer_may_learn_at_a_rate_of_its_own():
    network = _network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    _fit(network, epochs=1, output_lr=0)
    moved = {name for name, value in network.state_dict().items() if (value != before[name]).any()}
    assert not moved & {"output.weight", "output.bias"} and "embedding.weight" in moved
    steps = []
    for rate in (None, 1e-5):  # None is 0.01, as for the other layers
        network = _network()
        _fit(network, epochs=1, output_lr=rate)
        steps.append((network.output.weight - before["output.weight"]).abs().mean().item())
    assert steps[0] > 100 * steps[1] > 0


def test_a_loss_of_ones_own_gets_the_targets_as_they_are():
    seen = []

    def loss(logits, targets):
        seen.append(targets.shape[1])
        return ((logits - targets[:, :2]) ** 2).mean()

    ids, labels = _task()
    fit(
        _network(),
        (ids, np.hstack([labels, labels, labels])),
        _task(200, 1),
        epochs=1,
        loss=loss,
        progress=False,
    )
    assert set(seen) == {6}


def test_nonsense_is_refused():
    ids, labels = _task()
    with pytest.raises(ValueError, match="as many targets"):
        fit(_network(), (ids, labels[:-1]), (ids, labels))
    with pytest.raises(ValueError, match="as many targets"):
        fit(_network(), (ids[:0], labels[:0]), (ids, labels))
    with pytest.raises(FloatingPointError, match="not finite in epoch 1"):
        fit(
            _network(),
            (ids, labels),
            (ids, labels),
            progress=False,
            loss=lambda logits, _: logits.sum() * torch.inf,
        )


def test_batches_hold_every_row_once_and_hardly_any_padding():
    lengths = np.random.default_rng(0).integers(1, 28, 1000)
    batches = length_sorted_batches(lengths, 64, np.random.default_rng(0))
    assert sorted(np.concatenate(batches)) == list(range(1000))
    assert max(np.ptp(lengths[rows]) for rows in batches) <= 2
    again = length_sorted_batches(lengths, 64, np.random.default_rng(1))
    assert not np.array_equal(batches[0], again[0])


@pytest.mark.parametrize("keep_from", [1, 3, 6])
def test_no_epoch_is_kept_before_the_first_that_may_be(keep_from):
    history = _fit(_network(), epochs=6, patience=1, keep_from=keep_from)
    assert keep_from <= history.best_epoch <= len(history.epochs)
    scores = [epoch["dev_macro_f1"] for epoch in history.epochs[keep_from - 1 :]]
    assert history.best_dev_macro_f1 == max(scores)


def test_that_some_epoch_is_kept():
    with pytest.raises(ValueError, match="none is kept"):
        _fit(_network(), epochs=2, keep_from=3)
