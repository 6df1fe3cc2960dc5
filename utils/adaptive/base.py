"""What the networks of adaptive depth share: what they say of their steps, and how these are paid.

Source: Graves (2016), arXiv 1603.08983, section 2.

What people get wrong: the mean of the steps is over words. Padding takes 0 steps, so a mean over
the whole matrix is smaller the more padding there is.

>>> from utils.adaptive import SpatialACTNetwork, steps_taken
>>> network = SpatialACTNetwork(9, dim=4, hidden=8, labels=3, max_steps=2, adaptive=False)
>>> ids = np.array([[5, 3, 8], [2, 0, 0]])
>>> steps = steps_taken(network, ids)
>>> steps.tolist()
[[2, 2, 2], [2, 0, 0]]
>>> steps[ids != 0].mean().item()
2.0
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from utils.models import masked_mean


class TimePenalty:
    """A loss for ``utils.training.fit``: a loss of the logits, plus the price of the steps taken.

    ``loss(logits, targets) + penalty * mean ponder cost``, where the cost of a comment is the mean
    over its words, so that a long comment does not pay more for each of its words' steps.

    >>> from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
    >>> from utils.adaptive import SpatialACTNetwork, TimePenalty
    >>> network = SpatialACTNetwork(vocabulary_size=9, dim=4, hidden=8, labels=3, max_steps=2)
    >>> loss = TimePenalty(network, cross_entropy, 0.01)
    >>> loss(network(torch.tensor([[5, 3]])), torch.tensor([[0.0, 1.0, 0.0]])).shape
    torch.Size([])

    What people get wrong: a penalty on the number of steps alone, which has no gradient.

    Source: Graves (2016), arXiv 1603.08983, equation 11.
    """

    def __init__(self, network: nn.Module, loss: Callable, penalty: float):
        if penalty < 0:
            raise ValueError(f"the time penalty must not be negative, got {penalty}")
        self.network, self.loss, self.penalty = network, loss, penalty

    def __call__(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return self.loss(logits, targets) + self.penalty * self.network.ponder_cost.mean()


class AdaptiveNetwork(nn.Module):
    """What all networks of adaptive depth share: they say what their last forward pass spent.

    Attributes
    ----------
    steps : int64 (batch, tokens), 0 at padding; (batch,) where the whole comment halts at once
    ponder_cost : (batch,), mean over a comment's words of N + R; 0 for a comment without words. Where
        the whole comment halts at once there is none: PonderNet has a loss of its own
    """

    def _spent(self, steps: torch.Tensor, cost: torch.Tensor, lengths: torch.Tensor) -> None:
        self.steps, self.ponder_cost = steps, cost.sum(dim=1) / lengths.clamp(min=1)


@torch.inference_mode()
def steps_taken(network: nn.Module, ids: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """How many steps each word takes, or each comment where it halts as a whole.

    Parameters
    ----------
    network : one of ``utils.adaptive``
    ids : (n, tokens) int64, padded with 0

    Returns
    -------
    int64 (n, tokens), 0 at padding; or (n,)
    """
    network.eval()
    parts, device = [], next(network.parameters()).device
    for start in range(0, len(ids), batch_size):
        network(torch.as_tensor(ids[start : start + batch_size]).to(device))
        parts.append(network.steps.cpu().numpy())
    return np.concatenate(parts) if parts else np.zeros(ids.shape, dtype=np.int64)


def mean_and_maximum(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean and maximum over a comment's words: (batch, tokens, d) to (batch, 2 d); 0 without words."""
    maximum = states.masked_fill(~mask[..., None], -torch.inf).amax(dim=1)
    maximum = maximum.masked_fill(~mask.any(dim=1, keepdim=True), 0)
    return torch.cat([masked_mean(states, mask), maximum], dim=1)
