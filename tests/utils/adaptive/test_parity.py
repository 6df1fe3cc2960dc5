"""The parity task, and that ACT learns it in small."""

import pytest
import torch

from utils.adaptive import ParityNetwork, parity_batch, train_parity


def test_vectors_have_the_parity_that_is_said():
    vectors, difficulty, parity = parity_batch(500, 6, torch.Generator().manual_seed(0))
    assert set(vectors.unique().tolist()) == {-1, 0, 1}
    assert torch.equal((vectors != 0).sum(dim=1), difficulty)
    assert set(difficulty.tolist()) == {1, 2, 3, 4, 5, 6}
    for vector, d, odd in zip(vectors.tolist(), difficulty.tolist(), parity.tolist(), strict=True):
        assert vector[d:] == [0] * (6 - d) and vector.count(1) % 2 == odd


def test_parity_of_few_bits_is_learned_and_costs_are_within_bounds():
    torch.manual_seed(0)
    network = ParityNetwork(bits=3, units=16, max_steps=4)
    train_parity(network, 3, penalty=0.01, batches=250, batch_size=128, lr=1e-2)
    vectors, _, parity = parity_batch(1000, 3, torch.Generator().manual_seed(9))
    with torch.inference_mode():
        right = (network(vectors) > 0) == (parity > 0)
    assert right.float().mean() > 0.97
    assert 1 <= network.steps.min() and network.steps.max() <= 4
    assert bool((network.ponder_cost >= 1).all()) and bool((network.ponder_cost <= 5).all())


def test_a_penalty_teaches_fewer_steps():
    vectors, _, _ = parity_batch(500, 4, torch.Generator().manual_seed(9))
    steps = {}
    for penalty in (0.0, 1.0):
        torch.manual_seed(0)
        network = ParityNetwork(bits=4, units=8, max_steps=4)
        torch.nn.init.constant_(network.cell.halting.linear.bias, -0.5)
        train_parity(network, 4, penalty=penalty, batches=60, batch_size=64, lr=2e-2)
        network(vectors)
        steps[penalty] = network.steps.double().mean().item()
    assert steps[1.0] < steps[0.0] - 0.5


def test_training_cuts_gradients_to_1_and_lets_the_rate_fall_to_0(monkeypatch):
    seen, real = [], torch.optim.Adam.step

    def step(self, *arguments, **named):
        (group,) = self.param_groups
        gradients = [p.grad.norm() for p in group["params"]]
        seen.append((group["lr"], torch.stack(gradients).norm().item()))
        return real(self, *arguments, **named)

    monkeypatch.setattr(torch.optim.Adam, "step", step)
    torch.manual_seed(0)
    network = ParityNetwork(bits=3, units=4, max_steps=3)
    with torch.no_grad():
        network.output.weight.mul_(1000)  # gradients far above 1
    train_parity(network, 3, penalty=0.01, batches=4, batch_size=8, lr=0.02)
    rates, norms = zip(*seen, strict=True)
    assert rates == pytest.approx([0.02, 0.015, 0.01, 0.005])
    assert max(norms) == pytest.approx(1, rel=1e-3)


def test_another_seed_trains_on_other_vectors():
    def trained(seed):
        torch.manual_seed(0)
        network = ParityNetwork(bits=3, units=4, max_steps=2)
        train_parity(network, 3, penalty=0.0, batches=2, batch_size=8, seed=seed)
        return network.output.weight

    assert torch.equal(trained(0), trained(0)) and not torch.equal(trained(0), trained(1))
