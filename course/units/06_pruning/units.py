"""Unit 06's units removed for real, and what zeros and smaller networks save of time."""

import copy

import torch
from torch import nn

from course.measuring.baselines import file_path
from course.measuring.results import Experiment
from course.measuring.training import data
from course.threads import one_thread
from utils.metrics import macro_f1
from utils.models import NeuralClassifier
from utils.packing import load_model
from utils.pruning import (
    MaskedNetwork,
    keep_units,
    mask_units,
    remove_units,
    unit_scores,
    with_sparse_layers,
)

from .measuring import Judge, control, parent
from .racing import race
from .recipe import MODELS, learn
from .rules import ids, of_both, start

CRITERIA = ("magnitude", "activation", "random")
HALF = "half of the units removed"


def on_dev(judge: Judge, network: nn.Module) -> float:
    """Macro-F1 on dev, with thresholds of its own."""
    like = judge.like
    model = NeuralClassifier(
        network, like.tokenizer, like.taxonomy, like.label_names, length=like.length
    )
    dev = data("dev")
    return macro_f1(dev.labels, model.tune(dev.texts, dev.labels).predict(dev.texts))


def half_the_units(model: str, seed: int) -> list[dict]:
    """Half of the units go by the criterion that is best on dev, and what is left is trained on.

    ``dev_of_criteria`` is macro-F1 on dev before that; ``largest_difference`` the largest of any logit
    between the small network, loaded from its file, and the masked one. The control is a network that
    had half of the units from the start, and as many epochs.
    """
    judge, network, recipe = Judge(model, seed), start(model, seed), MODELS[model]
    sample = ids(2000)
    kept = {c: keep_units(unit_scores(network, sample, c, seed), 0.5) for c in CRITERIA}
    scores = {c: on_dev(judge, remove_units(network, kept[c])) for c in CRITERIA}
    best = max(scores, key=scores.get)
    small, masked = remove_units(network, kept[best]), mask_units(network, kept[best])
    facts = {"criterion": best, "dev_of_criteria": scores, "units": recipe.units // 2}
    before = judge.records(small, f"{HALF}, not trained", 0.0, stored="float32", **facts)
    path = file_path(before[0]["method"], before[0]["setting"], seed)
    with torch.inference_mode():
        apart = load_model(path).network(sample) - masked.eval()(sample)
    before = [record | {"largest_difference": float(apart.abs().max())} for record in before]
    gentle = {name: recipe.parent[name] for name in ("lr", "embedding_lr")}
    cost = learn(small, seed, **dict(recipe.extra) | gentle)[1]
    records = before + judge.records(small, HALF, 0.0, **facts, **cost)
    epochs = recipe.parent["epochs"] + recipe.extra["epochs"]
    other, cost = parent(model, seed, epochs=epochs, units=recipe.units // 2)
    return records + judge.records(other.network, "half of the units from the start", 0.0, **cost)


def latency(model: str, seed: int) -> list[dict]:
    """Networks of seed 0 in turns: whole, with zeros, behind masks, with sparse products, removed."""
    one_thread()
    whole, _ = control(model, seed)

    def like(network: nn.Module) -> NeuralClassifier:
        return NeuralClassifier(
            network.eval(), whole.tokenizer, whole.taxonomy, whole.label_names, length=whole.length
        )

    models = {"whole": whole}
    for sparsity in (0.9, 0.98):
        setting = f"{model}, {sparsity:.0%}, 8 bits"
        zeros = load_model(file_path("magnitude, gradual", setting, 0)).network
        masks = {n: p != 0 for n, p in zeros.named_parameters() if p.ndim > 1}
        models[f"{sparsity:.0%} zeros"] = like(zeros)
        models[f"{sparsity:.0%} behind masks"] = like(MaskedNetwork(copy.deepcopy(zeros), masks))
        models[f"{sparsity:.0%}, sparse products"] = like(with_sparse_layers(zeros))
    models[HALF] = load_model(file_path(HALF, f"{model}, 0%, 8 bits", 0))
    texts = data("dev").texts[:256]
    return [
        {"method": name, "setting": model, "model": model, "seed": seed, **timing}
        for name, timings in race(models, "whole", texts, seed=seed).items()
        for timing in timings
    ]


UNITS = [
    *of_both("units", half_the_units),
    Experiment("latency, dense", lambda seed: latency("dense", seed), False, True, False),
    Experiment("latency, GRU", lambda seed: latency("GRU", seed), False, True, False),
]
