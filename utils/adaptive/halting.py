"""The arithmetic of adaptive computation time: when a position halts, and what its steps weigh.

A position is whatever halts by itself: a word, or a whole comment. All functions are of probabilities
that a halting unit gives after each step; the networks that spend the steps stand beside this file.

Source: Graves (2016), arXiv 1603.08983, section 2; Figurnov et al. (2017), arXiv 1612.02297, for
many positions at once.

What people get wrong: a mask that multiplies the steps of halted positions by 0 gives the same
states and saves nothing. Time is saved only where these steps are not computed.

>>> from utils.adaptive import ponder
>>> def step(states, active, n):
...     return states[active] + 1
>>> def halting(states):
...     return states.squeeze(1) / 4
>>> start = torch.tensor([[0.0], [3.0]])
>>> pondered = ponder(step, halting, start, torch.arange(2), max_steps=2)
>>> pondered.steps.tolist(), pondered.remainder.tolist()
([2, 1], [0.75, 1.0])
>>> pondered.state.tolist()  # 0.25 * 1 + 0.75 * 2, and 1 * 4
[[1.75], [4.0]]
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

EPSILON = 0.01  # of Graves: without it no position could halt after a single step


def halting_weight(
    before: torch.Tensor, probability: torch.Tensor, last: bool, epsilon: float = EPSILON
) -> tuple[torch.Tensor, torch.Tensor]:
    """The weight of one step, and whether it is a position's last.

    Parameters
    ----------
    before : sum of the probabilities of all steps before, of any shape
    probability : of halting after this step, of the same shape
    last : whether no step may follow, so that every position halts
    epsilon : a position halts as soon as its sum reaches 1 - epsilon

    Returns
    -------
    weight : the probability, or at the last step the remainder, 1 - ``before``
    halts : bool

    Source: Graves (2016), arXiv 1603.08983, equations 5 to 7.
    """
    halts = before + probability >= 1 - epsilon
    if last:
        halts = torch.ones_like(halts)
    return torch.where(halts, 1 - before, probability), halts


def halting_weights(
    probabilities: torch.Tensor, epsilon: float = EPSILON
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Weights of all steps, the number of steps, and the remainder, of given probabilities.

    Parameters
    ----------
    probabilities : (..., max_steps), of halting after each step; the last one's is not looked at,
        since the last step halts whatever it says
    epsilon : as in :func:`halting_weight`

    Returns
    -------
    weights : (..., max_steps), 0 after the last step, with sum 1
    steps : (...), int64, N in the paper, from 1 to max_steps
    remainder : (...), R in the paper: the weight of step N

    >>> from utils.adaptive import halting_weights
    >>> weights, steps, remainder = halting_weights(torch.tensor([0.25, 0.5, 0.75, 0.5]))
    >>> weights.tolist(), steps.item(), remainder.item()
    ([0.25, 0.5, 0.25, 0.0], 3, 0.25)

    What people get wrong: the last step weighs the remainder and not its probability, a step that is
    forced to be the last as well. Otherwise the weights have another sum than 1.

    Source: Graves (2016), arXiv 1603.08983, equations 5 to 7.
    """
    sums = probabilities.cumsum(dim=-1)
    reached = sums >= 1 - epsilon
    reached[..., -1] = True
    steps = reached.int().argmax(dim=-1) + 1
    number = torch.arange(1, probabilities.shape[-1] + 1, device=probabilities.device)
    earlier = number < steps[..., None]
    kept = torch.where(earlier, probabilities, 0)
    remainder = 1 - kept.sum(dim=-1)
    weights = torch.where(number == steps[..., None], remainder[..., None], kept)
    return weights, steps, remainder


def ponder_cost(probabilities: torch.Tensor, epsilon: float = EPSILON) -> torch.Tensor:
    """What a position's steps cost, N + R: (..., max_steps) to (...), from 1 to max_steps + 1.

    Its gradient is that of the remainder alone: -1 for each probability before the last step, and 0
    for the others. The number of steps is constant almost everywhere, so it has none.

    >>> from utils.adaptive import ponder_cost
    >>> probabilities = torch.tensor([0.25, 0.5, 0.75, 0.5], requires_grad=True)
    >>> cost = ponder_cost(probabilities)
    >>> cost.backward()
    >>> cost.item(), probabilities.grad.tolist()
    (3.25, [-1.0, -1.0, 0.0, 0.0])

    Source: Graves (2016), arXiv 1603.08983, equations 9 to 12.
    """
    _, steps, remainder = halting_weights(probabilities, epsilon)
    return steps + remainder


