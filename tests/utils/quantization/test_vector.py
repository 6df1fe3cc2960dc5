import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import hadamard
from sklearn.cluster import KMeans
from sklearn.utils.estimator_checks import parametrize_with_checks

from utils.quantization import (
    AdditiveQuantizer,
    LocalSearchQuantizer,
    OptimizedProductQuantizer,
    ProductQuantizer,
    VectorQuantizer,
    procrustes,
)
from utils.quantization.vector import (
    balanced_rotation,
)
from utils.quantization.vector.kmeans import spread_rows


def small_quantizers(n_codes=4):
    return [
        VectorQuantizer(n_codes, random_state=0),
        ProductQuantizer(2, n_codes, random_state=0),
        OptimizedProductQuantizer(2, n_codes, n_iter=3, random_state=0),
        AdditiveQuantizer(2, n_codes, n_iter=4, random_state=0),
        LocalSearchQuantizer(2, n_codes, n_iter=4, random_state=0),
    ]


all_quantizers = pytest.mark.parametrize(
    "quantizer", small_quantizers(), ids=lambda q: type(q).__name__
)


@parametrize_with_checks(small_quantizers())
def test_is_a_scikit_learn_transformer(estimator, check):
    check(estimator)


def normal(n=500, d=6, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def decaying(n=3000, d=16, seed=0):
    """Correlated data: variances 1/i, rotated."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(d, d)))[0]
    X = rng.normal(size=(n, d)) * np.arange(1, d + 1) ** -0.5
    return (X @ axes).astype(np.float32)


def error(quantizer, X):
    return float(np.square(quantizer.inverse_transform(quantizer.transform(X)) - X).mean())


# --- k-means --------------------------------------------------------------------------------------


def test_error_falls_with_codes_and_iterations():
    X = normal(2000, 8)
    errors = [error(VectorQuantizer(k, random_state=0).fit(X), X) for k in (1, 4, 16, 64)]
    assert errors[0] == pytest.approx(X.var(axis=0).mean(), rel=1e-4)
    assert errors == sorted(errors, reverse=True)
    few, many = (VectorQuantizer(16, n_iter=i, random_state=0).fit(X) for i in (0, 20))
    assert error(many, X) < error(few, X)


# --- product quantization -------------------------------------------------------------------------


def test_product_quantizer_is_kmeans_on_every_chunk():
    X = normal(800, 7)
    quantizer = ProductQuantizer(3, 8, random_state=0).fit(X)
    codes, restored = quantizer.transform(X), None
    assert codes.shape == (800, 3) and codes.dtype == np.uint8
    restored = quantizer.inverse_transform(codes)
    for m, chunk in enumerate((slice(0, 2), slice(2, 4), slice(4, 7))):
        part, codebook = X[:, chunk], quantizer.codebook_[:, chunk]
        expected = np.square(part[:, None] - codebook).sum(axis=2).argmin(axis=1)
        assert np.mean(codes[:, m] == expected) > 0.999
        assert np.array_equal(restored[:, chunk], codebook[codes[:, m]])


def test_bytes_count_codes_codebooks_and_rotation():
    X = normal(1000, 12)
    product, optimized, additive = (
        ProductQuantizer(3, 16, n_iter=1),
        OptimizedProductQuantizer(3, 16, n_iter=1),
        AdditiveQuantizer(3, 16, n_iter=1),
    )
    codes = 1000 * 3 * 4 // 8
    assert product.nbytes(product.fit_transform(X)) == codes + 16 * 12 * 4
    assert optimized.nbytes(optimized.fit_transform(X)) == codes + 16 * 12 * 4 + 12 * 12 * 4
    assert additive.nbytes(additive.fit_transform(X)) == codes + 3 * 16 * 12 * 4
    assert product.nbytes(product.transform(X[:1])) == 2 + 16 * 12 * 4  # 12 bits


def test_procrustes_recovers_a_rotation():
    X, rotation = normal(100, 5), np.linalg.qr(normal(5, 5, seed=1))[0]
    np.testing.assert_allclose(procrustes(X, X @ rotation), rotation, atol=1e-5)
    noisy = procrustes(X, X @ rotation + 0.5 * normal(100, 5, seed=2))
    np.testing.assert_allclose(noisy.T @ noisy, np.eye(5), atol=1e-5)


def test_balanced_rotation_shares_the_variance_out():
    X = decaying(5000, 8)
    rotation = balanced_rotation(X, 4, 256)
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(8), atol=1e-5)
    covariance = np.cov((X @ rotation).T)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-4
    # Variances 1, 1/2, ... 1/8: the largest is paired with the smallest, and so on.
    pairs = np.sort(np.rint(1 / (np.diag(covariance) / covariance.max())).reshape(4, 2), axis=1)
    assert sorted(map(tuple, pairs)) == [(1, 8), (2, 7), (3, 6), (4, 5)]


def test_axes_that_are_not_worth_a_bit_fill_up_the_chunks_and_nothing_else():
    """Two chunks share 8 bits: 4.5, 2 and 1.5 for the first three axes, none for the others."""
    spread = 2.0 ** np.array([4.5, 2, 1.5, -1, -1.1, -1.2])
    X = hadamard(8)[:, 1:7] * spread
    axes = np.abs(balanced_rotation(X, 2, 16)).argmax(axis=0)
    assert {frozenset(axes[:3].tolist()), frozenset(axes[3:].tolist())} == {
        frozenset({0, 4, 5}),
        frozenset({1, 2, 3}),  # 3.5 bits, so the fourth axis comes here and the others go there
    }


def test_rotation_pays_on_correlated_data():
    X = decaying(4000, 32)
    plain = ProductQuantizer(4, 32, random_state=0).fit(X)
    optimized = OptimizedProductQuantizer(4, 32, n_iter=10, random_state=0).fit(X)
    np.testing.assert_allclose(optimized.rotation_.T @ optimized.rotation_, np.eye(32), atol=1e-5)
    assert error(optimized, X) < 0.8 * error(plain, X)
    start = OptimizedProductQuantizer(4, 32, n_iter=0, random_state=0).fit(X)
    assert error(optimized, X) < error(start, X)


# --- additive quantization ------------------------------------------------------------------------


def test_sums_beat_chunks_at_the_same_code_length():
    X = decaying(3000, 16)
    product = ProductQuantizer(4, 16, random_state=0).fit(X)
    for additive in (
        AdditiveQuantizer(4, 16, n_iter=15, random_state=0).fit(X),
        LocalSearchQuantizer(4, 16, n_iter=15, random_state=0).fit(X),
    ):
        assert error(additive, X) < 0.75 * error(product, X)
        codes = additive.transform(X)
        assert additive.nbytes(codes) > product.nbytes(codes)  # the price


def test_noise_in_training_pays(monkeypatch):
    X, errors = normal(1500, 24), []
    for noise in ((0.0, 0.0), LocalSearchQuantizer._noise):
        monkeypatch.setattr(LocalSearchQuantizer, "_noise", noise)
        quantizer = LocalSearchQuantizer(4, 16, n_iter=20, random_state=0)
        errors.append(error(quantizer.fit(X), X))
    assert errors[1] < 0.99 * errors[0]


def test_additive_quantizers_keep_a_large_mean():
    X = normal(300, 4)
    for quantizer in small_quantizers(16)[3:]:
        assert error(quantizer.fit(X + 1000), X + 1000) < 1.1 * error(quantizer.fit(X), X)


# --- all of them ----------------------------------------------------------------------------------


@all_quantizers
def test_tables_give_products_and_distances_without_decoding(quantizer):
    X, queries = normal(300, 6) + 1, normal(20, 6, seed=1)
    codes = quantizer.fit_transform(X)
    restored = quantizer.inverse_transform(codes)
    products = quantizer.inner_products(queries, codes)
    assert products.shape == (20, 300)
    np.testing.assert_allclose(products, queries @ restored.T, atol=2e-5)
    distances = np.square(queries[:, None] - restored).sum(axis=2)
    np.testing.assert_allclose(quantizer.squared_distances(queries, codes), distances, atol=1e-4)
    as_tensors = quantizer.inner_products(torch.from_numpy(queries), torch.from_numpy(codes))
    assert torch.is_tensor(as_tensors) and np.array_equal(as_tensors.numpy(), products)


@all_quantizers
def test_codes_survive_packing_and_state(quantizer):
    X = normal(100, 6)
    codes = quantizer.fit_transform(X)
    packed, state = quantizer.pack(codes), quantizer.get_state()
    assert all(isinstance(v, int | np.ndarray) for v in state.values())
    other = type(quantizer).from_state(state)
    unpacked = other.unpack(packed, X.shape)
    assert np.array_equal(unpacked, codes) and unpacked.dtype == codes.dtype
    assert np.array_equal(other.inverse_transform(unpacked), quantizer.inverse_transform(codes))
    assert np.array_equal(other.transform(X), codes)
    for shape in ((90, 6), (100, 5), (100,)):
        with pytest.raises(ValueError, match="codes of|cannot have shape"):
            other.unpack(packed, shape)
    held = sum(v.nbytes for v in state.values() if isinstance(v, np.ndarray))
    assert quantizer.nbytes(codes) == len(packed) + held


@all_quantizers
def test_fitting_is_reproducible_and_tensors_come_back_as_tensors(quantizer):
    X = normal(200, 6)
    codes = quantizer.fit_transform(X)
    again = quantizer.fit_transform(torch.from_numpy(X))
    assert torch.is_tensor(again) and np.array_equal(again.numpy(), codes)
    restored = quantizer.inverse_transform(again)
    assert torch.is_tensor(restored) and restored.dtype == torch.float32


@all_quantizers
def test_a_vectors_codes_do_not_depend_on_its_neighbours(quantizer):
    X = normal(200, 6)
    codes = quantizer.fit_transform(X)
    alone = np.concatenate([quantizer.transform(X[i : i + 1]) for i in range(50)])
    assert np.array_equal(alone, codes[:50])


@pytest.mark.parametrize("index", range(5))
@settings(max_examples=15, deadline=None)
@given(
    X=arrays(
        np.float32, st.tuples(st.integers(1, 6), st.just(3)), elements=st.floats(-10, 10, width=32)
    ),
    repeats=st.integers(1, 4),
)
@example(X=np.array([[1e-4, 0, 0], [2, 0, 0], [0, 0, 0], [0, 0, 0]], np.float32), repeats=1)
def test_more_codes_than_distinct_vectors_cost_no_error(index, X, repeats):
    X = np.repeat(X, repeats, axis=0)
    quantizer = small_quantizers(32)[index].fit(X)
    codes = quantizer.transform(X)
    assert codes.min() >= 0 and codes.max() < len(X) <= 32
    # Squared distances are rounded in proportion to the longest vector's square, so of two rows
    # closer than the root of that, either may be taken.
    rounding = np.sqrt(np.finfo(np.float32).eps) * np.abs(X).max()
    np.testing.assert_allclose(quantizer.inverse_transform(codes), X, atol=1e-5 + 4 * rounding)


@pytest.mark.parametrize("index", range(5))
@settings(max_examples=15, deadline=None)
@given(X=arrays(np.int8, st.tuples(st.integers(1, 20), st.just(3)), elements=st.integers(-9, 9)))
def test_more_codes_than_distinct_vectors_keep_vectors_apart(index, X):
    X = X.astype(np.float32)
    quantizer = small_quantizers(32)[index].fit(X)
    restored = quantizer.inverse_transform(quantizer.transform(X))
    np.testing.assert_allclose(restored, X, atol=1e-4)


@all_quantizers
@pytest.mark.parametrize("value", [0.0, -3.0, 1e3])
def test_a_constant_and_a_single_row_come_back(quantizer, value):
    for n in (1, 50):
        X = np.full((n, 4), value, np.float32)
        quantizer.fit(X)
        restored = quantizer.inverse_transform(quantizer.transform(X))
        np.testing.assert_allclose(restored, X, rtol=1e-5, atol=1e-6)


@all_quantizers
@pytest.mark.parametrize(
    "X, problem",
    [
        (np.full((5, 4), np.nan), "NaN"),
        (np.full((5, 4), -np.inf), "infinity"),
        (np.empty((0, 4)), "0 sample"),
        (np.zeros(4), "Expected 2D array"),
    ],
)
def test_bad_vectors_are_named(quantizer, X, problem):
    with pytest.raises(ValueError, match=problem):
        quantizer.fit(X)


@pytest.mark.parametrize(
    "quantizer, problem",
    [
        (ProductQuantizer(5, 4), "n_subspaces=5 chunks need as many features"),
        (ProductQuantizer(0, 4), "n_subspaces must lie in"),
        (VectorQuantizer(0), "n_codes must lie in 1..65536"),
        (VectorQuantizer(1.5), "n_codes must be an integer"),
        (VectorQuantizer(n_iter=-1), "n_iter"),
        (AdditiveQuantizer(0), "n_codebooks"),
        (AdditiveQuantizer(4, 4096), "n_codebooks . n_codes must lie in 1..8192, got 16384"),
        (AdditiveQuantizer(beam_width=0), "beam_width"),
        (LocalSearchQuantizer(n_rounds=-1), "n_rounds"),
    ],
)
def test_bad_parameters_are_named(quantizer, problem):
    with pytest.raises(ValueError, match=problem):
        quantizer.fit(normal(20, 4))


@all_quantizers
def test_bad_codes_are_named(quantizer):
    codes = quantizer.fit_transform(normal(50, 6))
    with pytest.raises(ValueError, match="must lie in 0..3"):
        quantizer.inverse_transform(codes + np.uint8(4))
    with pytest.raises(ValueError, match="shape"):
        quantizer.inverse_transform(codes[:, :0])
    with pytest.raises(ValueError, match="integers"):
        quantizer.inverse_transform(codes.astype(np.float32))


def test_a_fit_of_30000_vectors_stays_under_a_gigabyte():
    """One round of training needs as much memory as many. The whole process counts."""
    script = """
import numpy as np
from utils.efficiency import high_water
from utils.quantization import *
X = np.random.default_rng(0).standard_normal((30_000, 300), dtype=np.float32)
for quantizer in [
    ProductQuantizer(30, 256, n_iter=1),
    OptimizedProductQuantizer(30, 256, n_iter=1),
    LocalSearchQuantizer(8, 256, n_iter=1, n_rounds=1, n_sweeps=1),
]:
    quantizer.fit_transform(X)
    assert high_water() < 1e9, f"{high_water()} bytes after {quantizer}"
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@all_quantizers
def test_a_damaged_state_is_refused(quantizer):
    state = quantizer.fit(normal(50, 6)).get_state()
    array = "codebook_" if "codebook_" in state else "codebooks_"
    damaged = [
        {array: state[array][0]},
        {array: np.repeat(state[array], 20, axis=state[array].ndim - 2)},
        {"n_codes": "4"},
        {"n_codes": 10**9},
    ]
    if array == "codebooks_":
        damaged += [{array: state[array][1:]}]
    if "rotation_" in state:
        damaged += [{"rotation_": state["rotation_"][:2]}]
        without = {name: value for name, value in state.items() if name != "rotation_"}
        with pytest.raises(ValueError, match="rotation"):
            type(quantizer).from_state(without)
    for change in damaged:
        with pytest.raises(ValueError, match="fit|n_codes"):
            type(quantizer).from_state(state | change)
    with pytest.raises(ValueError, match="no .*code.* in the state"):
        type(quantizer).from_state({})


def _clusters(n_clusters=60, per_cluster=20):
    rng = np.random.default_rng(0)
    centres = rng.uniform(-100, 100, (n_clusters, 3))
    X = np.repeat(centres, per_cluster, axis=0) + rng.normal(0, 0.1, (n_clusters * per_cluster, 3))
    return X.astype(np.float32)


def _error(quantizer, X):
    return np.square(quantizer.inverse_transform(quantizer.fit_transform(X)) - X).sum()


def test_separated_clusters_need_a_start_that_is_spread():
    X = _clusters()
    errors = {
        init: np.median(
            [_error(VectorQuantizer(60, init=init, random_state=seed), X) for seed in range(5)]
        )
        for init in ("random", "k-means++")
    }
    scikit = KMeans(60, init="k-means++", n_init=1, random_state=0).fit(X).inertia_
    assert errors["k-means++"] < errors["random"] / 10
    assert errors["k-means++"] < 3 * scikit


def test_a_spread_start_is_drawn_by_squared_distance():
    """Arthur and Vassilvitskii: the second codeword of {0, 1, 3} after 0 is 3 in 9 of 10 draws."""
    X = np.array([[0.0], [1.0], [3.0]], np.float32)
    second = [
        rows[1]
        for seed in range(4000)
        if (rows := spread_rows(X, 2, np.random.RandomState(seed)))[0] == 0
    ]
    assert set(second) == {1, 2}
    assert np.mean(np.array(second) == 2) == pytest.approx(0.9, abs=0.03)


def test_a_spread_start_takes_no_row_twice():
    X = np.arange(40, dtype=np.float32).reshape(20, 2)
    for seed in range(20):
        assert len(set(spread_rows(X, 20, np.random.RandomState(seed)))) == 20


def test_a_start_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="init must be 'random' or 'k-means.*'far'"):
        VectorQuantizer(2, init="far").fit(_clusters(3, 3))
