"""The hard concrete distribution: random gates in [0, 1] that are exactly 0 and exactly 1 at times.

A binary concrete variable is stretched from (0, 1) to (γ, ζ) and clipped to [0, 1]: what falls below
0 becomes a gate that is shut, what falls above 1 one that is open. In between, gates have a gradient,
and how many are open in the mean has a closed form, so that a network can learn by gradients how few
of them it needs.

Source: Louizos, Welling and Kingma (2018), "Learning sparse neural networks through L0
regularization", arXiv 1712.01312, equations 10 to 13, with the constants of its section 4; Maddison,
Mnih and Teh (2017), arXiv 1611.00712, for the concrete distribution.

What people get wrong: the temperature. It belongs to the samples and to the probability that they are
not 0; the gate at test time is made without it. With it, a gate would shut for good at other values
of log α than the paper's.

>>> from utils.pruning import deterministic_gate, keep_probability
>>> log_alpha = torch.tensor([-3.0, 0.0, 3.0])
>>> deterministic_gate(log_alpha)
tensor([0.0000, 0.5000, 1.0000])
>>> [round(p, 3) for p in keep_probability(log_alpha).tolist()]
[0.198, 0.832, 0.99]
"""

import math

import torch
from torch import nn

GAMMA, ZETA, BETA = -0.1, 1.1, 2 / 3
# Where the gate at test time becomes 0: sigmoid(log α) = -γ / (ζ - γ).
SHUT = math.log(-GAMMA / ZETA)


def hard_concrete(
    log_alpha: torch.Tensor,
    uniform: torch.Tensor,
    beta: float = BETA,
    gamma: float = GAMMA,
    zeta: float = ZETA,
) -> torch.Tensor:
    """Gates in [0, 1] for ``uniform`` in (0, 1), both of one shape: equations 10 and 11."""
    concrete = torch.sigmoid((torch.logit(uniform) + log_alpha) / beta)
    return (concrete * (zeta - gamma) + gamma).clamp(0, 1)


def keep_probability(
    log_alpha: torch.Tensor, beta: float = BETA, gamma: float = GAMMA, zeta: float = ZETA
) -> torch.Tensor:
    """Probability that a sampled gate is not 0: equation 12. Its sum is the expected L0 norm."""
    return torch.sigmoid(log_alpha - beta * math.log(-gamma / zeta))


def deterministic_gate(
    log_alpha: torch.Tensor, gamma: float = GAMMA, zeta: float = ZETA
) -> torch.Tensor:
    """The gate at test time, in [0, 1]: equation 13; 0 where log α is at most :data:`SHUT`."""
    return (torch.sigmoid(log_alpha) * (zeta - gamma) + gamma).clamp(0, 1)


def hard_concrete_density(
    gate: torch.Tensor,
    log_alpha: float,
    beta: float = BETA,
    gamma: float = GAMMA,
    zeta: float = ZETA,
) -> torch.Tensor:
    """Density of gates strictly between 0 and 1, to draw; the rest of the mass lies on 0 and on 1."""
    s = (gate - gamma) / (zeta - gamma)
    # That of a concrete variable, whose logit is logistic with mean log α / β and scale 1 / β.
    logistic = torch.sigmoid(beta * torch.logit(s) - log_alpha)
    return beta * logistic * (1 - logistic) / (s * (1 - s)) / (zeta - gamma)


class HardConcrete(nn.Module):
    """Gates that are learned: samples while training, their deterministic values otherwise.

    Parameters
    ----------
    shape : of the gates
    keep : probability at the start that a gate is not 0, between 0 and 1
    stride : how much faster than the learning rate log α moves, under an optimizer whose steps do not
        depend on the size of a gradient, as Adam's; for gates that share a rate with trained weights

    Raises
    ------
    ValueError
        If ``keep`` or ``stride`` is out of range.

    Source: Louizos, Welling and Kingma (2018), arXiv 1712.01312, equations 10 to 13.

    What people get wrong: the start. The gate at test time is less open than it is likely not to be 0:
    at a probability of 0.9 it stands at 0.67, and a trained network says something else before anything
    is learned. Let it begin at 0.98 and above, unless the network begins from nothing, too.

    >>> from utils.pruning import HardConcrete
    >>> gates = HardConcrete((2, 3), keep=0.9).eval()
    >>> gates().shape, round(gates.expected_l0().item(), 3)
    (torch.Size([2, 3]), 5.4)
    """

    def __init__(self, shape: tuple[int, ...], keep: float = 0.98, stride: float = 1.0):
        super().__init__()
        if not 0 < keep < 1:
            raise ValueError(f"keep must lie between 0 and 1, got {keep}")
        if not stride > 0:
            raise ValueError(f"stride must be above 0, got {stride}")
        self.shape, self.stride = tuple(shape), stride
        start = math.log(keep / (1 - keep)) + BETA * math.log(-GAMMA / ZETA)
        # Of one dimension, since optimizers decay matrices: gates would be pulled half open.
        self.position = nn.Parameter(torch.full((math.prod(shape),), start / stride))

    @property
    def log_alpha(self) -> torch.Tensor:
        """Of the gates' shape."""
        return (self.position * self.stride).view(self.shape)

    def forward(self) -> torch.Tensor:
        if not self.training:
            return deterministic_gate(self.log_alpha)
        tiny = torch.finfo(self.position.dtype).eps
        uniform = torch.rand(self.shape, device=self.position.device).clamp(tiny, 1 - tiny)
        return hard_concrete(self.log_alpha, uniform)

    def expected_l0(self) -> torch.Tensor:
        """How many of the gates are not 0 in the mean, a number with a gradient."""
        return keep_probability(self.log_alpha).sum()
