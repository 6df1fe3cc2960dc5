"""Batches of texts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.efficiency import (
    length_batches,
    naive_batches,
    padding_share,
)


@given(st.lists(st.integers(0, 50), max_size=40), st.integers(1, 12))
@settings(deadline=None)
def test_batches_hold_every_text_once(lengths, size):
    for batches in (naive_batches(len(lengths), size), length_batches(lengths, size)):
        assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
        assert all(len(batch) == size for batch in batches[:-1])
    naive = padding_share(lengths, naive_batches(len(lengths), size))
    bucketed = padding_share(lengths, length_batches(lengths, size))
    assert 0 <= bucketed <= 1 and 0 <= naive <= 1
    if len(lengths) % size == 0:  # otherwise chance may put short texts into a small last batch
        assert bucketed <= naive + 1e-12


def test_batching_by_length_saves_padding():
    lengths = [1, 9, 1, 9]
    assert [b.tolist() for b in length_batches(lengths, 2)] == [[0, 2], [1, 3]]
    (ties,) = length_batches([7, 3] * 100, 200)
    assert ties.tolist() == [*range(1, 200, 2), *range(0, 200, 2)]
    assert padding_share(lengths, naive_batches(4, 2)) == 16 / 36
    assert padding_share(lengths, length_batches(lengths, 2)) == 0
    assert padding_share([], []) == 0 and padding_share([0, 0], naive_batches(2, 2)) == 0


def test_batches_reject_a_size_below_one():
    for make in (lambda: naive_batches(3, 0), lambda: length_batches([1], -1)):
        with pytest.raises(ValueError, match="batch_size must be at least 1"):
            make()
