"""Layers that are sparse before training: a fixed pattern of connections, grown from a seed."""

from math import sqrt
from typing import Literal

import numpy as np
import torch
from torch import nn
from torch.nn.functional import embedding_bag

Pattern = Literal["random", "block", "small-world"]
PATTERNS = ("random", "block", "small-world")
# The pattern is drawn from a key for each possible connection: at most 4 million, 2048 by 2048.
MAX_POSITIONS = 1 << 22


def splitmix64(seed: int, n: int, start: int = 0) -> np.ndarray:
    """Outputs ``start`` to ``start + n - 1`` of the generator SplitMix64, uint64.

    Integers alone, written out here, so that a seed means the same on every machine and with every
    version of every library. Within one seed no two outputs are equal (the map from the position is
    one-to-one).

    Source: Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators", figure 17,
    with the constants of Vigna's splitmix64.c.

    What people get wrong: a pattern stored as the seed of a library's generator. A new version of
    the library may draw other numbers, and the weights then stand in wrong places.

    >>> from utils.distillation import splitmix64
    >>> [hex(number) for number in splitmix64(seed=0, n=2).tolist()]
    ['0xe220a8397b1dcdaf', '0x6e789e6aa1b965f4']
    """
    position = np.arange(start + 1, start + n + 1, dtype=np.uint64)
    z = np.uint64(seed % 2**64) + position * np.uint64(0x9E3779B97F4A7C15)  # wraps round at 2^64
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def static_sparse_index(
    in_features: int,
    out_features: int,
    fan_in: int,
    pattern: Pattern = "random",
    seed: int = 0,
    block_size: int = 4,
    rewiring: float = 0.1,
) -> np.ndarray:
    """Which inputs each unit is connected to: (out_features, fan_in) int64, each row ascending.

    Parameters
    ----------
    fan_in : connections of a unit
    pattern :
        "random", any inputs;
        "block", whole blocks of ``block_size`` units by ``block_size`` inputs, chosen at random;
        "small-world", the nearest inputs on a ring on which units and inputs are spread evenly, of
        which each connection is moved to a random other input with probability ``rewiring``

    Raises
    ------
    ValueError
        If the pattern is unknown, its numbers are out of range, or blocks do not fit.

    Source: Prabhu, Varma and Namboodiri (2018), arXiv 1711.08757, for random connections of a fixed
    number a unit; Watts and Strogatz (1998), "Collective dynamics of small-world networks", figure 1.
    There both ends are of one kind; here the end at the unit is the one that stays.

    What people get wrong: a coin for each connection. Some units may then have no input at all, and
    the rows are of unequal length.

    >>> from utils.distillation import static_sparse_index
    >>> static_sparse_index(8, 4, fan_in=2, pattern="small-world", rewiring=0.0).tolist()
    [[0, 7], [1, 2], [3, 4], [5, 6]]
    """
    if pattern not in PATTERNS:
        raise ValueError(f"no pattern is called {pattern!r}; there are {', '.join(PATTERNS)}")
    if not 1 <= fan_in <= in_features or out_features < 1:
        raise ValueError(f"{fan_in} of {in_features} inputs for {out_features} units is impossible")
    if in_features * out_features > MAX_POSITIONS:
        raise ValueError(
            f"{in_features} by {out_features} is more than {MAX_POSITIONS:,} possible connections"
        )
    if pattern == "block":
        if block_size < 1 or in_features % block_size or out_features % block_size:
            raise ValueError(
                f"blocks of {block_size} do not fit {in_features} inputs and {out_features} units"
            )
        if fan_in % block_size:
            raise ValueError(f"{fan_in} inputs a unit are not whole blocks of {block_size}")
        blocks = static_sparse_index(
            in_features // block_size, out_features // block_size, fan_in // block_size, seed=seed
        )
        inputs = blocks[..., None] * block_size + np.arange(block_size)
        return inputs.reshape(len(blocks), fan_in).repeat(block_size, axis=0)
    n = in_features * out_features
    # The fan_in smallest keys of a row win. A random key each makes every choice equally likely.
    keys = splitmix64(seed, n).reshape(out_features, in_features)
    if pattern == "small-world":
        if not 0 <= rewiring <= 1:
            raise ValueError(f"rewiring must lie between 0 and 1, got {rewiring}")
        unit = np.arange(out_features)[:, None]
        near = unit * in_features // out_features - fan_in // 2 + np.arange(fan_in)
        chance = splitmix64(seed, out_features * fan_in, start=n).reshape(near.shape)
        moved = (chance >> np.uint64(11)) * 2.0**-53 < rewiring
        # A connection that stays wins for certain; one that moves loses to every other input.
        keys[unit, near % in_features] = np.where(moved, np.uint64(2**64 - 1), np.uint64(0))
    return np.sort(np.argsort(keys, axis=1, kind="stable")[:, :fan_in], axis=1)


