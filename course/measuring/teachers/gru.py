"""The GRU: two bidirectional layers on word vectors distilled from the transformer's encoder."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from course.measuring.teachers.base import Fold, device, save_network, texts_and_labels
from utils.data import Vocabulary, load_goemotions
from utils.distillation import WeightedLoss, start_at_frequencies
from utils.distillation.teachers import WIDTH
from utils.embeddings import distilled_vectors
from utils.models import GRUNetwork, predict_logits
from utils.training import fit, set_seed

TRAINING = {"epochs": 6, "batch_size": 64, "lr": 1e-3, "embedding_lr": 1e-4, "decay": True}


@dataclass
class GRUTeacher:
    """Learns Ekman's labels and the 28 emotions together.

    ``training`` are options of ``fit``. After ``fit``, ``network`` has 7 + 28 outputs.
    """

    units: int = 256
    layers: int = 2
    dropout: float = 0.4
    training: dict = field(default_factory=TRAINING.copy)

    def untrained(self, vocabulary: Vocabulary) -> GRUNetwork:
        return GRUNetwork(
            len(vocabulary),
            100,
            units=self.units,
            labels=WIDTH,
            layers=self.layers,
            dropout=self.dropout,
        )

    def fit(self, seed: int, checkpoint: Path, fold: Fold | None = None) -> None:
        texts, labels = texts_and_labels("train", fold)
        dev_texts, _ = texts_and_labels("dev")
        self.vocabulary = Vocabulary.from_texts(texts, min_count=2)
        values = distilled_vectors(self.vocabulary, 100).values
        set_seed(seed)
        self.network = self.untrained(self.vocabulary)
        with torch.no_grad():
            self.network.embedding.weight.copy_(torch.from_numpy(values))
        start_at_frequencies(self.network, labels)
        self.network = self.network.to(device())
        fit(
            self.network,
            (self.vocabulary.encode(texts), labels),
            (self.vocabulary.encode(dev_texts), load_goemotions("dev").labels),
            seed=seed,
            loss=WeightedLoss(labels),
            checkpoint=checkpoint,
            progress=False,
            **self.training,
        )

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        return predict_logits(self.network, self.vocabulary.encode(texts))

    def save(self, folder: Path) -> None:
        save_network(self.network, folder)
