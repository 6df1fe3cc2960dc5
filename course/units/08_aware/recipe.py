"""How unit 08's networks learn before they are quantized: a small student, its teacher, and Model 1.

All read the same words, and what stands for 0/1 labels is said with ``hear``: those of the comments, or
the probabilities of the shipped ensemble.
"""

from functools import cache
from typing import Literal

import numpy as np
import torch

from course.measuring.baselines import MODEL_1, untrained
from course.measuring.training import data, principal_vectors, soft_labels, train_network
from utils.data import Vocabulary
from utils.distillation import start_at_frequencies
from utils.models import GRUNetwork, NeuralClassifier
from utils.training import set_seed

from .made_up import with_made_up

Heard = Literal["labels", "ensemble"]
LABELS: Heard = "labels"
ENSEMBLE: Heard = "ensemble"
DIM, MIN_COUNT = 32, 13  # of word vectors; of comments that have a word
STUDENT, TEACHER = 8, 64  # units
BATCH = 256
EPOCHS = {STUDENT: 6, TEACHER: 3}
FIRST = {"batch_size": 128, "lr": 1e-2, "embedding_lr": 5e-3}
# With codes: fewer epochs, and steps that no longer go far.
AGAIN = {"batch_size": BATCH, "lr": 3e-3, "embedding_lr": 3e-3, "epochs": 2}
MODEL_1_AGAIN = {"batch_size": BATCH, "lr": 1e-3, "embedding_lr": 1e-3, "epochs": 3}


@cache
def vocabulary(min_count: int = MIN_COUNT) -> Vocabulary:
    words = Vocabulary.from_texts(data("train").texts, min_count=min_count).words
    return Vocabulary(sorted(words))  # in the order of the alphabet they take the fewest bytes


@cache
def vectors(dim: int = DIM, min_count: int = MIN_COUNT) -> np.ndarray:
    return principal_vectors(vocabulary(min_count), dim)


def heard(hear: Heard) -> np.ndarray:
    """What networks are told of train, (n, labels)."""
    return soft_labels() if hear == ENSEMBLE else data("train").labels.astype(np.float32)


def untrained_gru(units: int, seed: int, dim: int = DIM, min_count: int = MIN_COUNT) -> GRUNetwork:
    set_seed(seed)
    values, labels = vectors(dim, min_count), data("train").labels
    network = GRUNetwork(*values.shape, units, labels.shape[1], dropout=0.1)
    with torch.no_grad():
        network.embedding.weight.copy_(torch.from_numpy(values))
    start_at_frequencies(network, labels)
    return network


def train_gru(units: int, hear: Heard, seed: int) -> tuple[NeuralClassifier, dict]:
    """A student or a teacher in float32, each by itself."""
    options = FIRST | {"epochs": EPOCHS[units]}
    return train_network(
        untrained_gru(units, seed), vocabulary(), seed, targets=heard(hear), **options
    )


def train_with_made_up(
    units: int, dim: int, min_count: int, sets: int, epochs: int, seed: int
) -> tuple[NeuralClassifier, dict]:
    """A GRU in float32, on the ensemble's probabilities and on sets of made-up texts."""
    texts, targets = with_made_up(sets)
    options = {"texts": texts, "targets": targets, "batch_size": BATCH, "epochs": epochs}
    options |= {"lr": 3e-3, "embedding_lr": 3e-3}
    network = untrained_gru(units, seed, dim, min_count)
    return train_network(network, vocabulary(min_count), seed, **options)


def train_model_1(seed: int) -> tuple[NeuralClassifier, dict]:
    """Model 1 of unit 01 on labels, in the larger batches of unit 02."""
    network, words = untrained(*MODEL_1, seed)
    options = {"batch_size": BATCH, "lr": 3e-3, "embedding_lr": 3e-3, "epochs": 8}
    return train_network(network, words, seed, **options)
