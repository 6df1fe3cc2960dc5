"""Batches of texts, and what padding costs in them.

Source: Khomenko et al. (2016), "Accelerating recurrent neural network training using sequence
bucketing and multi-GPU data parallelization", arXiv 1708.05604.

What people get wrong: the way back. Answers come in the order of the batches; whoever sorted the
texts must put the answers where their texts were.

>>> from utils.efficiency import length_batches, naive_batches, padding_share
>>> lengths = [2, 9, 3, 8]
>>> padding_share(lengths, naive_batches(4, 2)) > padding_share(lengths, length_batches(lengths, 2))
True
>>> [batch.tolist() for batch in length_batches(lengths, 2)]
[[0, 2], [3, 1]]
"""

from collections.abc import Sequence

import numpy as np


def naive_batches(n: int, batch_size: int) -> list[np.ndarray]:
    """Indices 0 to ``n - 1`` in the order they came, in batches of ``batch_size`` (the last may be
    smaller).

    Raises
    ------
    ValueError
        If ``batch_size`` is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    return [np.arange(start, min(start + batch_size, n)) for start in range(0, n, batch_size)]


def length_batches(lengths, batch_size: int) -> list[np.ndarray]:
    """Batches of similar length: indices sorted by length (ties stay in order), then cut.

    Parameters
    ----------
    lengths : (n,) tokens in each text
    batch_size : texts in a batch; the last batch may be smaller

    Returns
    -------
    list of index arrays; each index from 0 to n - 1 is in exactly one of them.

    Raises
    ------
    ValueError
        If ``batch_size`` is below 1.
    """
    order = np.argsort(np.asarray(lengths), kind="stable")
    return [order[batch] for batch in naive_batches(len(order), batch_size)]


def padding_share(lengths, batches: Sequence[np.ndarray]) -> float:
    """Share of token positions that are padding when each batch is padded to its longest text.

    Parameters
    ----------
    lengths : (n,) tokens in each text
    batches : index arrays into ``lengths``, as from :func:`length_batches`

    Returns
    -------
    float from 0 (no padding) to 1; 0 when there is no position at all.
    """
    lengths = np.asarray(lengths)
    in_batches = [lengths[batch] for batch in batches if len(batch)]
    positions = sum(len(batch) * int(batch.max()) for batch in in_batches)
    tokens = sum(int(batch.sum()) for batch in in_batches)
    return 1 - tokens / positions if positions else 0.0
