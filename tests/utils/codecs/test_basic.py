import numpy as np
import pytest

from utils.codecs import CODECS, Sparse, decode, encode
from utils.quantization import KMeansQuantizer


@pytest.mark.parametrize(
    "name, tolerance", [("raw", 0), ("float16", 1e-3), ("int8", 2e-2), ("sparse", 1e-3)]
)
def test_codecs_return_what_they_took_within_their_precision(name, tolerance):
    array = np.random.default_rng(0).normal(size=(13, 7)).astype(np.float32)
    array[::2] = 0
    back = decode(*encode(name, array), array.shape)
    np.testing.assert_allclose(back, array, atol=tolerance * np.abs(array).max())
    assert back.dtype == np.float32
    assert not back[array == 0].any()


def test_int8_error_stays_below_half_a_step():
    array = np.random.default_rng(0).normal(size=(500, 20)).astype(np.float32)
    array *= np.logspace(-3, 3, 20, dtype=np.float32)
    _, _, (codes, scale) = encode("int8", array)
    error = np.abs(decode("int8", [], [codes, scale], array.shape) - array)
    assert (error <= scale.astype(np.float32) / 2 + 1e-6).all()
    assert np.abs(codes.astype(int)).max() == 127


def test_int8_of_zeros_is_zeros():
    zeros = np.zeros((3, 2), np.float32)
    assert not decode(*encode("int8", zeros), zeros.shape).any()


@pytest.mark.parametrize("name", ["float16", "int8", "sparse"])
@pytest.mark.parametrize("value", [1e30, -1e30, np.inf, np.nan])
def test_values_too_large_for_a_codec_are_refused_not_made_infinite(name, value):
    with pytest.raises(ValueError, match="too large for .*, or not a number"):
        encode(name, np.full((2, 2), value, np.float32))


@pytest.mark.parametrize("shape", [(), (3,), (2, 2, 2)])
def test_int8_wants_a_matrix(shape):
    with pytest.raises(ValueError, match="wants a matrix"):
        encode("int8", np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    ("codes", "scale"),
    [
        (np.zeros((2, 3), np.int16), np.ones(3, np.float16)),
        (np.zeros((2, 3), np.int8), np.ones(3, np.float32)),
        (np.zeros((2, 3), np.int8), np.ones(2, np.float16)),
        # Broadcast against each other these would be a million numbers.
        (np.zeros((1000, 1), np.int8), np.ones(1000, np.float16)),
    ],
)
def test_scales_that_do_not_fit_are_refused(codes, scale):
    with pytest.raises(ValueError, match="codes or scales do not fit"):
        decode("int8", [], [codes, scale], (len(codes), 3))


def test_float16_is_stored_in_half_precision():
    with pytest.raises(ValueError, match="stored as float64"):
        decode("float16", [], [np.zeros(3)], (3,))


@pytest.mark.parametrize("name", ["raw", "float16", "int8", "gaps", "words"])
def test_the_number_of_parts_is_checked(name):
    with pytest.raises(ValueError, match="unpack"):
        decode(name, [], [np.zeros((1, 1), np.uint8)] * 3, (1, 1))


def test_sparse_by_hand():
    array = np.array([[0, 0, 7], [0, 0, 9]], np.int16)
    name, config, (mask, values) = encode(Sparse("raw"), array)
    assert (name, config) == ("sparse", ["raw", []])
    assert np.unpackbits(mask).tolist() == [0, 0, 1, 0, 0, 1, 0, 0]
    assert values.tolist() == [7, 9]


def test_sparse_takes_another_codec_in():
    array = np.array([0, 3, 0, 4, 9], np.int64)
    name, config, parts = encode(Sparse("gaps"), array)
    assert config == ["gaps", []] and parts[1].tolist() == [3, 0, 4]
    assert decode(name, config, parts, (5,)).tolist() == array.tolist()


@pytest.mark.parametrize(
    ("parts", "shape"),
    [
        ([np.zeros(1, np.uint8), np.zeros(0, np.float16)], (9,)),
        ([np.zeros(2, np.uint8), np.zeros(0, np.float16)], (8,)),
        ([np.zeros(1, np.int8), np.zeros(0, np.float16)], (8,)),
        ([np.full(1, 255, np.uint8), np.zeros(7, np.float16)], (8,)),
        ([np.full(1, 255, np.uint8), np.zeros(9, np.float16)], (8,)),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(parts, shape):
    with pytest.raises(ValueError, match="mask does not fit|loses it"):
        decode("sparse", ["float16", []], parts, shape)


def test_sparse_in_sparse_is_refused():
    with pytest.raises(ValueError, match="no zeros left"):
        encode(Sparse("sparse"), np.eye(3))
    with pytest.raises(ValueError, match="no zeros left"):
        encode(Sparse(Sparse(KMeansQuantizer(2))), np.eye(3))
    config = ["float16", []]
    for _ in range(50):
        config = ["sparse", config]
    with pytest.raises(ValueError, match="no zeros left"):
        decode("sparse", config, [np.zeros(2, np.uint8)] * 60, (9,))


def test_the_basic_codecs_are_these():
    basic = {name for name, kind in CODECS.items() if kind.__module__.startswith("utils.codecs")}
    assert basic == {"raw", "float16", "int8", "sparse", "words", "gaps"}
