"""Fewer weights: which of them go, when, and what is left of the file and of the time.

Masks and scores are tensors by the name of their parameter; a masked network trains like any other.
"""

from utils.pruning.lottery import rewind, ticket_sparsities, tickets, with_new_weights
from utils.pruning.masked import MaskedNetwork, magnitude_masks
from utils.pruning.masks import (
    apply_masks,
    full_masks,
    keep_largest,
    masks_over_all,
    masks_per_layer,
    masks_per_output,
    matrices,
    sparsity_of,
)
from utils.pruning.saliency import (
    activation_scores,
    drawn_targets,
    fisher_diagonal,
    hessian_diagonal,
    obd_saliency,
    random_scores,
)
from utils.pruning.schedules import cubic, steps_of
from utils.pruning.structured import keep_units, mask_units, remove_units, unit_scores

__all__ = [
    "MaskedNetwork",
    "activation_scores",
    "apply_masks",
    "cubic",
    "drawn_targets",
    "fisher_diagonal",
    "full_masks",
    "hessian_diagonal",
    "keep_largest",
    "keep_units",
    "magnitude_masks",
    "mask_units",
    "masks_over_all",
    "masks_per_layer",
    "masks_per_output",
    "matrices",
    "obd_saliency",
    "random_scores",
    "remove_units",
    "rewind",
    "sparsity_of",
    "steps_of",
    "ticket_sparsities",
    "tickets",
    "unit_scores",
    "with_new_weights",
]
