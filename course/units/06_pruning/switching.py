"""Heads and layers of the fine-tuned transformer switched off, one at a time."""

from collections.abc import Iterator

import numpy as np
import torch

from utils.models import PAD, TransformerNetwork, masked_mean
from utils.pruning import gated, sizes

# Our own; none of them is a comment of the data set.
SENTENCES = (
    "I am so happy that you came, thank you!",
    "This is the worst day of my life.",
    "Why would anyone do such a thing?",
    "I was not happy about it at all.",
    "Oh no, the bridge has fallen down.",
    "The train leaves at noon.",
)
OFF = 0.0


@torch.inference_mode()
def answers(
    network: TransformerNetwork, ids: np.ndarray, batch_size: int = 250, only_layers: bool = False
) -> Iterator[tuple[str, int, int | None, np.ndarray]]:
    """Logits (n, labels) with nothing off; then with each head off, and with each layer, or only these.

    What stands before the layer in question is computed once for all. Yields a kind ("nothing",
    "head" or "layer"), the number of the layer, that of the head or None, and the logits.
    """
    network.eval()
    lengths = (ids != PAD).sum(axis=1)
    order = np.argsort(lengths, kind="stable")
    batches = [order[start : start + batch_size] for start in range(0, len(ids), batch_size)]
    layers, starts = network.encoder.encoder.layer, []
    for rows in batches:
        batch = torch.from_numpy(ids[rows, : lengths[rows].max()])
        states = network.encoder.embeddings(
            input_ids=batch,
            token_type_ids=torch.zeros_like(batch),
            position_ids=torch.arange(batch.shape[1])[None],
        )
        mask = batch != PAD
        added = torch.zeros(mask.shape).masked_fill(~mask, torch.finfo(torch.float32).min)
        before = [states]
        for layer in layers:
            before.append(layer(before[-1], added[:, None, None]))
        starts.append((before, mask, added[:, None, None]))

    def from_layer(first: int) -> np.ndarray:
        logits = np.empty((len(ids), network.config["labels"]), dtype=np.float32)
        for rows, (before, mask, added) in zip(batches, starts, strict=True):
            states = before[first]
            for layer in layers[first:]:
                states = layer(states, added)
            logits[rows] = network.output(masked_mean(states, mask)).numpy()
        return logits

    yield "nothing", 0, None, from_layer(len(layers))
    heads, _ = sizes(network)
    on = [torch.ones(n) for n in heads]
    for number, count in enumerate(heads):
        for head in range(0 if only_layers else count):
            off = [gate.clone() for gate in on]
            off[number][head] = OFF
            with gated(network, heads=off):
                logits = from_layer(number)
            yield "head", number, head, logits
    for number in range(len(layers)):
        off = torch.ones(len(layers))
        off[number] = OFF
        with gated(network, layers=off):
            logits = from_layer(number)
        yield "layer", number, None, logits
