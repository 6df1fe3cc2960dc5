"""Models timed in turns, at each batch one after the other: a machine that slows down slows all of them."""

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from utils.efficiency import naive_batches
from utils.efficiency.running import limited_threads, no_garbage_collection
from utils.models import NeuralClassifier


def in_turns(
    models: Mapping[Hashable, NeuralClassifier],
    texts: Sequence[str],
    sizes: Sequence[int],
    *,
    repeats: int,
    seed: int,
    after: Callable[[NeuralClassifier, list[str]], Any] = lambda model, batch: None,
) -> Iterator[tuple[int, dict[Any, np.ndarray], dict[Any, list]]]:
    """Seconds from text to probabilities, tokenising included, on one thread.

    Batches are drawn at random from the texts, as a server gets them; those that are not full are left
    out. A first round of all batches warms up.

    Parameters
    ----------
    after : called with a model and its batch after each prediction, untimed

    Yields
    ------
    Of each size of batch the size, of each model its seconds (repeats, batches), and of each model what
    ``after`` gave, in the same order.
    """
    order = np.random.default_rng(seed).permutation(len(texts))
    with limited_threads(1), no_garbage_collection(), torch.inference_mode():
        for size in sizes:
            batches = [
                [texts[i] for i in order[rows]]
                for rows in naive_batches(len(texts), size)
                if len(rows) == size
            ]
            seconds = {name: np.empty((repeats + 1, len(batches))) for name in models}
            noted: dict[Any, list] = {name: [] for name in models}
            for repeat in range(repeats + 1):
                for column, batch in enumerate(batches):
                    for name, model in models.items():
                        start = time.perf_counter()
                        model.predict_proba(batch, batch_size=size)
                        seconds[name][repeat, column] = time.perf_counter() - start
                        noted[name].append(after(model, batch))
            yield (
                size,
                {name: each[1:] for name, each in seconds.items()},
                {name: each[len(batches) :] for name, each in noted.items()},
            )
