"""Transformers and what they say, kept as plain arrays: the file of one takes a minute to compress."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from course.measuring.cache import entry, plain
from course.measuring.sources import sources
from course.measuring.training import data
from utils.models import NeuralClassifier
from utils.pruning import PrunedTransformerNetwork

SPLITS = ("dev", "test")


def network_once(
    train: Callable[..., tuple[PrunedTransformerNetwork, dict]], **settings: object
) -> tuple[PrunedTransformerNetwork, dict]:
    """As ``trained_once``, of a pruned transformer: made anew if its module or a setting changes."""

    def write(folder: Path) -> None:
        network, cost = train(**settings)
        state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
        np.savez(folder / "state.npz", **state)
        made = {"config": network.config, "cost": cost}
        (folder / "network.json").write_text(json.dumps(made), encoding="utf-8")

    by = {"train": train, **settings}
    folder = entry("networks", by, sources(inspect.getfile(train))).make(write)
    made = json.loads((folder / "network.json").read_text("utf-8"))
    network = PrunedTransformerNetwork(**made["config"])
    with np.load(folder / "state.npz") as state:
        network.load_state_dict({name: torch.from_numpy(state[name]) for name in state.files})
    return network.eval(), made["cost"]


def said(model: NeuralClassifier) -> dict[str, np.ndarray]:
    """Probabilities (n, labels) of dev and of test; kept by the weights."""

    def write(folder: Path) -> None:
        found = {split: model.predict_proba(data(split).texts) for split in SPLITS}
        np.savez(folder / "said.npz", **found)

    state = {name: tensor.numpy() for name, tensor in model.network.state_dict().items()}
    by = {"state": plain(state), "config": model.network.config, "length": model.length}
    with np.load(entry("said", by, sources(__file__)).make(write) / "said.npz") as found:
        return {split: found[split] for split in SPLITS}
