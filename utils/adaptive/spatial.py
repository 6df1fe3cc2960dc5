"""Spatial ACT, from images to text: convolutions over the words, and each word halts by itself."""

from typing import Any

import torch
from torch import nn
from torch.nn.functional import pad

from utils.adaptive.base import AdaptiveNetwork, mean_and_maximum
from utils.adaptive.halting import HaltingUnit, ponder
from utils.models import PAD, register_network


class ResidualConvolution(nn.Module):
    """A residual unit over windows of three words: normalise, convolve, ReLU, project, add.

    The convolution is a linear layer on windows that were gathered, so that it can be computed at
    some positions and not at others.
    """

    def __init__(self, dim: int, hidden: int, dropout: float):
        super().__init__()
        self.norm, self.dropout = nn.LayerNorm(dim), nn.Dropout(dropout)
        self.convolution, self.projection = nn.Linear(3 * dim, hidden), nn.Linear(hidden, dim)

    def forward(self, states: torch.Tensor, active: torch.Tensor) -> torch.Tensor:
        """States (positions, dim), with a row of zeros at both ends of a comment, to (a, dim)."""
        window = active[:, None] + torch.arange(-1, 2, device=active.device)
        hidden = torch.relu(self.convolution(states[window].flatten(1)))
        return self.norm(states[active] + self.dropout(self.projection(hidden)))


@register_network
class SpatialACTNetwork(AdaptiveNetwork):
    """Spatial ACT: residual convolution blocks over the words, of which each halts by itself.

    A word that halted keeps its state, and its neighbours go on looking at it. Each step has weights
    of its own, as the units of a residual network have.

    Parameters
    ----------
    vocabulary_size, labels, dropout : as in ``utils.models.MeanVectorNetwork``
    dim : of word vectors, and of the states that they start as
    hidden : channels of a convolution
    max_steps : convolutions at each word, at most
    adaptive : False takes ``max_steps`` steps at every word: the control of fixed depth

    >>> from utils.adaptive import SpatialACTNetwork
    >>> network = SpatialACTNetwork(vocabulary_size=9, dim=4, hidden=8, labels=3, max_steps=2).eval()
    >>> network(torch.tensor([[5, 3, 8], [2, 0, 0]])).shape
    torch.Size([2, 3])
    >>> network.steps.shape
    torch.Size([2, 3])

    What people get wrong: the reference code computes every position at every step and multiplies by
    a mask, so that it counts fewer operations and takes no less time. Here the windows of active
    words are gathered, and the others are not computed.

    Source: Figurnov et al. (2017), "Spatially adaptive computation time for residual networks",
    arXiv 1612.02297, sections 3.1 and 3.2; the halting unit there sees the mean of the image as well.
    """

    def __init__(
        self,
        vocabulary_size: int,
        dim: int,
        hidden: int,
        labels: int,
        max_steps: int,
        adaptive: bool = True,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.config: dict[str, Any] = dict(
            vocabulary_size=vocabulary_size,
            dim=dim,
            hidden=hidden,
            labels=labels,
            max_steps=max_steps,
            adaptive=adaptive,
            dropout=dropout,
        )
        self.embedding = nn.Embedding(vocabulary_size, dim, padding_idx=PAD)
        self.input_dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            ResidualConvolution(dim, hidden, dropout) for _ in range(max_steps)
        )
        self.halting = HaltingUnit(dim) if adaptive else None
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(2 * dim, labels)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Ids (batch, tokens) to logits (batch, labels)."""
        ids = pad(ids, (1, 1), value=PAD)  # a word at the edge has neighbours, too
        mask = ids != PAD
        states = self.input_dropout(self.embedding(ids)) * mask[..., None]
        pondered = ponder(
            lambda state, active, n: self.blocks[n - 1](state, active),
            self.halting,
            states.flatten(0, 1),
            mask.flatten().nonzero().squeeze(1),
            self.config["max_steps"],
        )
        steps, cost = (each.view(ids.shape)[:, 1:-1] for each in (pondered.steps, pondered.cost))
        self._spent(steps, cost, mask.sum(dim=1))
        return self.output(self.dropout(mean_and_maximum(pondered.state.view(states.shape), mask)))
