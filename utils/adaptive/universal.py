"""The Universal Transformer: one block used again and again, and each word halts by itself."""

from typing import Any

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from utils.adaptive.base import AdaptiveNetwork, mean_and_maximum
from utils.adaptive.halting import HaltingUnit, ponder
from utils.models import PAD, register_network


def sinusoids(count: int, dim: int) -> torch.Tensor:
    """Signals (count, dim) that tell positions, or steps, from one another.

    Half of the dimensions are sines, half cosines, of wavelengths from 2 pi to 10,000 * 2 pi.

    Source: Vaswani et al. (2017), arXiv 1706.03762, section 3.5.
    """
    frequencies = 10_000 ** -(torch.arange(dim // 2) / max(1, dim // 2 - 1))
    angles = torch.arange(1, count + 1)[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class CompactBlock(nn.Module):
    """A Transformer block that is computed at active words only; the others are still looked at.

    Of words that halted, keys and values are kept as they were at their last step, made of the state
    that went into it: to make them anew, of the state that came out, would be another computation.
    Normalisation comes after each sum, as in the paper.

    Parameters
    ----------
    dim, heads : of the attention
    hidden : units of the feed-forward layer
    """

    def __init__(self, dim: int, heads: int, hidden: int, dropout: float):
        super().__init__()
        self.heads = heads
        self.query, self.key_value = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim)
        self.attended, self.dropout = nn.Linear(dim, dim), nn.Dropout(dropout)
        self.first, self.second = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))

    def forward(
        self,
        states: torch.Tensor,
        active: torch.Tensor,
        mask: torch.Tensor,
        known: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """New states (a, dim) of the active words, and the keys and values of all.

        Parameters
        ----------
        states : (a, dim), of active words
        active : (a,), their numbers in the batch, read comment by comment, in rising order
        mask : (batch, tokens), True at words
        known : (batch * tokens, 2 * dim), keys and values of the step before; None at the first step,
            at which all words are active
        """
        (batch, tokens), dim = mask.shape, states.shape[1]
        if known is None:
            known = states.new_zeros(batch * tokens, 2 * dim)
        known = known.index_copy(0, active, self.key_value(states))
        # Comments without an active word are left out; of the others attention is computed whole,
        # which is cheap beside the matrices.
        rows, row = (active // tokens).unique_consecutive(return_inverse=True)
        place = row * tokens + active % tokens
        query = states.new_zeros(len(rows) * tokens, dim).index_copy(0, place, self.query(states))
        of_rows = known.view(batch, tokens, 2 * dim)[rows]
        query, key, value = (
            each.view(len(rows), tokens, self.heads, dim // self.heads).transpose(1, 2)
            for each in (query, *of_rows.chunk(2, dim=2))
        )
        seen = mask[rows][:, None, None]
        attended = scaled_dot_product_attention(query, key, value, attn_mask=seen)
        attended = attended.transpose(1, 2).reshape(-1, dim)[place]
        states = self.norms[0](states + self.dropout(self.attended(attended)))
        hidden = self.second(torch.relu(self.first(states)))
        return self.norms[1](states + self.dropout(hidden)), known


class WordsAndBlocks(AdaptiveNetwork):
    """Word vectors, signals of position and step, and blocks: what its networks start from."""

    def __init__(
        self,
        vocabulary_size: int,
        dim: int,
        labels: int,
        max_steps: int,
        heads: int,
        hidden: int,
        shared: bool,
        dropout: float,
    ):
        super().__init__()
        self.config: dict[str, Any] = dict(
            vocabulary_size=vocabulary_size,
            dim=dim,
            labels=labels,
            max_steps=max_steps,
            heads=heads,
            hidden=hidden,
            dropout=dropout,
        )
        if heads < 1 or dim % (2 * heads):
            raise ValueError(f"{dim} dimensions do not make {heads} heads of an even size")
        self.embedding = nn.Embedding(vocabulary_size, dim, padding_idx=PAD)
        self.input_dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            CompactBlock(dim, heads, hidden, dropout) for _ in range(1 if shared else max_steps)
        )
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(2 * dim, labels)

    def start(self, ids: torch.Tensor) -> torch.Tensor:
        """States (batch, tokens, dim) before the first step; 0 at padding."""
        states = self.input_dropout(self.embedding(ids))
        states = states + sinusoids(ids.shape[1], states.shape[2]).to(states)
        return states * (ids != PAD)[..., None]


@register_network
class UniversalTransformerNetwork(WordsAndBlocks):
    """A Transformer that uses one block again and again, at each word until it halts.

    The signal of the step is added before each use, so that the block knows which one it is.

    Parameters
    ----------
    vocabulary_size, labels, dropout : as in ``utils.models.MeanVectorNetwork``
    dim : of word vectors and states
    max_steps : uses of the block at each word, at most
    heads, hidden : as in :class:`CompactBlock`
    adaptive : False takes ``max_steps`` steps at every word: the control of fixed depth
    shared : False has a block of its own for each step, as an ordinary Transformer does; only with
        ``adaptive=False``, since words that halted are looked at by the block that they halted in

    >>> from utils.adaptive import UniversalTransformerNetwork
    >>> network = UniversalTransformerNetwork(vocabulary_size=9, dim=8, labels=3, max_steps=3).eval()
    >>> network(torch.tensor([[5, 3, 8], [2, 0, 0]])).shape
    torch.Size([2, 3])
    >>> network.steps.shape
    torch.Size([2, 3])

    What people get wrong: a well-known reference computes ``new * u + (old * 1 - u)`` where
    ``old * (1 - u)`` is meant, and gives the last step its probability where it is forced. Here the
    states are weighted as in ``halting_weights``, and the weights sum to 1 at every word.

    Source: Dehghani et al. (2019), arXiv 1807.03819, section 2 and appendix C. There the signal of the
    step is added to words that halted, too; here nothing of these is computed any more.
    """

    def __init__(
        self,
        vocabulary_size: int,
        dim: int,
        labels: int,
        max_steps: int,
        heads: int = 2,
        hidden: int = 64,
        adaptive: bool = True,
        shared: bool = True,
        dropout: float = 0.1,
    ):
        if adaptive and not shared:
            raise ValueError("words halt by themselves only where the block is shared")
        super().__init__(vocabulary_size, dim, labels, max_steps, heads, hidden, shared, dropout)
        self.config |= {"adaptive": adaptive, "shared": shared}
        self.halting = HaltingUnit(dim) if adaptive else None

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Ids (batch, tokens) to logits (batch, labels)."""
        mask, states = ids != PAD, self.start(ids)
        signals = sinusoids(self.config["max_steps"], self.config["dim"]).to(states)
        known = None

        def step(state: torch.Tensor, active: torch.Tensor, n: int) -> torch.Tensor:
            nonlocal known
            block = self.blocks[(n - 1) % len(self.blocks)]
            new, known = block(state[active] + signals[n - 1], active, mask, known)
            return new

        active = mask.flatten().nonzero().squeeze(1)
        pondered = ponder(
            step, self.halting, states.flatten(0, 1), active, self.config["max_steps"]
        )
        steps, cost = (each.view(ids.shape) for each in (pondered.steps, pondered.cost))
        self._spent(steps, cost, mask.sum(dim=1))
        pooled = mean_and_maximum(pondered.state.view(states.shape), mask)
        return self.output(self.dropout(pooled))
