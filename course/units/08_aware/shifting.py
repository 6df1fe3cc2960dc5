"""A product with powers of two, by multiplications and by shifts, in PyTorch."""

import time

import numpy as np
import torch

from course.threads import one_thread
from utils.quantization.scalar import power_terms

BITS, SIZE, REPEATS = 5, 256, 51


def shifts(seed: int) -> list[dict]:
    """A matrix of APoT weights times a vector of integers, in turns; all give the same numbers."""
    one_thread()
    random = np.random.default_rng(seed)
    x = torch.from_numpy(random.integers(-127, 128, SIZE))
    signs = torch.from_numpy(random.choice([-1, 1], (SIZE, SIZE)))
    # One exponent for each of the terms that a magnitude is the sum of; None is no term.
    terms = power_terms(BITS)
    deepest = max(e for term in terms for e in term if e is not None)
    chosen = [random.integers(0, len(term), (SIZE, SIZE)) for term in terms]
    lefts = [
        torch.from_numpy(np.array([-1 if e is None else deepest - e for e in term])[each])
        for term, each in zip(terms, chosen, strict=True)
    ]
    whole = sum(
        torch.where(left < 0, 0, torch.ones_like(left) << left.clamp(min=0)) for left in lefts
    )
    weights = signs * whole  # integers: 2**deepest times the sum of powers
    real, x_real = weights.float(), x.float()

    def by_shifts():
        total = torch.zeros(SIZE, dtype=torch.int64)
        for left in lefts:
            total += torch.where(left < 0, 0, signs * (x << left.clamp(min=0))).sum(dim=1)
        return total

    ways = {
        "float32 product": lambda: real @ x_real,
        "int64 product": lambda: weights @ x,
        "shifts and sums": by_shifts,
    }
    expected, seconds = weights @ x, {name: [] for name in ways}
    for repeat in range(REPEATS + 5):
        for name, run in ways.items():
            start = time.perf_counter()
            found = run()
            if repeat >= 5:  # the first ones warm up
                seconds[name].append(time.perf_counter() - start)
            assert torch.equal(found.long(), expected)
    ms = {name: 1e3 * float(np.median(each)) for name, each in seconds.items()}
    return [
        {
            "method": name,
            "setting": f"{SIZE} by {SIZE}, {BITS} bits, 1 thread",
            "seed": seed,
            "ms_p50": ms[name],
            "ratio": ms[name] / ms["float32 product"],
        }
        for name in ways
    ]
