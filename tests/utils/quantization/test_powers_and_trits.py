import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from utils.codecs import decode
from utils.quantization import (
    PowersOfTwoQuantizer,
    TernaryQuantizer,
    pack_trits,
    unpack_trits,
)
from utils.quantization.scalar import power_levels, power_terms

# --- additive powers of two -----------------------------------------------------------------------

FIVE_BITS = [0, 0.0208, 0.0417, 0.0625, 0.0833, 0.125, 0.1667, 0.1875, 0.25, 0.3333, 0.375, 0.5,
             0.6667, 0.6875, 0.75, 1]  # fmt: skip


def test_the_levels_are_those_of_the_paper():
    assert power_levels(3).tolist() == [0, 0.25, 0.5, 1]
    np.testing.assert_allclose(power_levels(4) * 10, [0, 1, 2, 3, 4, 6, 8, 10], rtol=1e-6)
    np.testing.assert_allclose(power_levels(5), FIVE_BITS, atol=5e-5)
    # 6 bits: {0, 1, 1/4, 1/32} + {0, 1/2, 1/8, 1/64} + {0, 1/16}, over 1 + 1/2 + 1/16.
    terms = [0, 64, 16, 2], [0, 32, 8, 1], [0, 4]
    sums = sorted(a + b + c for a in terms[0] for b in terms[1] for c in terms[2])
    np.testing.assert_allclose(power_levels(6), np.array(sums) / 100, rtol=1e-6)


@pytest.mark.parametrize("bits", range(2, 9))
def test_every_code_has_a_level_of_its_own_and_every_level_its_shifts(bits):
    levels, terms = power_levels(bits), power_terms(bits)
    assert len(set(levels.tolist())) == 2 ** (bits - 1) == np.prod([len(term) for term in terms])
    assert (levels[0], levels[-1]) == (0, 1) and (np.diff(levels) > 0).all()
    # The sum of the shifts of an integer is the product with a level, times the largest sum.
    x = 3 << 20
    shifted = np.zeros(1, np.int64)
    for term in terms:
        moved = [0 if e is None else x >> e for e in term]
        shifted = np.add.outer(shifted, moved).ravel()
    np.testing.assert_allclose(np.sort(shifted) / shifted.max(), levels, rtol=1e-6)


def test_the_tables_are_shared_and_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        power_levels(4)[0] = 1


WEIGHTS = arrays(np.float32, st.integers(1, 40), elements=st.floats(-100, 100, width=32))


@given(WEIGHTS, st.integers(2, 8), st.booleans(), st.booleans())
def test_each_value_comes_back_as_the_nearest_level(x, bits, centre, entropy_coding):
    quantizer = PowersOfTwoQuantizer(bits, centre=centre, entropy_coding=entropy_coding).fit(x)
    codes = quantizer.transform(x)
    back = quantizer.inverse_transform(codes)
    signed = np.r_[-power_levels(bits)[::-1], power_levels(bits)]
    mean = quantizer.mean_ if centre else np.float32(0)
    grid = signed * quantizer.scale_ + mean
    least = np.abs(x[:, None].astype(np.float64) - grid).min(axis=1)
    slack = 1e-6 * (np.abs(x).max() + np.abs(mean))
    assert (np.abs(x - back.astype(np.float64)) <= least + slack).all()
    np.testing.assert_array_equal(quantizer.unpack(quantizer.pack(codes), x.shape), codes)


def test_the_range_is_the_one_with_the_least_error():
    x = np.random.default_rng(0).normal(size=4000).astype(np.float32)
    x[0] = 40
    quantizer = PowersOfTwoQuantizer(bits=4).fit(x)

    def error(scale):
        quantizer.scale_ = np.array([scale], np.float32)
        return np.square(quantizer.inverse_transform(quantizer.transform(x)) - x).mean()

    found = error(quantizer.scale_[0])
    assert found < error(40.0) / 2
    assert found <= min(error(s) for s in 40 * np.geomspace(1, 1 / 64, 41)) + 1e-9


def test_what_is_not_centred_any_more_forgets_its_mean():
    quantizer = PowersOfTwoQuantizer(centre=True).fit(np.array([3.0, 5.0]))
    assert quantizer.mean_.tolist() == [4]
    quantizer.set_params(centre=False).fit(np.array([3.0, 5.0]))
    assert not hasattr(quantizer, "mean_")


@pytest.mark.parametrize("bits", [1, 9, 2.5])
def test_bits_that_make_no_grid_are_refused(bits):
    with pytest.raises(ValueError, match="bits of powers of two"):
        PowersOfTwoQuantizer(bits).fit(np.ones(3))


def test_what_no_float32_can_scale_is_refused():
    huge = np.array([3e38, -3e38, -3e38], np.float32)
    with pytest.raises(ValueError, match="too wide a range"):
        PowersOfTwoQuantizer(centre=True).fit(huge)


