import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sklearn.utils.estimator_checks import parametrize_with_checks

from utils.quantization import (
    AffineQuantizer,
    KMeansQuantizer,
    PercentileQuantizer,
    PowersOfTwoQuantizer,
    TernaryQuantizer,
)

ANY_SHAPE = "a bias is one-dimensional: single numbers are quantized in arrays of any shape"
EXPECTED = {"check_fit1d": ANY_SHAPE, "check_fit2d_predict1d": ANY_SHAPE}


@parametrize_with_checks(
    [
        AffineQuantizer(),
        PercentileQuantizer(),
        KMeansQuantizer(),
        PowersOfTwoQuantizer(),
        TernaryQuantizer(),
    ],
    expected_failed_checks=lambda estimator: EXPECTED,
)
def test_is_a_scikit_learn_transformer(estimator, check):
    check(estimator)


few_examples = settings(max_examples=25, deadline=None)
weights = arrays(
    np.float32,
    array_shapes(max_dims=3, max_side=12),
    elements=st.floats(-1e6, 1e6, width=32),
)
all_quantizers = pytest.mark.parametrize(
    "make",
    [
        AffineQuantizer,
        lambda bits, **options: AffineQuantizer(bits, symmetric=False, **options),
        lambda bits, **options: AffineQuantizer(bits, calibration="mse", **options),
        PercentileQuantizer,
        KMeansQuantizer,
    ],
    ids=["symmetric", "asymmetric", "mse", "percentile", "kmeans"],
)


def rel_error(quantizer, X):
    restored = quantizer.inverse_transform(quantizer.fit_transform(X)).astype(np.float64)
    return np.square(restored - X).mean() / np.var(X, dtype=np.float64)


# --- AffineQuantizer ------------------------------------------------------------------------------


@few_examples
@given(weights, st.integers(2, 10), st.booleans(), st.sampled_from(["tensor", "channel"]))
def test_affine_error_is_at_most_half_a_step_inside_the_range(X, bits, symmetric, granularity):
    quantizer = AffineQuantizer(bits, symmetric=symmetric, granularity=granularity)
    codes = quantizer.fit_transform(X)
    error = np.abs(quantizer.inverse_transform(codes).astype(np.float64) - X)
    step = quantizer.scale_.astype(np.float64)
    step = step.reshape(-1, *[1] * (X.ndim - 1)) if granularity == "channel" else step
    rounding = 1e-6 * np.abs(X)  # of float32
    assert np.all(error <= step / 2 + rounding)


@few_examples
@given(weights, weights, st.integers(2, 10), st.booleans(), st.floats(50, 100))
def test_affine_values_outside_the_range_clip_to_its_ends(fitted, X, bits, symmetric, percentile):
    quantizer = AffineQuantizer(
        bits, symmetric=symmetric, calibration="percentile", percentile=percentile
    ).fit(fitted.ravel())
    codes = quantizer.transform(X.ravel())
    low = -(2 ** (bits - 1) - 1) if symmetric else 0
    high = 2 ** (bits - 1) - 1 if symmetric else 2**bits - 1
    assert low <= codes.min() and codes.max() <= high
    ends = np.sort(quantizer.inverse_transform(np.array([low, high])))
    restored = quantizer.inverse_transform(codes)
    assert ends[0] <= restored.min() and restored.max() <= ends[1]
    inside = (X.ravel() >= ends[0]) & (X.ravel() <= ends[1])
    error = np.abs(restored.astype(np.float64) - X.ravel())[inside]
    assert np.all(error <= quantizer.scale_ / 2 + 1e-6 * np.abs(X.ravel()[inside]))


