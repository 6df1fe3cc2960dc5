"""Early exit: entropies, rules against plain loops, calibration, and skipping that agrees with them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy_with_logits

from utils.adaptive import (
    EarlyExitTransformer,
    ExitLoss,
    agreeing,
    bernoulli_entropy,
    exit_layers,
    predict_exits,
    threshold_for_budget,
)
from utils.models import NeuralClassifier, TransformerNetwork, WordPiece, predict_logits
from utils.packing import load_model, save_model
from utils.training import fit

ENCODER = dict(
    vocab_size=40,
    hidden_size=16,
    num_hidden_layers=4,
    num_attention_heads=2,
    intermediate_size=20,
    max_position_embeddings=12,
    type_vocab_size=2,
)
TOKENIZER = """{"version": "1.0", "added_tokens": [], "normalizer": null,
"pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
"model": {"type": "WordLevel", "unk_token": "[UNK]",
"vocab": {"[PAD]": 0, "[UNK]": 1, "so": 2, "good": 3, "not": 4, "bad": 5}}}"""


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = EarlyExitTransformer(ENCODER, labels=3, dropout=0.0).eval()
    for classifier in (*network.exits, network):  # so that exits differ, and are sure of some
        torch.nn.init.normal_(classifier.output.weight, std=1.5)
    return network


@pytest.fixture
def ids():
    rng = np.random.default_rng(0)
    ids = np.zeros((50, 9), dtype=np.int64)
    for row, length in zip(ids, rng.integers(1, 10, 50), strict=True):
        row[:length] = rng.integers(1, 40, length)
    return ids


def test_entropy_is_the_sum_of_the_labels_entropies():
    p = torch.tensor([[0.5, 0.1], [0.25, 0.999]], dtype=torch.float64)
    expected = -(p * p.log() + (1 - p) * (1 - p).log()).sum(dim=1)
    torch.testing.assert_close(bernoulli_entropy(torch.logit(p)), expected)


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=7))
def test_entropy_lies_between_0_and_log_2_a_label(logits):
    entropy = bernoulli_entropy(torch.tensor(logits)).item()
    assert 0 <= entropy <= len(logits) * math.log(2) + 1e-5


def test_certain_answers_are_sure_whether_none_or_two_labels_are_given():
    entropy = bernoulli_entropy(torch.tensor([[-20.0, -20, -20], [20, 20, -20], [0, -20, -20]]))
    assert entropy[0] < 1e-6 and entropy[1] < 1e-6 and entropy[2] > 0.6


@given(
    layers=st.integers(1, 5),
    threshold=st.sampled_from([0.0, 0.3, 1.0, 9.0]),
    patience=st.integers(0, 4),
    seed=st.integers(0, 20),
)
def test_comments_leave_where_a_plain_loop_says(layers, threshold, patience, seed):
    logits = 3 * torch.randn(layers, 6, 2, generator=torch.Generator().manual_seed(seed))
    cuts = [0.5, -0.5]
    found = exit_layers(logits, threshold=threshold, patience=patience, cuts=cuts).tolist()
    for comment in range(6):
        agreed, before = 0, None
        for layer in range(layers):
            decided = (logits[layer, comment] >= torch.tensor(cuts)).tolist()
            agreed = agreed + 1 if decided == before else 1
            assert agreeing(logits, torch.tensor(cuts))[layer, comment] == agreed
            before = decided
            sure = bernoulli_entropy(logits[layer, comment]) < threshold
            if sure or (patience and agreed >= patience) or layer == layers - 1:
                break
        assert found[comment] == layer + 1


@given(seed=st.integers(0, 20), budget=st.floats(1, 4))
@example(seed=2, budget=2.28125)
def test_the_threshold_spends_the_budget_and_not_more(seed, budget):
    logits = 3 * torch.randn(4, 30, 2, generator=torch.Generator().manual_seed(seed))
    threshold = threshold_for_budget(logits, budget)
    assert exit_layers(logits, threshold=threshold).double().mean() <= budget
    # An entropy may differ in its last bit with the tensor that it is computed in.
    seen = bernoulli_entropy(logits[:-1]).flatten().tolist()
    smaller = [t for t in seen if t < threshold - 1e-6]
    if smaller:  # the next smaller threshold that makes a difference spends too much
        layers = exit_layers(logits, threshold=max(smaller)).double().mean()
        assert layers > budget or threshold == 0


def test_a_budget_below_one_layer_is_refused():
    with pytest.raises(ValueError, match="layer"):
        threshold_for_budget(torch.zeros(2, 3, 1), 0.5)


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"threshold": 0.7},
        {"threshold": 99.0},
        {"patience": 1},
        {"patience": 2},
        {"patience": 3, "cuts": [0.3, -0.2, 0.1]},
        {"threshold": 0.4, "patience": 3},
    ],
)
def test_skipping_gives_the_logits_of_the_exit_that_the_rule_names(network, ids, rule):
    logits = predict_exits(network, ids)
    expected = exit_layers(logits, **rule)
    network.leave_by(**rule)
    found = predict_logits(network, ids, batch_size=16)
    np.testing.assert_allclose(found, logits[expected - 1, torch.arange(len(ids))], atol=1e-4)
    with torch.inference_mode():
        network(torch.from_numpy(ids))
    assert torch.equal(network.steps, expected)
    if rule in ({"threshold": 0.7}, {"patience": 2}):
        assert len(set(expected.tolist())) > 1


def test_without_a_rule_it_is_the_transformer(network, ids):
    plain = TransformerNetwork(ENCODER, labels=3).eval()
    state = network.state_dict()
    plain.load_state_dict({name: state[name] for name in plain.state_dict()})
    np.testing.assert_allclose(predict_logits(network, ids), predict_logits(plain, ids), atol=1e-5)


@pytest.mark.parametrize("layer", [1, 3, 4])
def test_a_cut_transformer_gives_the_logits_of_its_last_exit(network, ids, layer):
    logits = predict_exits(network, ids)[layer - 1]
    cut = network.cut_after(layer)
    np.testing.assert_allclose(predict_logits(cut, ids), logits, atol=1e-5)
    assert type(cut) is TransformerNetwork and not cut.training


@pytest.mark.parametrize("layer", [0, 5])
def test_a_cut_where_there_is_no_layer_is_refused(network, layer):
    with pytest.raises(ValueError, match="layers 1 to 4"):
        network.cut_after(layer)


def test_layers_after_an_exit_are_not_computed(network, ids):
    rows = []
    for layer in network.encoder.encoder.layer:
        layer.register_forward_hook(lambda *call: rows.append(len(call[2])))
    network.leave_by(threshold=0.7)(torch.from_numpy(ids))
    assert rows == [int((network.steps >= n).sum()) for n in range(1, len(rows) + 1)]
    assert rows[-1] < rows[0]
    rows.clear()
    network.leave_by(threshold=99.0)(torch.from_numpy(ids))
    assert rows == [len(ids)]


def test_all_exits_learn_together(network, ids):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (50, 3)).astype(np.float32)
    before = [classifier.output.weight.clone() for classifier in (*network.exits, network)]
    loss = ExitLoss(network, binary_cross_entropy_with_logits)
    fit(network, (ids, labels), (ids, labels), epochs=1, lr=1e-3, loss=loss, progress=False)
    for classifier, old in zip((*network.exits, network), before, strict=True):
        assert not torch.equal(classifier.output.weight, old)


def test_later_exits_weigh_more_in_the_loss(network):
    network.exit_logits = torch.tensor([[[1.0]], [[0.0]], [[0.0]], [[0.0]]])
    loss = ExitLoss(network, lambda logits, targets: logits.mean())
    assert loss(network.exit_logits[-1], None).item() == pytest.approx(1 / 10)
    network.exit_logits = network.exit_logits.flip(0)
    assert loss(network.exit_logits[-1], None).item() == pytest.approx(4 / 10)


def test_a_file_holds_the_rule(network, tmp_path):
    tokenizer = WordPiece(TOKENIZER)
    network.leave_by(threshold=0.7, patience=2, cuts=[0.1, 0.2, 0.3])
    model = NeuralClassifier(network, tokenizer, "ekman", ["a", "b", "c"], length=9)
    texts = ["so good", "not so bad", "bad bad bad good not", "good"]
    save_model(model, tmp_path / "model.slm")
    loaded = load_model(tmp_path / "model.slm")
    np.testing.assert_array_equal(loaded.predict_proba(texts), model.predict_proba(texts))
    assert loaded.network.config == network.config


def test_cuts_must_fit_the_labels(network):
    with pytest.raises(ValueError, match="cuts"):
        network.leave_by(patience=2, cuts=[0.0])
