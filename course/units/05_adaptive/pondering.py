"""Unit 05's PonderNets."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from utils.adaptive import PonderLoss, PonderNetwork
from utils.models import NeuralClassifier

from .recipe import learn

WEIGHT = 0.01  # of the divergence from the prior, as in the paper


def train_ponder(
    seed: int, words: Sequence[str], vectors: np.ndarray, max_steps: int, rate: float
) -> tuple[NeuralClassifier, dict]:
    """A Transformer block after each use of which the comment may halt; ``rate`` is the prior's."""
    build = partial(PonderNetwork, max_steps=max_steps)
    return learn(build, seed, words, vectors, lambda network: PonderLoss(network, rate, WEIGHT))
