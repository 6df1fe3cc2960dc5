"""Layers that are sparse from the start."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.distillation import (
    StaticSparseLinear,
    splitmix64,
    static_sparse_index,
)

few_examples = settings(max_examples=25)


def test_splitmix64_gives_its_published_outputs():
    assert splitmix64(0, 3).tolist() == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert splitmix64(1234567, 3).tolist() == expected
    assert splitmix64(1234567, 2, start=1).tolist() == expected[1:]


RANDOM = [[1, 5, 7], [0, 1, 2], [1, 5, 6], [2, 3, 7]]


BLOCK = [[0, 1, 2, 3], [0, 1, 2, 3], [2, 3, 6, 7], [2, 3, 6, 7]]


SMALL_WORLD = [[1, 4, 5], [0, 1, 3], [1, 5, 6], [2, 3, 5]]


def test_a_pattern_is_the_same_for_ever():
    # Files hold a seed instead of a pattern: should these change, old files become noise.
    assert static_sparse_index(8, 4, 3, "random", seed=7).tolist() == RANDOM
    assert static_sparse_index(8, 4, 4, "block", seed=7, block_size=2).tolist() == BLOCK
    assert static_sparse_index(8, 4, 3, "small-world", 7, rewiring=0.5).tolist() == SMALL_WORLD


@few_examples
@given(st.integers(1, 20), st.integers(1, 20), st.data())
def test_every_unit_has_as_many_different_inputs(n_in, n_out, data):
    fan_in = data.draw(st.integers(1, n_in))
    pattern = data.draw(st.sampled_from(["random", "small-world"]))
    rewiring, seed = data.draw(st.floats(0, 1)), data.draw(st.integers(-5, 2**70))
    index = static_sparse_index(n_in, n_out, fan_in, pattern, seed, rewiring=rewiring)
    assert index.shape == (n_out, fan_in) and index.dtype == np.int64
    assert 0 <= index.min() and index.max() < n_in
    assert (np.diff(index, axis=1) > 0).all()


def test_random_connections_are_spread_evenly():
    index = static_sparse_index(50, 2000, 10, seed=1)
    counts = np.bincount(index.ravel(), minlength=50)  # 400 expected, deviation about 18
    assert 300 < counts.min() and counts.max() < 500
    other = static_sparse_index(50, 2000, 10, seed=2)
    assert not np.array_equal(index, other)


def test_blocks_are_whole():
    mask = np.zeros((12, 16), dtype=bool)
    index = static_sparse_index(16, 12, 8, "block", seed=3, block_size=4)
    np.put_along_axis(mask, index, True, axis=1)
    blocks = mask.reshape(3, 4, 4, 4).sum(axis=(1, 3))
    assert set(blocks.ravel()) == {0, 16} and (blocks.sum(axis=1) == 32).all()


def test_a_small_world_goes_from_a_ring_to_far_connections():
    ring = static_sparse_index(8, 4, 3, "small-world", rewiring=0)
    assert ring.tolist() == [[0, 1, 7], [1, 2, 3], [3, 4, 5], [5, 6, 7]]
    near = static_sparse_index(100, 100, 10, "small-world", rewiring=0)
    shares = {
        rewiring: np.mean(
            [np.isin(*rows) for rows in zip(
                static_sparse_index(100, 100, 10, "small-world", 4, rewiring=rewiring), near,
                strict=True,
            )]
        )
        for rewiring in (0.1, 0.5, 1.0)
    }  # fmt: skip
    assert shares[0.1] == pytest.approx(0.9, abs=0.04)
    assert shares[0.5] == pytest.approx(0.5, abs=0.06)
    assert shares[1.0] == 0


@pytest.mark.parametrize("pattern", ["random", "block", "small-world"])
def test_sparse_layer_multiplies_as_its_dense_matrix_does(pattern):
    torch.manual_seed(0)
    layer = StaticSparseLinear(16, 8, 0.7, pattern, seed=5).double()
    x = torch.randn(3, 2, 16, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(layer(x), x @ layer.dense().T + layer.bias)
    assert (layer.dense() != 0).sum() == layer.weight.numel()
    assert torch.autograd.gradcheck(lambda x, *_: layer(x), (x, *layer.parameters()))


def test_stored_bytes_are_weights_and_biases_alone():
    layer = StaticSparseLinear(100, 32, 0.9)
    assert layer.weight.shape == (32, 10) and layer.nbytes() == 4 * 352 and layer.nbytes(2) == 704
    assert set(layer.state_dict()) == {"weight", "bias"}
    assert StaticSparseLinear(100, 32, 0.9, bias=False).nbytes() == 1280
    assert StaticSparseLinear(16, 8, 0.99).fan_in == 1
    assert StaticSparseLinear(16, 8, 0.7, "block").fan_in == 4


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(sparsity=1.0), "sparsity"),
        (dict(sparsity=-0.1), "sparsity"),
        (dict(sparsity=float("nan")), "sparsity"),
        (dict(sparsity=0.5, pattern="star"), "random, block, small-world"),
        (dict(sparsity=0.5, pattern="block", block_size=3), "blocks of 3 do not fit"),
        (dict(sparsity=0.5, pattern="block", block_size=0), "blocks of 0 do not fit"),
        (dict(sparsity=0.5, pattern="small-world", rewiring=2), "rewiring"),
    ],
)
def test_sparse_layers_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        StaticSparseLinear(16, 8, **options)
    with pytest.raises(ValueError, match="possible connections"):
        StaticSparseLinear(1 << 12, 1 << 12, 0.9)


@pytest.mark.parametrize("sizes", [(8, 4, 0), (8, 4, 9), (8, 4, -1), (8, 0, 1), (0, 4, 1)])
def test_connections_that_cannot_be_are_refused(sizes):
    with pytest.raises(ValueError, match="units is impossible"):
        static_sparse_index(*sizes)
