"""Each network against a plain one that reads one comment at a time, and in it one word at a time.

The plain networks share the parameters, but neither the loop over steps nor the compaction. No
parameter is 0, as some are before training: what is multiplied by 0 could be anything.
"""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import layer_norm, linear

from utils.adaptive import (
    PonderNetwork,
    RecurrentACTNetwork,
    SpatialACTNetwork,
    UniversalTransformerNetwork,
)

STEPS, DIM, HEADS = 4, 8, 2
CLOSE = {"atol": 1e-4, "rtol": 1e-4}


def made(kind, seed: int, **options) -> torch.nn.Module:
    """A network in evaluation, with all of its parameters drawn, of which the steps differ."""
    torch.manual_seed(seed)
    network = kind(vocabulary_size=30, dim=DIM, labels=3, max_steps=STEPS, **options)
    network.eval().requires_grad_(False)
    for name, parameter in network.named_parameters():
        gain = "norm" in name and name.endswith("weight")
        torch.nn.init.normal_(parameter, mean=float(gain), std=0.3 if parameter.ndim == 1 else 0.6)
    network.embedding.weight *= 3
    return network


def comments(seed: int) -> torch.Tensor:
    """Comments of 0 to 6 words, padded to 7."""
    rng = np.random.default_rng(seed)
    ids = np.zeros((10, 7), dtype=np.int64)
    for row, length in zip(ids, [0, 6, *rng.integers(1, 7, 8)], strict=True):
        row[:length] = rng.integers(1, 30, length)
    return torch.from_numpy(ids)


