"""Movement pruning: weights stay that training moves away from 0, whatever their size."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from utils.pruning.learned import LearnedSparsity, matching_parameters
from utils.pruning.schedules import Cubic


class _StraightThrough(torch.autograd.Function):
    """A mask of scores above a threshold; the gradient passes as if it were the scores."""

    @staticmethod
    def forward(ctx: Any, scores: torch.Tensor, threshold: torch.Tensor) -> torch.Tensor:
        return (scores > threshold).to(scores.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return gradient, None


def straight_through_mask(scores: torch.Tensor, threshold: torch.Tensor | float) -> torch.Tensor:
    """1 where a score is above the threshold and 0 elsewhere; its gradient goes to the scores whole.

    With weights w and what they are multiplied by, m, the gradient of the loss to a score is w times
    that to w m: it rises as long as a weight wants to grow in size, and this also where the mask is 0,
    so that a weight can come back.

    Source: Sanh, Wolf and Rush (2020), arXiv 2005.07683, section 4 and appendix A.1; Bengio, Leonard
    and Courville (2013), arXiv 1308.3432.

    What people get wrong: a score that is masked, too. Then only those that stay learn anything.

    >>> from utils.pruning import straight_through_mask
    >>> scores, weights = torch.tensor([0.2, -0.1], requires_grad=True), torch.tensor([3.0, -2.0])
    >>> (weights * straight_through_mask(scores, 0.0)).sum().backward()
    >>> scores.grad
    tensor([ 3., -2.])
    """
    return _StraightThrough.apply(scores, torch.as_tensor(threshold, dtype=scores.dtype))


class MovementPruning(LearnedSparsity):
    """A network of whose weights ever fewer are not 0, by scores that are learned beside them.

    Train it for as many steps as are said here, and keep the last epoch (``keep_from`` of ``fit``).

    Parameters
    ----------
    network : takes ids (batch, tokens), best one that is pretrained; it is trained in place
    weights : patterns of names of parameters, each of which keeps the same share
    sparsity : share of zeros at the end, from 0 up to below 1
    steps : training passes in all
    start, end : shares of these between which sparsity rises
    learned : False for the control, in which scores are the sizes of the weights
    stride : how much faster than the learning rate scores move, as of ``HardConcrete``
    refresh : training passes after which thresholds are found anew, which needs a sort

    Raises
    ------
    ValueError
        If a pattern fits no parameter, or a number is out of range.

    Source: Sanh, Wolf and Rush (2020), "Movement pruning: adaptive sparsity by fine-tuning", arXiv
    2005.07683, sections 4 and 5; Zhu and Gupta (2017), arXiv 1710.01878, for the schedule.

    What people get wrong: the scores' own learning rate. Scores begin equal, and what they order is
    noise until they have moved; at the rate of a pretrained encoder they hardly do.

    >>> from utils.models import MeanVectorNetwork
    >>> from utils.pruning import MovementPruning
    >>> network = MeanVectorNetwork(50, dim=4, hidden=8, labels=2)
    >>> moving = MovementPruning(network, ["hidden.weight"], sparsity=0.75, steps=4)
    >>> for step in range(4):
    ...     moving(torch.tensor([[5, 7]])).sum().backward()
    >>> moving.pruned().hidden.weight.count_nonzero().item()
    8
    """

    def __init__(
        self,
        network: nn.Module,
        weights: Sequence[str],
        sparsity: float,
        steps: int,
        *,
        start: float = 0.1,
        end: float = 0.7,
        learned: bool = True,
        stride: float = 1.0,
        refresh: int = 10,
    ):
        super().__init__(network)
        if not 0 <= sparsity < 1:
            raise ValueError(f"sparsity must be at least 0 and below 1, got {sparsity}")
        if steps < 1 or refresh < 1 or not 0 <= start < end <= 1:
            raise ValueError("steps and refresh are at least 1, and 0 <= start < end <= 1")
        self.names, self.learned = matching_parameters(network, weights), learned
        self.goal, self.steps, self.start, self.end = sparsity, steps, start, end
        self.stride, self.refresh = stride, refresh
        # Of one dimension, since optimizers decay matrices. They begin where the weights' sizes say,
        # by far less than they move, so that there are no ties.
        self.positions = nn.ParameterList(
            1e-6 * network.get_parameter(name).detach().abs().flatten().float()
            for name in (self.names if learned else ())
        )
        self.register_buffer("passes", torch.zeros((), dtype=torch.int64))
        self.register_buffer("thresholds", torch.full((len(self.names),), -torch.inf))

    def _scores(self) -> list[torch.Tensor]:
        weights = [self.network.get_parameter(name) for name in self.names]
        if not self.learned:
            return [weight.detach().abs() for weight in weights]
        return [
            (position * self.stride).view(weight.shape)
            for position, weight in zip(self.positions, weights, strict=True)
        ]

    def scores(self) -> dict[str, torch.Tensor]:
        """The learned scores, or the sizes of the weights."""
        return {name: s.detach() for name, s in zip(self.names, self._scores(), strict=True)}

    def planned(self) -> float:
        """Sparsity after so many training passes as there were."""
        since = max(0.0, self.passes.item() - self.start * self.steps)
        return Cubic(self.goal, (self.end - self.start) * self.steps)(since)

    @torch.no_grad()
    def _find_thresholds(self) -> None:
        for number, scores in enumerate(self._scores()):
            gone = round(self.planned() * scores.numel())
            if gone:
                self.thresholds[number] = scores.flatten().kthvalue(gone).values

    def weights(self) -> dict[str, torch.Tensor]:
        masked = {}
        for number, (name, scores) in enumerate(zip(self.names, self._scores(), strict=True)):
            weight = self.network.get_parameter(name)
            mask = straight_through_mask(scores, self.thresholds[number])
            masked[name] = weight * mask.to(weight.dtype)
        return masked

    def train(self, mode: bool = True) -> "MovementPruning":
        """As of any module. Thresholds are found anew for predictions."""
        if self.training and not mode:
            self._find_thresholds()
        return super().train(mode)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        if self.training:
            if self.passes % self.refresh == 0:
                self._find_thresholds()
            self.passes += 1
        return super().forward(ids)
