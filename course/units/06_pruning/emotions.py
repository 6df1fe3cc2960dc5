"""What pruning does to 28 emotions, some of them rare: the dense model on GoEmotions' own labels.

The ensemble's soft labels are of Ekman's seven; here a network learns from the labels themselves, and
pruning it follows the recipe of the dense model.
"""

import copy

import numpy as np
import torch
from scipy.special import expit
from torch import nn

from course.measuring.results import Experiment
from course.measuring.training import data
from course.threads import one_thread
from utils.data import SEQUENCE_LENGTH
from utils.distillation import start_at_frequencies
from utils.metrics import f1_report, tune_thresholds
from utils.models import MeanVectorNetwork, predict_logits
from utils.pruning import MaskedNetwork, apply_masks, cubic, magnitude_masks
from utils.training import fit, set_seed

from .measuring import SPARSITIES
from .recipe import DIM, MODELS, vectors, vocabulary

RECIPE, TAXONOMY = MODELS["dense"], "emotions"
MODEL = "dense, 28 emotions"


def ids(split: str) -> np.ndarray:
    return vocabulary().encode(data(split, TAXONOMY).texts, SEQUENCE_LENGTH)


def learn(network: nn.Module, seed: int, options: dict) -> None:
    """Train in place, to the last epoch."""
    train, dev = ((ids(split), data(split, TAXONOMY).labels) for split in ("train", "dev"))
    options = {"patience": 99, "decay": True, "keep_from": options["epochs"]} | options
    fit(network, train, dev, seed=seed, progress=False, **options)


def parent(seed: int) -> nn.Module:
    labels = data("train", TAXONOMY).labels
    set_seed(seed)
    network = MeanVectorNetwork(len(vocabulary()), DIM, RECIPE.units, labels.shape[1])
    with torch.no_grad():
        network.embedding.weight.copy_(torch.from_numpy(vectors(DIM)))
    start_at_frequencies(network, labels)
    learn(network, seed, dict(RECIPE.parent))
    return network


def pruned(network: nn.Module, method: str, sparsity: float, seed: int) -> nn.Module:
    """By magnitude in each layer: at once, at once and trained, or gradually."""
    network = copy.deepcopy(network)
    if method == "magnitude, one-shot, per layer":
        return apply_masks(network, magnitude_masks(network, sparsity)).eval()
    if method == "magnitude, gradual":
        steps = int(0.6 * RECIPE.steps())
        masked = MaskedNetwork(network, schedule=cubic(sparsity, steps), every=10)
    else:
        masked = MaskedNetwork(network, magnitude_masks(network, sparsity))
    learn(masked, seed, dict(RECIPE.extra))
    return masked.pruned()


def emotions(seed: int) -> list[dict]:
    """Records of test, of each network twice: with thresholds tuned for it on dev, and with those of the
    control left as they are. ``rows_per_label`` are comments of test."""
    one_thread()
    whole = parent(seed)
    control = copy.deepcopy(whole)
    gentle = {name: RECIPE.parent[name] for name in ("lr", "embedding_lr")}
    learn(control, seed, dict(RECIPE.extra) | gentle)
    dev, test = data("dev", TAXONOMY), data("test", TAXONOMY)

    def said(network: nn.Module, split: str) -> np.ndarray:
        return expit(predict_logits(network, ids(split)))

    left = tune_thresholds(dev.labels, said(control, "dev"))

    def records(network: nn.Module, method: str, sparsity: float) -> list[dict]:
        probabilities = said(network, "test")
        tuned = tune_thresholds(dev.labels, said(network, "dev"))
        found = []
        for name, thresholds in (("tuned", tuned), ("the control's", left)):
            report = f1_report(test.labels, probabilities, thresholds, test.label_names)
            found.append(
                {
                    "method": method,
                    "setting": f"{MODEL}, {sparsity:.0%}",
                    "model": MODEL,
                    "seed": seed,
                    "taxonomy": TAXONOMY,
                    "sparsity": sparsity,
                    "thresholds": name,
                    "split": "test",
                    "macro_f1": report["macro_f1"],
                    "micro_f1": report["micro_f1"],
                    "per_label_f1": {n: one["f1"] for n, one in report["per_label"].items()},
                    "rows_per_label": dict(
                        zip(test.label_names, test.labels.sum(axis=0).tolist(), strict=True)
                    ),
                }
            )
        return found

    methods = (
        "magnitude, one-shot, per layer",
        "magnitude, one-shot, fine-tuned",
        "magnitude, gradual",
    )
    return records(control, "control", 0.0) + [
        record
        for method in methods
        for sparsity in SPARSITIES
        for record in records(pruned(whole, method, sparsity, seed), method, sparsity)
    ]


EMOTIONS = [Experiment("emotions", emotions, scored=False)]