@pytest.mark.parametrize("config, parts", [
    ([4, False], [[0x21], np.ones(1, np.float32)]),  # half of the codes
    ([4, False], [[0x21, 0x08], np.ones(1, np.float32)]),  # -8 is no code
    ([4, False], [[0x21, 0x01], np.ones(2, np.float32)]),
    ([4, False], [[0x21, 0x01], np.ones(1, np.float32), np.ones(3, np.float32)]),
    ([4, False], [[0x21, 0x01], np.ones(1, np.float32), np.ones(1, np.float64)]),
    ([4, False], [[0x21, 0x01], np.ones(1, np.float32), *2 * [np.ones(1, np.float32)]]),
    ([9, False], [[0x21, 0x01], np.ones(1, np.float32)]),
    ([4.0, False], [[0x21, 0x01], np.ones(1, np.float32)]),
    ([4], [[0x21, 0x01], np.ones(1, np.float32)]),
    ([4, True], [[0x21, 0x01], np.ones(1, np.float32)]),
])  # fmt: skip
def test_damaged_powers_are_refused(config, parts):
    parts = [np.array(parts[0], np.uint8), *parts[1:]]
    with pytest.raises(ValueError):
        decode("PowersOfTwoQuantizer", config, parts, (3,))


def test_powers_that_are_whole_are_decoded():
    parts = [np.array([0xF1, 0x07], np.uint8), np.full(1, 2, np.float32), np.ones(1, np.float32)]
    back = decode("PowersOfTwoQuantizer", [4, False], parts, (3,))
    np.testing.assert_allclose(back, [1.2, 0.8, 3], rtol=1e-6)  # 1 + 2 * (0.1, -0.1, 1)


# --- ternary --------------------------------------------------------------------------------------


@given(arrays(np.int8, st.integers(0, 60), elements=st.integers(-1, 1)))
def test_five_trits_take_a_byte_and_come_back(codes):
    packed = pack_trits(codes)
    assert packed.nbytes == -(-len(codes) // 5)
    np.testing.assert_array_equal(unpack_trits(packed, len(codes)), codes)


def test_trits_are_digits_to_base_three_the_first_the_lowest():
    assert pack_trits(np.array([1, 0, -1, -1, -1, 0])).tolist() == [2 + 3, 1]
    assert pack_trits(np.array([1] * 5)).tolist() == [242]


@pytest.mark.parametrize(
    "packed, count, message",
    [
        ([243], 5, "corrupt"),
        ([255], 5, "corrupt"),
        ([3], 1, "corrupt"),  # a digit behind the last trit
        ([1], 6, "take 2 bytes, but there are 1"),
        ([1, 1], 5, "take 1 bytes, but there are 2"),
    ],
)
def test_bytes_that_no_trits_make_are_refused(packed, count, message):
    with pytest.raises(ValueError, match=message):
        unpack_trits(np.array(packed, np.uint8), count)


@pytest.mark.parametrize("codes", [[2], [-2], [0.5]])
def test_what_is_no_trit_is_not_packed(codes):
    with pytest.raises(ValueError, match="-1..1|integers"):
        pack_trits(np.array(codes))


@given(WEIGHTS)
def test_ternary_values_are_saved_again_and_again_without_a_change(x):
    """The planted mistake: the mean of |x| would shrink by the share of what is not 0 each time."""
    values = x
    for _ in range(3):
        quantizer = TernaryQuantizer().fit(values)
        before, values = values, quantizer.inverse_transform(quantizer.transform(values))
    np.testing.assert_array_equal(values, before)


def test_the_scale_is_the_mean_size_and_of_ternary_values_that_divided_by_the_share():
    x = np.array([0.1, -1.0, 0.2, 2.7], np.float32)
    quantizer = TernaryQuantizer().fit(x)
    assert quantizer.scale_.tolist() == [1]
    values = quantizer.inverse_transform(quantizer.transform(x))
    share = np.abs(quantizer.transform(x)).mean()
    again = TernaryQuantizer().fit(values)
    assert again.scale_[0] == np.abs(values).mean() / share != np.abs(values).mean()


def test_zeros_have_a_scale_that_is_a_number():
    assert TernaryQuantizer().fit(np.zeros(4)).scale_.tolist() == [1]
    tiny = np.full(4, 1e-45, np.float32)
    assert np.isfinite(TernaryQuantizer().fit_transform(tiny)).all()


@pytest.mark.parametrize("entropy_coding", [False, True])
@pytest.mark.parametrize("parts", [
    [np.array([243], np.uint8), np.ones(1, np.float32)],
    [np.array([1], np.uint8), np.ones(2, np.float32)],
    [np.array([1], np.uint8), np.ones(1, np.float64)],
    [np.array([1], np.uint8)],
])  # fmt: skip
def test_a_damaged_ternary_tensor_is_refused(parts, entropy_coding):
    with pytest.raises(ValueError):
        decode("TernaryQuantizer", [entropy_coding], parts, (5,))
