"""Which weights stay: masks from scores, within each layer, within each output, or over all layers.

Scores are tensors by the name of their parameter, masks bool tensors by the same names, True where a
weight stays. Exactly ``round(sparsity * n)`` of n weights go, those of the smallest scores. Of equal
scores the one that comes first goes first, so that a layer of equal weights is not emptied at once,
as by a threshold, and two runs agree. A weight that is gone by an earlier mask never comes back.

Source: Han et al. (2015), arXiv 1506.02626, section 3, for magnitudes; Frankle and Carbin (2019),
arXiv 1803.03635, section 2, for pruning over all layers together.

What people get wrong: the count of what is gone already. 50% pruned twice is not 75% here: a sparsity
is a share of all weights of the tensor, whatever was pruned before.

>>> from utils.pruning import masks_per_layer, masks_over_all, sparsity_of
>>> scores = {"a": torch.tensor([3.0, 1.0, 1.0, 2.0]), "b": torch.tensor([9.0, 8.0])}
>>> masks_per_layer(scores, 0.5)
{'a': tensor([ True, False, False,  True]), 'b': tensor([ True, False])}
>>> masks_over_all(scores, 0.5)
{'a': tensor([ True, False, False, False]), 'b': tensor([True, True])}
>>> sparsity_of(masks_over_all(scores, 0.5))
0.5
"""

from collections.abc import Mapping

import torch
from torch import nn

Tensors = Mapping[str, torch.Tensor]


def matrices(network: nn.Module) -> dict[str, torch.Tensor]:
    """What is pruned: the weights of two or more dimensions, by name, detached. Biases stay.

    A bias is one number for a whole row of weights, so there are few of them.
    """
    return {name: p.detach() for name, p in network.named_parameters() if p.ndim > 1}


def keep_largest(scores: torch.Tensor, sparsity: float) -> torch.Tensor:
    """A mask of the shape of the scores, without the ``round(sparsity * n)`` smallest.

    Raises
    ------
    ValueError
        If the sparsity is no share, or a score is not a number: NaN is neither small nor large.
    """
    if not 0 <= sparsity <= 1:
        raise ValueError(f"a sparsity lies between 0 and 1, got {sparsity}")
    flat = scores.detach().reshape(-1)
    if flat.isnan().any():
        raise ValueError("a score is not a number: mend the weights before they are pruned")
    flat = flat.float() if flat.dtype in (torch.float16, torch.bfloat16) else flat
    gone = round(sparsity * flat.numel())
    if gone == 0:
        return torch.ones_like(scores, dtype=torch.bool)
    threshold = flat.kthvalue(gone).values
    mask = flat > threshold
    tied = (flat == threshold).nonzero()[:, 0]
    spare = flat.numel() - gone - int(mask.sum())  # so many of the tied ones stay: the last
    mask[tied[len(tied) - spare :]] = True
    return mask.reshape(scores.shape)


def masks_per_layer(
    scores: Tensors, sparsity: float, masks: Tensors | None = None
) -> dict[str, torch.Tensor]:
    """Masks of the same sparsity in each tensor; ``masks`` are earlier ones, which they keep to."""
    old = masks or {}
    return {
        name: _within(keep_largest(_without(one, old.get(name)), sparsity), old.get(name))
        for name, one in scores.items()
    }


def masks_over_all(
    scores: Tensors, sparsity: float, masks: Tensors | None = None
) -> dict[str, torch.Tensor]:
    """Masks of one sparsity over all tensors together: a tensor of large scores keeps more."""
    old = masks or {}
    flat = torch.cat([_without(one, old.get(name)).reshape(-1) for name, one in scores.items()])
    kept = keep_largest(flat, sparsity).split([one.numel() for one in scores.values()])
    return {
        name: _within(mask.reshape(one.shape), old.get(name))
        for (name, one), mask in zip(scores.items(), kept, strict=True)
    }


def masks_per_output(
    scores: Tensors, sparsity: float, masks: Tensors | None = None
) -> dict[str, torch.Tensor]:
    """Masks of the same sparsity in the weights of each output, as Wanda compares them.

    A row of a matrix leads to an output. Of an embedding it is a column: there a row is an input, a
    word.
    """
    old = masks or {}
    found = {}
    for name, one in scores.items():
        rows = _by_output(name, _without(one, old.get(name)))
        kept = torch.stack([keep_largest(row, sparsity) for row in rows]) if len(rows) else rows > 0
        found[name] = _within(_by_output(name, kept), old.get(name))
    return found


def full_masks(network: nn.Module) -> dict[str, torch.Tensor]:
    """Masks of :func:`matrices` that keep all."""
    return {name: torch.ones_like(w, dtype=torch.bool) for name, w in matrices(network).items()}


@torch.no_grad()
def apply_masks(network: nn.Module, masks: Tensors) -> nn.Module:
    """Set the weights that are gone to 0, in place; give the network back."""
    for name, mask in masks.items():
        network.get_parameter(name).masked_fill_(~mask, 0.0)
    return network


def sparsity_of(tensors: Tensors | nn.Module) -> float:
    """The share of zeros in masks or weights together, or in the :func:`matrices` of a network."""
    tensors = matrices(tensors) if isinstance(tensors, nn.Module) else tensors
    total = sum(one.numel() for one in tensors.values())
    return 1 - sum(int(one.count_nonzero()) for one in tensors.values()) / max(total, 1)


def _without(scores: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """What is gone has the smallest score of all."""
    return scores if mask is None else scores.masked_fill(~mask, -torch.inf)


def _within(mask: torch.Tensor, old: torch.Tensor | None) -> torch.Tensor:
    return mask if old is None else mask & old


def _by_output(name: str, tensor: torch.Tensor) -> torch.Tensor:
    return tensor.T if name.endswith("embedding.weight") else tensor
