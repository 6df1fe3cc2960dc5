"""What unit 05 measures of early exit from MiniLM: F1 of every rule, and its time beside the half."""

import copy
from collections.abc import Iterator

import numpy as np
import torch
from scipy.special import expit

from course.measuring.baselines import file_path
from course.measuring.cache import trained_once
from course.measuring.training import TAXONOMY, data
from utils.adaptive import exit_layers, predict_exits, threshold_for_budget
from utils.metrics import bootstrap_interval, f1_report, tune_thresholds
from utils.models import NeuralClassifier
from utils.packing import load_model, save_model, size_report

from .comparing import compared
from .exits import train_exits
from .keeping import from_file
from .racing import race

METHOD, CUT = "early exit from MiniLM", "MiniLM cut after a layer"
ALL_EXITS, EPOCHS = "all exits", 2
HALF = {"network.*": "float16"}
BUDGETS = (2.0, 2.5, 3.0, 3.5, 4.5)  # mean layers on dev
PATIENCE = (2, 3, 4)


def kept(seed: int) -> tuple[NeuralClassifier, dict]:
    """The network with all its exits as its file holds it, and what training cost."""
    model, cost = trained_once(train_exits, seed=seed, epochs=EPOCHS)
    path = file_path(METHOD, ALL_EXITS, seed)
    save_model(model, path, HALF)
    return load_model(path), cost


def cut(model: NeuralClassifier, layer: int) -> NeuralClassifier:
    """The control of fixed depth: the layers up to this one, and their classifier."""
    shorter = copy.copy(model)
    shorter.network = model.network.cut_after(layer)
    return shorter


def sizes_of(model: NeuralClassifier, setting: str, seed: int) -> dict[str, int]:
    path = file_path(METHOD, setting, seed)
    save_model(model, path, HALF)
    return size_report(path)


def rules(dev: torch.Tensor) -> Iterator[tuple[str, str, dict]]:
    """Kind, setting and arguments of each rule, calibrated on logits of dev (layers, n, labels)."""
    for mean_layers in BUDGETS:
        threshold = threshold_for_budget(dev, mean_layers)
        yield "entropy", f"sure enough, {mean_layers:g} layers on dev", {"threshold": threshold}
    # Whether layers agree is asked of labels as they would be given.
    cuts = torch.logit(torch.tensor(_tuned(dev[-1]))).tolist()
    for patience in PATIENCE:
        rule = {"patience": patience, "cuts": cuts}
        yield "patience", f"{patience} layers in a row agree", rule


def _tuned(logits: torch.Tensor) -> np.ndarray:
    return tune_thresholds(data("dev").labels, expit(logits.numpy()))


def early_exits(seed: int) -> list[dict]:
    """Every rule, and every layer as the last one for all comments: the controls of fixed depth.

    Rules are applied to the logits of all exits, which the network's own skipping agrees with.
    """
    model, cost = kept(seed)
    logits = {
        split: predict_exits(model.network, model.tokenizer.encode(data(split).texts, model.length))
        for split in ("dev", "test")
    }
    layers = len(logits["dev"])
    chosen = [
        ("fixed", f"layer {layer} for all", {"layer": layer}) for layer in range(1, layers + 1)
    ] + list(rules(logits["dev"]))
    found, said = [], {}
    for kind, setting, rule in chosen:
        leaves = {split: _leaves(logits[split], rule) for split in logits}
        taken = {split: _taken(logits[split], leaves[split]) for split in logits}
        thresholds = tune_thresholds(data("dev").labels, taken["dev"])
        if kind == "fixed":
            said[rule["layer"]] = taken["test"] >= thresholds
        found.append((kind, setting, rule, leaves, taken, thresholds))
    whole, records = sizes_of(model, ALL_EXITS, seed), []
    for kind, setting, rule, leaves, taken, thresholds in found:
        sizes = whole if kind != "fixed" else sizes_of(cut(model, rule["layer"]), setting, seed)
        for split, probabilities in taken.items():
            comments = data(split)
            predicted = probabilities >= thresholds
            report = f1_report(comments.labels, probabilities, thresholds, comments.label_names)
            low, high = bootstrap_interval(comments.labels, predicted)
            steps = leaves[split].double().mean().item()
            record = {
                "method": METHOD if kind != "fixed" else CUT,
                "setting": setting,
                "seed": seed,
                "split": split,
                "taxonomy": TAXONOMY,
                "rule": kind,
                "macro_f1": report["macro_f1"],
                "macro_f1_low": low,
                "macro_f1_high": high,
                "per_label_f1": {n: s["f1"] for n, s in report["per_label"].items()},
                "mean_steps": steps,
                "max_steps": layers,
                "threshold": rule.get("threshold"),
                "patience": rule.get("patience"),
                **sizes,
                **cost,
            }
            if split == "test":
                record = compared(record, predicted, said, seed)
            records.append(record)
    return records


def _leaves(logits: torch.Tensor, rule: dict) -> torch.Tensor:
    if "layer" in rule:
        return torch.full((logits.shape[1],), rule["layer"])
    return exit_layers(logits, **rule)


def _taken(logits: torch.Tensor, leaves: torch.Tensor) -> np.ndarray:
    """Probabilities (n, labels) of the exit that each comment leaves by."""
    return expit(logits[leaves - 1, torch.arange(len(leaves))].numpy())


def exit_latency(seed: int) -> list[dict]:
    """The whole transformer, the rules, and the transformer cut in half, in turns.

    F1 stands in the records of "early exit", under the same ``method`` and ``setting``.
    """
    model = from_file(METHOD, ALL_EXITS)
    logits = predict_exits(model.network, model.tokenizer.encode(data("dev").texts, model.length))
    layers = len(logits)
    whole = CUT, f"layer {layers} for all"
    models = {whole: cut(model, layers)}
    models[CUT, f"layer {layers // 2} for all"] = cut(model, layers // 2)
    for _, setting, rule in rules(logits):
        models[METHOD, setting] = _with_rule(model, **rule)
    found = race(models, whole, data("dev").texts[:128], repeats=2, seed=seed)
    return [
        {"method": method, "setting": setting, "seed": seed, **timing}
        for (method, setting), timings in found.items()
        for timing in timings
    ]


def _with_rule(model: NeuralClassifier, **rule) -> NeuralClassifier:
    """The same network under another rule; the weights are shared."""
    changed = copy.copy(model)
    changed.network = copy.copy(model.network)
    changed.network.config = dict(model.network.config)
    changed.network.leave_by(**rule)
    return changed