def still_active(active: torch.Tensor, halts: torch.Tensor) -> torch.Tensor:
    """Compaction: the numbers of the positions that go on.

    Later steps are computed for these alone. A mask that multiplies the others by 0 gives the same
    states and saves nothing.

    Parameters
    ----------
    active : (a,) int64, numbers of positions
    halts : (a,) bool

    >>> from utils.adaptive import still_active
    >>> still_active(torch.tensor([0, 2, 5]), torch.tensor([False, True, False])).tolist()
    [0, 5]
    """
    return active[~halts]


class HaltingUnit(nn.Module):
    """From states (a, dim) to probabilities of halting (a,), by a sigmoid of one linear output.

    Its bias starts at ``bias``: above 0, so that training starts with few steps and learns to take
    more where they help.

    Source: Graves (2016), arXiv 1603.08983, equation 5 and section 3 (the bias).
    """

    def __init__(self, dim: int, bias: float = 1.0):
        super().__init__()
        self.linear = nn.Linear(dim, 1)
        nn.init.constant_(self.linear.bias, bias)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.linear(states)).squeeze(-1)


@dataclass
class Pondered:
    """What :func:`ponder` gives.

    Attributes
    ----------
    state : (positions, dim), the states of all steps, weighted; 0 for positions that never were active
    steps : (positions,) int64, 0 for these
    remainder : (positions,), 0 for these
    """

    state: torch.Tensor
    steps: torch.Tensor
    remainder: torch.Tensor

    @property
    def cost(self) -> torch.Tensor:
        """(positions,), as in :func:`ponder_cost`."""
        return self.steps + self.remainder


def ponder(
    step: Callable[[torch.Tensor, torch.Tensor, int], torch.Tensor],
    halting: Callable[[torch.Tensor], torch.Tensor] | None,
    state: torch.Tensor,
    active: torch.Tensor,
    max_steps: int,
    epsilon: float = EPSILON,
) -> Pondered:
    """Let each position take as many steps as it needs, and compute no others.

    The state of a position that halted stays as it is, where its neighbours can go on looking at it.

    Parameters
    ----------
    step : of all states (positions, dim), the numbers of active positions (a,) and the number of the
        step from 1 on, to the new states (a, dim) of the active ones
    halting : of states (a, dim), to the probabilities of halting (a,); None takes ``max_steps`` steps
        at every position, and its result is the last state: a network of fixed depth
    state : (positions, dim), before the first step
    active : (a,) int64, the positions that take steps at all, in rising order
    max_steps : at which every position halts
    epsilon : as in :func:`halting_weight`

    Source: Graves (2016), arXiv 1603.08983, equations 5 to 13.
    """
    if max_steps < 1:
        raise ValueError(f"max_steps must be at least 1, got {max_steps}")
    result, remainder = torch.zeros_like(state), state.new_zeros(len(state))
    steps = torch.zeros(len(state), dtype=torch.int64, device=state.device)
    before = state.new_zeros(len(active))
    for n in range(1, max_steps + 1):
        if len(active) == 0:
            break
        new, last = step(state, active, n), n == max_steps
        if halting is None:
            state = _put(state, active, new)
            if last:
                result = _put(result, active, new)
                steps = _put(steps, active, torch.full_like(active, n))
            continue
        probability = halting(new)
        weight, halts = halting_weight(before, probability, last, epsilon)
        result = _add(result, active, weight[:, None] * new)
        # Of few positions often all halt, or none: worth asking, since compaction itself costs time.
        count = len(active) if last else int(halts.sum())
        if count == len(active):
            remainder = _put(remainder, active, weight)
            steps = _put(steps, active, torch.full_like(active, n))
            break
        state, before = _put(state, active, new), before + probability
        if count:
            halted = active[halts]
            remainder = remainder.index_copy(0, halted, weight[halts])
            steps[halted] = n
            active, before = still_active(active, halts), before[~halts]
    return Pondered(result, steps, remainder)


def _put(values: torch.Tensor, active: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
    """Values with new ones at active positions, which are all in rising order."""
    return new if len(active) == len(values) else values.index_copy(0, active, new)


def _add(values: torch.Tensor, active: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
    return values + new if len(active) == len(values) else values.index_add(0, active, new)
