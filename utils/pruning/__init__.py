"""Fewer weights: which of them go, when, and what is left of the file and of the time.

Masks and scores are tensors by the name of their parameter; a masked network trains like any other.

Source: LeCun, Denker and Solla, "Optimal Brain Damage", NIPS 1989, for the idea; each method says its own.

What people get wrong: a weight that is 0 is still stored and multiplied. A file gets smaller by keeping
positions and non-zeros (``utils.codecs.Sparse``), and time is saved only where whole units are removed.

>>> from utils.models import MeanVectorNetwork
>>> from utils.pruning import apply_masks, magnitude_masks, sparsity_of
>>> network = MeanVectorNetwork(50, dim=4, hidden=8, labels=2)
>>> pruned = apply_masks(network, magnitude_masks(network, 0.75))
>>> sparsity_of(pruned), pruned.hidden.weight.shape
(0.75, torch.Size([8, 4]))
"""

from utils.pruning.compressed import CompressedPrunedTransformerNetwork
from utils.pruning.gated_transformer import (
    GRAINS,
    GatedTransformer,
)
from utils.pruning.hard_concrete import (
    BETA,
    GAMMA,
    SHUT,
    ZETA,
    HardConcrete,
    deterministic_gate,
    hard_concrete,
    hard_concrete_density,
    keep_probability,
)
from utils.pruning.l0 import (
    L0Network,
    Units,
    gru_units,
    linear_units,
)
from utils.pruning.learned import (
    LearnedSparsity,
    PenalizedLoss,
    matching_parameters,
)
from utils.pruning.lottery import (
    rewind,
    ticket_sparsities,
    tickets,
    with_new_weights,
)
from utils.pruning.masked import (
    MaskedNetwork,
    magnitude_masks,
)
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
from utils.pruning.movement import (
    MovementPruning,
    straight_through_mask,
)
from utils.pruning.saliency import (
    activation_scores,
    drawn_targets,
    fisher_diagonal,
    hessian_diagonal,
    obd_saliency,
    random_scores,
)
from utils.pruning.schedules import (
    cubic,
    steps_of,
)
from utils.pruning.sparse_layers import with_sparse_layers
from utils.pruning.structured import (
    keep_units,
    mask_units,
    remove_units,
    unit_scores,
)
from utils.pruning.transformer import (
    Constant,
    PrunedTransformerNetwork,
    gated,
    head_importance,
    prune_transformer,
    sizes,
)
from utils.pruning.variational import (
    THRESHOLD,
    VariationalNetwork,
    dropout_rate,
    kl_divergence,
    linear_noise,
    log_alpha,
    lookup_noise,
)

__all__ = [
    "CompressedPrunedTransformerNetwork",
    "with_sparse_layers",
    "BETA",
    "Constant",
    "GAMMA",
    "GRAINS",
    "GatedTransformer",
    "HardConcrete",
    "L0Network",
    "LearnedSparsity",
    "MaskedNetwork",
    "MovementPruning",
    "PenalizedLoss",
    "PrunedTransformerNetwork",
    "SHUT",
    "THRESHOLD",
    "Units",
    "VariationalNetwork",
    "ZETA",
    "activation_scores",
    "apply_masks",
    "cubic",
    "deterministic_gate",
    "drawn_targets",
    "dropout_rate",
    "fisher_diagonal",
    "full_masks",
    "gated",
    "gru_units",
    "hard_concrete",
    "hard_concrete_density",
    "head_importance",
    "hessian_diagonal",
    "keep_largest",
    "keep_probability",
    "keep_units",
    "kl_divergence",
    "linear_noise",
    "linear_units",
    "log_alpha",
    "lookup_noise",
    "magnitude_masks",
    "mask_units",
    "masks_over_all",
    "masks_per_layer",
    "masks_per_output",
    "matching_parameters",
    "matrices",
    "obd_saliency",
    "prune_transformer",
    "random_scores",
    "remove_units",
    "rewind",
    "sizes",
    "sparsity_of",
    "steps_of",
    "straight_through_mask",
    "ticket_sparsities",
    "tickets",
    "unit_scores",
    "with_new_weights",
]
