"""PonderNet: the number of steps is a random variable, and training knows its distribution."""

from collections.abc import Callable

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from utils.adaptive.base import mean_and_maximum
from utils.adaptive.halting import HaltingUnit, still_active
from utils.adaptive.universal import WordsAndBlocks, sinusoids
from utils.models import PAD, register_network


def halting_distribution(hazards: torch.Tensor) -> torch.Tensor:
    """Probability of halting at each step, of those of halting at a step that is reached.

    p_n = l_n (1 - l_1) ... (1 - l_(n-1)), for hazards l. At the last step everything halts that has
    not before, so that the probabilities sum to 1; its hazard is not looked at.

    Parameters
    ----------
    hazards : (..., max_steps), between 0 and 1

    >>> from utils.adaptive import halting_distribution
    >>> halting_distribution(torch.tensor([0.5, 0.5, 0.125])).tolist()
    [0.5, 0.25, 0.25]

    Source: Banino et al. (2021), arXiv 2107.05407, equation 2.
    """
    going_on = (1 - hazards[..., :-1]).cumprod(dim=-1)
    reached = torch.cat([torch.ones_like(hazards[..., :1]), going_on], dim=-1)
    final = torch.ones_like(hazards[..., :1])
    return reached * torch.cat([hazards[..., :-1], final], dim=-1)


def truncated_geometric(rate: float, max_steps: int) -> torch.Tensor:
    """The prior of the number of steps, (max_steps,): geometric, cut off, and renormalised to sum 1.

    >>> from utils.adaptive import truncated_geometric
    >>> truncated_geometric(0.5, 2).tolist()
    [0.6666666865348816, 0.3333333432674408]

    Source: Banino et al. (2021), arXiv 2107.05407, section 2.3.
    """
    if not 0 < rate < 1:
        raise ValueError(f"the prior's rate must lie between 0 and 1, got {rate}")
    prior = rate * (1 - rate) ** torch.arange(max_steps)
    return prior / prior.sum()


def divergence(p: torch.Tensor, prior: torch.Tensor) -> torch.Tensor:
    """KL(p || prior), (..., max_steps) to (...): the mean, by p, of log(p / prior).

    It is infinite where the prior is 0 and p is not, and finite wherever p is 0.

    >>> from utils.adaptive import divergence
    >>> divergence(torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5])).item()
    0.6931471824645996
    """
    return (torch.xlogy(p, p) - torch.xlogy(p, prior)).sum(dim=-1)