class StaticSparseLinear(nn.Module):
    """``nn.Linear`` of which only a fixed pattern of connections exists, from the first step on.

    Every unit has the same number of inputs. What is stored is their weights; the pattern grows
    again from its seed. The product is a sparse one: weights that do not exist cost no time.

    Parameters
    ----------
    in_features, out_features, bias : as in ``nn.Linear``
    sparsity : 0 to below 1, share of the weights that do not exist; each unit gets (1 - sparsity) *
        in_features inputs, rounded (for "block" to whole blocks), at least one
    pattern, seed, block_size, rewiring : see :func:`static_sparse_index`

    Raises
    ------
    ValueError
        As :func:`static_sparse_index`, or if the sparsity is out of range.

    Source: Prabhu, Varma and Namboodiri (2018), arXiv 1711.08757.

    What people get wrong: a mask over a dense layer. It takes all of the dense layer's time and
    bytes. Nor is this pruning, where the pattern follows from trained weights and has to be stored.

    >>> from utils.distillation import StaticSparseLinear
    >>> layer = StaticSparseLinear(100, 10, sparsity=0.9)
    >>> layer.nbytes(), list(layer.state_dict()), layer(torch.ones(2, 100)).shape
    (440, ['weight', 'bias'], torch.Size([2, 10]))
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        sparsity: float,
        pattern: Pattern = "random",
        seed: int = 0,
        block_size: int = 4,
        rewiring: float = 0.1,
        bias: bool = True,
    ):
        super().__init__()
        if not 0 <= sparsity < 1:
            raise ValueError(f"sparsity must lie between 0 and below 1, got {sparsity}")
        self.in_features, self.out_features = in_features, out_features
        self.config = dict(
            in_features=in_features,
            out_features=out_features,
            sparsity=sparsity,
            pattern=pattern,
            seed=seed,
            block_size=block_size,
            rewiring=rewiring,
            bias=bias,
        )
        step = max(1, block_size) if pattern == "block" else 1
        self.fan_in = step * max(1, round((1 - sparsity) * in_features / step))
        index = static_sparse_index(
            in_features, out_features, self.fan_in, pattern, seed, block_size, rewiring
        )
        # Not persistent: it is no part of the state that a model file holds.
        self.register_buffer("index", torch.from_numpy(index), persistent=False)
        bound = 1 / sqrt(self.fan_in)  # as nn.Linear with as many inputs
        self.weight = nn.Parameter(torch.empty(out_features, self.fan_in).uniform_(-bound, bound))
        self.bias = (
            nn.Parameter(torch.empty(out_features).uniform_(-bound, bound)) if bias else None
        )

    def macs(self, output: torch.Tensor) -> int:
        """Multiply-accumulates that led to an output: those of the weights that exist."""
        return output.numel() * self.fan_in

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Inputs (..., in_features) to (..., out_features)."""
        # A unit is a bag of rows of the transposed input, summed with the unit's weights.
        columns = x.reshape(-1, self.in_features).T.contiguous().to(self.weight.dtype)
        y = embedding_bag(self.index, columns, mode="sum", per_sample_weights=self.weight).T
        y = y if self.bias is None else y + self.bias
        return y.reshape(*x.shape[:-1], self.out_features)

    def dense(self) -> torch.Tensor:
        """The weights with their zeros, (out_features, in_features), for comparison."""
        zeros = self.weight.new_zeros(self.out_features, self.in_features)
        return zeros.scatter(1, self.index, self.weight)

    def nbytes(self, bytes_per_value: float = 4) -> float:
        """Bytes of the weights and biases that are stored; the pattern costs none."""
        return bytes_per_value * sum(parameter.numel() for parameter in self.parameters())

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.config.items())