def signal(number: int) -> torch.Tensor:
    """Sines and cosines of a position or a step, counted from 1."""
    angles = [number / 10_000 ** (i / (DIM // 2 - 1)) for i in range(DIM // 2)]
    return torch.tensor([math.sin(a) for a in angles] + [math.cos(a) for a in angles])


def pondered(unit, states, step):
    """Weighted states, steps and costs of positions: ``step(states, going_on, n)`` gives new ones."""
    states, results = list(states), [torch.zeros_like(state) for state in states]
    before, steps, costs = [0.0] * len(states), [0] * len(states), [0.0] * len(states)
    for n in range(1, STEPS + 1):
        going_on = [position for position in range(len(states)) if not steps[position]]
        if not going_on:
            break
        for position, new in zip(going_on, step(list(states), going_on, n), strict=True):
            states[position] = new
            if unit is None:
                if n == STEPS:
                    results[position], steps[position], costs[position] = new, n, n
                continue
            probability = torch.sigmoid(new @ unit.linear.weight[0] + unit.linear.bias[0]).item()
            if n == STEPS or before[position] + probability >= 0.99:
                probability = 1 - before[position]
                steps[position], costs[position] = n, n + probability
            results[position] = results[position] + probability * new
            before[position] += probability
    return results, steps, costs


def pooled(states) -> torch.Tensor:
    if not states:
        return torch.zeros(2 * DIM)
    return torch.cat([sum(states) / len(states), torch.stack(states).max(dim=0).values])


def recurrent(network, words):
    cell, state, states, steps, costs = network.cell, torch.zeros(DIM), [], [], []
    for word in words:

        def step(states, going_on, n, word=word):
            bias = cell.inputs.bias + cell.flag if n == 1 else cell.inputs.bias
            weights = cell.inputs.weight, cell.states.weight, bias, cell.states.bias
            return torch.gru_cell(word[None], states[0][None], *weights)

        (state,), (n,), (cost,) = pondered(cell.halting, [state], step)
        states, steps, costs = [*states, state], [*steps, n], [*costs, cost]
    return states, steps, costs


def normalised(norm, state: torch.Tensor) -> torch.Tensor:
    return layer_norm(state, (DIM,), norm.weight, norm.bias)


def spatial(network, words):
    def step(states, going_on, n):
        block, edge = network.blocks[n - 1], [torch.zeros(DIM)]
        around, new = edge + states + edge, []
        for word in going_on:
            window = torch.cat(around[word : word + 3])
            hidden = linear(window, block.convolution.weight, block.convolution.bias).relu()
            update = linear(hidden, block.projection.weight, block.projection.bias)
            new.append(normalised(block.norm, states[word] + update))
        return new

    return pondered(network.halting, words, step)


def transformed(block, looked_at, word: int) -> torch.Tensor:
    """The Transformer block at one word, which looks at all of its comment."""
    size = DIM // HEADS
    query, seen = block.query(looked_at[word]), [block.key_value(each) for each in looked_at]
    heads = []
    for part in (slice(head * size, (head + 1) * size) for head in range(HEADS)):
        scores = torch.stack([query[part] @ kv[:DIM][part] / math.sqrt(size) for kv in seen])
        weights = scores.softmax(dim=0)
        heads.append(sum(w * kv[DIM:][part] for w, kv in zip(weights, seen, strict=True)))
    state = normalised(block.norms[0], looked_at[word] + block.attended(torch.cat(heads)))
    return normalised(block.norms[1], state + block.second(block.first(state).relu()))


def universal(network, words):
    looked_at = [word + signal(place) for place, word in enumerate(words, start=1)]

    def step(states, going_on, n):
        for word in going_on:  # those that halted are looked at as in their last step
            looked_at[word] = states[word] + signal(n)
        block = network.blocks[n - 1 if len(network.blocks) > 1 else 0]
        return [transformed(block, looked_at, word) for word in going_on]

    return pondered(network.halting, list(looked_at), step)


FORMS = {
    "recurrent": (recurrent, RecurrentACTNetwork, {"units": DIM}),
    "spatial": (spatial, SpatialACTNetwork, {"hidden": 10}),
    "universal": (universal, UniversalTransformerNetwork, {"hidden": 10, "heads": HEADS}),
}
CASES = [(form, {"adaptive": adaptive}) for form in FORMS for adaptive in (True, False)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("form", "options"), [*CASES, ("universal", {"adaptive": False, "shared": False})]
)
def test_words_ponder_as_in_a_plain_network(form, options, seed):
    plain, kind, sizes = FORMS[form]
    network, ids = made(kind, seed, **sizes, **options), comments(seed)
    logits, taken = network(ids), set()
    for comment, row in enumerate(ids):
        words = [network.embedding.weight[word] for word in row.tolist() if word]
        states, steps, costs = plain(network, words)
        assert network.steps[comment].tolist() == steps + [0] * (len(row) - len(words))
        expected = network.output(pooled(states))
        torch.testing.assert_close(logits[comment], expected, **CLOSE)
        cost = sum(costs) / max(1, len(words))
        assert network.ponder_cost[comment].item() == pytest.approx(cost, abs=1e-4)
        taken |= set(steps)
    assert len(taken) > 1 if options["adaptive"] else taken == {STEPS}


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_comments_ponder_as_in_a_plain_network(seed):
    network, ids = made(PonderNetwork, seed, hidden=10, heads=HEADS, dropout=0.0), comments(seed)
    network.halting.linear.weight *= 0.5  # else many comments never halt before the last step
    found, steps = network(ids), network.steps
    network.train()(ids)
    for comment, row in enumerate(ids.tolist()):
        words = [network.embedding.weight[word] for word in row if word]
        states = [word + signal(place) for place, word in enumerate(words, start=1)]
        reached, halted = 1.0, None
        for n in range(1, STEPS + 1):
            states = [state + signal(n) for state in states]
            states = [transformed(network.blocks[0], states, word) for word in range(len(words))]
            logits = network.output(pooled(states))
            torch.testing.assert_close(network.step_logits[comment, n - 1], logits, **CLOSE)
            unit = network.halting.linear
            hazard = torch.sigmoid(pooled(states) @ unit.weight[0] + unit.bias[0]).item()
            here = reached if n == STEPS else reached * hazard
            probability = network.halting_probabilities[comment, n - 1].item()
            assert probability == pytest.approx(here, abs=1e-4)
            reached -= here
            if halted is None and (reached <= 0.5 or n == STEPS):
                halted = n
                torch.testing.assert_close(found[comment], logits, **CLOSE)
        assert steps[comment] == network.steps[comment] == halted
    assert len(set(steps[ids.any(dim=1)].tolist())) > 1
