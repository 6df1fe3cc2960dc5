"""Pruning: which weights, units, heads and layers a network can do without, and what is left of it."""

from utils.pruning.gated_transformer import GRAINS, GatedTransformer
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
from utils.pruning.l0 import L0Network, Units, gru_units, linear_units
from utils.pruning.learned import (
    LearnedSparsity,
    PenalizedLoss,
    fit_to_the_end,
    matching_parameters,
)
from utils.pruning.movement import MovementPruning, straight_through_mask
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
    "BETA",
    "Constant",
    "GAMMA",
    "GRAINS",
    "GatedTransformer",
    "HardConcrete",
    "L0Network",
    "LearnedSparsity",
    "MovementPruning",
    "PenalizedLoss",
    "PrunedTransformerNetwork",
    "SHUT",
    "THRESHOLD",
    "Units",
    "VariationalNetwork",
    "ZETA",
    "deterministic_gate",
    "dropout_rate",
    "fit_to_the_end",
    "gated",
    "gru_units",
    "hard_concrete",
    "hard_concrete_density",
    "head_importance",
    "keep_probability",
    "kl_divergence",
    "linear_noise",
    "linear_units",
    "log_alpha",
    "lookup_noise",
    "matching_parameters",
    "prune_transformer",
    "sizes",
    "straight_through_mask",
]
