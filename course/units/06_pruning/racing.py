"""Networks timed in turns: whole classifiers, networks alone, and transformers beside the whole one."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from course.measuring.turns import in_turns
from utils.efficiency import latency_percentiles
from utils.models import NeuralClassifier

SIZES = (1, 64)


def race(
    models: Mapping[str, NeuralClassifier],
    whole: str,
    texts: Sequence[str],
    *,
    repeats: int = 5,
    seed: int = 0,
) -> dict[str, list[dict]]:
    """Milliseconds of each model at each batch size.

    Returns
    -------
    For each model a list, of each batch size ``batch_size``; ``batch_ms_p50`` and ``batch_ms_p99`` from
    text to probabilities; ``network_ms_p50`` of the network alone, and ``ratio`` and
    ``network_ratio``, of medians, to the model ``whole``
    """
    found: dict[str, list[dict]] = {name: [] for name in models}
    options = {"repeats": repeats, "seed": seed, "after": _network_seconds}
    for size, seconds, alone in in_turns(models, texts, SIZES, **options):
        text = {name: latency_percentiles(each.ravel(), (50, 99)) for name, each in seconds.items()}
        network = {name: latency_percentiles(each, (50, 99)) for name, each in alone.items()}
        for name in models:
            found[name].append(
                {
                    "batch_size": size,
                    "batch_ms_p50": text[name]["p50"],
                    "batch_ms_p99": text[name]["p99"],
                    "network_ms_p50": network[name]["p50"],
                    "ratio": text[name]["p50"] / text[whole]["p50"],
                    "network_ratio": network[name]["p50"] / network[whole]["p50"],
                }
            )
    return found


def _network_seconds(model: NeuralClassifier, batch: list[str]) -> float:
    ids = model.tokenizer.encode(batch, model.length)
    ids = torch.from_numpy(ids[:, : max(1, (ids != 0).sum(axis=1).max())])
    start = time.perf_counter()
    model.network(ids)
    return time.perf_counter() - start


def times_as_fast(
    models: Mapping[str, NeuralClassifier], full: str, texts: Sequence[str], repeats: int, seed: int
) -> dict[str, list[dict]]:
    """How much faster each model is than the one called ``full``, at each batch size.

    Returns
    -------
    For each model a list, of each batch size ``batch_size``; ``batch_ms_p50`` and ``batch_ms_p99`` over
    batches and repeats; ``times_as_fast`` as the model ``full``, of medians, and
    ``times_as_fast_p99``; and ``times_as_fast_low`` and ``_high``, the least and the most of any repeat
    """
    found: dict[str, list[dict]] = {name: [] for name in models}
    for size, seconds, _ in in_turns(models, texts, SIZES, repeats=repeats, seed=seed):
        whole = seconds[full]
        for name, ours in seconds.items():
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
