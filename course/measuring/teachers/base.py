"""What a teacher is, what it learns, and how it speaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sklearn.model_selection import GroupKFold
from torch import nn

from utils.data import EMOTIONS, GROUPS, load_goemotions, tokenize
from utils.distillation import GroupedLinear, grouped_logits, replace_layers

WEIGHTS = "network.safetensors"
# Ekman's seven first: `fit` chooses its epoch by the labels of dev, which are Ekman's.
TAXONOMIES = ("ekman", "emotions")
# Which of the 28 emotions stand behind each of Ekman's labels.
MEMBERS_OF = [[EMOTIONS.index(name) for name in names] for names in GROUPS["ekman"].values()]


class Teacher(Protocol):
    """A dataclass; its fields are the settings that it is trained with, and part of its name in the cache."""

    def fit(self, seed: int, checkpoint: Path, fold: "Fold | None" = None) -> None:
        """Learn :func:`texts_and_labels` of train. What takes long writes checkpoints and goes on from
        one that is there."""

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """Logits (n, 7 + 28) of texts, float, after ``fit``."""

    def save(self, folder: Path) -> None:
        """Write there what others go on with after ``fit``, which may be nothing."""


@dataclass(frozen=True)
class Fold:
    """One of ``of`` parts of train, which a teacher does not see; ``number`` counts from 0.

    Comments of the same words are in the same fold: GoEmotions has some texts many times, and who has
    seen one of them has seen the others.
    """

    number: int
    of: int

    def rows(self, texts: Sequence[str]) -> np.ndarray:
        """Of the comments of train those in this fold, a bool array of shape (n,)."""
        words = [" ".join(tokenize(text)) for text in texts]
        splits = GroupKFold(self.of, shuffle=True, random_state=0).split(texts, groups=words)
        rows = np.zeros(len(texts), dtype=bool)
        rows[list(splits)[self.number][1]] = True
        return rows


def texts_and_labels(split: str, fold: Fold | None = None) -> tuple[list[str], np.ndarray]:
    """Comments, and 0/1 labels of shape (n, 7 + 28): Ekman's, then the 28 emotions.

    Those of a fold are left out.
    """
    data = [load_goemotions(split, taxonomy) for taxonomy in TAXONOMIES]
    texts = data[0].texts
    labels = np.concatenate([d.labels for d in data], axis=1).astype(np.float32)
    if fold is None:
        return texts, labels
    seen = ~fold.rows(texts)
    return [text for text, one in zip(texts, seen, strict=True) if one], labels[seen]


def answers(logits: np.ndarray) -> np.ndarray:
    """Logits (n, 7 + 28) in which Ekman's labels hear the emotions, too."""
    return grouped_logits(torch.as_tensor(logits, dtype=torch.float32), MEMBERS_OF).numpy()


def for_ekman(network: nn.Module) -> nn.Module:
    """A network of 7 + 28 outputs as one of seven, with the same answers as the teacher's logits."""
    return replace_layers(
        network, {"output": GroupedLinear.from_linear(network.output, MEMBERS_OF)}
    )


def device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def save_network(network: nn.Module, folder: Path) -> None:
    """Write a network's weights; :func:`load_state` reads them."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    save_file(tensors, folder / WEIGHTS)


def load_state(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / WEIGHTS)
