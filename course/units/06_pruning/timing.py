"""Transformers timed in turns: what is left of each, beside the whole."""

import time
from collections.abc import Mapping, Sequence

import numpy as np

from utils.efficiency import latency_percentiles, naive_batches
from utils.efficiency.running import limited_threads, no_garbage_collection
from utils.models import NeuralClassifier

BATCHES = (1, 64)


def race(
    models: Mapping[str, NeuralClassifier], full: str, texts: Sequence[str], repeats: int, seed: int
) -> dict[str, list[dict]]:
    """Milliseconds of each model at each batch size, one thread, tokenising included.

    The models take turns at each batch, so that a machine that slows down slows all of them.

    Returns
    -------
    For each model a list, of each batch size ``batch_size``; ``batch_ms_p50`` and ``batch_ms_p99`` over
    batches and repeats; ``times_as_fast`` as the model ``full``, of medians, and
    ``times_as_fast_p99``; and ``times_as_fast_low`` and ``_high``, the least and the most of any repeat
    """
    order = np.random.default_rng(seed).permutation(len(texts))
    found = {name: [] for name in models}
    with limited_threads(1), no_garbage_collection():
        for size in BATCHES:
            batches = [
                [texts[i] for i in order[rows]]
                for rows in naive_batches(len(texts), size)
                if len(rows) == size
            ]
            seconds = np.empty((len(models), repeats + 1, len(batches)))
            for repeat in range(repeats + 1):
                for column, batch in enumerate(batches):
                    for row, model in enumerate(models.values()):
                        start = time.perf_counter()
                        model.predict_proba(batch, batch_size=size)
                        seconds[row, repeat, column] = time.perf_counter() - start
            seconds = seconds[:, 1:]  # the first round warms up
            whole = seconds[list(models).index(full)]
            for name, ours in zip(models, seconds, strict=True):
                ms, ms_whole = (latency_percentiles(s.ravel(), (50, 99)) for s in (ours, whole))
                each = np.median(whole, axis=1) / np.median(ours, axis=1)
                found[name].append(
                    {
                        "batch_size": size,
                        "batch_ms_p50": ms["p50"],
                        "batch_ms_p99": ms["p99"],
                        "times_as_fast": ms_whole["p50"] / ms["p50"],
                        "times_as_fast_p99": ms_whole["p99"] / ms["p99"],
                        "times_as_fast_low": float(each.min()),
                        "times_as_fast_high": float(each.max()),
                        "repeats": repeats,
                    }
                )
    return found
