import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from tests.utils.pruning.battery import interrupted
from utils.models import GRUNetwork, MeanVectorNetwork
from utils.pruning import (
    SHUT,
    L0Network,
    PenalizedLoss,
    Units,
    gru_units,
    linear_units,
)
from utils.training import fit, set_seed

IDS = torch.tensor([[2, 3, 4, 0], [5, 6, 7, 8]])


def gru() -> GRUNetwork:
    set_seed(0)
    return GRUNetwork(20, dim=4, units=6, labels=2).eval()


def shut(gated: L0Network, number: int, which) -> None:
    """Gates of a set that stay 0, samples included; all others open."""
    with torch.no_grad():
        for gates in gated.gates:
            gates.position.fill_(50.0)
        gated.gates[number].position[which] = -50.0


@pytest.mark.parametrize("training", [False, True])
def test_with_all_gates_open_a_network_says_what_it_said(training):
    network = gru()
    gated = L0Network(network, ["gru.*", "output.weight"]).train(training)
    said = network.eval()(IDS)
    shut(gated, 0, [])
    assert torch.allclose(gated(IDS), said, atol=1e-6)
    assert torch.allclose(gated.pruned()(IDS), said, atol=1e-6) and gated.sparsity() == 0


def test_gates_of_weights_on_linear_embedding_and_gru():
    gated = L0Network(gru(), ["embedding.weight", "gru.weight_*", "output.weight"]).eval()
    shut(gated, 0, slice(8, 12))  # the vector of word 2
    pruned = gated.pruned()
    assert pruned.embedding.weight[2].count_nonzero() == 0
    assert torch.allclose(pruned(IDS), gated(IDS), atol=1e-6)
    assert not torch.allclose(pruned(IDS), gated.network(IDS), atol=1e-3)
    weights = sum(w.numel() for w in gated.weights().values())
    assert gated.sparsity() == pytest.approx(8 / weights)  # that of padding is 0, too
    assert gated.scores()["embedding.weight"][2].max() < SHUT
    assert {n: s.shape for n, s in gated.scores().items()} == {
        n: w.shape for n, w in gated.weights().items()
    }


def test_a_unit_of_a_gru_whose_gate_is_shut_has_no_state_and_no_say():
    network = gru()
    gated = L0Network(network, units=gru_units(network)).eval()
    shut(gated, 1, 3)
    pruned = gated.pruned()
    states, _ = pruned.gru(pruned.embedding(IDS))
    assert states[..., 6 + 3].abs().max() == 0 and states[..., 3].abs().min() > 0
    with torch.no_grad():  # nor do the others listen to it
        pruned.gru.weight_hh_l0_reverse[:, 3] = 9.0
    assert torch.allclose(pruned(IDS), gated(IDS), atol=1e-6)


def test_expected_l0_counts_the_weights_behind_each_gate():
    network = MeanVectorNetwork(20, dim=4, hidden=8, labels=2)
    units = {"hidden": linear_units(network, "hidden")}
    gated = L0Network(network, ["embedding.weight"], units, keep=0.9)
    assert gated.expected_l0().item() == pytest.approx(0.9 * (20 * 4 + 8 * 5), rel=1e-5)
    shut(gated, 1, [0, 1])
    assert gated.expected_l0().item() == pytest.approx(20 * 4 + 6 * 5, abs=1e-3)


def test_a_price_shuts_gates_of_what_is_not_needed_and_training_goes_on_from_a_checkpoint(tmp_path):
    random = np.random.default_rng(0)
    ids = random.integers(2, 6, (64, 1))
    labels = np.stack([ids[:, 0] == 2, ids[:, 0] == 3], axis=1).astype(np.float32)

    def train(checkpoint, steps=None) -> L0Network:
        set_seed(0)
        gated = L0Network(MeanVectorNetwork(9, 4, 16, 2, dropout=0.0), ["hidden.weight"], stride=20)
        loss = PenalizedLoss(interrupted(mse_loss, steps), gated.expected_l0, 3e-3)
        options = {"lr": 0.02, "progress": False, "checkpoint": checkpoint, "batch_size": 32}
        data = (ids, labels), (ids, labels)
        fit(gated, *data, epochs=30, keep_from=30, loss=loss, **options)
        return gated

    whole = train(None)
    assert whole.sparsity() > 0.5
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "half.pt", steps=31)  # in the 16th of 30 epochs of two steps
    resumed = train(tmp_path / "half.pt")
    for ours, theirs in zip(
        whole.state_dict().values(), resumed.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_float16_weights_stay_so_and_gates_learn():
    layer = nn.Linear(1, 1, bias=False).half()
    layer.config = {}
    gated = L0Network(layer, ["weight"])
    shut(gated, 0, [])
    weight = gated.weights()["weight"]
    assert weight.dtype == torch.float16 and torch.equal(weight, layer.weight)


def test_what_cannot_have_gates_is_refused():
    network = gru()
    for weights, units, problem in (
        (["hidden.weight"], {}, "no parameter is called"),
        (["gru.*"], gru_units(network), "two gates"),
        ([], {"odd": Units(5, {"output.weight": 0})}, "no 5 units"),
    ):
        with pytest.raises(ValueError, match=problem):
            L0Network(network, weights, units)
    with torch.no_grad():
        network.output.weight[0, 0] = torch.nan
    with pytest.raises(ValueError, match="finite"):
        L0Network(network, ["output.weight"])


def test_the_price_rises_during_the_warm_up():
    loss = PenalizedLoss(mse_loss, lambda: torch.tensor(2.0), 0.5, warmup=4)
    zero = torch.zeros(1)
    assert [loss(zero, zero).item() for _ in range(6)] == [0, 0.25, 0.5, 0.75, 1, 1]
