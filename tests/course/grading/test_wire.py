"""Plain data crosses as it is, and no bytes make the reader do anything else than refuse them."""

from collections import ChainMap, OrderedDict, UserDict, deque, namedtuple
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.grading import wire
from course.grading.wire import LONG, ArrayLike, Handle, Items, WireError, decode, encode

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.integers() | st.text(), inner)
    ),
    max_leaves=20,
)


def handle(value):
    return Handle(7, type(value).__name__, "shown")


def crossed(value):
    return decode(encode(value, handle))


@given(PLAIN)
def test_plain_data_crosses(value):
    again = crossed(value)
    assert again == value and type(again) is type(value)


NUMBERS = st.lists(st.floats(allow_nan=False), min_size=9) | st.lists(st.integers(), min_size=9)


@given(NUMBERS | NUMBERS.map(tuple))
def test_long_lists_of_numbers_cross(value):
    again = crossed(value)
    assert again == value and type(again) is type(value)
    assert [type(item) for item in again] == [type(item) for item in value]


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int8, np.complex128])
def test_lists_of_numpy_numbers_cross(kind):
    again = crossed([*map(kind, range(20))])
    assert again == [*range(20)] and {type(item) for item in again} == {kind}


def test_a_long_list_of_two_kinds_of_numbers_is_packed_too():
    value = [*np.linspace(0, 1, 3000), 2.0, *range(50)]
    again = crossed(value)
    assert again == value and [*map(type, again)] == [*map(type, value)]
    assert len(encode(value, handle)) < 25_000


def test_what_many_runs_of_small_numbers_become_is_limited(monkeypatch):
    value = [*map(np.int8, range(100)), *map(np.int16, range(2000))]
    packed = encode(value, handle)
    assert decode(packed) == value
    monkeypatch.setattr(wire, "MOST_BYTES", 8 * 2050)  # neither run alone is more
    with pytest.raises(WireError, match="parts"):
        decode(packed)


def test_a_list_of_one_kind_of_numbers_takes_little_more_than_they_do():
    assert len(encode([0.5] * 1000, handle)) < 8100


ARRAYS = [
    np.arange(6).reshape(2, 3),
    np.arange(6.0).reshape(2, 3).T,
    np.array(5, dtype=np.uint8),
    np.zeros((0, 3), dtype=np.float16),
    np.array([True, False]),
    np.array(["a", "grün"]),
    np.array([1 + 2j]),
    np.arange(12)[::3],
    np.array([1, 2], dtype=">i4"),
    np.array(["2026-01-01"], dtype="datetime64[D]"),
    np.array([1, "a", None, [2]], dtype=object),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype} {array.shape}")
def test_arrays_keep_type_shape_and_order(array):
    again = crossed(array)
    assert again.dtype == array.dtype and again.shape == array.shape
    assert (again == array).all() or not array.size
    if array.ndim > 1 and array.size:
        assert again.flags.f_contiguous == array.flags.f_contiguous
    assert again.flags.writeable


@pytest.mark.parametrize("value", [np.float32(0.5), np.int8(-3), np.bool_(True), np.str_("x")])
def test_numbers_of_numpy_stay_what_they_are(value):
    assert type(crossed(value)) is type(value) and crossed(value) == value


def test_what_else_numbers_come_in():
    for value in (Fraction(-1, 3), Decimal("1.50"), Decimal("1E+5"), range(2, 9, 3), {1, 2}, 2**99):
        assert crossed(value) == value
    assert crossed(frozenset("ab")) == frozenset("ab")
    assert crossed(namedtuple("Pair", "a b")(1, 2)) == (1, 2)
    for mapping in (MappingProxyType({"a": 1}), UserDict(a=1), ChainMap({"a": 1}, {"a": 2})):
        assert crossed([mapping]) == [{"a": 1}]
    assert crossed(OrderedDict(b=1, a=2)) == {"b": 1, "a": 2}
    assert crossed(x for x in "ab") == Items("generator", ["a", "b"])
    like = crossed(deque([1, 2]))
    assert isinstance(like, ArrayLike) and like.kind == "deque" and like.array.tolist() == [1, 2]


def test_sparse_matrices_and_tensors():
    import torch
    from scipy.sparse import csr_array, random_array

    matrix = random_array((5, 4), density=0.4, rng=0)
    assert (crossed(csr_array(matrix)) != matrix).nnz == 0
    tensor = torch.arange(6.0).reshape(2, 3).T
    assert torch.equal(crossed(tensor), tensor) and not crossed(tensor).requires_grad
    number, again = crossed(tensor.requires_grad_())
    assert number == 7 and torch.equal(again, tensor) and again.requires_grad
    tensor.grad = torch.ones(3, 2)
    assert torch.equal(crossed(tensor).tensor.grad, tensor.grad)


class Odd:
    """Says that it is everything."""

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0

    def __len__(self):
        raise RuntimeError

    def __reduce__(self):
        raise AssertionError("nothing here may be pickled")


