"""The course's classifiers: a sparse linear baseline, Model 1, Model 2 and a transformer.

Everything that goes from raw text to label probabilities is a :class:`TextClassifier`. Networks
take token ids of shape (batch, tokens), where 0 is padding at the end, and give logits of shape
(batch, labels). Nothing here knows what is built on it.
"""

from utils.models.classifier import NeuralClassifier, TextClassifier, Tokenizer, predict_logits
from utils.models.networks import (
    NETWORKS,
    PAD,
    GRUNetwork,
    MeanVectorNetwork,
    masked_mean,
    register_network,
)
from utils.models.pieces import cut_pieces, keep_pieces
from utils.models.sparse_linear import BUCKET, SparseLinear
from utils.models.transformer import ENCODER, TransformerNetwork, WordPiece, find_encoder

__all__ = [
    "BUCKET",
    "ENCODER",
    "GRUNetwork",
    "MeanVectorNetwork",
    "NETWORKS",
    "NeuralClassifier",
    "PAD",
    "SparseLinear",
    "TextClassifier",
    "Tokenizer",
    "TransformerNetwork",
    "WordPiece",
    "cut_pieces",
    "find_encoder",
    "keep_pieces",
    "masked_mean",
    "register_network",
    "predict_logits",
]
