"""Tensor trains."""

from math import prod

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from utils.distillation import (
    TensorTrainEmbedding,
    tensor_train,
    truncated_svd,
    tt_reconstruct,
)

few_examples = settings(max_examples=25)


def _matrix(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_an_entry_is_a_product_of_small_matrices():
    cores = [_matrix((1, 2, 3, 2), 1), _matrix((2, 3, 2, 1), 2)]
    W = tt_reconstruct(cores)
    assert W.shape == (6, 6)
    # Row 4 is the digits (1, 1) of 2 x 3; column 5 the digits (2, 1) of 3 x 2.
    assert W[4, 5] == pytest.approx((cores[0][:, 1, 2] @ cores[1][:, 1, 1]).item(), rel=1e-6)


@st.composite
def trains(draw):
    k = draw(st.integers(2, 3))
    rows, columns = ([draw(st.integers(1, 4)) for _ in range(k)] for _ in range(2))
    m = draw(st.integers(1, prod(rows)))
    ranks = [draw(st.integers(1, 5)) for _ in range(k - 1)]
    return _matrix((m, prod(columns)), draw(st.integers(0, 99))), (rows, columns), ranks


@few_examples
@given(trains())
def test_tensor_train_errs_no_more_than_oseledets_allows(train):
    W, (rows, columns), ranks = train
    cores = tensor_train(W, (rows, columns), ranks)
    edges = [1, *(core.shape[3] for core in cores)]
    assert [core.shape[:3] for core in cores] == list(
        zip(edges[:-1], rows, columns, strict=True)
    ) and edges[-1] == 1
    assert all(edge <= rank for edge, rank in zip(edges[1:-1], ranks, strict=True))
    tensor = np.zeros((prod(rows), prod(columns)))
    tensor[: len(W)] = W
    order = [axis for k in range(len(rows)) for axis in (k, k + len(rows))]
    tensor = tensor.reshape(*rows, *columns).transpose(order)
    bound = 0.0  # theorem 2.2: the sum of what the best matrices of these ranks lack
    for k, rank in enumerate(ranks, start=1):
        unfolding = tensor.reshape(prod(rows[:k]) * prod(columns[:k]), -1)
        bound += np.square(np.linalg.svd(unfolding, compute_uv=False)[rank:]).sum()
    error = np.square(tt_reconstruct(cores, len(W)) - W).sum()
    assert error <= bound * (1 + 1e-4) + 1e-6


def test_tensor_train_with_full_ranks_is_exact():
    W = _matrix((22, 20))
    cores = tensor_train(W, ((2, 3, 4), (5, 2, 2)), 1000)
    np.testing.assert_allclose(tt_reconstruct(cores, 22), W, atol=1e-5)


def test_two_cores_of_one_column_digit_are_a_truncated_svd():
    # With rows (m, 1) and columns (1, n) the only unfolding is the matrix itself.
    W = _matrix((6, 5))
    A, B = truncated_svd(W, 2)
    np.testing.assert_allclose(
        tt_reconstruct(tensor_train(W, ((6, 1), (1, 5)), 2)), A @ B, atol=1e-5
    )


@pytest.mark.parametrize(
    "shapes, ranks, message",
    [
        (((2, 2), (2, 2)), 2, "does not hold a 5 by 4"),
        (((3, 2), (2, 3)), 2, "does not hold a 5 by 4"),
        (((3, 2), (4,)), 2, "as many factors"),
        (((5,), (4,)), 2, "as many factors"),
        (((3, 2), (2, 2)), [2, 2], "2 cores have 1 ranks"),
        (((3, 2), (2, 2)), 0, "at least 1"),
    ],
)
def test_trains_that_do_not_fit_are_refused(shapes, ranks, message):
    with pytest.raises(ValueError, match=message):
        tensor_train(_matrix((5, 4)), shapes, ranks)
    with pytest.raises(ValueError, match=message):
        TensorTrainEmbedding(5, 4, shapes, ranks)


def test_tensor_train_embedding_gives_the_rows_of_its_table():
    table = nn.Embedding.from_pretrained(torch.from_numpy(_matrix((11, 12))))
    layer = TensorTrainEmbedding.from_dense(table, ((2, 3, 2), (2, 2, 3)), (3, 4))
    cores = [core.detach().numpy() for core in layer.cores]
    ids = torch.tensor([[10, 3, 3], [0, 7, 10]])
    expected = torch.from_numpy(tt_reconstruct(cores, 11)).float()
    torch.testing.assert_close(layer(ids), expected[ids])
    torch.testing.assert_close(layer.dense(), expected)
    exact = TensorTrainEmbedding.from_dense(table, ((2, 3, 2), (2, 2, 3)), 99)
    torch.testing.assert_close(exact(ids), table(ids))
    with pytest.raises(IndexError, match="0 to 10"):
        layer(torch.tensor([11]))


def test_a_new_tensor_train_embedding_starts_at_the_scale_of_an_embedding():
    torch.manual_seed(0)
    table = TensorTrainEmbedding(1000, 64, ((10, 10, 10), (4, 4, 4)), 8).dense()
    assert table.std().item() == pytest.approx(1, abs=0.15)
