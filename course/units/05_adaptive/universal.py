"""Unit 05's Transformers: one block again and again, of adaptive and of fixed depth, or separate blocks."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from utils.adaptive import TimePenalty, UniversalTransformerNetwork
from utils.models import NeuralClassifier

from .recipe import learn


def train_universal(
    seed: int,
    words: Sequence[str],
    vectors: np.ndarray,
    max_steps: int,
    penalty: float | None = None,
    shared: bool = True,
) -> tuple[NeuralClassifier, dict]:
    """A Transformer block at which each word halts, for a time penalty; without one, of fixed depth."""
    adaptive = penalty is not None
    build = partial(
        UniversalTransformerNetwork, max_steps=max_steps, adaptive=adaptive, shared=shared
    )
    if not adaptive:
        return learn(build, seed, words, vectors, lambda network: cross_entropy)
    return learn(
        build, seed, words, vectors, lambda network: TimePenalty(network, cross_entropy, penalty)
    )
