"""More for unit 08's small models to learn from: made-up texts, as the shipped transformer sees them.

Unit 02 asks the fine-tuned transformers of the ensemble, and each has to be trained first. The one that
this unit ships in 4,500,000 bytes learned from that ensemble, and anybody has it.
"""

from pathlib import Path

import numpy as np

from course.measuring.baselines import SHIPPED
from course.measuring.cache import entry
from course.measuring.sources import digest, sources
from course.measuring.training import data, soft_labels
from utils.distillation import augment
from utils.packing import load_model

TEACHER = SHIPPED / "transformer-in-4500000-bytes.slm"


def with_made_up(sets: int) -> tuple[list[str], np.ndarray]:
    """Comments of train with the ensemble's probabilities, and after them sets of as many made-up texts.

    Returns
    -------
    (1 + sets) n texts, and probabilities ((1 + sets) n, labels) float32. Of the made-up ones, whose
    seeds are 0, 1, ..., they are those of :data:`TEACHER`, and kept.
    """
    texts, heard = list(data("train").texts), [soft_labels()]
    for seed in range(sets):
        made_up = augment(data("train").texts, seed)
        texts += made_up
        heard.append(_heard(made_up))
    return texts, np.concatenate(heard)


def _heard(made_up: list[str]) -> np.ndarray:
    def write(folder: Path) -> None:
        np.save(folder / "heard.npy", load_model(TEACHER).predict_proba(made_up))

    settings = {"teacher": digest([TEACHER]), "texts": made_up}
    folder = entry("made-up", settings, sources(__file__)).make(write)
    return np.load(folder / "heard.npy").astype(np.float32)
