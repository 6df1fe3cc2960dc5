"""Models timed in turns: what adaptive depth saves for single comments, and what is left in a batch."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from course.measuring.turns import in_turns
from utils.adaptive import RecurrentACTNetwork, SpatialACTNetwork, UniversalTransformerNetwork
from utils.data import Vocabulary, label_names
from utils.efficiency import latency_percentiles
from utils.models import NeuralClassifier

SIZES = (1, 8, 64)
FULL = "4 steps, not asked"
ASKED = {
    "1 step, not asked": {"max_steps": 1, "adaptive": False},
    "1 step, asked": {"max_steps": 4, "adaptive": True},
    FULL: {"max_steps": 4, "adaptive": False},
}
KINDS = {
    RecurrentACTNetwork: lambda width: {"dim": width, "units": width},
    SpatialACTNetwork: lambda width: {"dim": width, "hidden": 2 * width},
    UniversalTransformerNetwork: lambda width: {"dim": width, "hidden": 2 * width},
}


def race(
    models: Mapping[tuple, NeuralClassifier],
    full: tuple,
    texts: Sequence[str],
    *,
    repeats: int = 3,
    seed: int = 0,
) -> dict[tuple, list[dict]]:
    """Milliseconds of each model at each batch size, in turns, so that ratios are of the same moments.

    Returns
    -------
    For each model a list, of each batch size ``batch_size``; ``batch_ms_p50`` and ``batch_ms_p99``
    over batches and repeats; ``ratio`` and ``ratio_p99`` to the model ``full``; and over batches, of
    what the network calls steps, the mean ``mean_steps``, and the mean of the largest in each batch,
    ``slowest_steps``
    """
    found = {name: [] for name in models}
    options = {
        "repeats": repeats,
        "seed": seed,
        "after": lambda model, batch: _steps(model.network),
    }
    for size, seconds, steps in in_turns(models, texts, SIZES, **options):
        ms = {name: latency_percentiles(each.ravel(), (50, 99)) for name, each in seconds.items()}
        for name in models:
            mean, slowest = np.mean(steps[name], axis=0).tolist()
            found[name].append(
                {
                    "batch_size": size,
                    "batch_ms_p50": ms[name]["p50"],
                    "batch_ms_p99": ms[name]["p99"],
                    "ratio": ms[name]["p50"] / ms[full]["p50"],
                    "ratio_p99": ms[name]["p99"] / ms[full]["p99"],
                    "mean_steps": mean,
                    "slowest_steps": slowest,
                }
            )
    return found


def cost_of_asking(tokenizer: Vocabulary, texts: Sequence[str], seed: int) -> list[dict]:
    """What the question whether to halt costs beside a step, in narrow networks and in wide ones.

    The networks are untrained. Those that ask halt after the first step in any case, so what they take
    longer than one step is the question alone.
    """
    records = []
    for width in (32, 128, 512):
        for kind, sizes in KINDS.items():
            models = {}
            for setting, options in ASKED.items():
                torch.manual_seed(seed)
                network = kind(vocabulary_size=len(tokenizer), labels=7, **sizes(width), **options)
                for name, parameter in network.named_parameters():
                    if name.endswith("halting.linear.bias"):
                        torch.nn.init.constant_(parameter, 99.0)
                models[kind.__name__, setting] = NeuralClassifier(
                    network, tokenizer, "ekman", label_names("ekman"), length=24
                )
            full = (kind.__name__, FULL)
            for (method, setting), timings in race(
                models, full, texts, repeats=2, seed=seed
            ).items():
                records += [
                    {"method": method, "setting": f"{setting}, width {width}", "seed": seed}
                    | {"width": width}
                    | timing
                    for timing in timings
                ]
    return records


def _steps(network) -> tuple[float, float]:
    """Mean and largest number of steps of a batch just predicted; of a plain transformer, its layers."""
    if not hasattr(network, "steps"):
        layers = float(network.config["encoder"]["num_hidden_layers"])
        return layers, layers
    steps = network.steps[network.steps > 0].double()
    return steps.mean().item(), steps.max().item()
