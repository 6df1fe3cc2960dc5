"""Counts by hand."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from utils.distillation import GroupedLinear, StaticSparseLinear, TensorTrainEmbedding
from utils.efficiency import (
    count_macs,
    count_parameters,
    measure,
)
from utils.efficiency.counts import sparse_macs
from utils.models import GRUNetwork, MeanVectorNetwork, NeuralClassifier, SparseLinear
from utils.quantization import quantize_network


def test_parameters_of_networks():
    assert count_parameters(nn.Linear(3, 5)) == 20
    tied = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    tied[1].weight = tied[0].weight
    assert count_parameters(tied) == 9
    network = GRUNetwork(50, 4, 6, 7)
    classifier = NeuralClassifier(network, None, "ekman", "abcdefg")
    assert count_parameters(classifier) == count_parameters(network)
    assert count_parameters(network) == 50 * 4 + 2 * (3 * 6 * (4 + 6) + 2 * 3 * 6) + (24 + 1) * 7


def linear_model():
    """Weights: 'good' 2, 'bad' 1, 'so' 0 of 3 labels."""
    coef, words = np.array([[0.0, 0, 1], [1, 2, 0], [0, 0, 0]]), ["bad", "good", "so"]
    return SparseLinear("sentiment", "abc")._set(words, np.ones(3), coef, np.zeros(3))


def test_parameters_of_the_sparse_model_are_those_that_are_not_zero():
    assert count_parameters(linear_model()) == 3 + 3 + 3


def test_parameters_of_something_else_are_not_zero():
    with pytest.raises(TypeError, match="parameters of a object"):
        count_parameters(object())


class Reader(nn.Module):
    """Ids to vectors, then whatever is to be counted."""

    def __init__(self, layer, dim=10, then=lambda x: x):
        super().__init__()
        self.embedding, self.layer, self.then = nn.Embedding(5, dim), layer, then

    def forward(self, ids):
        return self.then(self.layer(self.embedding(ids)))


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (nn.Linear(10, 4), 6 * 10 * 4),
        (nn.Sequential(nn.Linear(10, 4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 2)), 6 * (40 + 8)),
        (nn.LayerNorm(10), 0),
        (nn.GRU(10, 8, batch_first=True), 6 * 3 * 8 * (10 + 8)),
        (nn.GRU(10, 8, batch_first=True, bidirectional=True), 6 * 2 * 3 * 8 * (10 + 8)),
        (
            nn.GRU(10, 8, num_layers=3, batch_first=True, bidirectional=True),
            6 * 2 * 3 * 8 * ((10 + 8) + 2 * (16 + 8)),
        ),
        (nn.LSTM(10, 8, batch_first=True), 6 * 4 * 8 * (10 + 8)),
        (
            nn.TransformerEncoderLayer(10, nhead=2, dim_feedforward=32, batch_first=True),
            # query, key, value, output; scores and their sum of values; feed-forward
            6 * 4 * 10 * 10 + 2 * 6 * 6 * 10 + 6 * 2 * 10 * 32,
        ),
        (StaticSparseLinear(10, 4, sparsity=0.8), 6 * 4 * 2),
        (GroupedLinear(10, [[0, 2], [1]], members=3), 6 * 10 * (2 + 3)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_macs_by_hand(layer, expected):
    assert count_macs(Reader(layer), tokens=6) == expected


def test_macs_of_a_tensor_train():
    reader = Reader(nn.Identity())
    reader.embedding = TensorTrainEmbedding(6, 10, ((2, 3), (2, 5)), 3)
    # A row: 1 by 1 times 1 by (2 * 3), then 2 by 3 times 3 by 5.
    assert count_macs(reader, tokens=6) == 6 * (6 + 2 * 3 * 5)


@pytest.mark.parametrize("tokens", [1, 27])
def test_macs_of_the_courses_networks(tokens):
    model_1 = MeanVectorNetwork(50, 10, 8, 7)
    assert count_macs(model_1, tokens) == 10 * 8 + 8 * 7
    model_2 = GRUNetwork(50, 10, 8, 7, layers=2)
    gru = tokens * 2 * 3 * 8 * ((10 + 8) + (16 + 8))
    assert count_macs(model_2, tokens) == gru + 4 * 8 * 7


def test_macs_of_the_pretrained_kind_of_transformer():
    pytest.importorskip("transformers", reason="the transformer is an extra")
    from utils.models import TransformerNetwork

    encoder = dict(
        vocab_size=20, hidden_size=24, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=48, max_position_embeddings=16,
    )  # fmt: skip
    layer = 9 * 4 * 24 * 24 + 2 * 9 * 9 * 24 + 9 * 2 * 24 * 48
    assert count_macs(TransformerNetwork(encoder, labels=7), tokens=9) == 2 * layer + 24 * 7


class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.gru = nn.Embedding(5, 10), nn.GRU(10, 8, batch_first=True)

    def forward(self, ids):
        lengths = torch.full((len(ids),), ids.shape[1])
        return self.gru(pack_padded_sequence(self.embedding(ids), lengths, batch_first=True))[1]


def test_macs_of_packed_sequences():
    assert count_macs(Packed(), tokens=6) == 6 * 3 * 8 * (10 + 8)


def test_products_outside_of_layers_are_counted():
    weight = nn.Parameter(torch.ones(10, 3))
    assert count_macs(Reader(nn.Identity(), then=lambda x: x @ weight), 6) == 6 * 10 * 3
    scores = Reader(nn.Identity(), then=lambda x: torch.einsum("bti,bsi->bts", x, x))
    assert count_macs(scores, 6) == 6 * 6 * 10
    affine = Reader(nn.Identity(), then=lambda x: torch.addmm(torch.ones(3), x[0], weight))
    assert count_macs(affine, 6) == 6 * 10 * 3
    assert count_macs(Reader(nn.Identity(), then=lambda x: x[0, 0] @ x[0, 1]), 6) == 10


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv1d(6, 3, 2),
        nn.Sequential(nn.Conv1d(6, 3, 2)),
        nn.Bilinear(10, 10, 2),
        nn.GRUCell(10, 8),
        pytest.param(
            nn.LSTM(10, 8, proj_size=2, batch_first=True),
            marks=pytest.mark.filterwarnings("ignore:LSTM with projections"),
        ),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_an_unknown_layer_is_an_error_and_not_zero(layer):
    with pytest.raises(TypeError, match="count_macs does not know"):
        count_macs(Reader(layer), tokens=6)


class Own(nn.Module):
    """A layer of somebody's own: a subclass may do anything."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(10, 3))

    def forward(self, x):
        return x @ self.weight


