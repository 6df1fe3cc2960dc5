"""Where the non-zeros stand, in every way."""

import numpy as np
import pytest

from utils.codecs import CODECS, Sparse, break_even, decode, encode, positions_bits
from utils.codecs.sparse import WAYS
from utils.quantization import AffineQuantizer, KMeansQuantizer

RNG = np.random.default_rng(0)


def at_sparsity(sparsity, shape=(60, 40)):
    return np.where(RNG.random(shape) < sparsity, 0, RNG.normal(size=shape)).astype(np.float32)


ARRAYS = {
    "half": at_sparsity(0.5),
    "most": at_sparsity(0.97),
    "none zero": np.ones((7, 5), np.float32),
    "one": np.array([[3.0]], np.float32),
    "vector": at_sparsity(0.8, (333,)),
    "wide": at_sparsity(0.9, (3, 700)),
    "cube": at_sparsity(0.7, (4, 5, 6)),
    "in blocks": np.kron(RNG.random((10, 8)) < 0.1, np.ones((3, 16))).astype(np.float32),
    "last alone": np.eye(1, 50, 49, dtype=np.float32),
    "negative": -at_sparsity(0.5),
}


@pytest.mark.parametrize("way", [*WAYS, None])
@pytest.mark.parametrize("kind", ARRAYS)
def test_what_is_decoded_is_what_was_encoded(way, kind):
    array = ARRAYS[kind]
    name, config, parts = encode(Sparse("raw", way), array)
    assert name == "sparse" and config[2:] == ([] if way in ("bitmap", None) else [way]) or not way
    np.testing.assert_array_equal(decode(name, config, parts, array.shape), array)


@pytest.mark.parametrize("shape", [(5,), (3, 4), (0, 4), (4, 0), ()])
def test_all_zeros_and_no_places_at_all(shape):
    array = np.zeros(shape, np.float32)
    for values in ("raw", "float16", KMeansQuantizer(3)):
        name, config, parts = encode(Sparse(values), array)
        assert decode(name, config, parts, shape).shape == shape


def test_the_smallest_way_is_taken():
    sizes = {}
    for way in WAYS:
        _, _, parts = encode(Sparse("raw", way), ARRAYS["in blocks"])
        sizes[way] = sum(part.nbytes for part in parts[:-1])
    assert min(sizes, key=sizes.get) == "blocks"
    _, config, parts = encode(Sparse("raw"), ARRAYS["in blocks"])
    assert sum(part.nbytes for part in parts[:-1]) <= sizes["bitmap"]
    assert encode(Sparse("raw"), ARRAYS["half"])[1] == ["raw", []]
    rng, as_many_a_row = np.random.default_rng(0), np.zeros((300, 250), np.float32)
    for row in as_many_a_row:
        row[rng.choice(range(7, 250, 31), 3, replace=False)] = 1
    assert encode(Sparse("raw"), as_many_a_row)[1][2] == "rows"


def test_what_reading_would_refuse_is_not_chosen():
    array = np.zeros((1000, 100), np.float32)
    array[500, 50] = 1
    name, config, parts = encode(Sparse("float16"), array)  # a gap of some bytes is too little
    assert decode(name, config, parts, array.shape).sum() == 1
    with pytest.raises(ValueError, match="too large for"):
        encode(Sparse("float16", "gaps"), array)


def test_rows_by_hand():
    _, _, (counts, columns, values) = encode(
        Sparse("raw", "rows"), np.array([[0, 0, 7], [0, 0, 0], [1, 0, 2]], np.int16)
    )
    assert (counts.tolist(), columns.tolist(), values.tolist()) == ([1, 0, 2], [2, 0, 2], [7, 1, 2])


def test_blocks_by_hand():
    array = np.zeros(40, np.int16)
    array[[16, 39]] = 5, 6
    _, _, (upper, lower, values) = encode(Sparse("raw", "blocks"), array)
    assert np.unpackbits(upper)[:3].tolist() == [0, 1, 1]
    assert np.unpackbits(lower).nonzero()[0].tolist() == [0, 23]
    assert values.tolist() == [5, 6]


