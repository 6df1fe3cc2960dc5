"""Every rule on every awkward tensor."""

import copy

import pytest
import torch

from tests.utils.pruning.battery import NAN, RULES, SPARSITIES, TENSORS, OneMatrix
from utils.codecs import Sparse, decode, encode
from utils.pruning import MaskedNetwork, apply_masks, cubic, sparsity_of

PER_OUTPUT = {"magnitude, per output", "activation-aware"}


@pytest.fixture(params=RULES)
def rule(request):
    return request.param, RULES[request.param]


@pytest.mark.parametrize("kind", TENSORS)
@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_exactly_so_many_go(rule, kind, sparsity):
    name, masks_of = rule
    weight = TENSORS[kind]
    mask = masks_of(weight, sparsity)["w"]
    assert (mask.shape, mask.dtype) == (weight.shape, torch.bool)
    if name in PER_OUTPUT:
        expected = len(weight) * (weight.shape[1] - round(sparsity * weight.shape[1]))
    else:
        expected = weight.numel() - round(sparsity * weight.numel())
    assert int(mask.sum()) == expected


@pytest.mark.parametrize("kind", sorted(set(TENSORS) - {"infinite", "empty"}))
def test_what_is_gone_never_comes_back(rule, kind):
    _, masks_of = rule
    weight, masks = TENSORS[kind], None
    for sparsity in (0.25, 0.5, 0.3, 0.75, 1.0, 0.0):
        new = masks_of(weight, sparsity, masks)
        if masks is not None:
            assert not (new["w"] & ~masks["w"]).any()
        masks = new
        # Weights that have grown since do not matter.
        weight = weight.flip(1) * 3
    assert not masks["w"].any()


@pytest.mark.parametrize("name", sorted(set(RULES) - {"random"}))  # which looks at no weight
def test_what_is_no_number_is_refused(name):
    with pytest.raises(ValueError, match="not a number"):
        RULES[name](NAN, 0.5)


@pytest.mark.parametrize("sparsity", [-0.1, 1.1, float("nan")])
def test_what_is_no_share_is_refused(rule, sparsity):
    with pytest.raises(ValueError, match="between 0 and 1"):
        rule[1](TENSORS["tied"], sparsity)


def test_two_runs_agree(rule):
    for weight in TENSORS.values():
        if weight.isfinite().all():
            first, second = (rule[1](weight.clone(), 0.5)["w"] for _ in range(2))
            assert first.equal(second)


@pytest.mark.parametrize("kind", sorted(set(TENSORS) - {"infinite", "empty"}))
@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_the_file_has_the_zeros_and_the_rest_as_it_was(rule, kind, sparsity):
    network = OneMatrix(TENSORS[kind])
    before = network.linear.weight.detach().clone()
    mask = rule[1](before, sparsity)["w"]
    apply_masks(network, {"linear.weight": mask})
    weight = network.linear.weight.detach()
    assert weight.equal(torch.where(mask, before, 0.0))
    array = weight.float().numpy()
    back = decode(*encode(Sparse("raw"), array), array.shape)
    assert (back == array).all()


@pytest.mark.parametrize("kind", ["constant", "all zero", "tied", "one element"])
def test_training_goes_on_from_where_it_was_saved(rule, kind):
    """Masks, steps and the optimiser's state are all there is: two halves are as good as the whole."""

    def begin():
        torch.manual_seed(0)
        network = OneMatrix(TENSORS[kind])
        masks = {"linear.weight": rule[1](TENSORS[kind], 0.25)["w"]}
        masked = MaskedNetwork(network, masks, schedule=cubic(0.75, 8), every=2)
        optimizer = torch.optim.AdamW(masked.parameters(), lr=0.1, weight_decay=0.1)
        return masked, optimizer

    def train(masked, optimizer, steps):
        x = torch.linspace(-1, 1, 5 * TENSORS[kind].shape[1]).reshape(5, -1)
        for _ in range(steps):
            optimizer.zero_grad()
            (masked(x) - 1).square().mean().backward()
            optimizer.step()

    whole, optimizer = begin()
    train(whole, optimizer, 10)
    half, optimizer = begin()
    train(half, optimizer, 5)
    saved = copy.deepcopy((half.state_dict(), optimizer.state_dict()))
    again, optimizer = begin()
    again.load_state_dict(saved[0])
    optimizer.load_state_dict(saved[1])
    train(again, optimizer, 5)
    a, b = whole.pruned().linear.weight, again.pruned().linear.weight
    assert a.equal(b)
    size = a.numel()
    gone = max(round(0.75 * size), int((~rule[1](TENSORS[kind], 0.25)["w"]).sum()))
    assert sparsity_of({"w": a}) >= gone / size - 1e-6
