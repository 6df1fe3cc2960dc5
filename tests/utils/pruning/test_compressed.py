"""A pruned transformer whose output hears groups of labels, and its file."""

import torch

from utils.data import label_names
from utils.distillation import GroupedLinear, grouped_logits, replace_layers
from utils.models import NeuralClassifier, TransformerNetwork, WordPiece
from utils.packing import load_model, save_model
from utils.pruning import prune_transformer
from utils.training import set_seed

SIZES = dict(vocab_size=50, hidden_size=12, num_hidden_layers=2, num_attention_heads=3)
SIZES |= dict(intermediate_size=10)
GROUPS = [[n] for n in range(6)] + [[6, 7]]


def tokenizer() -> WordPiece:
    from tokenizers import Tokenizer, models

    pieces = {"[PAD]": 0, "[UNK]": 1, "glad": 2}
    return WordPiece(Tokenizer(models.WordPiece(pieces, unk_token="[UNK]")).to_str())


def test_groups_are_heard_by_a_pruned_transformer_and_by_its_file(tmp_path):
    set_seed(0)
    network = TransformerNetwork(SIZES, labels=7 + 8).eval()
    kept = [torch.tensor([True, False, True])] * 2
    small = prune_transformer(network, heads=kept)
    layer = GroupedLinear.from_linear(small.output, GROUPS)
    grouped = replace_layers(small, {"output": layer})
    ids = torch.tensor([[5, 7, 9, 0], [3, 4, 8, 6]])
    assert torch.equal(grouped(ids), grouped_logits(small(ids), GROUPS)[:, :7])
    model = NeuralClassifier(grouped, tokenizer(), "ekman", label_names("ekman"), length=8)
    save_model(model, tmp_path / "model", {"network.*": "raw"})
    found = load_model(tmp_path / "model").network
    assert type(found) is type(grouped)
    assert found.config == grouped.config
    assert torch.equal(found(ids), grouped(ids))
