"""PonderNet's distribution, its prior and its divergence; the loss against a plain loop."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from utils.adaptive import (
    PonderLoss,
    PonderNetwork,
    divergence,
    halting_distribution,
    truncated_geometric,
)

HAZARDS = hnp.arrays(np.float64, st.integers(1, 6), elements=st.floats(0, 1))


@given(HAZARDS)
def test_probabilities_of_halting_sum_to_1(hazards):
    p = halting_distribution(torch.from_numpy(hazards))
    assert p.sum().item() == pytest.approx(1) and bool((p >= 0).all())
    reached = 1.0
    for n, hazard in enumerate(hazards[:-1]):
        assert p[n].item() == pytest.approx(reached * hazard)
        reached *= 1 - hazard
    assert p[-1].item() == pytest.approx(reached)


@given(rate=st.floats(0.01, 0.99), steps=st.integers(1, 8))
def test_the_prior_is_geometric_and_sums_to_1(rate, steps):
    prior = truncated_geometric(rate, steps)
    assert prior.sum().item() == pytest.approx(1, abs=1e-6)
    for n in range(1, steps):
        assert (prior[n] / prior[n - 1]).item() == pytest.approx(1 - rate, rel=1e-4)


def test_a_rate_must_be_a_probability():
    for rate in (0.0, 1.0, -1.0):
        with pytest.raises(ValueError, match="rate"):
            truncated_geometric(rate, 3)


@given(HAZARDS, st.floats(0.05, 0.95))
def test_the_divergence_is_that_of_p_from_the_prior(hazards, rate):
    p = halting_distribution(torch.from_numpy(hazards))
    prior = truncated_geometric(rate, len(p)).double()
    expected = sum(
        a * math.log(a / b) for a, b in zip(p.tolist(), prior.tolist(), strict=True) if a
    )
    assert divergence(p, prior).item() == pytest.approx(expected, abs=1e-9)
    assert divergence(p, prior).item() >= -1e-9
    assert divergence(prior, prior).item() == pytest.approx(0, abs=1e-12)


def test_the_divergence_has_a_direction():
    p, prior = torch.tensor([0.9, 0.1]), torch.tensor([0.5, 0.5])
    assert divergence(p, prior).item() == pytest.approx(0.368064, abs=1e-5)
    assert divergence(prior, p).item() == pytest.approx(0.510826, abs=1e-5)


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = PonderNetwork(vocabulary_size=9, dim=8, labels=2, max_steps=3, dropout=0.0)
    torch.nn.init.normal_(network.halting.linear.weight, std=2)
    return network.train()


IDS = torch.tensor([[4, 5, 0], [3, 8, 1], [7, 0, 0]])


def test_the_loss_weighs_each_step_s_loss(network):
    targets = torch.tensor([[0.0, 1.0], [0.3, 0.6], [1.0, 1.0]])
    logits, loss = network(IDS), PonderLoss(network, rate=0.4, weight=0.5)
    expected = 0.0
    for comment in range(3):
        p = network.halting_probabilities[comment]
        for n in range(3):
            q = torch.sigmoid(network.step_logits[comment, n])
            y = targets[comment]
            expected += p[n] * -(y * q.log() + (1 - y) * (1 - q).log()).mean() / 3
        expected += 0.5 * (p * (p / truncated_geometric(0.4, 3)).log()).sum() / 3
    torch.testing.assert_close(loss(logits, targets), expected)


def test_prediction_takes_the_median_step(network):
    with torch.no_grad():
        network(IDS)
        p, steps, logits = network.halting_probabilities, network.steps, network.step_logits
        for row, step in zip(p.cumsum(dim=1).tolist(), steps.tolist(), strict=True):
            assert row[step - 1] >= 0.5 - 1e-6 and all(s < 0.5 for s in row[: step - 1])
        found = network.eval()(IDS)
    assert torch.equal(network.steps, steps) and len(set(steps.tolist())) > 1
    torch.testing.assert_close(found, logits[torch.arange(3), steps - 1])


def test_a_sure_prior_makes_few_steps_likely(network):
    targets, expected = torch.rand(3, 2), []
    for rate in (0.05, 0.95):
        optimizer = torch.optim.Adam(network.halting.parameters(), 0.1)
        loss = PonderLoss(network, rate=rate, weight=1.0)
        for _ in range(60):
            optimizer.zero_grad()
            loss(network(IDS), targets).backward()
            optimizer.step()
        steps = network.halting_probabilities @ torch.arange(1.0, 4.0)
        expected.append(steps.mean().item())
    assert expected[1] < 1.3 < 1.7 < expected[0]
