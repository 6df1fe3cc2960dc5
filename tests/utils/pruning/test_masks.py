import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from utils.models import GRUNetwork, MeanVectorNetwork
from utils.pruning import (
    MaskedNetwork,
    apply_masks,
    cubic,
    full_masks,
    keep_largest,
    magnitude_masks,
    masks_over_all,
    masks_per_layer,
    masks_per_output,
    matrices,
    sparsity_of,
    steps_of,
)
from utils.training import fit


@pytest.fixture
def network():
    torch.manual_seed(0)
    return MeanVectorNetwork(30, dim=8, hidden=6, labels=2)


# ------------------------------------------------------------------------------------------- masks


def test_of_equal_scores_the_first_go():
    scores = torch.tensor([1.0, 2.0, 1.0, 1.0, 3.0])
    assert keep_largest(scores, 0.4).tolist() == [False, True, False, True, True]
    assert keep_largest(torch.ones(4), 0.5).tolist() == [False, False, True, True]


def test_a_sparsity_is_one_of_all_weights_whatever_was_pruned_before():
    scores = {"w": torch.arange(8.0)}
    masks = masks_per_layer(scores, 0.5)
    assert masks_per_layer(scores, 0.5, masks)["w"].equal(masks["w"])
    assert masks_per_layer(scores, 0.25, masks)["w"].equal(masks["w"])
    assert int(masks_per_layer(scores, 0.75, masks)["w"].sum()) == 2


def test_over_all_layers_the_small_ones_go_first():
    scores = {"large": torch.full((2, 2), 9.0), "small": torch.full((2, 2), 0.1)}
    masks = masks_over_all(scores, 0.5)
    assert masks["large"].all() and not masks["small"].any()


def test_an_output_of_an_embedding_is_a_column():
    scores = {"embedding.weight": torch.tensor([[1.0, 9.0], [2.0, 8.0]]), "w": torch.eye(2)}
    masks = masks_per_output(scores, 0.5)
    assert masks["embedding.weight"].tolist() == [[False, True], [True, False]]
    assert masks["w"].tolist() == [[True, False], [False, True]]


@pytest.mark.parametrize("amount", [0.0, 0.3, 0.5, 0.77, 1.0])
def test_per_layer_masks_are_those_of_torch(network, amount):
    """Where magnitudes differ; of equal ones torch does not say which go."""
    masks = magnitude_masks(network, amount)
    for layer, name in ((network.hidden, "hidden.weight"), (network.output, "output.weight")):
        prune.l1_unstructured(layer, "weight", amount)
        assert layer.weight_mask.bool().equal(masks[name])


@pytest.mark.parametrize("amount", [0.3, 0.77])
def test_masks_over_all_are_those_of_torch(network, amount):
    with torch.no_grad():  # the embedding of padding is 0: equal magnitudes
        network.embedding.weight[0] = torch.linspace(1e-6, 2e-6, 8)
    masks = magnitude_masks(network, amount, "all")
    layers = [network.embedding, network.hidden, network.output]
    prune.global_unstructured(
        [(layer, "weight") for layer in layers], prune.L1Unstructured, amount=amount
    )
    for layer, mask in zip(layers, masks.values(), strict=True):
        assert layer.weight_mask.bool().equal(mask)


def test_pruning_again_goes_on_as_torch_does(network):
    """There the second share is one of what is left; here sparsities are of all."""
    layer = network.hidden
    first = masks_per_layer({"w": layer.weight.detach().abs()}, 0.5)
    second = masks_per_layer({"w": layer.weight.detach().abs()}, 0.75, first)
    prune.l1_unstructured(layer, "weight", 0.5)
    prune.l1_unstructured(layer, "weight", 0.5)
    assert layer.weight_mask.bool().equal(second["w"])


# ------------------------------------------------------------------------------------------ schedules


def test_the_cubic_schedule_is_that_of_the_paper():
    schedule = cubic(0.9, 1000)
    assert [round(schedule(s), 4) for s in (100, 500, 900)] == [0.2439, 0.7875, 0.8991]
    assert (schedule(0), schedule(1000), schedule(10**6)) == (0, 0.9, 0.9)


def test_five_percent_at_a_time_end_where_they_should():
    schedule = steps_of(0.9, 1000)
    assert [schedule(1000 * n) for n in (0, 1, 18, 50)] == pytest.approx([0, 0.05, 0.9, 0.9])
    assert steps_of(0.98, 10)(10**6) == 0.98


def test_one_step_is_enough():
    assert cubic(0.9, 1)(1) == 0.9 and steps_of(0.9, 1, share=1.0)(1) == 0.9