def test_everything_else_is_a_handle():
    for value in (Odd(), Odd, print, object(), np, lambda: 0):
        assert crossed(value) == Handle(7, type(value).__name__, "shown")
    assert crossed([Odd()])[0] != 0


class LyingList(list):
    def __iter__(self):
        return iter("lies")

    def __len__(self):
        return 10**9


def test_a_class_of_ones_own_crosses_as_what_it_is_derived_from():
    assert crossed(LyingList([1, 2])) == [1, 2]
    assert crossed(type("Text", (str,), {"__str__": lambda self: 3})("x")) == "x"
    assert crossed(type("Whole", (int,), {"__int__": lambda self: 5})(4)) == 4


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.zeros(10**7), "bytes"),
        (np.broadcast_to(0.0, (10**6, 10**6)), "bytes"),
        (b"x" * 65_000_000, "bytes"),
        (10**10_000, "digits"),
    ],
    ids=["array", "view", "bytes", "integer"],
)
def test_limits_of_the_writer(value, said):
    with pytest.raises(WireError, match=said):
        encode(value, handle)


def test_the_number_of_parts_is_limited_on_both_sides(monkeypatch):
    many = encode([None] * 1000, handle)
    monkeypatch.setattr(wire, "MOST_PARTS", 1000)
    with pytest.raises(WireError, match="parts"):
        encode([None] * 1000, handle)
    with pytest.raises(WireError, match="parts"):
        decode(many)


def test_a_list_that_holds_itself():
    endless: list = []
    endless.append(endless)
    with pytest.raises(WireError, match="too deep"):
        encode(endless, handle)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_refused(data):
    try:
        value = decode(data)
    except WireError:
        return
    assert encode(value, handle) is not None


@given(PLAIN, st.data())
def test_changed_bytes_are_a_value_or_refused(value, data):
    message = bytearray(encode(value, handle))
    place = data.draw(st.integers(0, len(message) - 1))
    message[place] ^= data.draw(st.integers(1, 255))
    try:
        decode(bytes(message))
    except WireError:
        pass


def of_one_hash(n):
    """0, 2**61 - 1, twice that and so on: all hash to 0."""
    return b"".join(encode(k * (2**61 - 1), handle) for k in range(n))


MOST = wire.MOST_BYTES // 8 + 1
HOSTILE = {
    "many items": b"l" + (10**9).to_bytes(8, "little"),
    "many pairs": b"d" + (2**63).to_bytes(8, "little"),
    "a long text": b"s" + (2**32 - 1).to_bytes(4, "little"),
    "deep": b"l\1\0\0\0\0\0\0\0" * 100 + b"N",
    "a large array": b"a\3\0\0\0<f8C\1" + (2**62).to_bytes(8, "little"),
    "an array whose size wraps around": b"a\3\0\0\0<f8C\2" + 2 * (2**32).to_bytes(8, "little"),
    "an array of objects": b"a\2\0\0\0|OC\1\1\0\0\0\0\0\0\0" + bytes(8),
    "a type with fields": b"a\7\0\0\0i4,f8,O"[:12] + b"C\1\1" + bytes(30),
    "a large array of objects": b"o\1" + (2**60).to_bytes(8, "little"),
    "a boolean of two": b"a\3\0\0\0|b1C\1\1\0\0\0\0\0\0\0\2",
    "keys of one hash": b"S" + (200).to_bytes(8, "little") + of_one_hash(200),
    "items of one hash": b"d" + (200).to_bytes(8, "little") + of_one_hash(400),
    "a range without end": b"r" + encode([0, 10**18, 1], handle),
    "rows of nothing": b"a\3\0\0\0<f8C\2" + (2**40).to_bytes(8, "little") + bytes(8),
    "bytes that become objects": b"kl"
    + LONG.pack(1)
    + b"G\3\0\0\0|u1C\1"
    + LONG.pack(9 * 10**6)
    + bytes(9 * 10**6),
    "a key that is a list": b"d\1\0\0\0\0\0\0\0l" + bytes(8) + b"N",
    "a fraction of nothing": b"q\3\0\0\0" + b"1/0",
    "an endless number": b"D\4\0\0\0" + b"sNaN",
    "no tag": b"?",
    "more than a value": b"NN",
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_are_refused(name):
    with pytest.raises(WireError):
        decode(HOSTILE[name])


@pytest.mark.parametrize(
    ("rows", "columns"), [([9], [0]), ([0], [9]), ([-1], [0]), ([0, 1], [0]), ([0.0], [0])]
)
def test_places_outside_a_sparse_matrix_are_refused(rows, columns):
    """Libraries written in C would read and write wherever they point."""
    writer = wire._Writer(handle)
    writer.put(b"p", b"\2" + 2 * (3).to_bytes(8, "little"))
    writer.write([np.array(rows), np.array(columns), np.array([1.0])], 1)
    with pytest.raises(WireError):
        decode(bytes(writer.data))
