"""What all learned sparsity shares: a network that computes with other weights than it stores."""

import copy
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

import torch
from torch import nn
from torch.func import functional_call


def matching_parameters(network: nn.Module, patterns: Sequence[str]) -> list[str]:
    """Names of the parameters that fit a pattern (as in ``fnmatch``), in the network's order.

    Raises
    ------
    ValueError
        If a pattern fits none, or a tensor that it fits has no elements, is not made of floating-point
        numbers, or holds one that is not finite.
    """
    names = [name for name, _ in network.named_parameters()]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ValueError(f"no parameter is called {pattern!r}; there are {', '.join(names)}")
    found = [name for name in names if any(fnmatchcase(name, p) for p in patterns)]
    for name in found:
        weight = network.get_parameter(name)
        if not weight.is_floating_point() or weight.numel() == 0 or not weight.isfinite().all():
            raise ValueError(f"{name} cannot be pruned: it needs finite numbers, at least one")
    return found


class LearnedSparsity(nn.Module):
    """A network whose pruned weights are made anew in every pass; base of the methods that learn them.

    Give it to ``utils.training.fit`` like the network itself, with ``keep_from`` the last epoch, then
    take :meth:`pruned`: as long as weights are still to go, the best epoch on dev is one that was pruned
    little. A method gives :meth:`weights`, and :meth:`scores`, by which weights can be ranked.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network, self.config = network, network.config

    def weights(self) -> dict[str, torch.Tensor]:
        """What the network computes with, by the names of its parameters."""
        raise NotImplementedError

    def scores(self) -> dict[str, torch.Tensor]:
        """Of each pruned parameter, how much each of its weights is worth: the lowest go first."""
        raise NotImplementedError

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return functional_call(self.network, self.weights(), (ids,))

    @torch.no_grad()
    def pruned(self) -> nn.Module:
        """A copy of the network with what it computes with at test time: zeros where it is pruned."""
        training = self.training
        self.eval()
        network = copy.deepcopy(self.network)
        for name, weight in self.weights().items():
            network.get_parameter(name).copy_(weight)
        self.train(training)
        return network.eval()

    @torch.no_grad()
    def sparsity(self) -> float:
        """Share of zeros among the weights that may be pruned, at test time."""
        training = self.training
        self.eval()
        weights = list(self.weights().values())
        self.train(training)
        return 1 - sum(int(w.count_nonzero()) for w in weights) / sum(w.numel() for w in weights)


class PenalizedLoss:
    """A loss for ``utils.training.fit`` with a price on what a network keeps.

    Parameters
    ----------
    loss : of logits and targets
    penalty : gives a number with a gradient, as ``L0Network.expected_l0``
    strength : λ, what one unit of the penalty costs
    warmup : steps over which the price rises from 0

    Source: Louizos, Welling and Kingma (2018), arXiv 1712.01312, equation 8, for the sum; Sønderby et
    al. (2016), arXiv 1602.02282, section 2.3, for the warm-up.

    What people get wrong: the scale. The loss is a mean over comments and the penalty a sum over
    weights or gates, so a λ means nothing without their number.

    >>> from utils.pruning import PenalizedLoss
    >>> loss = PenalizedLoss(torch.nn.functional.mse_loss, lambda: torch.tensor(5.0), 0.01, warmup=2)
    >>> [round(loss(torch.zeros(3), torch.zeros(3)).item(), 3) for step in range(3)]
    [0.0, 0.025, 0.05]
    """

    def __init__(self, loss: Callable, penalty: Callable, strength: float, warmup: int = 0):
        self.loss, self.penalty, self.strength, self.warmup = loss, penalty, strength, warmup
        self.steps = 0

    def __call__(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        price = self.strength * min(1.0, self.steps / self.warmup if self.warmup else 1.0)
        self.steps += 1
        return self.loss(logits, targets) + price * self.penalty()
