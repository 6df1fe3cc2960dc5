"""Unit 05's Transformers: one block again and again, of adaptive and of fixed depth, or separate blocks."""

from functools import partial

from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from utils.adaptive import TimePenalty, UniversalTransformerNetwork
from utils.models import NeuralClassifier

from .recipe import learn


def train_universal(
    seed: int, max_steps: int, penalty: float | None = None, shared: bool = True
) -> tuple[NeuralClassifier, dict]:
    """A Transformer block at which each word halts, for a time penalty; without one, of fixed depth."""
    adaptive = penalty is not None
    build = partial(
        UniversalTransformerNetwork, max_steps=max_steps, adaptive=adaptive, shared=shared
    )
    if not adaptive:
        return learn(build, seed, lambda network: cross_entropy)
    return learn(build, seed, lambda network: TimePenalty(network, cross_entropy, penalty))
