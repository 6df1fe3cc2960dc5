"""Computation that depends on the input: more steps where they are needed, fewer where not.

Adaptive computation time (ACT) in its three forms, a recurrent network, convolutions and a
Transformer, in which each word halts by itself; PonderNet, in which the comment halts as a whole; and
early exit from a transformer with a classifier after each layer. All save to model files and train by
``utils.training.fit``; what they say of their steps stands in ``network.steps``.
"""

from utils.adaptive.base import AdaptiveNetwork, TimePenalty, mean_and_maximum, steps_taken
from utils.adaptive.early_exit import (
    EarlyExitTransformer,
    ExitLoss,
    agreeing,
    bernoulli_entropy,
    exit_layers,
    predict_exits,
    threshold_for_budget,
)
from utils.adaptive.halting import (
    EPSILON,
    HaltingUnit,
    Pondered,
    halting_weight,
    halting_weights,
    ponder,
    ponder_cost,
    still_active,
)
from utils.adaptive.parity import ParityNetwork, parity_batch, train_parity
from utils.adaptive.pondernet import (
    PonderLoss,
    PonderNetwork,
    divergence,
    halting_distribution,
    truncated_geometric,
)
from utils.adaptive.recurrent import PonderingGRUCell, RecurrentACTNetwork
from utils.adaptive.spatial import ResidualConvolution, SpatialACTNetwork
from utils.adaptive.universal import CompactBlock, UniversalTransformerNetwork, sinusoids

__all__ = [
    "AdaptiveNetwork",
    "CompactBlock",
    "EPSILON",
    "EarlyExitTransformer",
    "ExitLoss",
    "HaltingUnit",
    "ParityNetwork",
    "PonderLoss",
    "PonderNetwork",
    "Pondered",
    "PonderingGRUCell",
    "RecurrentACTNetwork",
    "ResidualConvolution",
    "SpatialACTNetwork",
    "TimePenalty",
    "UniversalTransformerNetwork",
    "agreeing",
    "bernoulli_entropy",
    "divergence",
    "exit_layers",
    "halting_distribution",
    "halting_weight",
    "halting_weights",
    "mean_and_maximum",
    "parity_batch",
    "ponder",
    "ponder_cost",
    "predict_exits",
    "sinusoids",
    "steps_taken",
    "still_active",
    "threshold_for_budget",
    "train_parity",
    "truncated_geometric",
]
