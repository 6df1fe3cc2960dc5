"""How unit 05's small networks learn: all from the same word vectors, and from the same teacher.

Each form of network has a module of its own, so that a change in one trains none of the others anew.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from course.measuring.training import data, principal_vectors, soft_labels, train_network
from utils.data import Vocabulary
from utils.distillation import start_at_frequencies
from utils.models import MeanVectorNetwork, NeuralClassifier
from utils.training import set_seed

WORDS = 24  # of a comment
DIM = 32  # of word vectors, and of all states
MAX_STEPS = 4
# Few epochs of large batches, which is what ninety trainings leave time for.
TRAINING = {"epochs": 2, "batch_size": 128, "lr": 5e-3, "embedding_lr": 1e-3}


def train_words(seed: int) -> tuple[NeuralClassifier, dict]:
    """Model 1 in small, of which the others take their word vectors: training starts from there."""
    words = Vocabulary.from_texts(data("train").texts, min_count=5).words
    vocabulary = Vocabulary(sorted(words))
    values = principal_vectors(vocabulary, DIM)
    set_seed(seed)
    labels = len(data("train").label_names)
    network = MeanVectorNetwork(len(vocabulary), DIM, hidden=64, labels=labels)
    with torch.no_grad():
        network.embedding.weight.copy_(torch.from_numpy(values))
    options = {"epochs": 8, "batch_size": 256, "lr": 3e-3, "length": WORDS}
    return train_network(network, vocabulary, seed, targets=soft_labels(), **options)


def learn(
    build: Callable[..., nn.Module],
    seed: int,
    words: Sequence[str],
    vectors: np.ndarray,
    loss: Callable[[nn.Module], Callable],
) -> tuple[NeuralClassifier, dict]:
    """A network of adaptive or fixed depth, trained.

    Parameters
    ----------
    build : gives a network for ``vocabulary_size=``, ``dim=`` and ``labels=``
    words, vectors : of :func:`train_words`, that the network starts from
    loss : gives the loss of the network
    """
    vocabulary, labels = Vocabulary(words), data("train").labels
    set_seed(seed)
    network = build(vocabulary_size=len(vocabulary), dim=DIM, labels=labels.shape[1])
    with torch.no_grad():
        network.embedding.weight.copy_(torch.from_numpy(vectors))
    start_at_frequencies(network, labels)
    options = TRAINING | {"length": WORDS, "loss": loss(network)}
    return train_network(network, vocabulary, seed, targets=soft_labels(), **options)
