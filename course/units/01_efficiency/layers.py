"""Does another layer pay? Model 1 with 1 to 5 dense layers of several widths."""

import torch
from torch import nn

from course.measuring.training import train_network, untrained_network
from utils.models import PAD, NeuralClassifier, register_network
from utils.models.networks import masked_mean

from .glove import half_distilled

LAYERS = range(1, 6)
# By the group of records that they fill: new ones take the place of all others of their group.
WIDTHS = {"layers": (32, 128), "layers of other widths": (8, 256)}
# All epochs are run, and the best on dev is kept. Large batches at a larger rate, and vectors half as long
# as elsewhere in the unit, are what a hundred trainings leave time for.
RATE = 3e-3
TRAINING = {"epochs": 30, "patience": 30, "batch_size": 512, "lr": RATE, "embedding_lr": RATE}


@register_network
class DeepMeanVectorNetwork(nn.Module):
    """The mean of a comment's word vectors, dense layers with ReLU and dropout, then one of logits.

    With one layer it is ``MeanVectorNetwork``.

    Source: Iyyer et al. (2015), "Deep unordered composition rivals syntactic methods for text
    classification", ACL, section 3.
    """

    def __init__(
        self,
        vocabulary_size: int,
        dim: int,
        width: int,
        layers: int,
        labels: int,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.config = dict(
            vocabulary_size=vocabulary_size, dim=dim, width=width, layers=layers, labels=labels,
            dropout=dropout,
        )  # fmt: skip
        self.embedding = nn.Embedding(vocabulary_size, dim, padding_idx=PAD)
        inputs = [dim, *[width] * (layers - 1)]
        self.hidden = nn.ModuleList(nn.Linear(n, width) for n in inputs)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(width, labels)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Ids (batch, tokens) to logits (batch, labels)."""
        state = masked_mean(self.embedding(ids), ids != PAD)
        for layer in self.hidden:
            state = self.dropout(torch.relu(layer(state)))
        return self.output(state)


def train_layers(layers: int, width: int, seed: int) -> tuple[NeuralClassifier, dict]:
    """A network on distilled vectors of 50 dimensions, and its cost as ``train_network`` has it."""

    def build(vocabulary_size: int, dim: int, labels: int) -> nn.Module:
        return DeepMeanVectorNetwork(vocabulary_size, dim, width, layers, labels)

    network, vocabulary = untrained_network(half_distilled, build, seed)
    return train_network(network, vocabulary, seed, **TRAINING)