def test_affine_by_hand():
    asymmetric = AffineQuantizer(2, symmetric=False)
    codes = asymmetric.fit_transform(np.array([-1.0, 0.0, 0.9, 2.0]))
    assert (asymmetric.scale_, asymmetric.zero_point_) == (1.0, 1)
    assert codes.tolist() == [0, 1, 2, 3] and codes.dtype == np.uint8
    assert asymmetric.inverse_transform(codes).tolist() == [-1.0, 0.0, 1.0, 2.0]

    symmetric = AffineQuantizer(3)
    codes = symmetric.fit_transform(np.array([-6.0, -1.5, 0.0, 3.0]))
    assert symmetric.scale_ == 2.0 and not hasattr(symmetric, "zero_point_")
    assert codes.tolist() == [-3, -1, 0, 2] and codes.dtype == np.int8  # -0.75 and 1.5 round


@pytest.mark.parametrize("calibration", ["minmax", "percentile", "mse"])
def test_affine_range_always_holds_zero(calibration):
    X = np.array([5.0, 6.0, 7.0])
    quantizer = AffineQuantizer(8, symmetric=False, calibration=calibration).fit(X)
    zero = quantizer.transform(np.zeros(1))
    assert quantizer.inverse_transform(zero).tolist() == [0.0]
    assert quantizer.zero_point_ == 0


def test_percentile_calibration_cuts_both_tails_or_the_tail_of_the_absolute_values():
    X = np.arange(-100, 301, dtype=np.float32)  # 401 values
    symmetric = AffineQuantizer(8, calibration="percentile", percentile=99).fit(X)
    assert symmetric.scale_ * 127 == pytest.approx(np.percentile(np.abs(X), 99), rel=1e-6)
    asymmetric = AffineQuantizer(8, symmetric=False, calibration="percentile", percentile=99).fit(X)
    low, high = np.percentile(X, [0.5, 99.5])
    assert asymmetric.scale_ * 255 == pytest.approx(high - low, rel=1e-6)
    assert asymmetric.zero_point_ == round(-low / (high - low) * 255)


@pytest.mark.parametrize("symmetric", [True, False])
def test_searched_calibrations_beat_the_fixed_ones_with_outliers(symmetric):
    rng = np.random.default_rng(0)
    X = np.append(rng.laplace(size=20_000), [80.0, -30.0]).astype(np.float32)

    def error(**options):
        return rel_error(AffineQuantizer(4, symmetric=symmetric, **options), X)

    fixed = error(), error(calibration="percentile", percentile=99)
    best_percentile = error(calibration="percentile", percentile="best")
    mse = error(calibration="mse")
    assert mse <= 1.02 * best_percentile and best_percentile <= min(fixed)
    assert mse < 0.25 * error()


def test_one_scale_a_channel_serves_channels_of_different_size():
    X = np.random.default_rng(0).normal(size=(3, 500)) * np.array([[0.01], [1.0], [100.0]])
    whole, rows = AffineQuantizer(8), AffineQuantizer(8, granularity="channel")
    columns = AffineQuantizer(8, granularity="channel", axis=1)
    for X_axis, quantizer in ((X, rows), (X.T, columns)):
        restored = quantizer.inverse_transform(quantizer.fit_transform(X_axis))
        assert quantizer.scale_.shape == (3,)
        error = np.square(restored - X_axis).mean(axis=quantizer.axis - 1)
        assert np.all(error < 3e-4 * np.square(X_axis).mean(axis=quantizer.axis - 1))
    assert np.all(whole.fit_transform(X)[0] == 0)  # the small channel is lost
    assert rows.nbytes(rows.transform(X)) == 1500 + 3 * 4
    with pytest.raises(ValueError, match="3 channels along axis 0"):
        rows.transform(X[:2])


# --- PercentileQuantizer --------------------------------------------------------------------------


def test_percentile_codes_are_used_equally_often_and_decode_to_the_mean():
    X = np.random.default_rng(0).normal(size=10_000).astype(np.float32)
    quantizer = PercentileQuantizer(4)
    codes = quantizer.fit_transform(X)
    counts = np.bincount(codes)
    assert len(counts) == 16 and counts.min() >= 624 and counts.max() <= 626
    means = [X[codes == code].mean() for code in range(16)]
    np.testing.assert_allclose(quantizer.codebook_, means, rtol=1e-4)
    # published for a million normal values and 8 bits: 7.5e-4, against 5.6e-3 for bin middles
    X = np.random.default_rng(0).normal(size=1_000_000).astype(np.float32)
    assert rel_error(PercentileQuantizer(8), X) == pytest.approx(7.5e-4, rel=0.05)


