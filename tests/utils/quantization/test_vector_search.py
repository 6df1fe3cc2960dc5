import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.quantization import ProductQuantizer
from utils.quantization.scalar import shared_values
from utils.quantization.vector import (
    beam_search,
    coordinate_descent,
    greedy_codes,
    kmeans,
    least_squares_codebooks,
    lloyd_step,
    nearest,
    sum_of_codewords,
)


def normal(n=500, d=6, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 300), st.integers(1, 40), st.integers(1, 9), st.floats(-1e4, 1e4))
def test_nearest_is_nearest(n, k, d, offset):
    X, codebook = normal(n, d) + np.float32(offset), normal(k, d, seed=1) + np.float32(offset)
    distances = np.square(X[:, None].astype(np.float64) - codebook).sum(axis=2)
    found = distances[np.arange(n), nearest(X, codebook)]
    assert np.all(found <= distances.min(axis=1) + 1e-4 * (1 + abs(offset)))


def test_lloyd_step_by_hand():
    X = np.array([[0.0, 0], [2, 0], [10, 0], [14, 0]], np.float32)
    codebook = np.array([[1.0, 1], [11, 1], [99, 99]], np.float32)
    codes = nearest(X, codebook)
    assert codes.tolist() == [0, 0, 1, 1]
    moved = lloyd_step(X, codebook, codes)
    assert moved[:2].tolist() == [[1, 0], [12, 0]]
    assert moved[2].tolist() == [14, 0]  # an empty cluster goes where the error is largest


def test_kmeans_finds_separated_clusters():
    centres = np.array([[0, 0], [20, 0], [0, 20], [20, 20]], np.float32)
    labels = np.random.default_rng(0).integers(0, 4, 400)
    X = centres[labels] + normal(400, 2)
    best = min(
        np.square(X - codebook[codes]).sum()
        for codebook, codes in (kmeans(X, 4, 20, np.random.RandomState(seed)) for seed in range(10))
    )
    assert best < 1.02 * sum(
        len(X[labels == c]) * X[labels == c].var(axis=0).sum() for c in range(4)
    )


def test_least_squares_codebooks_leave_no_correlation():
    X, codes = normal(400, 5), np.random.default_rng(1).integers(0, 6, (400, 3))
    codebooks = least_squares_codebooks(X, codes, 6)
    residual = X - sum_of_codewords(codebooks, codes)
    for m in range(3):  # at the optimum the residuals of every codeword add up to zero
        for k in range(6):
            assert np.abs(residual[codes[:, m] == k].sum(axis=0)).max() < 1e-2
    other = codebooks + 0.01 * normal(3 * 6, 5, seed=2).reshape(3, 6, 5)
    assert np.square(residual).sum() < np.square(X - sum_of_codewords(other, codes)).sum()


def all_codes(n_books, n_codes):
    return np.stack(np.meshgrid(*[np.arange(n_codes)] * n_books, indexing="ij"), -1).reshape(
        -1, n_books
    )


@pytest.fixture(scope="module")
def exhaustive():
    """Vectors, codebooks, and the least squared error over all 4**4 sums."""
    X, codebooks = normal(60, 8), 0.5 * normal(16, 8, seed=1).reshape(4, 4, 8)
    sums = sum_of_codewords(codebooks, all_codes(4, 4))
    return X, codebooks, np.square(X[:, None] - sums).sum(axis=2).min(axis=1)


def squared(X, codebooks, codes):
    return np.square(X - sum_of_codewords(codebooks, codes)).sum(axis=1)


def test_a_wide_beam_finds_the_best_sum(exhaustive):
    X, codebooks, least = exhaustive
    np.testing.assert_allclose(
        squared(X, codebooks, beam_search(X, codebooks, 256)), least, rtol=1e-4
    )
    means = [squared(X, codebooks, beam_search(X, codebooks, w)).mean() for w in (1, 4, 16)]
    assert means[0] > means[1] >= means[2] >= least.mean() * (1 - 1e-5)


def test_a_beam_of_one_takes_what_helps_most_each_time(exhaustive):
    X, codebooks, _ = exhaustive
    expected = np.empty((len(X), 4), int)
    for rest, codes in zip(X.copy(), expected, strict=True):
        left = set(range(4))
        while left:
            errors = np.square(rest - codebooks).sum(axis=2)
            best = min(left, key=lambda m: errors[m].min())
            codes[best] = errors[best].argmin()
            rest -= codebooks[best, codes[best]]
            left.remove(best)
    np.testing.assert_array_equal(beam_search(X, codebooks, 1), expected)


def test_a_beam_keeps_every_sum_once():
    """Of 3 codebooks with 2 codewords there are 12 sums of two, and each is reached twice."""
    X, codebooks = normal(500, 8), normal(6, 8, seed=1).reshape(3, 2, 8)
    least = (
        np.square(X[:, None] - sum_of_codewords(codebooks, all_codes(3, 2))).sum(axis=2).min(axis=1)
    )
    np.testing.assert_allclose(
        squared(X, codebooks, beam_search(X, codebooks, 12)), least, rtol=1e-4
    )


def test_greedy_codes_name_the_nearest_codeword_to_what_is_left():
    left, codebooks = normal(50, 4), normal(12, 4, seed=1).reshape(3, 4, 4)
    codes = greedy_codes(left, codebooks)
    for chosen, codebook in zip(codes.T, codebooks, strict=True):
        distances = np.square(left[:, None] - codebook).sum(axis=2)
        np.testing.assert_array_equal(chosen, distances.argmin(axis=1))
        left = left - codebook[chosen]


def test_local_search_never_makes_a_vector_worse_and_nearly_finds_the_best(exhaustive):
    X, codebooks, least = exhaustive
    start = greedy_codes(X, codebooks)
    before, after = squared(X, codebooks, start), None
    for rounds in (0, 1, 50):
        found = coordinate_descent(
            X, codebooks, start, rounds=rounds, sweeps=3, rng=np.random.RandomState(0)
        )
        after = squared(X, codebooks, found)
        assert np.all(after <= before * (1 + 1e-5))
        if rounds == 0:
            assert np.array_equal(found, start)
    assert after.mean() < 1.01 * least.mean() < before.mean()


@pytest.mark.parametrize("n_codes", [1, 2, 8])
def test_rows_of_one_number_get_the_best_codewords_whatever_the_start(n_codes):
    X = np.random.default_rng(0).laplace(size=(400, 3)).astype(np.float32)
    quantizers = [
        ProductQuantizer(3, n_codes, n_iter=n_iter, random_state=seed).fit(X)
        for seed, n_iter in ((0, 1), (1, 20))
    ]
    best = np.stack([shared_values(column, n_codes) for column in X.T], axis=1)
    for quantizer in quantizers:
        np.testing.assert_array_equal(quantizer.codebook_, best)
    restored = quantizers[0].inverse_transform(quantizers[0].transform(X))
    nearest_of_all = np.abs(X[..., None] - best.T[None]).min(axis=2)
    np.testing.assert_allclose(np.abs(restored - X), nearest_of_all, atol=1e-6)


def test_few_numbers_fill_the_codebook_of_rows_of_one_number():
    X = np.array([[2.0], [5.0], [2.0]], np.float32)
    codebook, codes = kmeans(X, 4, 20, np.random.RandomState(0))
    assert codebook.shape == (4, 1) and set(codebook.ravel()) == {2.0, 5.0}
    np.testing.assert_array_equal(codebook[codes], X)
