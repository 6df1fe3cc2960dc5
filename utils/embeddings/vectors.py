"""Vectors for the words of a vocabulary, and random ones, to be learned end to end."""

import math
from dataclasses import dataclass

import numpy as np

from utils.data import Vocabulary


@dataclass(frozen=True, eq=False)
class EmbeddingMatrix:
    """Vectors for a vocabulary.

    `values` is (len(vocabulary), d) float32, with zeros in the row of padding; `found` counts
    the words that have a vector from the source (the others, and the unknown word, have small
    random ones); `skipped_lines` counts the malformed lines of a GloVe file.
    """

    values: np.ndarray
    found: int
    source: str
    skipped_lines: int = 0


def random_vectors(vocabulary: Vocabulary, dim: int = 100, seed: int = 0) -> EmbeddingMatrix:
    """Independent normal numbers of variance 1 / dim, so that a vector has a length around 1."""
    generator = np.random.default_rng(seed)
    values = generator.standard_normal((len(vocabulary), dim), dtype=np.float32)
    values /= np.float32(math.sqrt(dim))
    values[Vocabulary.PAD] = 0
    return EmbeddingMatrix(values, found=0, source="random")