def test_percentile_grid_loses_to_kmeans_in_the_tails():
    X = np.random.default_rng(0).normal(size=50_000).astype(np.float32)
    percentile, kmeans = PercentileQuantizer(4).fit(X), KMeansQuantizer(4).fit(X)
    squared = [
        np.square(q.inverse_transform(q.transform(X)) - X, dtype=np.float64)
        for q in (percentile, kmeans)
    ]
    tails = np.abs(X) > 2
    assert squared[0][tails].mean() > 3 * squared[1][tails].mean()
    assert squared[0][~tails].mean() < 2 * squared[1][~tails].mean()


def test_percentile_grid_of_many_equal_values_has_few_codes():
    X = np.array([0.0] * 90 + [1.0, 2.0, 3.0, 4.0, 5.0] * 2)
    quantizer = PercentileQuantizer(4).fit(X)
    assert quantizer.thresholds_.tolist() == [2.0]  # 14 of the 15 percentiles are zero
    np.testing.assert_allclose(quantizer.codebook_, [2 / 92, 3.5])
    assert quantizer.transform(np.array([0.0, 1.9, 2.0])).tolist() == [0, 0, 1]


@pytest.mark.filterwarnings("error")
def test_percentile_grid_works_above_2_to_the_24_elements():
    X = np.arange(2**24 + 1_000, dtype=np.float32)  # torch.quantile refuses so many
    quantizer = PercentileQuantizer(2).fit(X)
    codes = quantizer.transform(X[:: 2**20])
    assert np.bincount(codes).tolist() == [5, 4, 4, 4]


# --- KMeansQuantizer ------------------------------------------------------------------------------


def test_better_grids_order_as_they_should():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.laplace(0, 0.05, 20_000), rng.normal(0, 0.1, 20_000)])
    kmeans, uniform, percentile = (
        rel_error(q, X) for q in (KMeansQuantizer(5), AffineQuantizer(5), PercentileQuantizer(5))
    )
    assert kmeans < 0.5 * uniform < uniform and kmeans < 0.5 * percentile


# --- all of them ----------------------------------------------------------------------------------


