"""The lottery ticket: is there a small network in the large one that could have been trained alone?

Source: Frankle and Carbin (2019), arXiv 1803.03635, section 1; Frankle et al. (2020), arXiv
1912.05671, section 3, for rewinding to an early step.

What people get wrong: the control. That a ticket trains well says little until the same mask with
other random weights trains worse; and 20% are of what *remains*, so that 10 rounds leave 10.7%.

>>> from utils.pruning import ticket_sparsities
>>> [round(sparsity, 3) for sparsity in ticket_sparsities([0.5, 0.8])]
[0.206, 0.37, 0.5, 0.602, 0.684, 0.749, 0.8]
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import nn

from utils.pruning.masked import MaskedNetwork, Scope, magnitude_masks
from utils.pruning.masks import apply_masks


def ticket_sparsities(targets: Sequence[float], share: float = 0.2) -> list[float]:
    """Sparsities after each round of pruning about ``share`` of what remains, through all targets.

    Between two targets each round prunes the same share of what remains, the nearest to ``share`` with
    which a whole number of rounds gets there.

    Raises
    ------
    ValueError
        If the targets do not rise between 0 and 1, or the share is none.
    """
    if not 0 < share < 1:
        raise ValueError(f"a round prunes a share between 0 and 1, got {share}")
    found, left = [], 1.0
    for target in targets:
        if not 0 < 1 - target < left:
            raise ValueError(f"sparsities of tickets rise between 0 and 1, got {list(targets)}")
        ratio = torch.tensor((1 - target) / left, dtype=torch.float64)
        rounds = max(1, round(float(ratio.log() / torch.tensor(1 - share).double().log())))
        found += [1 - left * float(ratio) ** (n / rounds) for n in range(1, rounds)] + [target]
        left = 1 - target
    return found


def rewind(
    network: nn.Module, early: Mapping[str, torch.Tensor], masks: Mapping[str, torch.Tensor]
) -> nn.Module:
    """Set a network back to an early state, in place, without the weights that are gone."""
    network.load_state_dict(early)
    return apply_masks(network, masks)


def tickets(
    network: nn.Module,
    early: Mapping[str, torch.Tensor],
    train: Callable[[MaskedNetwork, float], object],
    sparsities: Sequence[float],
    scope: Scope = "layer",
) -> Iterator[tuple[float, dict[str, torch.Tensor], object]]:
    """Prune a trained network round by round, each time rewound and trained again.

    Parameters
    ----------
    network : trained from ``early``; it is changed
    early : its state at the start, or after some first steps
    train : trains a masked network of a sparsity in place, by an optimiser that begins anew; whatever it
        gives is handed on
    sparsities : of the rounds, such as :func:`ticket_sparsities`

    Yields
    ------
    The sparsity, the masks, and what ``train`` gave, after each round; the network is then trained.
    """
    masks = None
    for sparsity in sparsities:
        masks = magnitude_masks(network, sparsity, scope, masks)
        masked = MaskedNetwork(rewind(network, early, masks), masks)
        result = train(masked, sparsity)
        masked.pruned()
        yield sparsity, masks, result


def with_new_weights(fresh: nn.Module, masks: Mapping[str, torch.Tensor]) -> MaskedNetwork:
    """The same masks on other random weights: the control of a ticket. ``fresh`` is copied."""
    return MaskedNetwork(apply_masks(copy.deepcopy(fresh), masks), masks)
