"""The arithmetic of halting: sums, bounds, gradients, and the loop against the formula."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from utils.adaptive import (
    HaltingUnit,
    halting_weight,
    halting_weights,
    ponder,
    ponder_cost,
    still_active,
)

PROBABILITIES = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6),
    elements=st.floats(0, 1),
)


@given(PROBABILITIES)
def test_weights_sum_to_1_at_every_position(probabilities):
    weights, steps, remainder = halting_weights(torch.from_numpy(probabilities))
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones_like(remainder))
    assert bool((weights >= 0).all())
    last = weights.gather(-1, steps[..., None] - 1).squeeze(-1)
    torch.testing.assert_close(last, remainder)


@given(PROBABILITIES)
def test_the_ponder_cost_lies_between_1_and_the_maximum_plus_1(probabilities):
    cost, most = ponder_cost(torch.from_numpy(probabilities)), probabilities.shape[-1] + 1
    assert bool((cost >= 1).all()) and bool((cost <= most).all())


@given(PROBABILITIES)
def test_nothing_halts_before_its_sum_is_reached_or_after(probabilities):
    weights, steps, _ = halting_weights(torch.from_numpy(probabilities), epsilon=0.1)
    for row, halted, weight in zip(
        probabilities.reshape(-1, probabilities.shape[-1]),
        steps.flatten().tolist(),
        weights.reshape(-1, probabilities.shape[-1]).numpy(),
        strict=True,
    ):
        sums = np.cumsum(row)
        assert (sums[: halted - 1] < 0.9).all()
        assert sums[halted - 1] >= 0.9 or halted == len(row)
        assert (weight[halted:] == 0).all()


def test_epsilon_is_what_lets_a_position_halt_after_one_step():
    sure = torch.tensor([0.995, 0.5])
    assert halting_weights(sure)[1].item() == 1
    assert halting_weights(sure, epsilon=0.001)[1].item() == 2


def test_a_last_step_is_forced_and_weighs_the_remainder():
    weights, steps, remainder = halting_weights(torch.tensor([0.125, 0.25, 0.125]))
    assert (steps.item(), remainder.item()) == (3, 0.625)
    assert weights.tolist() == [0.125, 0.25, 0.625]
    never, _, whole = halting_weights(torch.zeros(3))
    assert (never.tolist(), whole.item()) == ([0, 0, 1], 1)


def inside(steps: int) -> torch.Tensor:
    """Probabilities with no sum near 1 - epsilon, where the number of steps jumps."""
    generator = torch.Generator().manual_seed(steps)
    while True:
        drawn = torch.rand(4, steps, generator=generator, dtype=torch.float64)
        if bool(((drawn.cumsum(dim=-1) - 0.99).abs() > 1e-3).all()):
            return drawn.requires_grad_()


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_gradients_agree_with_finite_differences(steps):
    target = torch.arange(steps, dtype=torch.float64) ** 2
    assert torch.autograd.gradcheck(ponder_cost, inside(steps))
    assert torch.autograd.gradcheck(lambda p: halting_weights(p)[0] @ target, inside(steps))


def test_the_cost_s_gradient_is_that_of_the_remainder():
    probabilities = torch.tensor([[0.3, 0.3, 0.3, 0.3], [1.0, 0.2, 0.2, 0.2]], requires_grad=True)
    ponder_cost(probabilities).sum().backward()
    assert probabilities.grad.tolist() == [[-1, -1, -1, 0], [0, 0, 0, 0]]


@given(PROBABILITIES)
def test_step_by_step_gives_the_same_weights(probabilities):
    probabilities = torch.from_numpy(probabilities)
    expected, steps, _ = halting_weights(probabilities)
    most = probabilities.shape[-1]
    before, going_on = torch.zeros_like(probabilities[..., 0]), torch.ones_like(steps, dtype=bool)
    for n in range(most):
        weight, halts = halting_weight(before, probabilities[..., n], n == most - 1)
        torch.testing.assert_close(weight[going_on], expected[..., n][going_on])
        assert bool((steps[going_on & halts] == n + 1).all())
        before, going_on = before + probabilities[..., n], going_on & ~halts
    assert not going_on.any()


def dense(step, halting, state, max_steps):
    """Every step of every position, weighted afterwards: what compaction must agree with."""
    states, probabilities, everyone = [], [], torch.arange(len(state))
    for n in range(1, max_steps + 1):
        state = step(state, everyone, n)
        states.append(state)
        probabilities.append(halting(state))
    weights, steps, remainder = halting_weights(torch.stack(probabilities, dim=1))
    return (weights[..., None] * torch.stack(states, dim=1)).sum(dim=1), steps, remainder


@given(positions=st.integers(1, 9), max_steps=st.integers(1, 5), seed=st.integers(0, 99))
def test_pondering_computes_what_a_dense_loop_does(positions, max_steps, seed):
    torch.manual_seed(seed)
    layer, halting = torch.nn.Linear(3, 3).double(), HaltingUnit(3, bias=-0.5).double()
    start = torch.randn(positions, 3, dtype=torch.float64)

    def step(state, active, n):
        return torch.tanh(layer(state[active]) + n)

    pondered = ponder(step, halting, start, torch.arange(positions), max_steps)
    state, steps, remainder = dense(step, halting, start, max_steps)
    torch.testing.assert_close(pondered.state, state)
    torch.testing.assert_close(pondered.steps, steps)
    torch.testing.assert_close(pondered.remainder, remainder)
    torch.testing.assert_close(pondered.cost, steps + remainder)


def test_the_loop_s_gradients_agree_with_finite_differences():
    torch.manual_seed(3)
    layer, halting = torch.nn.Linear(2, 2).double(), HaltingUnit(2, bias=-0.5).double()

    def cost_and_state(start):
        pondered = ponder(
            lambda state, active, n: torch.tanh(layer(state[active]) + n),
            halting,
            start,
            torch.arange(len(start)),
            4,
        )
        return pondered.cost, pondered.state

    start = torch.randn(5, 2, dtype=torch.float64, requires_grad=True)
    assert len(set(cost_and_state(start)[0].detach().floor().tolist())) > 1
    assert torch.autograd.gradcheck(cost_and_state, start)


def test_only_active_positions_are_computed():
    computed = []

    def step(state, active, n):
        computed.append(active.tolist())
        return state[active] + 1

    def halting(states):  # positions count up; those that began higher halt earlier
        return (states[:, 0] >= 3).float()

    start = torch.tensor([[2.0], [0.0], [1.0], [9.0]])
    pondered = ponder(step, halting, start, torch.tensor([0, 1, 2]), 5)
    assert computed == [[0, 1, 2], [1, 2], [1]]
    assert pondered.steps.tolist() == [1, 3, 2, 0]
    assert pondered.state.flatten().tolist() == [3, 3, 3, 0]
    assert pondered.remainder[3] == 0


def test_fixed_depth_takes_all_steps_and_gives_the_last_state():
    start = torch.tensor([[1.0], [5.0]])
    pondered = ponder(lambda s, active, n: s[active] * 2, None, start, torch.tensor([0]), 3)
    assert (pondered.state.tolist(), pondered.steps.tolist()) == ([[8], [0]], [3, 0])


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="max_steps"):
        ponder(None, None, torch.zeros(1, 1), torch.tensor([0]), 0)


def test_compaction_keeps_the_order():
    halts = torch.tensor([True, False, False, True])
    assert still_active(torch.tensor([1, 4, 6, 9]), halts).tolist() == [4, 6]


def test_the_halting_unit_starts_with_its_bias():
    assert HaltingUnit(4)(torch.zeros(2, 4)).tolist() == pytest.approx([0.7310586] * 2)
