import numpy as np
import pytest
import torch

from utils.metrics import macro_f1
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


@pytest.mark.parametrize("bad", [2.0, -0.1, np.nan, np.inf])
def test_targets_that_are_none_are_refused(bad):
    ids, labels = _task()
    targets = labels.astype(float)
    targets[7, 1] = bad
    with pytest.raises(ValueError, match="targets"):
        fit(_network(), (ids, targets), (ids, labels), progress=False)
    with pytest.raises(ValueError, match="dev labels must hold 0 and 1"):
        fit(_network(), (ids, labels), (ids, targets), progress=False)
    with pytest.raises(ValueError, match="dev labels must hold 0 and 1"):
        fit(_network(), (ids, labels), (ids, labels * 0.5), progress=False)


def test_the_weights_left_are_those_of_the_best_epoch():
    """They reproduce the best dev macro-F1, though later epochs moved them."""
    network = _network()
    options = dict(lr=3.0, epochs=50, patience=3, batch_size=32, progress=False)
    history = fit(network, _task(), _task(200, 1), **options)
    assert len(history.epochs) > history.best_epoch
    ids, labels = _task(200, 1)
    probabilities = torch.sigmoid(network(torch.as_tensor(ids))).detach().numpy()
    assert macro_f1(labels, probabilities >= history.thresholds) == history.best_dev_macro_f1
    assert not network.training


def test_of_equally_good_epochs_the_first_is_kept():
    ids, labels = _task()
    still = dict(lr=1e-12, epochs=3, patience=3, progress=False)  # too small to change a score
    assert fit(_network(), (ids, labels), (ids, labels), **still).best_epoch == 1


def _steps(monkeypatch, **options):
    """The optimizer's groups, and the gradient norm, at each step of a training."""
    seen = []
    real = torch.optim.AdamW.step

    def step(self, *arguments, **named):
        groups = [dict(group) for group in self.param_groups]
        grads = [p.grad for group in groups for p in group["params"] if p.grad is not None]
        norm = torch.stack([grad.norm() for grad in grads]).norm().item()
        seen.append(([group["lr"] for group in groups], groups, norm))
        return real(self, *arguments, **named)

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    network = options.pop("network", None) or _network()
    fit(network, _task(), _task(200, 1), batch_size=32, progress=False, **options)
    return network, seen


@pytest.mark.parametrize("warmup, decay", [(0.0, False), (0.25, False), (0.0, True), (0.25, True)])
def test_the_learning_rate_follows_its_schedule_step_by_step(warmup, decay, monkeypatch):
    _, seen = _steps(monkeypatch, epochs=2, lr=0.02, warmup=warmup, decay=decay, patience=9)
    total = 2 * 10  # 300 rows in batches of 32
    assert len(seen) == total
    for step, (rates, _, _) in enumerate(seen):
        done = step / total
        if done < warmup:
            expected = 0.02 * done / warmup
        else:
            expected = 0.02 * ((1 - done) / (1 - warmup) if decay else 1)
        assert rates == pytest.approx([expected] * len(rates))


def test_gradients_are_cut_to_their_norm(monkeypatch):
    _, free = _steps(monkeypatch, epochs=1, clip=1e9)
    monkeypatch.undo()
    _, cut = _steps(monkeypatch, epochs=1, clip=0.01)
    assert max(norm for _, _, norm in free) > 0.1
    assert max(norm for _, _, norm in cut) == pytest.approx(0.01, rel=1e-3)


def test_weight_decay_is_for_matrices_alone(monkeypatch):
    network, seen = _steps(
        monkeypatch, epochs=1, lr=0.01, embedding_lr=0.02, output_lr=0.03, weight_decay=0.1
    )
    found = {}
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    for group in seen[0][1]:
        for parameter in group["params"]:
            found[names[id(parameter)]] = (group["lr"], group["weight_decay"])
    assert found == {
        "embedding.weight": (0.02, 0.0),
        "hidden.weight": (0.01, 0.1),
        "hidden.bias": (0.01, 0.0),
        "output.weight": (0.03, 0.1),
        "output.bias": (0.03, 0.0),
    }


def test_the_seed_orders_the_batches():
    """Without dropout, nothing else of a training depends on it."""

    def weights(seed):
        set_seed(0)
        network = MeanVectorNetwork(12, 6, 16, 2, dropout=0.0)
        _fit(network, epochs=1, seed=seed)
        return network.output.weight

    assert torch.equal(weights(3), weights(3)) and not torch.equal(weights(3), weights(4))


