import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.quantization import entropy, pack_bits, rans_decode, rans_encode, unpack_bits
from utils.quantization.entropy import _frequencies

quick = settings(max_examples=50, deadline=None)


@quick
@given(st.data(), st.integers(1, 16), st.booleans())
def test_packing_round_trip(data, bits, signed):
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    codes = np.array(data.draw(st.lists(st.integers(low, high), max_size=40)), np.int64)
    packed = pack_bits(codes, bits)
    assert packed.dtype == np.uint8 and len(packed) == -(-len(codes) * bits // 8)
    unpacked = unpack_bits(packed, bits, len(codes), signed=signed)
    assert np.array_equal(unpacked, codes)
    assert unpacked.dtype == (f"{'i' if signed else 'u'}{1 if bits <= 8 else 2}")


def test_packing_by_hand():
    # 3 bits each, lowest first: 101 then 110 then 001 -> 01.110.101 and the rest of the last one
    assert pack_bits(np.array([5, 6, 1]), 3).tolist() == [0b01_110_101, 0b0]
    assert pack_bits(np.array([-1, 1, -2, 0]), 2).tolist() == [0b00_10_01_11]


def test_packing_of_more_than_one_chunk():
    codes = np.random.default_rng(0).integers(0, 2**5, size=(1 << 18) * 2 + 3)
    assert np.array_equal(unpack_bits(pack_bits(codes, 5), 5, codes.size), codes)


@pytest.mark.parametrize(
    "codes, bits, problem",
    [
        ([4], 2, "do not fit"),
        ([-3], 2, "do not fit"),
        ([-1, 3], 2, "do not fit"),
        ([70000], 16, "do not fit"),
        ([0.5], 2, "integers"),
        ([0], 0, "1..16"),
        ([0], 17, "1..16"),
    ],
)
def test_packing_names_what_is_wrong(codes, bits, problem):
    with pytest.raises(ValueError, match=problem):
        pack_bits(np.array(codes), bits)


def test_unpacking_wants_the_exact_length():
    packed = pack_bits(np.arange(8), 3)
    for wrong in (packed[:-1], np.append(packed, np.uint8(0))):
        with pytest.raises(ValueError, match="8 codes of 3 bits take 3 bytes"):
            unpack_bits(wrong, 3, 8)


def test_entropy_by_hand():
    assert entropy(np.array([0, 1, 2, 3])) == 2.0
    assert entropy(np.array([0, 0, 0, 1])) == pytest.approx(0.811278, abs=1e-6)
    assert entropy(np.zeros(5, int)) == 0.0 == entropy(np.empty(0, int))


@quick
@given(st.lists(st.integers(0, 20), max_size=60), st.integers(21, 300))
def test_rans_round_trip(codes, n_symbols):
    codes = np.array(codes, np.int64)
    decoded = rans_decode(rans_encode(codes, n_symbols), n_symbols, len(codes))
    assert np.array_equal(decoded, codes)
    assert decoded.dtype == (np.uint8 if n_symbols <= 256 else np.uint16)


@quick
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=300))
def test_rans_gives_every_slot_to_a_symbol_that_occurs(counts):
    counts = np.array(counts)
    frequencies = _frequencies(counts)
    assert np.array_equal(frequencies > 0, counts > 0)
    assert frequencies.sum() == (2**14 - 1 if counts.any() else 0)
    error = np.abs(frequencies / 2**14 - counts / max(counts.sum(), 1))
    assert error.max() <= (len(counts) + 1) / 2**14


@pytest.mark.parametrize("p", [1.0, 0.999, 0.5, 0.05])
def test_rans_comes_close_to_the_entropy(p):
    rng = np.random.default_rng(0)
    codes = np.minimum(rng.geometric(p, 100_000) - 1, 255)
    stream = rans_encode(codes, 256)
    overhead = 256 * 2 + 12 * 4  # frequencies and final states
    ideal = entropy(codes) * codes.size / 8
    assert ideal <= len(stream) <= 1.002 * ideal + overhead + 16
    assert np.array_equal(rans_decode(stream, 256, codes.size), codes)
    if p == 0.999:  # Huffman's code cannot go below one bit
        assert len(stream) < codes.size / 8 / 5


def test_rans_spends_less_than_a_fixed_width_on_a_matrix_of_codes():
    codes = np.random.default_rng(0).normal(8, 1.5, (300, 300)).round().astype(np.uint8)
    assert len(rans_encode(codes, 16)) < 0.7 * len(pack_bits(codes, 4))


def test_rans_finds_damage():
    codes = np.random.default_rng(0).integers(0, 16, 5000)
    stream = rans_encode(codes, 16)
    for broken in (stream[:-2], stream[:-1], stream[:10], np.append(stream, stream[:2])):
        with pytest.raises(ValueError, match="truncated|corrupt"):
            rans_decode(broken, 16, 5000)
    flipped = stream.copy()
    flipped[1000] ^= 255
    try:
        decoded = rans_decode(flipped, 16, 5000)
    except ValueError as error:
        assert "corrupt" in str(error) or "truncated" in str(error)
    else:
        assert not np.array_equal(decoded, codes)
    with pytest.raises(ValueError, match="frequencies"):
        rans_decode(np.full_like(stream, 255), 16, 5000)


@pytest.mark.parametrize(
    "codes, n_symbols, problem",
    [([16], 16, "0..15"), ([-1], 16, "0..15"), ([0], 0, "n_symbols"), ([0], 10_000, "n_symbols")],
)
def test_rans_names_what_is_wrong(codes, n_symbols, problem):
    with pytest.raises(ValueError, match=problem):
        rans_encode(np.array(codes), n_symbols)
