"""Low-rank layers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from utils.distillation import (
    FactorizedEmbedding,
    FactorizedLinear,
    rank_for_bytes,
    rank_for_energy,
    truncated_svd,
)

few_examples = settings(max_examples=25)


shapes_of_matrices = st.tuples(st.integers(1, 12), st.integers(1, 12))


def _matrix(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_truncated_svd_by_hand():
    A, B = truncated_svd([[3, 0], [0, -2], [0, 0]], 1)  # singular values 3 and 2
    np.testing.assert_allclose(A @ B, [[3, 0], [0, 0], [0, 0]], atol=1e-6)
    assert np.abs(A).max() == pytest.approx(np.abs(B).max())


@few_examples
@given(shapes_of_matrices, st.data())
def test_truncated_svd_is_as_near_as_eckart_and_young_allow(shape, data):
    W, rank = _matrix(shape), data.draw(st.integers(1, min(shape)))
    A, B = truncated_svd(W, rank)
    assert (A.shape, B.shape) == ((shape[0], rank), (rank, shape[1]))
    cut = np.linalg.svd(W, compute_uv=False)[rank:]
    assert np.square(A @ B - W).sum() == pytest.approx(np.square(cut).sum(), rel=1e-3, abs=1e-8)


def test_ranks_out_of_range_are_refused():
    for rank in (0, 4):
        with pytest.raises(ValueError, match="5 by 3 matrix is 1 to 3"):
            truncated_svd(np.ones((5, 3)), rank)
        with pytest.raises(ValueError, match="is 1 to 3"):
            FactorizedLinear(3, 5, rank)
        with pytest.raises(ValueError, match="is 1 to 3"):
            FactorizedEmbedding(5, 3, rank)
    with pytest.raises(ValueError, match="a matrix is wanted"):
        truncated_svd(np.ones(3), 1)


def test_rank_for_energy_by_hand():
    W = np.diag([3.0, 2.0, 1.0])  # squares 9, 4, 1 of 14
    assert [rank_for_energy(W, e) for e in (0, 9 / 14 - 1e-9, 0.7, 13 / 14 - 1e-9, 0.95, 1)] == [
        *(1, 1, 2, 2, 3, 3)
    ]
    with pytest.raises(ValueError, match="energy"):
        rank_for_energy(W, 1.1)


def test_rank_for_bytes_by_hand():
    assert rank_for_bytes((100, 50), 6000) == 10  # 150 values of 4 bytes each rank
    assert rank_for_bytes((100, 50), 5999) == 9
    assert rank_for_bytes((100, 50), 6000, bytes_per_value=0.5) == 50
    with pytest.raises(ValueError, match="rank 1 of a 100 by 50 matrix needs 600 bytes"):
        rank_for_bytes((100, 50), 599)


def test_factorized_layers_compute_with_the_product_of_their_factors():
    torch.manual_seed(0)
    x, linear, table = torch.randn(4, 7), nn.Linear(7, 5), nn.Embedding(9, 6, padding_idx=0)
    layer = FactorizedLinear.from_dense(linear, 3)
    torch.testing.assert_close(layer(x), x @ layer.dense().T + linear.bias)
    exact = FactorizedLinear.from_dense(linear, 5)
    torch.testing.assert_close(exact(x), linear(x))
    ids = torch.tensor([[1, 8, 0], [3, 3, 2]])
    embedding = FactorizedEmbedding.from_dense(table, 2)
    torch.testing.assert_close(embedding(ids), embedding.dense()[ids])
    torch.testing.assert_close(FactorizedEmbedding.from_dense(table, 6)(ids), table(ids))