def test_bfloat16_is_used_when_asked_for():
    kinds = []

    class Watched(MeanVectorNetwork):
        def forward(self, ids):
            logits = super().forward(ids)
            kinds.append(logits.dtype)
            return logits

    for bf16 in (False, True):
        _fit(_network(Watched), epochs=1, bf16=bf16)
    assert set(kinds) == {torch.float32, torch.bfloat16}


def test_the_loss_of_an_epoch_is_the_mean_over_its_batches():
    values = iter(range(100))
    history = fit(
        _network(),
        _task(),
        _task(200, 1),
        epochs=1,
        batch_size=100,
        progress=False,
        loss=lambda logits, _: logits.sum() * 0 + next(values),
    )
    assert history.epochs[0]["loss"] == 1.0  # of 0, 1 and 2


@pytest.mark.parametrize("change", [dict(seed=1), dict(decay=False), dict(epochs=4), dict(clip=2.0),
                                    dict(weight_decay=0.0), dict(embedding_lr=0.1)])  # fmt: skip
def test_a_checkpoint_of_another_run_is_refused(change, tmp_path):
    options = dict(epochs=3, decay=True, checkpoint=tmp_path / "run")
    _fit(_network(), **options)
    _fit(_network(), **options)  # the same again: nothing is left to do
    with pytest.raises(ValueError, match=f"of a run with another .*{next(iter(change))};"):
        _fit(_network(), **options | change)


def test_more_epochs_at_the_same_rate_go_on_from_a_checkpoint(tmp_path):
    whole, half = _network(), _network()
    _fit(whole, epochs=4, patience=9)
    for epochs in (2, 4):
        _fit(half, epochs=epochs, patience=9, checkpoint=tmp_path / "run")
    assert torch.equal(whole.output.weight, half.output.weight)


def test_a_checkpoint_of_other_data_or_another_network_is_refused(tmp_path):
    options = dict(epochs=1, lr=0.01, batch_size=32, progress=False, checkpoint=tmp_path / "run")
    fit(_network(), _task(), _task(200, 1), **options)
    ids, labels = _task()
    with pytest.raises(ValueError, match="of a run with another data;"):
        fit(_network(), (ids, 1 - labels), _task(200, 1), **options)
    with pytest.raises(ValueError, match="the checkpoint of another network"):
        fit(_network(GRUNetwork), _task(), _task(200, 1), **options)


def test_a_damaged_checkpoint_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "run"
    _fit(_network(), epochs=1, checkpoint=path)
    whole = path.read_bytes()
    other = {"weights": torch.zeros(2)}
    for damaged in (b"", b"no checkpoint", whole[: len(whole) // 2], whole[:-9], other, [1]):
        if isinstance(damaged, bytes):
            path.write_bytes(damaged)
        else:
            torch.save(damaged, path)
        with pytest.raises(ValueError, match="is damaged, or no checkpoint of fit"):
            _fit(_network(), epochs=1, checkpoint=path)


def test_batches_hold_every_row_once_and_hardly_any_padding():
    lengths = np.random.default_rng(0).integers(1, 28, 1000)
    batches = length_sorted_batches(lengths, 64, np.random.default_rng(0))
    assert sorted(np.concatenate(batches)) == list(range(1000))
    assert max(np.ptp(lengths[rows]) for rows in batches) <= 2
    again = length_sorted_batches(lengths, 64, np.random.default_rng(1))
    assert not np.array_equal(batches[0], again[0])
    first = [lengths[rows].mean() for rows in batches]
    assert not np.array_equal(first, np.sort(first))  # batches come in random order
    # A batch is not the same comments every time: others of the same length come in.
    assert not {frozenset(rows) for rows in batches} & {frozenset(rows) for rows in again}


@pytest.mark.parametrize("keep_from", [1, 3, 6])
def test_no_epoch_is_kept_before_the_first_that_may_be(keep_from):
    history = _fit(_network(), epochs=6, patience=1, keep_from=keep_from)
    assert keep_from <= history.best_epoch <= len(history.epochs)
    scores = [epoch["dev_macro_f1"] for epoch in history.epochs[keep_from - 1 :]]
    assert history.best_dev_macro_f1 == max(scores)


def test_that_some_epoch_is_kept():
    with pytest.raises(ValueError, match="none is kept"):
        _fit(_network(), epochs=2, keep_from=3)
