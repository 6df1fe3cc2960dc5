"""Unit 05's recurrent networks, of adaptive and of fixed depth."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from utils.adaptive import RecurrentACTNetwork, TimePenalty
from utils.models import NeuralClassifier

from .recipe import DIM, learn


def train_recurrent(
    seed: int,
    words: Sequence[str],
    vectors: np.ndarray,
    max_steps: int,
    penalty: float | None = None,
) -> tuple[NeuralClassifier, dict]:
    """A GRU that ponders at each word, for a time penalty; without one, of fixed depth."""
    adaptive = penalty is not None
    build = partial(RecurrentACTNetwork, units=DIM, max_steps=max_steps, adaptive=adaptive)
    if not adaptive:
        return learn(build, seed, words, vectors, lambda network: cross_entropy)
    return learn(
        build, seed, words, vectors, lambda network: TimePenalty(network, cross_entropy, penalty)
    )
