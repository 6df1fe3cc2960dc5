"""Word pieces that are cut to those of some texts, and the transformer that knows them."""

import json

import numpy as np
import pytest
import torch

from utils.models import TransformerNetwork, WordPiece, cut_pieces, keep_pieces, predict_logits

PIECES = "[PAD] night [UNK] [CLS] [SEP] rain ##y rainy r ##n day z".split()
TEXTS = ["rain day", "Rainy day", "rain"]
WIDTHS = dict(hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16)


@pytest.fixture(params=["BertProcessing", "TemplateProcessing"])
def tokenizer(request):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = {piece: number for number, piece in enumerate(PIECES)}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.add_special_tokens(["[UNK]", "[CLS]"])
    if request.param == "BertProcessing":
        backend.post_processor = processors.BertProcessing(("[SEP]", 4), ("[CLS]", 3))
    else:
        backend.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 3), ("[SEP]", 4)]
        )
    return WordPiece(backend.to_str())


def names(tokenizer):
    vocabulary = json.loads(tokenizer.to_str())["model"]["vocab"]
    return sorted(vocabulary, key=vocabulary.get)


def test_what_occurs_is_kept_with_its_characters_and_reads_texts_as_before(tokenizer):
    smaller, rows = cut_pieces(tokenizer, TEXTS)
    kept = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "rain", "##y", "rainy", "r", "##n", "day"]
    assert names(smaller) == kept
    assert [PIECES[row] for row in rows] == kept
    assert np.array_equal(rows[smaller.encode(TEXTS, 6)], tokenizer.encode(TEXTS, 6))


def test_a_piece_that_is_too_rare_is_spelled_by_others(tokenizer):
    smaller, rows = cut_pieces(tokenizer, TEXTS, min_count=2)
    assert "rainy" not in names(smaller)
    spelled = rows[smaller.encode(["rainy"], 6)[0]]
    assert [PIECES[row] for row in spelled] == ["[CLS]", "rain", "##y", "[SEP]", "[PAD]", "[PAD]"]


def test_what_lies_behind_the_length_does_not_occur(tokenizer):
    assert "day" not in names(cut_pieces(tokenizer, TEXTS, length=3)[0])


def test_unknown_words_stay_unknown(tokenizer):
    smaller, rows = cut_pieces(tokenizer, TEXTS)
    assert [PIECES[row] for row in rows[smaller.encode(["night z"], 4)[0]]] == [
        "[CLS]", "[UNK]", "[UNK]", "[SEP]"
    ]  # fmt: skip


def test_a_count_below_one_is_refused(tokenizer):
    with pytest.raises(ValueError, match="min_count must be at least 1"):
        cut_pieces(tokenizer, TEXTS, min_count=0)


def test_the_smaller_network_says_what_the_larger_did(tokenizer):
    torch.manual_seed(0)
    network = TransformerNetwork(dict(vocab_size=len(PIECES), **WIDTHS), labels=3).eval()
    smaller, rows = cut_pieces(tokenizer, TEXTS)
    cut = keep_pieces(network, rows, length=5)
    before = predict_logits(network, tokenizer.encode(TEXTS, 5))
    assert np.array_equal(predict_logits(cut, smaller.encode(TEXTS, 5)), before)
    assert cut.encoder.embeddings.word_embeddings.weight.shape == (len(rows), 8)
    assert cut.encoder.embeddings.position_embeddings.weight.shape == (5, 8)
    assert network.config["encoder"]["vocab_size"] == len(PIECES)


@pytest.mark.parametrize("rows, length", [([0, 12], 5), ([-1, 0], 5), ([0, 1], 600), ([0, 1], 0)])
def test_rows_or_places_that_are_not_there_are_refused(rows, length):
    network = TransformerNetwork(dict(vocab_size=len(PIECES), **WIDTHS), labels=3)
    with pytest.raises(ValueError, match="cannot keep rows"):
        keep_pieces(network, np.array(rows), length)
