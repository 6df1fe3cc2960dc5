"""The parity task, and that ACT learns it in small."""

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
