"""Adaptive computation time in a recurrent network: several steps at each word."""

import torch
from torch import nn
from torch.nn.functional import pad

from utils.adaptive.base import AdaptiveNetwork, mean_and_maximum
from utils.adaptive.halting import EPSILON, HaltingUnit, Pondered, ponder
from utils.models import PAD, register_network


class PonderingGRUCell(nn.Module):
    """A GRU cell that takes several steps at one input, until it halts.

    The first step is told from the others by a flag, which is one more input. The next input starts
    from the weighted states of all steps.

    Parameters
    ----------
    inputs, units : sizes of input and state
    max_steps : at which it halts in any case
    adaptive : False takes ``max_steps`` steps at every input

    >>> from utils.adaptive import PonderingGRUCell
    >>> cell = PonderingGRUCell(inputs=8, units=4, max_steps=3)
    >>> pondered = cell(cell.inputs(torch.randn(2, 8)), torch.zeros(2, 4))
    >>> pondered.state.shape, pondered.cost.shape
    (torch.Size([2, 4]), torch.Size([2]))

    What people get wrong: without the flag, a step cannot tell a new input from one that it is still
    thinking about.

    Source: Graves (2016), arXiv 1603.08983, equations 3 to 8; the cell of Cho et al. (2014),
    arXiv 1406.1078, with the reset gate after the product, as in PyTorch.
    """

    def __init__(
        self,
        inputs: int,
        units: int,
        max_steps: int,
        adaptive: bool = True,
        epsilon: float = EPSILON,
    ):
        super().__init__()
        self.max_steps, self.epsilon = max_steps, epsilon
        self.inputs, self.states = nn.Linear(inputs, 3 * units), nn.Linear(units, 3 * units)
        self.flag = nn.Parameter(torch.zeros(3 * units))
        self.halting = HaltingUnit(units) if adaptive else None

    def step(self, projected: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """One step of the GRU: inputs (n, 3 * units), projected, and states (n, units) to states."""
        units = state.shape[1]
        gates, candidate = projected.split((2 * units, units), dim=1)
        state_gates, state_candidate = self.states(state).split((2 * units, units), dim=1)
        reset, update = torch.sigmoid(gates + state_gates).chunk(2, dim=1)
        candidate = torch.tanh(torch.addcmul(candidate, reset, state_candidate))
        return torch.lerp(candidate, state, update)

    def forward(self, projected: torch.Tensor, state: torch.Tensor) -> Pondered:
        """Inputs (n, 3 * units) after ``inputs``, computed once for all steps; states (n, units)."""

        def step(state: torch.Tensor, active: torch.Tensor, n: int) -> torch.Tensor:
            if len(active) == len(state):
                return self.step(projected + self.flag if n == 1 else projected, state)
            return self.step(projected[active], state[active])

        everyone = torch.arange(len(state), device=state.device)
        return ponder(step, self.halting, state, everyone, self.max_steps, self.epsilon)


@register_network
class RecurrentACTNetwork(AdaptiveNetwork):
    """ACT in its first form: a GRU reads the comment, and ponders at each word as long as it needs.

    Parameters
    ----------
    vocabulary_size, dim, labels, dropout : as in ``utils.models.GRUNetwork``
    units : size of the state
    max_steps : at each word
    adaptive : False takes ``max_steps`` steps at every word: the control of fixed depth

    >>> from utils.adaptive import RecurrentACTNetwork
    >>> network = RecurrentACTNetwork(vocabulary_size=9, dim=4, units=6, labels=3, max_steps=3).eval()
    >>> network(torch.tensor([[5, 3, 8], [2, 0, 0]])).shape
    torch.Size([2, 3])
    >>> (network.steps > 0).tolist()
    [[True, True, True], [True, False, False]]

    What people get wrong: in a batch all comments wait at each word for the one that ponders longest.
    Those that halted are left out of the computation here, but not of the waiting.

    Source: Graves (2016), arXiv 1603.08983, section 2.
    """

    def __init__(
        self,
        vocabulary_size: int,
        dim: int,
        units: int,
        labels: int,
        max_steps: int,
        adaptive: bool = True,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.config = dict(
            vocabulary_size=vocabulary_size,
            dim=dim,
            units=units,
            labels=labels,
            max_steps=max_steps,
            adaptive=adaptive,
            dropout=dropout,
        )
        self.embedding = nn.Embedding(vocabulary_size, dim, padding_idx=PAD)
        self.input_dropout = nn.Dropout(dropout)
        self.cell = PonderingGRUCell(dim, units, max_steps, adaptive)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(2 * units, labels)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Ids (batch, tokens) to logits (batch, labels)."""
        # The longest first, so that the comments which still have words are the first rows.
        order = (ids != PAD).sum(dim=1).argsort(descending=True, stable=True)
        ids = ids[order]
        mask = ids != PAD
        lengths = mask.sum(dim=1)
        projected = self.cell.inputs(self.input_dropout(self.embedding(ids)))
        state = projected.new_zeros(len(ids), self.config["units"])
        states, steps, costs = [], [], []
        for word, left in enumerate(mask.sum(dim=0).tolist()):
            pondered = self.cell(projected[:left, word], state[:left])
            state, rest = pondered.state, len(ids) - left
            states.append(pad(state, (0, 0, 0, rest)))
            steps.append(pad(pondered.steps, (0, rest)))
            costs.append(pad(pondered.cost, (0, rest)))
        states, back = torch.stack(states, dim=1), order.argsort()
        self._spent(torch.stack(steps, dim=1)[back], torch.stack(costs, dim=1)[back], lengths[back])
        return self.output(self.dropout(mean_and_maximum(states, mask)[back]))
