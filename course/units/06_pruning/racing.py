"""Networks timed in turns, the time of the network alone and that of the whole classifier."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from utils.efficiency import latency_percentiles, naive_batches
from utils.efficiency.running import limited_threads, no_garbage_collection
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
    """Milliseconds of each model at each batch size, one thread.

    The models take turns at each batch, so that a machine that slows down slows all of them.

    Returns
    -------
    For each model a list, of each batch size ``batch_size``; ``batch_ms_p50`` and ``batch_ms_p99`` from
    text to probabilities; ``network_ms_p50`` of the network alone, and ``ratio`` and
    ``network_ratio``, of medians, to the model ``whole``
    """
    order = np.random.default_rng(seed).permutation(len(texts))
    found = {name: [] for name in models}
    with limited_threads(1), no_garbage_collection(), torch.inference_mode():
        for size in SIZES:
            batches = [
                [texts[i] for i in order[rows]]
                for rows in naive_batches(len(texts), size)
                if len(rows) == size
            ]
            seconds = {name: ([], []) for name in models}
            for repeat in range(repeats + 1):
                for batch in batches:
                    for name, model in models.items():
                        ids = model.tokenizer.encode(batch, model.length)
                        ids = torch.from_numpy(ids[:, : max(1, (ids != 0).sum(axis=1).max())])
                        start = time.perf_counter()
                        model.predict_proba(batch, batch_size=size)
                        middle = time.perf_counter()
                        model.network(ids)
                        end = time.perf_counter()
                        if repeat:  # the first round warms up
                            seconds[name][0].append(middle - start)
                            seconds[name][1].append(end - middle)
            ms = {
                name: [latency_percentiles(times, (50, 99)) for times in both]
                for name, both in seconds.items()
            }
            for name, (text, network) in ms.items():
                found[name].append(
                    {
                        "batch_size": size,
                        "batch_ms_p50": text["p50"],
                        "batch_ms_p99": text["p99"],
                        "network_ms_p50": network["p50"],
                        "ratio": text["p50"] / ms[whole][0]["p50"],
                        "network_ratio": network["p50"] / ms[whole][1]["p50"],
                    }
                )
    return found
