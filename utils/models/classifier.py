"""From raw text to label probabilities: what all classifiers share, and those made of a network."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from scipy.special import expit
from torch import nn

from utils.data import SEQUENCE_LENGTH
from utils.metrics import tune_thresholds
from utils.models.networks import PAD


class TextClassifier:
    """From raw text to label probabilities, thresholds included.

    Attributes
    ----------
    taxonomy : str, one of ``utils.data.TAXONOMIES``
    label_names : tuple of str
    thresholds : float32 array of shape (labels,)
    """

    def __init__(self, taxonomy: str, label_names: Sequence[str], thresholds=None):
        self.taxonomy = taxonomy
        self.label_names = tuple(label_names)
        self.thresholds = np.full(len(self.label_names), 0.5, dtype=np.float32)
        if thresholds is not None:
            thresholds = np.asarray(thresholds, dtype=np.float32)
            if thresholds.shape != self.thresholds.shape:
                raise ValueError(
                    f"{len(self.label_names)} labels need as many thresholds, got {thresholds.shape}"
                )
            self.thresholds = thresholds

    def predict_proba(self, texts: Sequence[str], batch_size: int = 256) -> np.ndarray:
        """Probabilities of shape (len(texts), labels), float32; each label is a yes or no of its own."""
        raise NotImplementedError

    def predict(self, texts: Sequence[str], batch_size: int = 256) -> np.ndarray:
        """Labels of shape (len(texts), labels), bool: probability at least the label's threshold."""
        return self.predict_proba(texts, batch_size) >= self.thresholds

    def tune(self, texts: Sequence[str], labels: np.ndarray) -> "TextClassifier":
        """Set the thresholds that maximise F1 per label on these comments (dev, never test)."""
        self.thresholds = tune_thresholds(labels, self.predict_proba(texts)).astype(np.float32)
        return self


class Tokenizer(Protocol):
    """What turns texts into padded ids: ``utils.data.Vocabulary`` or :class:`WordPiece`."""

    def encode(self, texts: Sequence[str], length: int) -> np.ndarray: ...


class NeuralClassifier(TextClassifier):
    """A tokenizer and a network: raw text to ids to logits to probabilities.

    Source: ours.

    What people get wrong: a softmax over the labels. A comment may have several labels, or a rare
    one beside a common one; each has a sigmoid and a threshold of its own.

    >>> from utils.data import Vocabulary
    >>> from utils.models import MeanVectorNetwork, NeuralClassifier
    >>> words = Vocabulary(["glad", "sad"])
    >>> network = MeanVectorNetwork(len(words), dim=4, hidden=8, labels=2)
    >>> classifier = NeuralClassifier(network, words, "ekman", ["joy", "sadness"])
    >>> classifier.predict_proba(["so glad", "sad, but glad", ""]).shape
    (3, 2)
    """

    def __init__(
        self,
        network: nn.Module,
        tokenizer: Tokenizer,
        taxonomy,
        label_names,
        thresholds=None,
        *,
        length: int = SEQUENCE_LENGTH,
    ):
        super().__init__(taxonomy, label_names, thresholds)
        self.network, self.tokenizer, self.length = network.eval(), tokenizer, length

    @torch.inference_mode()
    def predict_proba(self, texts, batch_size=256):
        logits = predict_logits(self.network, self.tokenizer.encode(texts, self.length), batch_size)
        return expit(logits)


@torch.inference_mode()
def predict_logits(network: nn.Module, ids: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """Logits of shape (n, labels), float32, computed in batches of similar length, given back in order."""
    network.eval()
    if len(ids) == 0:
        return np.zeros((0, network.config["labels"]), dtype=np.float32)
    lengths = (ids != PAD).sum(axis=1)
    order = np.argsort(lengths, kind="stable")
    logits = np.empty((len(ids), network.config["labels"]), dtype=np.float32)
    device = next(network.parameters()).device
    for start in range(0, len(ids), batch_size):
        rows = order[start : start + batch_size]
        batch = torch.from_numpy(ids[rows, : max(1, lengths[rows].max())]).to(device)
        logits[rows] = network(batch).float().cpu().numpy()
    return logits
