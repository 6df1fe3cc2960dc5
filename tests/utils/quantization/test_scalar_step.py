"""An even grid with a step in standard deviations, no range, and entropy-coded codes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sklearn.utils.estimator_checks import parametrize_with_checks

from utils.codecs import decode, encode
from utils.quantization import AffineQuantizer, KMeansQuantizer, entropy, quantize_network

ANY_SHAPE = "a bias is one-dimensional: single numbers are quantized in arrays of any shape"
weights = arrays(
    np.float32,
    array_shapes(max_dims=3, max_side=12),
    elements=st.floats(-1e6, 1e6, width=32),
)
steps = st.floats(0.05, 3)


def stepped(step=0.5, **options):
    return AffineQuantizer(step=step, entropy_coding=True, **options)


def relative_error(quantizer, X):
    return np.square(quantizer.inverse_transform(quantizer.fit_transform(X)) - X).mean() / X.var()


@parametrize_with_checks(
    [stepped()],
    expected_failed_checks=lambda estimator: dict.fromkeys(
        ("check_fit1d", "check_fit2d_predict1d"), ANY_SHAPE
    ),
)
def test_is_a_scikit_learn_transformer(estimator, check):
    check(estimator)


def test_by_hand():
    X = np.array([-2.0, -0.6, 0.4, 2.2, 40.0])
    quantizer = stepped(step=0.1)  # the standard deviation is 16.03
    codes = quantizer.fit_transform(X)
    assert quantizer.scale_ == pytest.approx([0.1 * X.std()])
    assert codes.tolist() == [-1, 0, 0, 1, 25] and codes.dtype == np.int16  # far beyond 8 bits' 127
    packed = quantizer.pack(codes)
    assert packed[:4].view("<i2").tolist() == [-1, 25]
    # the ends, 2 bytes for each code from -1 to 25, one state, the codes, and the scale
    assert quantizer.nbytes(codes) == packed.nbytes + 4 and 4 + 27 * 2 + 4 <= packed.nbytes


@settings(max_examples=40, deadline=None)
@given(weights, steps, st.sampled_from(["tensor", "channel"]))
def test_no_value_is_clipped_and_all_survive_packing_and_state(X, step, granularity):
    quantizer = stepped(step, granularity=granularity)
    codes = quantizer.fit_transform(X)
    restored = quantizer.inverse_transform(codes)
    scale = quantizer.scale_.astype(np.float64)
    scale = scale.reshape(-1, *[1] * (X.ndim - 1)) if granularity == "channel" else scale
    assert np.all(np.abs(restored.astype(np.float64) - X) <= scale / 2 + 1e-6 * np.abs(X))
    packed = quantizer.pack(codes)
    other = AffineQuantizer.from_state(quantizer.get_state())
    unpacked = other.unpack(packed, X.shape)
    assert np.array_equal(unpacked, codes) and unpacked.dtype == codes.dtype
    assert np.array_equal(other.inverse_transform(unpacked), restored)


def test_the_step_is_in_deviations_of_the_tensor_or_of_each_channel():
    X = np.random.default_rng(0).normal(5, 1, (3, 400)) * np.array([[0.01], [1], [100]])
    X = X.astype(np.float32)
    np.testing.assert_allclose(stepped(0.3).fit(X).scale_, [0.3 * X.std()], rtol=1e-5)
    rows = stepped(0.3, granularity="channel").fit(X)
    np.testing.assert_allclose(rows.scale_, 0.3 * X.std(axis=1), rtol=1e-5)
    columns = stepped(0.3, granularity="channel", axis=1).fit(X)
    np.testing.assert_allclose(columns.scale_, 0.3 * X.std(axis=0), rtol=1e-5)


@pytest.mark.parametrize(("draw", "bits"), [("laplace", 2), ("normal", 3), ("normal", 4)])
def test_at_the_same_error_it_takes_fewer_bytes_than_kmeans(draw, bits):
    """Gish and Pierce (1968): at equal entropy equal steps have the least error, if they are small; on
    a bell curve they cost 0.254 bits more than the bound of rate and distortion."""
    X = getattr(np.random.default_rng(0), draw)(size=100_000).astype(np.float32)
    kmeans = KMeansQuantizer(bits, entropy_coding=True)
    target, taken = relative_error(kmeans, X), kmeans.nbytes(kmeans.transform(X))
    tried = [stepped(step) for step in np.geomspace(2, 0.2, 60)]
    enough = next(quantizer for quantizer in tried if relative_error(quantizer, X) <= target)
    codes = enough.transform(X)
    assert enough.nbytes(codes) < taken
    if draw == "normal":
        bound = -np.log2(relative_error(enough, X)) / 2
        assert entropy(codes) == pytest.approx(bound + 0.254, abs=0.03)


def test_a_file_names_the_step_and_other_files_do_not_change():
    X = np.random.default_rng(0).laplace(size=(20, 9)).astype(np.float32)
    name, config, parts = encode(stepped(0.25), X)
    assert (name, config) == ("AffineQuantizer", [8, True, "tensor", 0, True, 0.25])
    assert [part.dtype for part in parts] == [np.uint8, np.float32] and parts[1].shape == (1,)
    back = decode(name, config, parts, X.shape)
    np.testing.assert_array_equal(back, np.rint(X / parts[1]) * parts[1])
    assert encode(AffineQuantizer(4), X)[1] == [4, True, "tensor", 0, False]
    assert "step" not in AffineQuantizer(4).fit(X).get_state()


@pytest.mark.parametrize(
    "wrong",
    [None, True, "0.5", [], -1, 0, float("nan"), float("inf"), 1 << 40, 100.1],
    ids=str,
)
def test_a_step_that_is_none_is_refused_before_fitting_and_on_reading(wrong):
    X = np.random.default_rng(0).normal(size=50).astype(np.float32)
    if wrong is not None:
        with pytest.raises(ValueError, match="step must"):
            stepped(wrong).fit(X)
    name, config, parts = encode(stepped(), X)
    with pytest.raises(ValueError, match=r"step must|None is left out"):
        decode(name, [*config[:5], wrong], parts, X.shape)
    with pytest.raises(ValueError):
        decode(name, [*config, wrong], parts, X.shape)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"entropy_coding": False}, "set entropy_coding=True"),
        ({"symmetric": False}, "leaves no range to choose"),
        ({"calibration": "mse"}, "leaves no range to choose"),
        ({"granularity": "row"}, "granularity"),
    ],
)
def test_options_that_do_not_go_with_a_step_are_refused(options, problem):
    with pytest.raises(ValueError, match=problem):
        AffineQuantizer(**{"step": 0.5, "entropy_coding": True} | options).fit(np.eye(3))


def test_a_hostile_stream_is_refused():
    X = np.random.default_rng(0).normal(size=3000).astype(np.float32)
    quantizer = stepped(0.2)
    packed = quantizer.pack(quantizer.fit_transform(X))

    def with_ends(low, high):
        return np.concatenate([np.array([low, high], "<i2").view(np.uint8), packed[4:]])

    low, high = packed[:4].view("<i2").tolist()
    assert np.array_equal(quantizer.unpack(with_ends(low, high), X.shape), quantizer.transform(X))
    for wrong in ((high, low), (-4096, high), (low, 4096), (-32768, 32767)):
        with pytest.raises(ValueError, match="are corrupt"):
            quantizer.unpack(with_ends(*wrong), X.shape)
    for wrong in (packed[:3], packed[:4], packed[:-2], with_ends(-4095, 4095), packed[:0]):
        with pytest.raises(ValueError, match=r"truncated|corrupt"):
            quantizer.unpack(wrong, X.shape)


@pytest.mark.parametrize("value", [0.0, 3.0, -3.0, 0.1, 1e-40, 1e30])
def test_a_constant_comes_back(value):
    X = np.full((4, 3), value, np.float32)
    for quantizer in (stepped(), stepped(granularity="channel")):
        restored = quantizer.inverse_transform(quantizer.fit_transform(X))
        np.testing.assert_allclose(restored, X, rtol=1e-6, atol=1e-38)


def test_values_too_many_steps_from_zero_are_refused():
    X = np.r_[np.zeros(100_000), 1.0].astype(np.float32)  # 316 deviations out
    assert stepped(0.1).fit_transform(X).max() == 3162
    for far in (lambda: stepped(0.05).fit_transform(X), lambda: stepped().fit(X).transform([9e9])):
        with pytest.raises(ValueError, match=r"4,095 steps from zero: take a larger step"):
            far()
    with pytest.raises(ValueError, match=r"codes must lie in -4095\.\.4095"):
        stepped().fit(X).inverse_transform([4096])


def test_a_grid_that_would_decode_to_no_float32_is_refused():
    with pytest.raises(ValueError, match="too wide a range"):
        stepped().fit(np.linspace(-1e37, 1e37, 9))
    near = np.linspace(-1e35, 1e35, 101).astype(np.float32)
    assert np.isfinite(stepped().fit(near).inverse_transform([-4095, 4095])).all()


def test_tensors_come_back_as_tensors_and_activations_take_no_step():
    X = torch.randn(7, 5, requires_grad=True)
    quantizer = stepped()
    codes = quantizer.fit_transform(X)
    assert torch.is_tensor(codes) and torch.is_tensor(quantizer.inverse_transform(codes))
    network = torch.nn.Sequential(torch.nn.Linear(5, 2))
    with pytest.raises(ValueError, match="leave out the step"):
        quantize_network(network, sample=torch.randn(3, 5), activations=stepped())
