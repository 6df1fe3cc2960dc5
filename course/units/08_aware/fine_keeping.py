"""Transformers with codes and what they say, kept as plain arrays."""

import inspect
import json
from pathlib import Path

import numpy as np
from torch import nn

from course.measuring.cache import entry
from course.measuring.sources import sources
from course.measuring.training import data
from utils.models import predict_logits
from utils.pruning import PrunedTransformerNetwork

from .fine_coding import MAX_TOKENS, network_of, pieces, train_coded

SPLITS = ("dev", "test")


def numbers(network: nn.Module) -> dict:
    """A network as settings, of which a key can be made."""
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    return {"config": network.config, "state": state}


def trained(start: PrunedTransformerNetwork, **settings) -> tuple[PrunedTransformerNetwork, dict]:
    """What :func:`train_coded` makes of a network, and its cost, with ``scales``."""

    def write(folder: Path) -> None:
        model, cost = train_coded(**settings, **numbers(start))
        np.savez(folder / "state.npz", **numbers(model.network)["state"])
        (folder / "cost.json").write_text(json.dumps(cost), encoding="utf-8")

    by = {"train": train_coded, **settings, **numbers(start)}
    folder = entry("networks", by, sources(inspect.getfile(train_coded))).make(write)
    with np.load(folder / "state.npz") as state:
        network = network_of(start.config, state)
    return network, json.loads((folder / "cost.json").read_text("utf-8"))


def said(network: nn.Module, min_count: int) -> dict[str, np.ndarray]:
    """Logits (n, 7 + 28) of dev and of test."""

    def write(folder: Path) -> None:
        found = {}
        for split in SPLITS:
            ids = pieces(min_count)[0].encode(data(split).texts, MAX_TOKENS)
            found[split] = predict_logits(network, ids)
        np.savez(folder / "said.npz", **found)

    by = {"min_count": min_count, **numbers(network)}
    with np.load(entry("said", by, sources(__file__)).make(write) / "said.npz") as found:
        return {split: found[split] for split in SPLITS}