@all_quantizers
@few_examples
@given(X=weights, bits=st.integers(2, 9))
def test_codes_survive_packing_and_state(make, X, bits):
    quantizer = make(bits)
    codes = quantizer.fit_transform(X)
    restored = quantizer.inverse_transform(codes)
    assert codes.shape == X.shape and codes.dtype.kind in "iu"
    assert restored.shape == X.shape and restored.dtype == np.float32
    for entropy_coding in (False, True):
        quantizer.entropy_coding = entropy_coding
        packed, state = quantizer.pack(codes), quantizer.get_state()
        other = type(quantizer).from_state(state)
        unpacked = other.unpack(packed, X.shape)
        assert np.array_equal(unpacked, codes) and unpacked.dtype == codes.dtype
        assert np.array_equal(other.inverse_transform(unpacked), restored)
        arrays = sum(
            value.nbytes for value in state.values() if isinstance(value, np.generic | np.ndarray)
        )
        assert quantizer.nbytes(codes) == packed.nbytes + arrays
    quantizer.entropy_coding = False
    assert len(quantizer.pack(codes)) == -(-X.size * bits // 8)


@all_quantizers
@pytest.mark.parametrize("value", [0.0, 3.0, -3.0, 1e-40, 1e30])
def test_a_constant_comes_back(make, value):
    X = np.full((4, 3), value, np.float32)
    quantizer = make(4)
    restored = quantizer.inverse_transform(quantizer.fit_transform(X))
    np.testing.assert_allclose(restored, X, rtol=1e-6, atol=1e-38)


@all_quantizers
def test_a_single_row_comes_back_within_half_a_step(make):
    X = np.array([[-1.0, 0.5, 1.0]], np.float32)
    quantizer = make(6)
    restored = quantizer.inverse_transform(quantizer.fit_transform(X))
    assert np.abs(restored - X).max() <= 2.1 / 63 / 2 + 1e-6


@pytest.mark.parametrize("make", [PercentileQuantizer, KMeansQuantizer])
@few_examples
@given(X=arrays(np.float32, st.integers(1, 16), elements=st.floats(-1e6, 1e6, width=32)))
def test_more_codes_than_distinct_values_cost_no_error(make, X):
    X = np.repeat(X, 3)
    quantizer = make(8)
    restored = quantizer.inverse_transform(quantizer.fit_transform(X))
    np.testing.assert_allclose(restored, X, rtol=1e-6)
    assert len(quantizer.codebook_) == len(np.unique(X))


@all_quantizers
@pytest.mark.parametrize(
    "X, problem",
    [
        ([[1.0, np.nan]], "NaN"),
        ([[1.0, np.inf]], "infinity"),
        ([[1.0, 1e300]], "too large for dtype"),
        (np.empty((0, 3)), "0 sample"),
        (np.empty(0), "0 sample"),
        (torch.tensor([1.0, float("nan")]), "NaN"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_bad_values_are_named(make, X, problem):
    with pytest.raises(ValueError, match=problem):
        make(4).fit(X)


@pytest.mark.parametrize(
    "quantizer, problem",
    [
        (AffineQuantizer(0), "bits must lie in 1..16, got 0"),
        (AffineQuantizer(17), "bits must lie"),
        (AffineQuantizer(4.0), "bits must be an integer"),
        (AffineQuantizer(1), "bits of a symmetric grid must lie in 2..16"),
        (AffineQuantizer(granularity="row"), "granularity"),
        (AffineQuantizer(granularity="channel", axis=2), "axis 2 does not exist"),
        (AffineQuantizer(calibration="entropy"), "calibration"),
        (AffineQuantizer(calibration="percentile", percentile=0.99), "50..100"),
        (AffineQuantizer(14, entropy_coding=True), "bits must lie in 1..12"),
        (KMeansQuantizer(13), "1..12"),
        (PercentileQuantizer(-1), "1..16"),
    ],
)
def test_bad_parameters_are_named(quantizer, problem):
    with pytest.raises(ValueError, match=problem):
        quantizer.fit(np.eye(3))


@all_quantizers
def test_bad_codes_are_named(make):
    quantizer = make(4).fit(np.random.default_rng(0).normal(size=(100, 3)))
    with pytest.raises(ValueError, match="codes must lie in"):
        quantizer.inverse_transform(np.array([16]))
    with pytest.raises(ValueError, match="codes must lie in"):
        quantizer.inverse_transform(np.array([-9]))
    with pytest.raises(ValueError, match="must be integers"):
        quantizer.inverse_transform(np.array([0.5]))


@all_quantizers
def test_tensors_in_tensors_out(make):
    X = torch.randn(7, 5, requires_grad=True)
    for tensor in (X, X.half(), X.bfloat16()):
        quantizer = make(4)
        codes = quantizer.fit_transform(tensor)
        restored = quantizer.inverse_transform(codes)
        assert torch.is_tensor(codes) and torch.is_tensor(restored)
        assert restored.shape == X.shape and restored.dtype == torch.float32
        expected = make(4).fit_transform(tensor.detach().float().numpy())
        assert np.array_equal(codes.numpy(), expected)
    with pytest.raises(ValueError, match="CPU"):
        make(4).fit(torch.empty(2, 2, device="meta"))


def test_sixteen_bits_come_back():
    X = torch.linspace(-1, 1, 5001)
    for quantizer in (AffineQuantizer(16), AffineQuantizer(16, symmetric=False)):
        codes = quantizer.fit_transform(X)
        assert (quantizer.inverse_transform(codes) - X).abs().max() < 1.6e-5
        assert quantizer.nbytes(codes) <= 2 * 5001 + 6


def test_entropy_coding_approaches_the_entropy():
    rng = np.random.default_rng(0)
    X = rng.laplace(size=200_000).astype(np.float32)
    plain, coded = AffineQuantizer(8), AffineQuantizer(8, entropy_coding=True)
    codes = plain.fit_transform(X)
    p = np.unique(codes, return_counts=True)[1] / codes.size
    ideal = -(p * np.log2(p)).sum() * codes.size / 8
    assert plain.nbytes(codes) == 200_004
    assert ideal < coded.fit(X).nbytes(codes) < 1.01 * ideal


# --- states ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "quantizer, change, problem",
    [
        (AffineQuantizer(), {"scale_": np.ones(3, np.float32)}, "do not fit"),
        (AffineQuantizer(), {"scale_": np.ones((), np.float32)}, "do not fit"),
        (AffineQuantizer(), {"zero_point_": np.zeros(1, np.uint8)}, "do not fit"),
        (AffineQuantizer(symmetric=False), {"symmetric": True}, "do not fit"),
        (AffineQuantizer(granularity="channel"), {"granularity": "tensor"}, "do not fit"),
        (AffineQuantizer(), {"bits": 40}, "bits must lie"),
        (AffineQuantizer(), {"axis": "0"}, "axis must be an integer"),
        (
            AffineQuantizer(symmetric=False, granularity="channel"),
            {"zero_point_": np.zeros(2, np.uint8)},
            "do not fit",
        ),
        (KMeansQuantizer(), {"codebook_": np.zeros(17, np.float32)}, "does not fit"),
        (PercentileQuantizer(), {"codebook_": np.zeros((2, 2), np.float32)}, "does not fit"),
        (KMeansQuantizer(), {"bits": 2.0}, "bits must be an integer"),
    ],
)
def test_a_damaged_state_is_refused(quantizer, change, problem):
    state = quantizer.fit(np.random.default_rng(0).normal(size=(5, 40))).get_state()
    with pytest.raises(ValueError, match=problem):
        type(quantizer).from_state(state | change)
    with pytest.raises(ValueError, match="in the state of"):
        type(quantizer).from_state({name: v for name, v in state.items() if name != "bits"})


def test_a_percentile_grid_from_its_state_decodes_but_does_not_encode():
    X = np.random.default_rng(0).normal(size=300)
    quantizer = PercentileQuantizer(3).fit(X)
    other = PercentileQuantizer.from_state(quantizer.get_state())
    codes = quantizer.transform(X)
    assert np.array_equal(other.inverse_transform(codes), quantizer.inverse_transform(codes))
    with pytest.raises(ValueError, match="can decode but not encode"):
        other.transform(X)


@all_quantizers
def test_a_single_number_is_no_list_of_numbers(make):
    for number in (np.float32(3), np.array(3.0), torch.tensor(3.0), 3.0):
        with pytest.raises(ValueError, match="wants a list of numbers, not one"):
            make(4).fit(number)
        with pytest.raises(ValueError, match="wants a list of numbers, not one"):
            make(4).encode(number)
    fitted = make(4).fit([0.0, 1.0])
    with pytest.raises(ValueError, match="wants a list of numbers, not one"):
        fitted.transform(1.0)
    with pytest.raises(ValueError, match="wants a list of codes, not one"):
        fitted.inverse_transform(np.uint8(1))


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("calibration", ["minmax", "percentile", "mse"])
@pytest.mark.parametrize("largest", [1e38, 3.2e38, 3.4e38])
def test_a_grid_decodes_to_finite_numbers_or_is_refused(symmetric, calibration, largest):
    X = np.linspace(-largest, largest, 101).astype(np.float32)
    quantizer = AffineQuantizer(symmetric=symmetric, calibration=calibration)
    try:
        restored = quantizer.inverse_transform(quantizer.fit_transform(X))
    except ValueError as error:
        assert "too wide a range" in str(error) and not (symmetric and calibration == "minmax")
    else:
        assert np.isfinite(restored).all()
