"""Learning from a teacher, and the small students that do.

Losses for ``utils.training.fit`` (soft labels, features, rare labels), what teachers say (shipped
logits, ensembles, mixtures, dropout samples, peers), the phases of QKD, texts made up for teachers to
label, and students: half a transformer, low-rank and tensor-train layers, layers that are sparse from
the start.
"""

from utils.distillation.augment import augment
from utils.distillation.factorized import (
    FactorizedEmbedding,
    FactorizedLinear,
    rank_for_bytes,
    rank_for_energy,
    truncated_svd,
)
from utils.distillation.freezing import freeze_word_pieces
from utils.distillation.grouped import GroupedLinear, grouped_logits
from utils.distillation.layers import StructuredGRU
from utils.distillation.losses import (
    FeatureMatching,
    SoftLabelLoss,
    feature_matching,
    predict_features,
)
from utils.distillation.made_up import with_made_up_texts
from utils.distillation.mixing import mixing_weights
from utils.distillation.peers import co_distill, collaborative_losses
from utils.distillation.qkd import qkd
from utils.distillation.rare_labels import WeightedLoss, label_weights, start_at_frequencies
from utils.distillation.sparse import StaticSparseLinear, splitmix64, static_sparse_index
from utils.distillation.students import (
    every_second_layer,
    factorize_network,
    replace_layers,
    static_sparse_network,
)
from utils.distillation.teachers import (
    dropout_distillation_targets,
    ensemble_logits,
    teacher_logits,
    write_teacher_logits,
)
from utils.distillation.tensor_train import TensorTrainEmbedding, tensor_train, tt_reconstruct

__all__ = [
    "FactorizedEmbedding",
    "FactorizedLinear",
    "FeatureMatching",
    "GroupedLinear",
    "SoftLabelLoss",
    "StaticSparseLinear",
    "StructuredGRU",
    "TensorTrainEmbedding",
    "WeightedLoss",
    "augment",
    "co_distill",
    "collaborative_losses",
    "dropout_distillation_targets",
    "ensemble_logits",
    "every_second_layer",
    "factorize_network",
    "feature_matching",
    "freeze_word_pieces",
    "grouped_logits",
    "label_weights",
    "mixing_weights",
    "predict_features",
    "qkd",
    "rank_for_bytes",
    "rank_for_energy",
    "replace_layers",
    "splitmix64",
    "start_at_frequencies",
    "static_sparse_index",
    "static_sparse_network",
    "teacher_logits",
    "tensor_train",
    "truncated_svd",
    "tt_reconstruct",
    "with_made_up_texts",
    "write_teacher_logits",
]
