"""Unit 05's small networks, each trained once, from the word vectors of its seed."""

from collections.abc import Callable

from course.errors import UserError
from course.measuring.baselines import file_path
from course.measuring.cache import trained_once
from utils.models import NeuralClassifier
from utils.packing import load_model

from .recipe import train_words


def kept(train: Callable, seed: int, **settings) -> tuple[NeuralClassifier, dict]:
    """``train(seed, words, vectors, **settings)``, see :func:`trained_once`.

    The recipe knows nothing of the cache, which knows the networks of all files: a change in one form
    would train all others anew.
    """
    start, _ = trained_once(train_words, seed=seed)
    vectors = start.network.embedding.weight.detach().numpy()
    return trained_once(train, seed=seed, words=start.tokenizer.words, vectors=vectors, **settings)


def from_file(method: str, setting: str) -> NeuralClassifier:
    """The model of seed 0 as it was scored: what takes time is what was measured."""
    path = file_path(method, setting, 0)
    if not path.exists():
        raise UserError(
            f"{path} does not exist; measure {method!r} first, with `python -m course results adaptive`."
        )
    return load_model(path)