@register_network
class PonderNetwork(WordsAndBlocks):
    """PonderNet on a shared Transformer block: the comment as a whole halts after some step.

    After each step there are logits of the comment, and the probability of halting there. Training
    computes all steps; prediction stops at the first step by which it halts with probability 1/2 or
    more, the median, and goes on with the other comments only.

    Parameters
    ----------
    vocabulary_size, dim, labels, max_steps, heads, hidden, dropout : as in
        ``UniversalTransformerNetwork``

    Attributes, after a forward pass in training
    --------------------------------------------
    step_logits : (batch, max_steps, labels)
    halting_probabilities : (batch, max_steps), of each step to be the last

    >>> from utils.adaptive import PonderNetwork
    >>> network = PonderNetwork(vocabulary_size=9, dim=8, labels=3, max_steps=3).eval()
    >>> network(torch.tensor([[5, 3, 8], [2, 0, 0]])).shape, network.steps.shape
    (torch.Size([2, 3]), torch.Size([2]))

    What people get wrong: a much-read implementation computes the divergence of the prior from p
    where the paper has that of p from the prior, cuts the prior off without renormalising it, and
    computes all steps when it predicts.

    Source: Banino et al. (2021), arXiv 2107.05407, section 2; it draws the step at which prediction
    halts, where this network takes the median, so that a comment always gets the same answer.
    """

    def __init__(
        self,
        vocabulary_size: int,
        dim: int,
        labels: int,
        max_steps: int,
        heads: int = 2,
        hidden: int = 64,
        dropout: float = 0.1,
    ):
        super().__init__(vocabulary_size, dim, labels, max_steps, heads, hidden, True, dropout)
        self.halting = HaltingUnit(2 * dim, bias=0.0)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Ids (batch, tokens) to logits (batch, labels): those of the step at which a comment halts."""
        if self.training:
            return self._all_steps(ids)
        logits = torch.zeros(len(ids), self.config["labels"], device=ids.device)
        self.steps = torch.zeros(len(ids), dtype=torch.int64, device=ids.device)
        rows = torch.arange(len(ids), device=ids.device)
        going_on = torch.ones(len(ids), device=ids.device)
        states = self.start(ids)
        for n in range(1, self.config["max_steps"] + 1):
            states, pooled = self._step(states, ids[rows] != PAD, n)
            going_on = going_on * (1 - self.halting(pooled))
            logits[rows] = self.output(pooled)
            self.steps[rows] = n
            halts = going_on <= 0.5
            rows, states, going_on = still_active(rows, halts), states[~halts], going_on[~halts]
            if len(rows) == 0:
                break
        return logits

    def _all_steps(self, ids: torch.Tensor) -> torch.Tensor:
        mask, states, logits, hazards = ids != PAD, self.start(ids), [], []
        for n in range(1, self.config["max_steps"] + 1):
            states, pooled = self._step(states, mask, n)
            logits.append(self.output(self.dropout(pooled)))
            hazards.append(self.halting(pooled))
        self.step_logits = torch.stack(logits, dim=1)
        self.halting_probabilities = halting_distribution(torch.stack(hazards, dim=1))
        halts = self.halting_probabilities.detach().cumsum(dim=1) >= 0.5
        halts[:, -1] = True
        self.steps = halts.int().argmax(dim=1) + 1
        return self.step_logits[torch.arange(len(ids)), self.steps - 1]

    def _step(
        self, states: torch.Tensor, mask: torch.Tensor, n: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """States and pooled states of whole comments after step ``n``."""
        signal = sinusoids(self.config["max_steps"], self.config["dim"])[n - 1].to(states)
        active = mask.flatten().nonzero().squeeze(1)
        flat = states.flatten(0, 1)
        new, _ = self.blocks[0](flat[active] + signal, active, mask)
        states = flat.index_copy(0, active, new).view(states.shape)
        return states, mean_and_maximum(states, mask)


class PonderLoss:
    """The loss of PonderNet, for ``utils.training.fit``.

    The loss of each step's logits, weighted by the probability of halting there, plus ``weight`` times
    the divergence of these probabilities from the prior; both are means over the batch.

    Parameters
    ----------
    network : the PonderNetwork that is trained
    rate : of the prior, see :func:`truncated_geometric`
    weight : of the divergence, beta in the paper
    loss : of logits (n, labels) and targets (n, k) to losses of each comment (n,)

    Source: Banino et al. (2021), arXiv 2107.05407, equation 3.

    What people get wrong: the prior expects 1 / rate steps only before it is cut off. With a
    rate of 0.2 and at most 3 steps, these are not 5 but fewer than 2.

    >>> from utils.adaptive import PonderLoss, PonderNetwork
    >>> network = PonderNetwork(vocabulary_size=9, dim=8, labels=3, max_steps=3).train()
    >>> loss = PonderLoss(network, rate=0.2, weight=0.01)
    >>> loss(network(torch.tensor([[5, 3, 8]])), torch.tensor([[0.0, 1.0, 0.0]])).shape
    torch.Size([])
    >>> round((loss.prior @ torch.tensor([1.0, 2.0, 3.0])).item(), 2)
    1.85
    """

    def __init__(
        self, network: PonderNetwork, rate: float, weight: float, loss: Callable | None = None
    ):
        self.network, self.weight, self.loss = network, weight, loss or binary_losses
        self.prior = truncated_geometric(rate, network.config["max_steps"])

    def __call__(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        p, steps = self.network.halting_probabilities, self.network.step_logits
        losses = torch.stack([self.loss(each, targets) for each in steps.unbind(dim=1)], dim=1)
        fit = (p * losses).sum(dim=1).mean()
        return fit + self.weight * divergence(p, self.prior.to(p)).mean()


def binary_losses(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Binary cross entropy of each comment (n,), mean over labels; targets are labels or probabilities."""
    return binary_cross_entropy_with_logits(logits, targets, reduction="none").mean(dim=1)
