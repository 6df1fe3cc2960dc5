"""Where a transformer's time goes: each part of it, and of the half of its layers, in one run."""

import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import torch

from course.measuring.teachers.base import for_ekman
from course.measuring.teachers.transformer import MAX_TOKENS
from course.measuring.training import TAXONOMY, data
from utils.distillation import every_second_layer
from utils.distillation.teachers import WIDTH
from utils.efficiency.running import limited_threads, no_garbage_collection
from utils.models import NeuralClassifier, TransformerNetwork, WordPiece, find_encoder


class PartTimer:
    """Processor seconds of a transformer's prediction, from text to probabilities, by its parts.

    What lies between two parts, such as the mask of the padding, counts as "between"; all of them add up
    to the whole. On one thread these are the seconds that pass where nothing else runs.
    """

    def __init__(self, model: NeuralClassifier):
        network = model.network
        layers = network.encoder.encoder.layer
        self.model, self.ends = model, []
        # In the order in which they are reached: what has just ended there.
        self._on(network, before="tokenizer")
        self._on(network.encoder.embeddings, before="between", after="embeddings")
        self._on(layers[0], before="between")
        for number, layer in enumerate(layers):
            self._on(layer, after=f"layer {number}")
        self._on(network.output, before="pooling", after="classifier")

    def _on(self, module: torch.nn.Module, before: str | None = None, after: str | None = None):
        if before:
            module.register_forward_pre_hook(self._ended(before))
        if after:
            module.register_forward_hook(self._ended(after))

    def _ended(self, part: str) -> Callable:
        return lambda *_: self.ends.append((part, time.process_time()))

    def __call__(self, texts: list[str]) -> dict[str, float]:
        self.ends, last = [], time.process_time()
        self.model.predict_proba(texts, batch_size=len(texts))
        self.ends.append(("between", time.process_time()))
        seconds: dict[str, float] = defaultdict(float)
        for part, end in self.ends:
            seconds[part] += end - last
            last = end
        return seconds


def time_by_part(seed: int, repeats: int = 15) -> list[dict]:
    """Milliseconds of each part, of the transformer and of its half, in turns: one comment, one thread.

    Weights do not matter for the time, so these are the pretrained ones. Of the ``repeats`` of a comment
    the fastest counts, part by part: what else runs on the machine only ever adds to it.
    """
    whole = TransformerNetwork.pretrained(WIDTH)
    tokenizer, names = WordPiece.from_folder(find_encoder()), data("dev").label_names
    timers = {
        method: PartTimer(
            NeuralClassifier(for_ekman(network), tokenizer, TAXONOMY, names, length=MAX_TOKENS)
        )
        for method, network in (
            ("half-depth transformer", every_second_layer(whole)),
            ("transformer", whole),
        )
    }
    texts = np.random.default_rng(seed).permutation(data("dev").texts)[:64].tolist()
    measured: dict[tuple[str, str], list[float]] = defaultdict(list)
    with limited_threads(1), no_garbage_collection():
        for _ in range(repeats):
            for text in texts:
                for method, timer in timers.items():
                    for part, seconds in timer([text]).items():
                        measured[method, part].append(seconds)
    return [
        {
            "method": method,
            "setting": part,
            "seed": seed,
            "batch_size": 1,
            "batch_ms": 1e3 * float(np.reshape(seconds, (repeats, -1)).min(axis=0).mean()),
            "threads": 1,
            "n_texts": len(texts),
        }
        for (method, part), seconds in measured.items()
    ]
