"""What all networks of adaptive depth must do: padding, order, files, and skipping that is real."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from utils.adaptive import (
    PonderNetwork,
    RecurrentACTNetwork,
    SpatialACTNetwork,
    TimePenalty,
    UniversalTransformerNetwork,
    mean_and_maximum,
    steps_taken,
)
from utils.data import Vocabulary
from utils.efficiency import count_macs
from utils.models import NETWORKS, NeuralClassifier, predict_logits
from utils.packing import load_model, save_model
from utils.training import fit

SIZES = dict(vocabulary_size=30, dim=8, labels=3, max_steps=4, dropout=0.3)
ACT = {
    "recurrent": (RecurrentACTNetwork, {"units": 6}),
    "spatial": (SpatialACTNetwork, {"hidden": 10}),
    "universal": (UniversalTransformerNetwork, {"hidden": 10}),
}
FORMS = ACT | {"ponder": (PonderNetwork, {"hidden": 10})}


def made(form: str, seed: int = 0, **options):
    """A network whose positions halt at different steps, in evaluation."""
    kind, sizes = FORMS[form]
    torch.manual_seed(seed)
    network = kind(**SIZES | sizes | options).eval()
    if getattr(network, "halting", None) or getattr(network, "cell", None):
        unit = network.cell.halting if form == "recurrent" else network.halting
        if unit is not None:
            torch.nn.init.normal_(unit.linear.weight, std=3)
            torch.nn.init.constant_(unit.linear.bias, -0.5)
    return network


def comments(n: int, seed: int = 0, tokens: int = 7) -> np.ndarray:
    rng = np.random.default_rng(seed)
    ids = np.zeros((n, tokens), dtype=np.int64)
    for row, length in zip(ids, rng.integers(0, tokens + 1, n), strict=True):
        row[:length] = rng.integers(1, 30, length)
    return ids


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


@pytest.mark.parametrize("fixed", [False, True])
def test_padding_batch_size_and_order_change_nothing(form, fixed):
    options = {"adaptive": False} if fixed and form != "ponder" else {}
    network, ids = made(form, **options), comments(40)
    assert len(set(steps_taken(network, ids)[ids.any(axis=1)].flatten()) - {0}) > 1 or fixed
    one_by_one = np.concatenate([predict_logits(network, ids[i : i + 1]) for i in range(len(ids))])
    together = predict_logits(network, np.pad(ids, ((0, 0), (0, 3))), batch_size=40)
    np.testing.assert_allclose(together, one_by_one, atol=1e-5)
    order = np.random.default_rng(1).permutation(len(ids))
    np.testing.assert_allclose(predict_logits(network, ids[order], 16), together[order], atol=1e-5)
    steps = steps_taken(network, ids, batch_size=40)
    np.testing.assert_array_equal(steps_taken(network, ids[order], 7), steps[order])


def test_a_comment_without_words_costs_nothing_and_gets_finite_logits(form):
    network = made(form)
    logits = network(torch.tensor([[0, 0, 0], [4, 5, 0]]))
    assert torch.isfinite(logits).all()
    if form != "ponder":  # which halts comments, not words
        assert network.steps[0].tolist() == [0, 0, 0] and network.steps[1, 2] == 0
        assert network.ponder_cost[0] == 0
    assert torch.isfinite(network(torch.zeros(2, 3, dtype=torch.int64))).all()


@given(form=st.sampled_from(list(ACT)), seed=st.integers(0, 50))
def test_ponder_costs_are_means_over_words_within_their_bounds(form, seed):
    network, ids = made(form, seed), torch.from_numpy(comments(6, seed))
    network(ids)
    words = ids.any(dim=1)
    cost, steps = network.ponder_cost[words], network.steps[words].float()
    assert bool((cost >= 1).all()) and bool((cost <= SIZES["max_steps"] + 1).all())
    mean = steps.sum(dim=1) / (ids[words] != 0).sum(dim=1)
    assert bool((cost >= mean).all()) and bool((cost <= mean + 1 + 1e-5).all())


def test_training_and_prediction_agree(form):
    network, ids = made(form, dropout=0.0), torch.from_numpy(comments(20))
    predicted, steps = network(ids), network.steps
    torch.testing.assert_close(network.train()(ids), predicted)
    assert torch.equal(network.steps, steps)


@pytest.mark.parametrize("kind", list(ACT))
def test_gradients_agree_with_finite_differences(kind):
    network, ids = made(kind, dropout=0.0).double(), torch.from_numpy(comments(3, seed=2))
    names = [name for name, parameter in network.named_parameters() if parameter.ndim == 1]
    values = [dict(network.named_parameters())[name] for name in names]

    def loss(*values):
        logits = torch.func.functional_call(network, dict(zip(names, values, strict=True)), (ids,))
        return logits.sum() + network.ponder_cost.sum()

    assert network(ids) is not None and network.steps.max() > 1
    assert torch.autograd.gradcheck(loss, values, eps=1e-7, atol=1e-4)


def test_a_penalty_teaches_fewer_steps():
    ids, rng = comments(300), np.random.default_rng(0)
    labels, counts = rng.integers(0, 2, (300, 3)).astype(np.float32), {}
    for penalty in (0.0, 1.0):
        network = made("spatial", dropout=0.0)
        loss = TimePenalty(network, torch.nn.functional.binary_cross_entropy_with_logits, penalty)
        fit(network, (ids, labels), (ids, labels), epochs=8, lr=3e-3, loss=loss, progress=False)
        steps = steps_taken(network, ids)
        counts[penalty] = steps[steps > 0].mean()
    assert counts[1.0] < counts[0.0] - 0.2
    with pytest.raises(ValueError, match="negative"):
        TimePenalty(network, loss, -1.0)


def test_a_file_holds_the_network(form, tmp_path):
    words = [f"word{n}" for n in range(28)]
    model = NeuralClassifier(
        made(form), Vocabulary(words), "ekman", ["a", "b", "c"], [0.3, 0.5, 0.6]
    )
    texts = ["word3 word4 word1", "", "word9", "word20 word7 word6 word5"]
    save_model(model, tmp_path / "model.slm")
    loaded = load_model(tmp_path / "model.slm")
    assert type(loaded.network) is type(model.network) is NETWORKS[type(model.network).__name__]
    np.testing.assert_array_equal(loaded.predict_proba(texts), model.predict_proba(texts))
    np.testing.assert_array_equal(loaded.predict(texts), model.predict(texts))
    torch.testing.assert_close(loaded.network.steps, model.network.steps)


def rows_computed(network, ids) -> int:
    """Rows that linear layers are applied to in a forward pass."""
    rows, hooks = itertools.count(), []

    def count(layer, inputs, output):
        for _ in range(output.numel() // output.shape[-1]):
            next(rows)

    for layer in network.modules():
        if isinstance(layer, torch.nn.Linear):
            hooks.append(layer.register_forward_hook(count))
    network(ids)
    for hook in hooks:
        hook.remove()
    return next(rows)


def test_halting_early_computes_less(form):
    network, ids = made(form), torch.from_numpy(comments(30))
    unit = network.cell.halting if form == "recurrent" else network.halting
    computed = {}
    for bias in (-99.0, 0.0, 99.0):
        torch.nn.init.constant_(unit.linear.bias, bias)
        computed[bias] = rows_computed(network, ids)
    assert computed[99.0] < computed[0.0] < computed[-99.0]
    assert computed[99.0] < 0.5 * computed[-99.0]


def test_multiplications_are_counted(form):
    if form == "ponder":
        network = made(form)
        torch.nn.init.constant_(network.halting.linear.bias, -99.0)
        torch.nn.init.zeros_(network.halting.linear.weight)
        network.config["max_steps"] = 1
        once = count_macs(network, tokens=5)
        network.config["max_steps"] = 2
        assert count_macs(network, tokens=5) > once > 0
        return
    counts = [count_macs(made(form, max_steps=n, adaptive=False), tokens=5) for n in (1, 2, 3)]
    assert counts[2] - counts[1] == counts[1] - counts[0] > 0


def test_separate_blocks_cost_parameters_and_do_not_halt():
    shared, separate = (made("universal", adaptive=False, shared=s) for s in (True, False))
    sizes = [sum(p.numel() for p in network.blocks.parameters()) for network in (shared, separate)]
    assert sizes[1] == SIZES["max_steps"] * sizes[0]
    with pytest.raises(ValueError, match="shared"):
        made("universal", adaptive=True, shared=False)


def test_heads_must_fit_the_dimensions():
    with pytest.raises(ValueError, match="heads"):
        made("universal", heads=3)


def test_pooling_leaves_padding_out():
    states = torch.tensor([[[1.0], [-3.0], [9.0]], [[5.0], [5.0], [5.0]]])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    assert mean_and_maximum(states, mask).tolist() == [[-1, 1], [0, 0]]


def test_steps_of_no_comments():
    assert steps_taken(made("spatial"), comments(0)).shape == (0, 7)
