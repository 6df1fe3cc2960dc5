"""A task of which the difficulty is known: is the number of ones odd?

Source: Graves (2016), arXiv 1603.08983, section 3.1.

What people get wrong: one accuracy for all vectors. A network that solves those of few numbers and
guesses the others looks better than one that guesses all; score each difficulty by itself.

>>> from utils.adaptive import ParityNetwork, parity_batch, train_parity
>>> network = ParityNetwork(bits=4, units=8, max_steps=3)
>>> train_parity(network, 4, penalty=0.01, batches=2, batch_size=8)
>>> vectors, difficulty, parity = parity_batch(100, 4, torch.Generator().manual_seed(0))
>>> torch.equal((vectors != 0).sum(dim=1), difficulty)
True
>>> right = (network(vectors) > 0) == (parity == 1)
>>> len([right[difficulty == n].float().mean() for n in range(1, 5)])
4
"""

import torch
from torch import nn

from utils.adaptive.recurrent import PonderingGRUCell


def parity_batch(
    n: int, bits: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Vectors of ones, minus ones and zeros, how many of their numbers are not zero, and parities.

    Parameters
    ----------
    n : vectors
    bits : numbers of a vector; the first 1 to ``bits`` of them, drawn evenly, are 1 or -1

    Returns
    -------
    vectors : (n, bits), float
    difficulty : (n,) int64, how many numbers are 1 or -1
    parity : (n,), 1.0 where the number of ones is odd, or else 0.0

    Source: Graves (2016), arXiv 1603.08983, section 3.1, there of 64 numbers.
    """
    difficulty = torch.randint(1, bits + 1, (n,), generator=generator)
    signs = 2.0 * torch.randint(0, 2, (n, bits), generator=generator) - 1
    vectors = signs * (torch.arange(bits) < difficulty[:, None])
    return vectors, difficulty, (vectors == 1).sum(dim=1).remainder(2).float()


class ParityNetwork(nn.Module):
    """One input, a pondering cell, one logit: a network that can do nothing but think longer.

    Parameters
    ----------
    bits, units, max_steps : of the input and of :class:`PonderingGRUCell`

    Attributes
    ----------
    steps, ponder_cost : (batch,), of the last forward pass

    Source: Graves (2016), arXiv 1603.08983, section 3.1, there with a plain recurrent cell.

    What people get wrong: the whole vector is one input, so that its steps are all thought. Given
    its numbers one after another, a recurrent network can keep the parity so far in its state, and
    need not ponder.

    >>> from utils.adaptive import ParityNetwork
    >>> network = ParityNetwork(bits=4, units=8, max_steps=3)
    >>> network(torch.tensor([[1.0, -1.0, 1.0, 0.0]])).shape
    torch.Size([1])
    >>> 1 <= network.steps.item() <= 3
    True
    """

    def __init__(self, bits: int, units: int, max_steps: int):
        super().__init__()
        self.cell = PonderingGRUCell(bits, units, max_steps)
        self.output = nn.Linear(units, 1)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Vectors (batch, bits) to the logits (batch,) of an odd number of ones."""
        start = vectors.new_zeros(len(vectors), self.output.in_features)
        pondered = self.cell(self.cell.inputs(vectors), start)
        self.steps, self.ponder_cost = pondered.steps, pondered.cost
        return self.output(pondered.state).squeeze(1)


def train_parity(
    network: ParityNetwork,
    bits: int,
    *,
    penalty: float,
    batches: int,
    batch_size: int = 256,
    lr: float = 5e-3,
    seed: int = 0,
) -> None:
    """Train on vectors drawn anew for each batch, by Adam with a rate that falls to 0.

    The loss is the cross entropy plus ``penalty`` times the mean ponder cost.
    """
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda batch: 1 - batch / batches)
    for _ in range(batches):
        vectors, _, parity = parity_batch(batch_size, bits, generator)
        loss = nn.functional.binary_cross_entropy_with_logits(network(vectors), parity)
        loss = loss + penalty * network.ponder_cost.mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