@pytest.mark.parametrize("wrong", [(1.1, 5), (-0.1, 5), (0.5, 0)])
def test_a_schedule_that_goes_nowhere_is_refused(wrong):
    for schedule in (cubic, steps_of):
        with pytest.raises(ValueError, match="schedule needs"):
            schedule(*wrong)
    with pytest.raises(ValueError, match="each time a share"):
        steps_of(0.5, 10, share=0.0)


# ------------------------------------------------------------------------------------ behind masks


def test_momentum_and_weight_decay_bring_nothing_back(network):
    """Adam moves a weight by its momentum alone; behind a mask that is not seen."""
    ids = torch.randint(1, 30, (16, 5))
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.1, weight_decay=0.5)

    def step(of):
        optimizer.zero_grad()
        of(ids).square().sum().backward()
        optimizer.step()

    for _ in range(3):
        step(network)
    masks = magnitude_masks(network, 0.7)
    masked = MaskedNetwork(network, masks)
    for _ in range(5):
        step(masked)
    moved = {n: bool(w[~masks[n]].count_nonzero()) for n, w in matrices(network).items()}
    assert any(moved.values())  # the optimiser did move them
    for name, weight in matrices(masked.pruned()).items():
        assert not weight[~masks[name]].any()


def test_set_to_zero_once_weights_do_come_back(network):
    """What the masks are for."""
    ids = torch.randint(1, 30, (16, 5))
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.1)
    network(ids).sum().backward()
    optimizer.step()
    masks = magnitude_masks(network, 0.7)
    apply_masks(network, masks)
    optimizer.zero_grad(set_to_none=False)
    optimizer.step()
    assert any(w[~masks[n]].any() for n, w in matrices(network).items())


def test_a_masked_network_says_what_the_pruned_one_says(network):
    ids = torch.randint(0, 30, (4, 6))
    masked = MaskedNetwork(network.eval(), magnitude_masks(network, 0.5)).eval()
    said = masked(ids)
    assert said.equal(masked.pruned()(ids))
    assert sparsity_of(network) == pytest.approx(0.5, abs=0.01)


def test_a_gru_learns_behind_masks():
    torch.manual_seed(0)
    network = GRUNetwork(30, dim=4, units=3, labels=2)
    masked = MaskedNetwork(network, magnitude_masks(network, 0.5))
    masked(torch.tensor([[1, 2, 3], [4, 5, 0]])).sum().backward()
    for name, mask in masked.masks.items():
        assert not network.get_parameter(name).grad[~mask].any()
        assert network.get_parameter(name).grad[mask].any()


def test_fit_ends_at_the_sparsity_of_the_schedule():
    torch.manual_seed(0)
    ids = np.random.default_rng(0).integers(1, 30, (64, 5))
    labels = (ids[:, :1] > 15).repeat(2, axis=1)
    network = MeanVectorNetwork(30, dim=8, hidden=6, labels=2)
    masked = MaskedNetwork(network, schedule=cubic(0.8, 20), every=5)
    history = fit(
        masked, (ids, labels), (ids, labels), epochs=6, batch_size=16, keep_from=6, progress=False
    )
    assert history.best_epoch == 6
    assert sparsity_of(masked.pruned()) == pytest.approx(0.8, abs=0.01)


def test_masks_that_do_not_fit_are_refused(network):
    with pytest.raises(ValueError, match="does not fit"):
        MaskedNetwork(network, {"hidden.weight": torch.ones(2, 2, dtype=torch.bool)})
    with pytest.raises(ValueError, match="does not fit"):
        MaskedNetwork(network, {"hidden.weight": torch.ones(6, 8)})
    with pytest.raises(ValueError, match="every 1 step"):
        MaskedNetwork(network, every=0)


def test_full_masks_keep_all(network):
    assert sparsity_of(full_masks(network)) == 0
    before = {n: w.clone() for n, w in matrices(network).items()}
    apply_masks(network, full_masks(network))
    assert all(w.equal(before[n]) for n, w in matrices(network).items())


def test_what_is_pruned_is_the_weights_themselves_without_their_gradients(network):
    found = matrices(network)
    assert not any(weight.requires_grad for weight in found.values())
    found["hidden.weight"].zero_()
    assert not network.hidden.weight.any()


def test_biases_are_not_pruned(network):
    assert [n for n in matrices(network) if n.endswith("bias")] == []
    assert isinstance(network.hidden, nn.Linear) and "hidden.weight" in matrices(network)
