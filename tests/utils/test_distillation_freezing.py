import pytest
import torch

from utils.distillation import freeze_word_pieces
from utils.models import MeanVectorNetwork, TransformerNetwork

ENCODER = {
    "vocab_size": 11,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}


def test_word_pieces_stay_where_they_are_and_all_else_learns():
    pytest.importorskip("transformers")
    network = TransformerNetwork(ENCODER, labels=2)
    freeze_word_pieces(network)
    network(torch.tensor([[1, 2, 3]])).sum().backward()
    frozen = [name for name, p in network.named_parameters() if p.grad is None]
    assert frozen == ["encoder.embeddings.word_embeddings.weight"]


def test_what_has_no_word_pieces_is_refused():
    with pytest.raises(TypeError, match="MeanVectorNetwork has no word pieces"):
        freeze_word_pieces(MeanVectorNetwork(5, 4, hidden=3, labels=2))
