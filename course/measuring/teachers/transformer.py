"""The transformer: all-MiniLM-L6-v2, fine-tuned."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

from course.measuring.teachers.base import Fold, device, save_network, texts_and_labels
from utils.data import load_goemotions
from utils.distillation import WeightedLoss, freeze_word_pieces, start_at_frequencies
from utils.models import TransformerNetwork, WordPiece, find_encoder, predict_logits
from utils.training import fit, set_seed

MAX_TOKENS = 34
# How MiniLM is fine-tuned, as a teacher and cut in half. The head starts from nothing, so it learns
# faster than the encoder.
TRAINING = {
    "epochs": 2,
    "batch_size": 32,
    "lr": 8e-5,
    "output_lr": 1e-3,
    "warmup": 0.1,
    "decay": True,
}


@dataclass
class TransformerTeacher:
    """Learns Ekman's labels and the 28 emotions together.

    ``training`` are options of ``fit``. After ``fit``, ``network`` has 7 + 28 outputs.
    """

    training: dict = field(default_factory=TRAINING.copy)

    def fit(self, seed: int, checkpoint: Path, fold: Fold | None = None) -> None:
        texts, labels = texts_and_labels("train", fold)
        dev_texts, _ = texts_and_labels("dev")
        tokenizer = WordPiece.from_folder(find_encoder())
        set_seed(seed)
        self.network = TransformerNetwork.pretrained(labels.shape[1]).to(device())
        freeze_word_pieces(self.network)
        start_at_frequencies(self.network, labels)
        fit(
            self.network,
            (tokenizer.encode(texts, MAX_TOKENS), labels),
            (tokenizer.encode(dev_texts, MAX_TOKENS), load_goemotions("dev").labels),
            seed=seed,
            loss=WeightedLoss(labels),
            # Many processors only emulate bfloat16, which costs more time than it saves.
            bf16=device() == "cuda",
            checkpoint=checkpoint,
            progress=False,
            **self.training,
        )

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        return transformer_logits(self.network, texts)

    def save(self, folder: Path) -> None:
        save_network(self.network, folder)


def transformer_logits(network: nn.Module, texts: Sequence[str]) -> np.ndarray:
    """Logits of a fine-tuned encoder, (n, outputs) float32."""
    ids = WordPiece.from_folder(find_encoder()).encode(texts, MAX_TOKENS)
    with torch.autocast(device(), torch.bfloat16, enabled=device() == "cuda"):
        return predict_logits(network, ids)