class TwiceLinear(nn.Linear):
    def forward(self, x):
        return super().forward(super().forward(x))


@pytest.mark.parametrize("layer", [Own(), TwiceLinear(10, 10)])
def test_an_own_layer_is_unknown_even_if_it_is_like_a_known_one(layer):
    with pytest.raises(TypeError, match=type(layer).__name__):
        count_macs(Reader(layer), tokens=6)


def test_an_unknown_operation_is_an_error_and_not_zero():
    kernel = torch.ones(3, 6, 2)
    convolves = Reader(nn.Identity(), then=lambda x: nn.functional.conv1d(x, kernel))
    with pytest.raises(TypeError, match="does not know the operation convolution"):
        count_macs(convolves, tokens=6)


def test_counting_leaves_the_network_as_it_was():
    network = GRUNetwork(50, 10, 8, 7).train()
    network.gru.eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fast_path = torch.backends.mha.get_fastpath_enabled()
    count_macs(network)
    with pytest.raises(TypeError):
        count_macs(Reader(nn.Sequential(nn.Linear(10, 4), nn.Identity()), then=lambda x: (
            nn.functional.conv1d(x, torch.ones(3, 6, 2)))), 6)  # fmt: skip
    assert network.training and not network.gru.training and network.output.training
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert torch.backends.mha.get_fastpath_enabled() == fast_path


def test_macs_of_no_tokens():
    with pytest.raises(ValueError, match="tokens must be at least 1"):
        count_macs(nn.Identity(), 0)


def test_macs_of_the_sparse_model_are_the_mean_over_texts():
    texts = ["good good so", "bad film", "film"]
    measurement = measure(linear_model(), texts, batch_sizes=(1,), repeats=1)
    assert sparse_macs(linear_model(), ["good bad", "so"]) == 2  # (3 + 0) / 2, rounded
    assert (measurement.macs, measurement.macs_tokens, measurement.parameters) == (1, None, 9)


def test_macs_of_a_sparse_model_count_what_it_reads():
    texts = ["lovely day", "awful day", "what a lovely garden", "awful rain"] * 3
    labels = np.array([[1], [0], [1], [0]] * 3)
    for options in ({"letters": 3}, {"pairs": True}, {"buckets": 1 << 12}):
        model = SparseLinear("ekman", ["joy"], C=5.0, **options).fit(texts, labels)
        met = np.mean([(model._vectorizer.transform([t]) != 0).sum() for t in texts])
        assert sparse_macs(model, texts) == round(met) > 0


def test_a_network_with_an_unknown_layer_is_an_error_before_any_work():
    classifier = NeuralClassifier(Reader(nn.GRUCell(10, 8)), None, "ekman", "abcdefg")
    with pytest.raises(TypeError, match="GRUCell"):
        measure(classifier, ["a"] * 64)


class OwnWithMacs(Own):
    def macs(self, output):
        return 1000 * output.shape[1]


class Derived(OwnWithMacs):
    def forward(self, x):
        return super().forward(super().forward(x))


def test_a_layer_says_its_own_macs_and_one_derived_from_it_has_to_say_them_anew():
    alone = count_macs(Reader(nn.Linear(10, 8)), 5)
    assert count_macs(Reader(OwnWithMacs()), 5) == alone - 5 * 10 * 8 + 5 * 1000
    with pytest.raises(TypeError, match="Derived.* macs"):
        count_macs(Reader(Derived()), 5)


class Pair(nn.Module):
    """Two layers of which it speaks for both."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(10, 8), nn.Linear(10, 8)

    def forward(self, x):
        return self.first(x) + self.second(x)

    def macs(self, output):
        return 7


def test_what_a_layer_says_stands_for_the_layers_in_it():
    alone = count_macs(Reader(nn.Linear(10, 8)), 5)
    assert count_macs(Reader(Pair()), 5) == alone - 5 * 10 * 8 + 7


@pytest.mark.parametrize("layers", [1, 2])
def test_integer_layers_multiply_as_often_as_those_they_replace(layers):
    for network in (MeanVectorNetwork(50, 12, 9, 4), GRUNetwork(50, 12, 9, 4, layers=layers)):
        assert count_macs(quantize_network(network), 7) == count_macs(network, 7)
