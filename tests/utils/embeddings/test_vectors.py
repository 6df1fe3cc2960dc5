"""Random word vectors."""

import numpy as np
import pytest

from utils.data import Vocabulary
from utils.embeddings import (
    random_vectors,
)


def test_random_vectors_are_small_repeatable_and_padded_with_zeros():
    matrix = random_vectors(Vocabulary([f"w{i}" for i in range(500)]), dim=50, seed=3)
    assert matrix.values.shape == (502, 50) and matrix.values.dtype == np.float32
    assert (matrix.values[0] == 0).all() and (matrix.values[1] != 0).all()
    assert np.linalg.norm(matrix.values[1:], axis=1).mean() == pytest.approx(1, abs=0.05)
    assert (matrix.found, matrix.source, matrix.skipped_lines) == (0, "random", 0)
    again = random_vectors(Vocabulary([f"w{i}" for i in range(500)]), dim=50, seed=3)
    assert (again.values == matrix.values).all()
    other = random_vectors(Vocabulary([f"w{i}" for i in range(500)]), dim=50, seed=4)
    assert (other.values[1:] != matrix.values[1:]).mean() > 0.99
