import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from utils.data import label_names
from utils.efficiency import count_macs, count_parameters
from utils.models import NeuralClassifier, TransformerNetwork, WordPiece
from utils.packing import load_model, save_model
from utils.pruning import (
    GatedTransformer,
    PrunedTransformerNetwork,
    gated,
    head_importance,
    prune_transformer,
    sizes,
)
from utils.training import set_seed

SIZES = dict(vocab_size=50, hidden_size=12, num_hidden_layers=3, num_attention_heads=3)
SIZES |= dict(intermediate_size=10)
IDS = torch.tensor([[5, 7, 9, 0], [3, 4, 8, 6]])


def transformer() -> TransformerNetwork:
    set_seed(0)
    network = TransformerNetwork(SIZES, labels=7).eval()
    for parameter in network.parameters():  # as large as trained ones: biases count
        nn.init.normal_(parameter, std=0.5)
    return network


def masks(kept: float, shapes) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [torch.rand(n, generator=generator) < kept for n in shapes]


@pytest.mark.parametrize(
    "heads, columns, layers",
    [
        (0.5, 1.0, [1, 1, 1]),
        (1.0, 0.5, [1, 1, 1]),
        (1.0, 1.0, [0, 1, 1]),
        (0.6, 0.4, [1, 0, 1]),
        (0.0, 1.0, [1, 1, 1]),
        (1.0, 0.0, [1, 1, 1]),
        (0.0, 0.0, [0, 0, 1]),
        (1.0, 1.0, [1, 1, 1]),
    ],
)
def test_what_is_removed_says_what_it_said_switched_off(heads, columns, layers, tmp_path):
    network = transformer()
    kept = {"heads": masks(heads, [3] * 3), "columns": masks(columns, [10] * 3)}
    small = prune_transformer(network, **kept, layers=layers)
    switches = {grain: [mask.float() for mask in ours] for grain, ours in kept.items()}
    with gated(network, **switches, layers=torch.tensor(layers).float()):
        said = network(IDS)
    assert torch.allclose(small(IDS), said, atol=1e-4)
    everything = heads == columns == 1 and all(layers)
    assert torch.allclose(said, network(IDS), atol=1e-4) == everything
    assert (count_parameters(small) < count_parameters(network)) != everything
    assert (count_macs(small) < count_macs(network)) != everything
    # and from its file
    pieces = '{"version":"1.0","model":{"type":"WordPiece","vocab":{"[UNK]":1},"unk_token":"[UNK]",'
    pieces += '"continuing_subword_prefix":"##","max_input_chars_per_word":100}}'
    names = label_names("ekman")
    save_model(NeuralClassifier(small, WordPiece(pieces), "ekman", names), tmp_path / "small.slm")
    loaded = load_model(tmp_path / "small.slm").network
    assert type(loaded) is PrunedTransformerNetwork and loaded.config == small.config
    assert torch.equal(loaded(IDS), small(IDS))


def test_a_pruned_network_can_be_pruned_again():
    network = transformer()
    once = prune_transformer(network, heads=[torch.tensor([True, False, True])] * 3)
    keep = [torch.tensor([False, True]), torch.tensor([False, False]), torch.tensor([True, True])]
    twice = prune_transformer(once, heads=keep, layers=[1, 1, 0])
    assert sizes(twice) == ([1, 0], [10, 10])
    off = torch.tensor([[0.0, 0, 1], [0, 0, 0], [1, 1, 1]])
    with gated(network, heads=off, layers=torch.tensor([1.0, 1, 0])):
        assert torch.allclose(twice(IDS), network(IDS), atol=1e-4)


def test_macs_of_what_is_left_are_those_of_its_matrices():
    small = prune_transformer(
        transformer(),
        heads=[torch.tensor([True, False, True])] * 3,
        columns=[torch.arange(10) < 4] * 3,
        layers=[1, 0, 1],
    )
    tokens, hidden, width, columns = 5, 12, 2 * 4, 4
    layer = tokens * (4 * hidden * width + 2 * hidden * columns) + 2 * tokens**2 * width
    assert count_macs(small, tokens) == 2 * layer + hidden * 7


def test_importance_is_the_mean_size_of_each_comments_gradient():
    network = transformer()
    targets = torch.tensor([[1.0] * 7, [0.0] * 7])
    heads, columns = head_importance(network, IDS.numpy(), targets.numpy(), cross_entropy)
    step, found = 1e-3, 0.0
    for row in (slice(0, 1), slice(1, 2)):
        ids = IDS[row, :3] if row.start == 0 else IDS[row]
        values = []
        for change in (-step, step):
            gates = torch.ones(3, 3)
            gates[1, 2] += change
            with gated(network, heads=gates), torch.no_grad():
                values.append(cross_entropy(network(ids), targets[row]).item())
        found += abs(values[1] - values[0]) / (2 * step) / 2
    assert heads[1][2].item() == pytest.approx(found, rel=0.05, abs=1e-4)
    assert [len(each) for each in (*heads, *columns)] == [3, 3, 3, 10, 10, 10]


def test_gates_that_are_shut_are_removed_and_those_ajar_go_into_the_weights():
    network = transformer()
    gates = GatedTransformer(network, ("heads", "columns", "layers")).eval()
    with torch.no_grad():
        gates.gates["heads"][0].position[:] = torch.tensor([-5.0, 0.5, 5.0])
        gates.gates["heads"][1].position[:] = -5.0
        gates.gates["columns"][2].position[:4] = -1.0
        gates.gates["layers"][2].position[:] = 9.0
        for layer in (0, 1):
            gates.gates["layers"][layer].position[:] = 9.0
    small = gates.pruned()
    assert sizes(small) == ([2, 0, 3], [10, 10, 10])
    assert torch.allclose(small(IDS), gates(IDS), atol=1e-4)
    assert 0 < gates.values()["heads"][0][1] < 1


def test_frozen_only_the_gates_learn():
    network = transformer()
    gates = GatedTransformer(network, ("heads",), keep=0.5, frozen=True).train()
    assert not network.training and gates.gates["heads"].training
    (gates(IDS).sum() + gates.expected_l0()).backward()
    assert all(parameter.grad is None for parameter in network.parameters())
    found = [gate.position.grad for gate in gates.gates["heads"]]
    assert all(gradient.abs().sum() > 0 for gradient in found)
    assert not torch.equal(gates(IDS), gates(IDS))


def test_what_does_not_fit_is_refused():
    network = transformer()
    for wrong in (
        {"heads": [torch.ones(3, dtype=torch.bool)] * 2},
        {"heads": [torch.ones(3)] * 3},
        {"columns": [torch.ones(3, dtype=torch.bool)] * 3},
        {"layers": [1, 1]},
    ):
        with pytest.raises(ValueError, match="must be bool|layers"):
            prune_transformer(network, **wrong)
    for heads in ([3, 3], [4, 3, 3], [-1, 3, 3], [1.0, 3, 3]):
        with pytest.raises(ValueError, match="needs a count"):
            PrunedTransformerNetwork(SIZES, 7, heads=heads, columns=[10] * 3)
    with pytest.raises(ValueError, match="grain"):
        GatedTransformer(network, ("tokens",))
