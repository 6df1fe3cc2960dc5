"""Outcomes: what makes two results the same, and what does not."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from utils.checking.outcomes import outcome_of, outcome_of_error, shown, size_of

NESTED = st.recursive(
    st.none() | st.integers(-(10**6), 10**6) | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)


def same(one, other, tol=1e-6):
    return outcome_of(one).alike(outcome_of(other), tol)


@given(NESTED)
def test_a_value_is_like_itself_and_fits_its_own_fingerprint(value):
    outcome = outcome_of(value)
    assert outcome.alike(outcome, 1e-6)
    assert outcome.fits(outcome.sketch(), 1e-6)


@pytest.mark.parametrize(
    "other",
    [
        (1, 2.0, 3),
        np.array([1, 2, 3], dtype=np.uint8),
        torch.tensor([1.0, 2.0, 3.0], requires_grad=True),
        [Fraction(1), Decimal(2), np.float32(3)],
        iter([1, 2, 3]),
        map(int, "123"),
        [1, 2, 3 + 1e-9],
    ],
)
def test_how_numbers_are_held_makes_no_difference(other):
    assert same(other, [1, 2, 3])


def test_sparse_matrices_are_their_numbers():
    assert same(sparse.csr_array(np.eye(2)), np.eye(2))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 2, 3], [1, 3, 2]),
        ([1, 2, 3], [[1, 2, 3]]),
        ([1, 2, 3], [1, 2]),
        ([1.0], 1.0),
        ({"a": 1, "b": 2}, {"a": 2, "b": 1}),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, {1: 1}),
        ("1", 1),
        (None, 0),
        (float("nan"), 0.0),
        ([np.inf, 0], [0, np.inf]),
        ([np.inf], [-np.inf]),
        ([np.nan, 1], [1, np.nan]),
        ([1, "a"], ["a", 1]),
        (1e-3, 2e-3),
    ],
)
def test_what_differs_is_told_apart_by_values_and_by_fingerprints(one, other):
    assert not same(one, other)
    assert not outcome_of(one).fits(outcome_of(other).sketch(), 1e-6)


def test_a_dict_has_no_order_and_a_nan_is_like_another_in_its_place():
    assert same({"b": [np.nan, 1], "a": 2}, {"a": 2, "b": [np.nan, 1]})


def test_an_error_is_its_class_or_one_below():
    expected = outcome_of_error(ValueError("no"))
    assert outcome_of_error(UnicodeError("other")).alike(expected, 1e-6)
    assert not outcome_of_error(LookupError("no")).alike(expected, 1e-6)
    assert not outcome_of(None).alike(expected, 1e-6)
    assert not expected.alike(outcome_of(0), 1e-6)


def test_the_tolerance_is_relative_above_one():
    assert same(1000.5, 1000.0, tol=1e-3)
    assert not same(1000.5, 1000.0, tol=1e-4)


def test_a_fingerprint_sees_the_order_of_many_numbers():
    random = np.random.default_rng(0)
    values = random.normal(size=200)
    shuffled = values[::-1]
    assert not outcome_of(shuffled).fits(outcome_of(values).sketch(), 1e-6)
    near = values * (1 + 1e-9)
    assert outcome_of(near).fits(outcome_of(values).sketch(), 1e-6)


def test_what_is_shown_stays_on_one_line_and_short():
    assert shown({"p50": np.float64(13.0)}) == "{'p50': 13.0}"
    assert shown((1,)) == "(1,)"
    assert "shape (50, 50)" in shown(np.zeros((50, 50)))
    assert len(shown(list(range(1000)))) <= 240

    class Rude:
        def __repr__(self):
            raise RuntimeError

    assert "Rude" in shown(Rude())


def test_an_iterator_without_end_is_read_to_a_limit():
    import itertools

    assert outcome_of(itertools.count()).values.size == 100_000


def test_smaller_inputs_are_smaller():
    assert size_of([[1]]) < size_of([[1, 2]]) < size_of([np.zeros(30)])
