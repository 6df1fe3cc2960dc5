import copy

import numpy as np
import pytest
import torch
from torch import nn

from utils.data import Vocabulary, label_names
from utils.models import GRUNetwork, MeanVectorNetwork, NeuralClassifier
from utils.packing import load_model, save_model
from utils.pruning import (
    apply_masks,
    keep_units,
    magnitude_masks,
    mask_units,
    remove_units,
    unit_scores,
    with_sparse_layers,
)

WORDS = Vocabulary([f"w{n:02}" for n in range(18)])
IDS = torch.tensor([[2, 3, 4, 5], [6, 7, 0, 0], [8, 0, 0, 0], [0, 0, 0, 0], [9, 9, 9, 1]])
BUILDS = {
    "dense": lambda: MeanVectorNetwork(len(WORDS), 4, 8, labels=7),
    "GRU": lambda: GRUNetwork(len(WORDS), 4, 8, labels=7),
    "GRU of one direction": lambda: GRUNetwork(len(WORDS), 4, 8, labels=7, bidirectional=False),
}


@pytest.fixture(params=BUILDS)
def network(request):
    torch.manual_seed(0)
    return BUILDS[request.param]().eval()


@pytest.mark.parametrize("criterion", ["magnitude", "activation", "random"])
@pytest.mark.parametrize("sparsity", [0.0, 0.25, 0.5, 1.0])
def test_the_small_network_loaded_from_its_file_says_what_the_masked_one_says(
    network, criterion, sparsity, tmp_path
):
    kept = keep_units(unit_scores(network, IDS, criterion), sparsity)
    small, masked = remove_units(network, kept), mask_units(network, kept)
    path = tmp_path / "small.slm"
    save_model(NeuralClassifier(small, WORDS, "ekman", label_names("ekman")), path)
    loaded = load_model(path).network
    left = max(1, 8 - round(sparsity * 8))
    assert loaded.config.get("units", loaded.config.get("hidden")) == left
    assert sum(p.numel() for p in loaded.parameters()) <= sum(
        p.numel() for p in network.parameters()
    )
    torch.testing.assert_close(loaded(IDS), masked(IDS))
    if sparsity == 0:
        torch.testing.assert_close(loaded(IDS), network(IDS))


def test_the_network_itself_stays_as_it_was(network):
    before = copy.deepcopy(network.state_dict())
    kept = keep_units(unit_scores(network, IDS, "activation"), 0.5)
    mask_units(network, kept), remove_units(network, kept)
    assert all(before[name].equal(tensor) for name, tensor in network.state_dict().items())


def test_a_unit_that_never_speaks_goes_first():
    torch.manual_seed(0)
    network = MeanVectorNetwork(20, 4, 6, labels=2)
    with torch.no_grad():
        network.hidden.weight[3], network.hidden.bias[3] = 0.0, -1.0
    (scores,) = unit_scores(network, IDS, "activation")
    assert scores[3] == 0 == scores.min()


def test_directions_have_scores_of_their_own():
    torch.manual_seed(0)
    network = GRUNetwork(20, 4, 6, labels=2)
    with torch.no_grad():
        # Columns: mean of both directions, then maximum of both.
        network.output.weight[:, [2, 14]] = 0.0
        network.output.weight[:, [9, 21]] = 0.0
    for criterion in ("magnitude", "activation"):
        forward, backward = unit_scores(network, IDS, criterion)
        assert (forward[2], backward[3]) == (0, 0)
        assert int((forward == 0).sum()) == int((backward == 0).sum()) == 1


def test_activations_are_those_of_words_and_not_of_padding():
    torch.manual_seed(0)
    network = GRUNetwork(20, 4, 3, labels=2).eval()
    alone = [unit_scores(network, torch.tensor([[2, 3]]), "activation")]
    padded = [unit_scores(network, torch.tensor([[2, 3, 0, 0], [2, 3, 0, 0]]), "activation")]
    for a, b in zip(alone, padded, strict=True):
        torch.testing.assert_close(a, b)


def test_of_equal_scores_the_first_stay_and_one_always_does():
    assert keep_units([torch.ones(4)], 0.5)[0].tolist() == [0, 1]
    assert keep_units([torch.tensor([1.0, 3.0])], 1.0)[0].tolist() == [1]


def test_what_has_no_units_to_remove_is_refused():
    with pytest.raises(TypeError, match="no units"):
        unit_scores(nn.Linear(2, 2), IDS, "magnitude")
    with pytest.raises(TypeError, match="no units"):
        remove_units(nn.Linear(2, 2), [torch.arange(1)])
    deep = GRUNetwork(20, 4, 3, labels=2, layers=2)
    with pytest.raises(ValueError, match="several layers"):
        unit_scores(deep, IDS, "magnitude")
    with pytest.raises(ValueError, match="no criterion"):
        unit_scores(MeanVectorNetwork(9, 2, 2, labels=2), IDS, "beauty")


# -------------------------------------------------------------------------------- sparse products


@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.95, 1.0])
def test_sparse_products_say_what_dense_ones_say(network, sparsity):
    apply_masks(network, magnitude_masks(network, sparsity))
    sparse = with_sparse_layers(network)
    with torch.inference_mode():
        torch.testing.assert_close(sparse(IDS), network(IDS))
        torch.testing.assert_close(sparse(IDS[:1]), network(IDS[:1]))
        assert sparse(IDS[:1, :1]).shape == (1, 7)


def test_a_sparse_gru_has_one_layer():
    with pytest.raises(ValueError, match="one layer"):
        with_sparse_layers(GRUNetwork(20, 4, 3, labels=2, layers=2))


def test_scores_of_large_inputs_are_finite(network):
    ids = torch.from_numpy(np.random.default_rng(0).integers(0, 18, (600, 12)))
    for scores in unit_scores(network, ids, "activation"):
        assert scores.isfinite().all() and (scores >= 0).all()
