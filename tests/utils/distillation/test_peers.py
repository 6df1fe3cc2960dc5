import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

import utils.distillation.peers as module
from utils.distillation import co_distill, collaborative_losses
from utils.models import MeanVectorNetwork, predict_logits
from utils.training import fit, set_seed


def _task(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, 12, (rows, 6))
    ids[::3, 4:] = 0
    return ids, np.stack([(ids == 2).any(axis=1), (ids == 3).any(axis=1)], axis=1).astype(float)


# --- the loss -------------------------------------------------------------------------------------


def test_the_losses_of_student_and_teacher_by_hand():
    student, teacher = torch.tensor([[0.0, 1.0]]), torch.tensor([[2.0, -4.0]])
    labels = torch.tensor([[1.0, 0.0]])
    losses = collaborative_losses(torch.stack([student, teacher], 1), labels, 2.0, weight=0.5)
    for loss, s, t in ((losses[0], student, teacher), (losses[1], teacher, student)):
        soft = cross_entropy(s / 2, torch.sigmoid(t / 2))
        torch.testing.assert_close(loss, cross_entropy(s, labels) + 0.5 * 4 * soft)


@pytest.mark.parametrize("networks", [2, 3])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_no_loss_moves_what_it_listens_to(networks, temperature):
    torch.manual_seed(0)
    logits = torch.randn(4, networks, 5, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(0, 2, (4, 5)).double()
    for own in range(networks):
        losses = collaborative_losses(logits, labels, temperature)
        (slope,) = torch.autograd.grad(losses[own], logits)
        s, others = logits[:, own], [j for j in range(networks) if j != own]
        assert not slope[:, others].any()
        p = torch.sigmoid(logits[:, others] / temperature).mean(dim=1)
        soft = temperature * (torch.sigmoid(s / temperature) - p)
        torch.testing.assert_close(slope[:, own], (torch.sigmoid(s) - labels + soft) / 20)


@given(st.floats(-2000, 2000, width=32), st.floats(-2000, 2000, width=32))
def test_logits_of_any_size_have_a_loss_and_a_slope(first, second):
    logits = torch.tensor([[[first], [second], [first]]], requires_grad=True)
    losses = collaborative_losses(logits, torch.ones(1, 1))
    losses.sum().backward()
    assert torch.isfinite(losses).all() and torch.isfinite(logits.grad).all()


@pytest.mark.parametrize(
    "logits, labels, options, message",
    [
        ((3, 1, 2), (3, 2), {}, "two networks or more"),
        ((3, 2), (3, 2), {}, "two networks or more"),
        ((3, 2, 2), (3, 4), {}, r"got \(3, 2, 2\) and \(3, 4\)"),
        ((3, 2, 2), (3, 2), {"temperature": 0.0}, "temperature must be above 0"),
        ((3, 2, 2), (3, 2), {"weight": -1.0}, "weight at least 0"),
        ((3, 2, 2), (3, 2), {"weight": float("nan")}, "weight at least 0"),
    ],
)
def test_what_has_no_loss_is_refused(logits, labels, options, message):
    with pytest.raises(ValueError, match=message):
        collaborative_losses(torch.zeros(logits), torch.zeros(labels), **options)


# --- training together ----------------------------------------------------------------------------


def _peers():
    networks = []
    for seed in range(2):
        set_seed(seed)
        networks.append(MeanVectorNetwork(12, 4, 8, 2, dropout=0.0))
    return networks


OPTIONS = dict(epochs=3, lr=0.02, weight_decay=0.0, clip=1e9, progress=False)


def test_the_loss_of_peers_by_hand(monkeypatch):
    seen = {}
    monkeypatch.setattr(module, "fit", lambda peers, *_, loss: seen.update(peers=peers, loss=loss))
    networks = [MeanVectorNetwork(12, 4, 8, 1) for _ in range(2)]
    co_distill(networks, None, None, weight=2.0, burn_in=1)
    logits, labels = torch.tensor([[0.0, 2.0]], requires_grad=True), torch.ones(1, 1)
    seen["peers"](torch.tensor([[3]]))  # the first step: labels alone, log 2 + 0.126928
    assert seen["loss"](logits, labels).item() == pytest.approx(0.820075, abs=1e-5)
    seen["peers"](torch.tensor([[3]]))
    # The others' probabilities are 0.880797 and 0.5: log 2 and log(1 + e^2) - 1 = 1.126928 more.
    value = seen["loss"](logits, labels)
    assert value.item() == pytest.approx(0.820075 + 2 * 1.820075, abs=1e-5)
    value.backward()
    # sigmoid(s) - y + 2 (sigmoid(s) - p), where p is a constant.
    expected = [-0.5 + 2 * (0.5 - 0.880797), 0.880797 - 1 + 2 * (0.880797 - 0.5)]
    assert logits.grad.tolist() == [pytest.approx(expected, abs=1e-5)]


@pytest.mark.parametrize("options", [{"weight": 0.0}, {"burn_in": 10**9}])
def test_peers_that_do_not_listen_train_as_if_alone(options):
    alone, together = _peers(), _peers()
    expected = fit(alone[0], _task(), _task(100, 1), **OPTIONS)
    history = co_distill(together, _task(), _task(100, 1), **options, **OPTIONS)
    for ours, theirs in zip(together[0].parameters(), alone[0].parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    scores = [[epoch["dev_macro_f1"] for epoch in h.epochs] for h in (history, expected)]
    assert scores[0] == pytest.approx(scores[1])


def test_peers_that_listen_agree_more():
    def disagreement(weight):
        networks = _peers()
        co_distill(networks, _task(), _task(100, 1), weight=weight, **OPTIONS)
        first, second = (expit(predict_logits(network, _task()[0])) for network in networks)
        return np.abs(first - second).mean()

    assert disagreement(5.0) < 0.7 * disagreement(0.0)


def test_peers_must_fit_together():
    with pytest.raises(ValueError, match="two or more networks with the same labels"):
        co_distill([MeanVectorNetwork(12, 4, 8, 2)], _task(), _task())
    with pytest.raises(ValueError, match="two or more networks with the same labels"):
        co_distill([MeanVectorNetwork(12, 4, 8, k) for k in (2, 3)], _task(), _task())
