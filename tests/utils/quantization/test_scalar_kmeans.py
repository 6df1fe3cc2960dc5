import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from utils.quantization import KMeansQuantizer
from utils.quantization.scalar import bucketize, shared_values

few_examples = settings(max_examples=25, deadline=None)


def exact_error(X, n_codes):
    """Least squared error over all ways to cut the sorted values into n_codes intervals."""
    X, best = np.sort(X).astype(np.float64), np.inf
    for cuts in itertools.combinations(range(1, len(X)), n_codes - 1):
        best = min(best, sum(part.var() * len(part) for part in np.split(X, cuts)))
    return best


@few_examples
@given(
    arrays(np.float32, st.integers(6, 14), elements=st.floats(-100, 100, width=32), unique=True),
    st.integers(1, 2),
)
def test_kmeans_finds_the_optimum_of_a_few_values(X, bits):
    quantizer = KMeansQuantizer(bits)
    restored = quantizer.inverse_transform(quantizer.fit_transform(X)).astype(np.float64)
    assert np.square(restored - X).sum() <= exact_error(X, 2**bits) * (1 + 1e-5) + 1e-8


def test_kmeans_is_within_a_percent_of_dynamic_programming():
    """On 900 values the optimum can still be computed exactly: O(k n^2) dynamic programming."""
    rng = np.random.default_rng(1)
    X = np.sort(np.concatenate([rng.laplace(size=600), rng.normal(6, 0.1, 300)]))
    X = X.astype(np.float32).astype(np.float64)
    n, sums = len(X), np.r_[0, np.cumsum(X)]
    size = np.arange(n + 1)[None, :] - np.arange(n + 1)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(size > 0, (sums[None, :] - sums[:, None]) ** 2 / size, -np.inf)
    best = gain[0]
    for _ in range(31):
        best = (best[:, None] + gain).max(axis=0)
    exact = np.square(X).sum() - best[n]
    quantizer = KMeansQuantizer(5)
    restored = quantizer.inverse_transform(quantizer.fit_transform(X))
    assert exact <= np.square(restored - X).sum() * (1 + 1e-6)
    assert np.square(restored - X).sum() <= 1.01 * exact


@pytest.mark.parametrize("outlier", [1e2, 1e9])
def test_kmeans_survives_far_outliers(outlier):
    X = np.random.default_rng(0).normal(size=20_000).astype(np.float32)
    quantizer = KMeansQuantizer(6).fit(np.append(X, np.float32(outlier)))
    assert quantizer.inverse_transform(quantizer.transform(X)).max() < 10
    restored = quantizer.inverse_transform(quantizer.transform(X))
    alone = KMeansQuantizer(6).fit(X)
    least = np.square(alone.inverse_transform(alone.transform(X)) - X).mean()
    assert np.square(restored - X).mean() < 1.05 * least  # one of 64 codes goes to the outlier


def test_kmeans_encodes_to_the_nearest_value():
    X = np.random.default_rng(0).normal(size=5000).astype(np.float32)
    quantizer = KMeansQuantizer(4).fit(X)
    nearest = np.abs(X[:, None] - quantizer.codebook_).argmin(axis=1)
    assert np.array_equal(quantizer.transform(X), nearest)


@few_examples
@given(
    arrays(np.float32, st.integers(0, 40), elements=st.floats(width=32, allow_nan=False)),
    arrays(np.float32, st.integers(0, 300), elements=st.floats(width=32, allow_nan=False)),
)
def test_bucketize_equals_searchsorted(thresholds, X):
    thresholds = np.sort(thresholds[np.isfinite(thresholds)])
    X = np.r_[X[np.isfinite(X)], thresholds]
    assert np.array_equal(bucketize(X, thresholds), np.searchsorted(thresholds, X, side="right"))


def test_bucketize_equals_searchsorted_with_thresholds_in_one_cell():
    X = np.random.default_rng(0).normal(size=100_000).astype(np.float32)
    for thresholds in (np.r_[np.sort(X[:300]), np.float32(1e6)], np.sort(X[:255])):
        expected = np.searchsorted(thresholds, X, side="right")
        assert np.array_equal(bucketize(X, thresholds), expected)


def test_shared_values_of_one_code_is_the_mean():
    X = np.random.default_rng(0).normal(5, size=1000).astype(np.float32)
    np.testing.assert_allclose(shared_values(X, 1), [X.mean()], rtol=1e-6)
