"""Every registered codec, on whatever shapes and values it takes."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.base import clone

from utils.codecs import CODECS, Sparse, decode, encode, pack_words
from utils.quantization import (
    AdditiveQuantizer,
    AffineQuantizer,
    KMeansQuantizer,
    LocalSearchQuantizer,
    OptimizedProductQuantizer,
    PercentileQuantizer,
    PowersOfTwoQuantizer,
    ProductQuantizer,
    Quantizer,
    TernaryQuantizer,
    VectorQuantizer,
)

FLOATS = st.floats(-1000, 1000, width=32)
ANY_SHAPE = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=7)
# Few enough that equal values, coded in next to no bits, stay within the limit of expansion.
FILLED = arrays.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=5)
MATRIX = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)


def floats(shapes):
    """Arrays of float32 of these shapes, constant ones among them."""
    constant = st.builds(lambda shape, x: np.full(shape, x, np.float32), shapes, FLOATS)
    return st.one_of(arrays.arrays(np.float32, shapes, elements=FLOATS), constant)


ANY_NUMBERS = st.one_of(
    floats(ANY_SHAPE),
    arrays.arrays(st.sampled_from([np.int64, np.uint8, np.bool_, np.float64, "<f2"]), ANY_SHAPE),
)
WORD_LISTS = st.lists(st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=9))
NUMBER_LISTS = st.sets(st.integers(0, 100_000)).map(lambda n: np.array(sorted(n), np.int64))
OPTIONS = {"n_iter": 2, "random_state": 0}
BITS = st.integers(1, 9)
WIDE_BITS = st.integers(2, 9)  # a symmetric grid has at least three values

# For each codec: codecs, and arrays that they take.
CASES = {
    "raw": (st.just("raw"), ANY_NUMBERS),
    "float16": (st.just("float16"), floats(ANY_SHAPE)),
    "int8": (st.just("int8"), floats(arrays.array_shapes(min_dims=2, max_dims=2, min_side=0))),
    "sparse": (st.sampled_from(["sparse", Sparse("raw"), Sparse("float16")]), floats(ANY_SHAPE)),
    "words": (st.just("words"), WORD_LISTS.map(sorted).map(pack_words)),
    "gaps": (st.just("gaps"), NUMBER_LISTS),
    "AffineQuantizer": (
        st.one_of(
            st.builds(
                AffineQuantizer,
                WIDE_BITS,
                symmetric=st.booleans(),
                granularity=st.sampled_from(["tensor", "channel"]),
                entropy_coding=st.booleans(),
            ),
            st.builds(
                AffineQuantizer,
                granularity=st.sampled_from(["tensor", "channel"]),
                entropy_coding=st.just(True),
                step=st.floats(0.03, 3),
            ),
        ),
        floats(FILLED),
    ),
    "PercentileQuantizer": (
        st.builds(PercentileQuantizer, BITS, entropy_coding=st.booleans()),
        floats(FILLED),
    ),
    "KMeansQuantizer": (
        st.builds(KMeansQuantizer, BITS, entropy_coding=st.booleans()),
        floats(FILLED),
    ),
    "PowersOfTwoQuantizer": (
        st.builds(
            PowersOfTwoQuantizer,
            st.integers(2, 8),
            centre=st.booleans(),
            entropy_coding=st.booleans(),
        ),
        floats(FILLED),
    ),
    "TernaryQuantizer": (
        st.builds(TernaryQuantizer, entropy_coding=st.booleans()),
        floats(FILLED),
    ),
    "VectorQuantizer": (st.just(VectorQuantizer(5, **OPTIONS)), floats(MATRIX)),
    "ProductQuantizer": (st.just(ProductQuantizer(1, 5, **OPTIONS)), floats(MATRIX)),
    "OptimizedProductQuantizer": (
        st.just(OptimizedProductQuantizer(1, 5, **OPTIONS)),
        floats(MATRIX),
    ),
    "AdditiveQuantizer": (st.just(AdditiveQuantizer(2, 5, **OPTIONS)), floats(MATRIX)),
    "LocalSearchQuantizer": (st.just(LocalSearchQuantizer(2, 5, **OPTIONS)), floats(MATRIX)),
}


def test_no_codec_is_forgotten():
    own = {name for name, kind in CODECS.items() if kind.__module__.startswith("utils.")}
    assert set(CASES) == own


def expected(chosen, array):
    """What should come back."""
    if isinstance(chosen, Quantizer):
        fitted = clone(chosen).fit(array)
        return fitted.inverse_transform(fitted.transform(array))
    if chosen in ("float16", "sparse") or getattr(chosen, "values", None) == "float16":
        return array.astype(np.float16).astype(np.float32)
    return array


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=40)
@given(data=st.data())
def test_what_is_decoded_is_what_was_encoded(name, data):
    chosen, array = (data.draw(part) for part in CASES[name])
    known, config, parts = encode(chosen, array)
    assert known == name
    back = decode(known, config, parts, array.shape)
    assert back.shape == array.shape
    if name == "int8":  # half a step of a scale that is rounded up
        assert (np.abs(back - array) <= np.abs(array).max(axis=0, initial=0) / 127 + 1e-6).all()
    else:
        np.testing.assert_array_equal(back, expected(chosen, array))
    if name == "raw":
        assert back.dtype == array.dtype


@settings(max_examples=60)
@given(
    array=floats(FILLED),
    zeros=st.integers(0, 5),
    values=st.one_of(
        st.builds(KMeansQuantizer, BITS, entropy_coding=st.booleans()),
        st.builds(PercentileQuantizer, BITS),
        st.builds(AffineQuantizer, WIDE_BITS, symmetric=st.booleans()),
        st.builds(AffineQuantizer, entropy_coding=st.just(True), step=st.floats(0.03, 3)),
    ),
)
def test_sparse_keeps_zeros_and_leaves_the_rest_to_its_codec(array, zeros, values):
    array[np.abs(array) <= zeros] = 0
    assume(array.any())
    name, config, parts = encode(Sparse(values), array)
    back = decode(name, config, parts, array.shape)
    assert not back[array == 0].any()
    np.testing.assert_array_equal(back[array != 0], expected(values, array[array != 0]))


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("words", "gaps", "raw")])
def test_what_is_no_number_is_refused(name):
    chosen = VectorQuantizer(2) if name == "VectorQuantizer" else CODECS[name]()
    if name == "ProductQuantizer" or name == "OptimizedProductQuantizer":
        chosen = CODECS[name](1, 2)
    for wrong in (np.nan, np.inf):
        with pytest.raises(ValueError, match="NaN|infinity|not a number"):
            encode(chosen, np.array([[1, wrong], [2, 3]], np.float32))


@pytest.mark.parametrize("quantizer", [KMeansQuantizer(2), AffineQuantizer(8), VectorQuantizer(2)])
@pytest.mark.parametrize("shape", [(), (0,), (0, 3)])
def test_a_quantizer_has_nothing_to_make_of_no_values(quantizer, shape):
    with pytest.raises(ValueError, match="list of numbers|0 sample|Expected 2D"):
        encode(quantizer, np.zeros(shape, np.float32))


@pytest.mark.parametrize("shape", [(), (4,), (2, 2, 2)])
def test_vectors_are_rows_of_a_matrix(shape):
    with pytest.raises(ValueError, match="2D array|dim 3|list of numbers"):
        encode(ProductQuantizer(1, 2), np.zeros(shape, np.float32))


def test_a_fitted_quantizer_is_used_as_it_is_and_another_stays_unfitted():
    grid = KMeansQuantizer(1).fit(np.array([-1.0, 1.0]))
    name, config, parts = encode(grid, np.arange(-3.0, 3))
    assert decode(name, config, parts, (6,)).tolist() == [-1, -1, -1, 1, 1, 1]
    unfitted = KMeansQuantizer(1)
    encode(unfitted, np.arange(6.0))
    assert not hasattr(unfitted, "codebook_")
