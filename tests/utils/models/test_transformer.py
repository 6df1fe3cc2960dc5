"""The transformer classifier, on a tiny encoder with random weights."""

import json

import numpy as np
import pytest
import torch

from utils.data import DataError
from utils.models import (
    NeuralClassifier,
    TransformerNetwork,
    WordPiece,
    find_encoder,
    predict_logits,
)
from utils.packing import PackingError, load_model, save_model, size_report
from utils.training import fit

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "day", "love", "##ly", "rain", "##y", "what"]
ENCODER = {
    "vocab_size": len(PIECES),
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 40,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
}
TEXTS = ["What a lovely day", "rainy", "a rainy day", "", "zebra"]


@pytest.fixture
def tokenizer():
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = {piece: number for number, piece in enumerate(PIECES)}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return WordPiece(backend.to_str())


@pytest.fixture
def network():
    torch.manual_seed(0)
    return TransformerNetwork(ENCODER, labels=3).eval()


def test_word_pieces_are_padded_and_cut(tokenizer):
    ids = tokenizer.encode(["What a lovely rainy day", "zebra"], 7)
    assert ids.tolist() == [[2, 10, 4, 6, 7, 8, 3], [2, 1, 3, 0, 0, 0, 0]]


def test_padding_changes_no_logit(network, tokenizer):
    ids = tokenizer.encode(TEXTS, 12)
    alone = np.concatenate([predict_logits(network, ids[i : i + 1]) for i in range(len(ids))])
    np.testing.assert_allclose(predict_logits(network, ids), alone, atol=1e-5)


def test_pooling_is_the_mean_over_the_comments_own_pieces(network, tokenizer):
    ids = torch.from_numpy(tokenizer.encode(["rainy day"], 9))
    states = network.encoder(input_ids=ids[:, :5]).last_hidden_state
    expected = network.output(states.mean(dim=1))
    torch.testing.assert_close(network(ids), expected, atol=1e-5, rtol=1e-4)


def test_a_transformer_comes_back_whole(network, tokenizer, tmp_path):
    model = NeuralClassifier(network, tokenizer, "ekman", "abc", [0.2, 0.5, 0.7], length=12)
    save_model(model, tmp_path / "t.slm")
    loaded = load_model(tmp_path / "t.slm")
    np.testing.assert_allclose(loaded.predict_proba(TEXTS), model.predict_proba(TEXTS), atol=1e-6)
    report = size_report(tmp_path / "t.slm")
    assert report["embedding_bytes"] == 4 * len(PIECES) * ENCODER["hidden_size"]


def test_a_transformer_learns(tokenizer):
    torch.manual_seed(0)
    network = TransformerNetwork(ENCODER, labels=1)
    ids = tokenizer.encode(["a lovely day", "a rainy day", "lovely", "rainy"] * 30, 8)
    labels = np.array([[1], [0], [1], [0]] * 30)
    options = {"lr": 5e-3, "epochs": 6, "batch_size": 16, "progress": False, "bf16": True}
    assert fit(network, (ids, labels), (ids, labels), **options).best_dev_macro_f1 == 1.0


def test_a_folder_without_a_model_and_a_tokenizer_that_is_none_are_named(tmp_path):
    with pytest.raises(DataError, match="config.json"):
        find_encoder(tmp_path)
    with pytest.raises(ValueError, match="no tokenizer"):
        WordPiece(json.dumps({"version": "1.0"}))


def test_a_file_with_a_broken_tokenizer_is_one_clear_error(
    network, tokenizer, tmp_path, monkeypatch
):
    monkeypatch.setattr(WordPiece, "to_str", lambda self: "{}")
    model = NeuralClassifier(network, tokenizer, "ekman", "abc", length=12)
    with pytest.raises(PackingError, match="t.slm could not be loaded again: this is no tokenizer"):
        save_model(model, tmp_path / "t.slm")
