"""k-means in one dimension, where clusters are intervals of the sorted values."""

import numpy as np


def shared_values(X: np.ndarray, n_codes: int) -> np.ndarray:
    """The at most `n_codes` values that replace `X` with (nearly) the least squared error.

    Three steps, all on the sorted values, where any interval's error follows from prefix sums:

    1. Start from boundaries at equal steps of the integral of density**(1/3), which is optimal
       for many codes (Panter and Dite, 1951).
    2. Move all boundaries at once: dynamic programming finds the best way for each boundary to
       stay, move by 1, 2, ... 256 positions, or take a neighbour's place. Repeat until nothing is
       gained. Lloyd's algorithm would stop at the first local optimum; here a code can go from
       one end of the axis to the other in one round.
    3. Finish with Lloyd's algorithm on the exact values.

    Returns
    -------
    (n,) float32, ascending; n = min(n_codes, distinct values).
    """
    values = np.sort(X, axis=None)
    distinct = np.r_[0, np.flatnonzero(np.diff(values)) + 1]  # where each distinct value begins
    if len(distinct) <= n_codes:
        return values[distinct]
    centre = float(values[values.size // 2])  # keeps the squares small
    sorted_ = values.astype(np.float64) - centre
    sums = np.concatenate([[0.0], np.cumsum(sorted_)])

    squares = float(sorted_ @ sorted_)
    positions = _candidates(sorted_, distinct, 8 * n_codes)
    boundaries = positions[_best_boundaries(positions, sums[positions], n_codes, squares)]
    for _ in range(100):  # Lloyd
        boundaries = np.unique(boundaries)
        means = np.diff(sums[boundaries]) / np.diff(boundaries)
        moved = np.searchsorted(sorted_, (means[1:] + means[:-1]) / 2)
        moved = np.r_[0, moved, values.size]
        if np.array_equal(moved, boundaries):
            break
        boundaries = moved
    return (means + centre).astype(np.float32)


def _candidates(values: np.ndarray, distinct: np.ndarray, n: int) -> np.ndarray:
    """About `n` positions in the sorted `values` where a cluster may begin, with both ends."""
    if len(distinct) > n:
        quantiles = values[np.linspace(0, values.size - 1, 8193).astype(int)]
        # Integral of density**(1/3): a step of width w that holds 1/8192 of the values has the
        # density 1/(8192 w), so it adds w * w**(-1/3). The gap before an outlier adds little.
        steps = np.diff(quantiles, prepend=quantiles[0]) ** (2 / 3)
        steps = np.minimum(steps, 256 * np.median(steps[steps > 0]))
        spread = np.interp(np.linspace(0, steps.sum(), n), np.cumsum(steps), quantiles)
        distinct = np.searchsorted(values, spread)
    return np.unique(np.r_[0, distinct, values.size])


def _best_boundaries(
    positions: np.ndarray, sums: np.ndarray, n_codes: int, squares: float
) -> np.ndarray:
    """Indices into `positions` of the n_codes + 1 boundaries of the best clusters found.

    `sums[i]` is the sum of all values before position i, `squares` the sum of all their squares.
    What clusters save of that is the sum over them of (sum of the cluster)**2 / size.
    """
    last = len(positions) - 1
    boundaries = np.linspace(0, last, n_codes + 1).astype(int)
    moves = np.r_[1:9, 12, 16, 24, 32, 64, 128, 256]
    moves = np.r_[-moves[::-1], 0, moves]
    neighbours = np.clip(np.arange(n_codes + 1)[:, None] + [-2, -1, 1, 2], 0, n_codes)
    saved = 0.0
    while True:
        tried = np.hstack([np.clip(boundaries[:, None] + moves, 0, last), boundaries[neighbours]])
        tried[0], tried[-1] = 0, last
        # gain[c, a, b]: saved by cluster c from its a-th candidate start to its b-th candidate end
        size = positions[tried][1:, None, :] - positions[tried][:-1, :, None]
        total = sums[tried][1:, None, :] - sums[tried][:-1, :, None]
        gain = np.where(size < 0, -np.inf, total**2 / np.maximum(size, 1))

        best = gain[0].max(axis=0)  # best[b]: saved by all clusters so far, the last ending at b
        came_from = []
        for cluster in gain[1:]:
            reached = best[:, None] + cluster
            came_from.append(reached.argmax(axis=0))
            best = reached.max(axis=0)
        choice = [0]  # all candidates for the last end are the same
        for pointers in reversed(came_from):
            choice.append(pointers[choice[-1]])
        boundaries[1:] = tried[np.arange(1, n_codes + 1), choice[::-1]]
        if best[0] - saved <= max(1e-4 * (squares - best[0]), 1e-12 * best[0]):
            return boundaries
        saved = best[0]
