"""Unit 01's networks on GloVe, the word vectors that its two source projects used."""

from collections.abc import Callable

from torch import nn

from course.measuring.glove import glove_vectors
from course.measuring.training import train_network, untrained_network
from utils.data import Vocabulary
from utils.embeddings import EmbeddingMatrix, distilled_vectors
from utils.models import NeuralClassifier

GLOVE = "GloVe, 50 dimensions"
DISTILLED = "distilled, 50 dimensions"


def half_distilled(vocabulary: Vocabulary, _: int) -> EmbeddingMatrix:
    """As many dimensions as GloVe's: the first principal components."""
    return distilled_vectors(vocabulary, 50)


def half_glove(vocabulary: Vocabulary, _: int) -> EmbeddingMatrix:
    return glove_vectors(vocabulary, 50)


VECTORS = {GLOVE: half_glove, DISTILLED: half_distilled}


def train_with(
    vectors: str, build: Callable[..., nn.Module], embedding_lr: float, seed: int
) -> tuple[NeuralClassifier, dict]:
    """A network on a kind of :data:`VECTORS`; the cost also has ``words`` and ``words_found``."""
    found = {}

    def noted(vocabulary: Vocabulary, dim: int) -> EmbeddingMatrix:
        matrix = VECTORS[vectors](vocabulary, dim)
        found.update(words=len(vocabulary.words), words_found=matrix.found)
        return matrix

    network, vocabulary = untrained_network(noted, build, seed)
    model, cost = train_network(network, vocabulary, seed, embedding_lr=embedding_lr)
    return model, cost | found