def test_values_are_quantized_in_every_way():
    array = at_sparsity(0.9)
    backs = []
    for way in WAYS:
        for values in (AffineQuantizer(8), KMeansQuantizer(4, entropy_coding=True)):
            name, config, parts = encode(Sparse(values, way), array)
            back = decode(name, config, parts, array.shape)
            assert not back[array == 0].any()
            backs.append(np.abs(back - array).max())
    assert max(backs) < 1


def test_positions_that_are_none_are_refused():
    with pytest.raises(ValueError, match="positions are kept as"):
        Sparse("raw", "list")
    for config in (["raw", [], "list"], ["raw", [], 3], ["raw", [], ["gaps"]]):
        with pytest.raises(ValueError, match="no positions are kept as"):
            decode("sparse", config, [np.zeros(1, np.uint8)] * 3, (8,))
    with pytest.raises(ValueError, match="too long a configuration"):
        decode("sparse", ["raw", [], "gaps", 1], [np.zeros(1, np.uint8)] * 2, (8,))


U8 = np.uint8
LIES = [
    ("gaps", [np.array([9], U8), np.ones(1)], (8,)),
    ("gaps", [np.array([255], U8), np.ones(0)], (8,)),
    ("gaps", [np.array([1], np.int64), np.ones(1)], (8,)),
    ("gaps", [np.array([1, 2], U8), np.ones(1)], (8,)),
    ("rows", [np.array([1, 1], U8), np.array([0, 4], U8), np.ones(2)], (2, 4)),
    ("rows", [np.array([1, 1], U8), np.array([0], U8), np.ones(1)], (2, 4)),
    ("rows", [np.array([1], U8), np.array([0], U8), np.ones(1)], (2, 4)),
    ("rows", [np.array([2, 0], U8), np.array([1, 0], U8), np.ones(2)], (2, 4)),
    ("rows", [np.array([2, 0], U8), np.array([1, 1], U8), np.ones(2)], (2, 4)),
    ("rows", [np.array([-1, 1]), np.array([], U8), np.ones(0)], (2, 4)),
    ("rows", [np.array([0.5, 0.5]), np.array([1], U8), np.ones(1)], (2, 4)),
    ("rows", [np.array([1], U8), np.array([0], U8), np.ones(1)], ()),
    ("blocks", [np.array([192], U8), np.zeros(2, U8), np.ones(0)], (32,)),
    ("blocks", [np.array([64], U8), np.array([0, 1], U8), np.ones(1)], (24,)),
    ("blocks", [np.zeros(2, U8), np.zeros(0, U8), np.ones(0)], (32,)),
    ("blocks", [np.zeros(1), np.zeros(0, U8), np.ones(0)], (32,)),
]


@pytest.mark.parametrize(("way", "parts", "shape"), LIES)
def test_positions_that_lie_are_refused(way, parts, shape):
    with pytest.raises(ValueError, match="fit|outside|cut off|bytes|shape"):
        decode("sparse", ["raw", [], way], parts, shape)


# ------------------------------------------------------------------------------------- break-even


@pytest.mark.parametrize("sparsity", [0.5, 0.8, 0.9, 0.98])
def test_bits_of_positions_are_those_of_random_masks(sparsity):
    shape = (4000, 100)
    mask = np.random.default_rng(1).random(shape) >= sparsity
    for way, bits in positions_bits(sparsity, columns=100).items():
        if way == "entropy":
            continue
        parts = WAYS[way][0](mask.reshape(-1), shape)
        assert 8 * sum(p.nbytes for p in parts) / mask.size == pytest.approx(bits, rel=0.05)
        assert bits >= 0.99 * positions_bits(sparsity, 100)["entropy"]


@pytest.mark.parametrize("way", [*WAYS, "entropy"])
def test_at_the_break_even_both_take_the_same(way):
    for dense, value in ((32, 32), (8, 8), (32, 8), (4, 4)):
        at = break_even(way, dense, value, columns=50)
        bits = positions_bits(at, 50)[way] + (1 - at) * value
        assert bits == pytest.approx(dense, abs=0.05) or (at == 0 and bits < dense)


def test_some_ways_never_pay():
    assert break_even("bitmap", dense_bits=1, value_bits=1) == 1.0
    assert break_even("bitmap", 2, 2) == pytest.approx(0.5, abs=1e-3)


def test_the_one_codec_of_sparse_arrays_is_this():
    assert CODECS["sparse"] is Sparse
    assert [n for n in CODECS if "parse" in n.lower()] == ["sparse"]
