"""How much is pruned when: functions from a training step to a sparsity.

Source: Zhu and Gupta (2017), arXiv 1710.01878, equation 1, for the cubic one.

What people get wrong: the end. Pruning that goes on to the last step leaves no time to recover, and a
schedule that is longer than the training never gets where it should: look at the sparsity of the
network, not at what was asked for.

>>> from utils.pruning import cubic, steps_of
>>> schedule = cubic(0.9, steps=100)
>>> [round(schedule(step), 4) for step in (0, 10, 50, 90, 100, 500)]
[0.0, 0.2439, 0.7875, 0.8991, 0.9, 0.9]
>>> [round(steps_of(0.12, every=1000)(step), 2) for step in (0, 999, 1000, 2000, 3000, 4000)]
[0.0, 0.0, 0.05, 0.1, 0.12, 0.12]
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cubic:
    """``final * (1 - (1 - t)^3)``, where t is the share of ``steps`` that is done, at most 1.

    Much goes at first, when most weights are of no use, and little at the end.
    """

    final: float
    steps: float

    def __call__(self, step: float) -> float:
        left = 1 - min(step / self.steps, 1.0)
        return self.final * (1 - left**3)


@dataclass(frozen=True)
class StepsOf:
    """``share`` of all weights more after each ``every`` steps, until ``final`` is reached."""

    final: float
    every: int
    share: float = 0.05

    def __call__(self, step: int) -> float:
        return min(step // self.every * self.share, self.final)


def cubic(final: float, steps: int) -> Cubic:
    """The cubic schedule from 0 to ``final`` in so many steps.

    Raises
    ------
    ValueError
        If the final sparsity is no share, or there is no step.
    """
    _expect(final, steps)
    return Cubic(final, steps)


def steps_of(final: float, every: int, share: float = 0.05) -> StepsOf:
    """The lecture's schedule: 5% of the smallest weights go every so many steps, up to ``final``.

    Raises
    ------
    ValueError
        If the final sparsity or the share is none, or there is no step between two of them.
    """
    _expect(final, every)
    if not 0 < share <= 1:
        raise ValueError(f"each time a share between 0 and 1 goes, got {share}")
    return StepsOf(final, every, share)


def _expect(final: float, steps: int) -> None:
    if not 0 <= final <= 1 or steps < 1:
        raise ValueError(f"a schedule needs a sparsity and at least a step, got {final}, {steps}")
