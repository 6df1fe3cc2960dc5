"""Unit 05's recurrent networks, of adaptive and of fixed depth."""

from functools import partial

from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from utils.adaptive import RecurrentACTNetwork, TimePenalty
from utils.models import NeuralClassifier

from .recipe import DIM, learn


def train_recurrent(
    seed: int, max_steps: int, penalty: float | None = None
) -> tuple[NeuralClassifier, dict]:
    """A GRU that ponders at each word, for a time penalty; without one, of fixed depth."""
    adaptive = penalty is not None
    build = partial(RecurrentACTNetwork, units=DIM, max_steps=max_steps, adaptive=adaptive)
    if not adaptive:
        return learn(build, seed, lambda network: cross_entropy)
    return learn(build, seed, lambda network: TimePenalty(network, cross_entropy, penalty))
