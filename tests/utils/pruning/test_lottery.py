import pytest
import torch

from utils.models import MeanVectorNetwork
from utils.pruning import (
    magnitude_masks,
    matrices,
    rewind,
    sparsity_of,
    ticket_sparsities,
    tickets,
    with_new_weights,
)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return MeanVectorNetwork(20, dim=5, hidden=4, labels=2)


def state(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def test_each_round_prunes_about_a_fifth_of_what_remains():
    targets = [0.5, 0.8, 0.9, 0.95, 0.98]
    sparsities = ticket_sparsities(targets)
    assert [s for s in sparsities if s in targets] == targets
    left = [1.0, *(1 - s for s in sparsities)]
    shares = [1 - b / a for a, b in zip(left, left[1:], strict=False)]
    assert all(0.19 < share < 0.21 for share in shares)
    assert len(sparsities) == 17


def test_a_target_that_is_near_takes_one_round():
    assert ticket_sparsities([0.05, 0.06]) == [0.05, 0.06]


@pytest.mark.parametrize("targets", [[0.5, 0.5], [0.9, 0.5], [1.0], [0.0]])
def test_targets_that_do_not_rise_are_refused(targets):
    with pytest.raises(ValueError, match="rise between 0 and 1"):
        ticket_sparsities(targets)


@pytest.mark.parametrize("share", [-0.2, 0.0, 1.0, 2.0])
def test_a_round_that_prunes_nothing_or_all_is_refused(share):
    with pytest.raises(ValueError, match="a round prunes"):
        ticket_sparsities([0.5], share=share)


def test_rewinding_brings_the_early_weights_back_but_those_that_are_gone(network):
    early = state(network)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter))
    masks = magnitude_masks(network, 0.5)
    rewind(network, early, masks)
    for name, weight in matrices(network).items():
        assert weight.equal(torch.where(masks[name], early[name], 0.0))
    assert network.hidden.bias.equal(early["hidden.bias"])


def test_every_round_starts_from_the_early_state_with_fewer_weights(network):
    early = state(network)
    with torch.no_grad():
        network.hidden.weight.add_(1)
    starts, seen = [], []

    def train(masked, sparsity):
        starts.append(state(masked.network))
        with torch.no_grad():
            for parameter in masked.network.parameters():
                parameter.add_(torch.randn_like(parameter))
        return sparsity

    for sparsity, masks, result in tickets(network, early, train, [0.2, 0.5, 0.8]):
        assert result == sparsity
        assert sparsity_of(masks) == pytest.approx(sparsity, abs=0.03)
        assert sparsity_of(network) == pytest.approx(sparsity, abs=0.03)
        seen.append(masks)
    for masks, at_start in zip(seen, starts, strict=True):
        for name, mask in masks.items():
            assert at_start[name].equal(torch.where(mask, early[name], 0.0))
    for before, after in zip(seen, seen[1:], strict=False):
        assert not any((after[name] & ~before[name]).any() for name in after)


def test_a_round_prunes_by_the_weights_that_were_trained(network):
    early = state(network)
    with torch.no_grad():
        network.hidden.weight.zero_()
        network.hidden.weight[0] = 5.0
    (_, masks, _) = next(tickets(network, early, lambda *_: None, [0.75]))
    assert masks["hidden.weight"][0].all() and not masks["hidden.weight"][1:].any()


def test_new_weights_are_those_of_another_network_behind_the_same_masks(network):
    masks = magnitude_masks(network, 0.5)
    torch.manual_seed(9)
    fresh = MeanVectorNetwork(20, dim=5, hidden=4, labels=2)
    before = state(fresh)
    masked = with_new_weights(fresh, masks)
    for name, weight in matrices(masked.network).items():
        assert weight.equal(torch.where(masks[name], before[name], 0.0))
        assert fresh.get_parameter(name).equal(before[name])
