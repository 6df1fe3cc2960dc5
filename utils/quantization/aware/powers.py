"""Additive powers of two with a learned range."""

import numpy as np
import torch

from utils.quantization.aware.learned import _Positive
from utils.quantization.aware.straight import straight_through
from utils.quantization.base import check_option
from utils.quantization.scalar import PowersOfTwoQuantizer, power_levels, power_middles


def learned_powers(x: torch.Tensor, clip: torch.Tensor, bits: int) -> torch.Tensor:
    """Values on the grid of additive powers of two, whose range has a gradient.

    clip * project(u), where u = x / clip is cut at -1 and 1. The gradient by the clip is the sum of the
    sign of x beyond it, and of project(u) - u within; that by x is 1 within and 0 beyond.

    Parameters
    ----------
    x : of any shape
    clip : above 0, a single number
    bits : 2 to 8, the sign among them

    Source: Li, Dong and Wang, ICLR 2020 (arXiv 1909.13144), equation 7.

    What people get wrong: the share of project(u) - u is left out, as in PACT. Then all weights beyond
    the range push it outwards, and nothing within it says what that costs.

    >>> from utils.quantization.aware import learned_powers
    >>> x, clip = torch.tensor([0.3, -1.0, 9.0], requires_grad=True), torch.tensor(2.0, requires_grad=True)
    >>> values = learned_powers(x, clip, bits=3)
    >>> values.sum().backward()
    >>> values.tolist(), x.grad.tolist(), round(clip.grad.item(), 3)  # (0.25 - 0.15) + 0 + 1
    ([0.5, -1.0, 2.0], [1.0, 1.0, 0.0], 1.1)
    """
    u = (x / clip).clamp(-1, 1)
    levels, middles = (
        torch.from_numpy(np.array(table)).to(u)
        for table in (power_levels(bits), power_middles(bits))
    )
    nearest = levels[torch.bucketize(u.detach().abs(), middles, right=True)]
    return straight_through(u, torch.where(u < 0, -nearest, nearest)) * clip


class AdditivePowers(_Positive):
    """Weights as sums of powers of two, with a learned range. See :func:`learned_powers`.

    The range is learned in standard deviations of the weight and starts at 3 of them, by its logarithm.
    Mean and deviation, by which the paper normalises, count as constants and are undone again:
    mean + deviation * learned_powers((w - mean) / deviation, clip). A file holds mean and
    deviation * clip.

    Parameters
    ----------
    bits : 2 to 8, the sign among them
    centre : take the mean off, as the paper does; without it, 0 stays 0
    entropy_coding : store the codes with rANS

    Source: Li, Dong and Wang, ICLR 2020 (arXiv 1909.13144), equations 5, 7 and 8; the normalisation is
    theirs too, and is not undone there.

    What people get wrong: weights that stay normalised. It shows in nothing but the result where no
    batch-norm follows: the layer is as many times larger as its deviation is smaller than 1.

    >>> from utils.quantization.aware import AdditivePowers
    >>> weight = torch.tensor([0.02, -0.04, 0.01, 0.05])
    >>> fake = AdditivePowers(bits=5).start(weight)
    >>> bool((fake(weight) - weight).abs().max() < 0.01)
    True
    """

    def __init__(self, bits: int = 4, *, centre: bool = True, entropy_coding: bool = False):
        super().__init__()
        check_option("bits of powers of two", bits, 2, 8)
        self.bits, self.centre, self.entropy_coding = bits, centre, entropy_coding

    def _first(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tensor(3.0)

    def _constants(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and deviation; 0 and 1 where there is none."""
        x = x.detach()
        mean = x.mean() if self.centre else x.new_zeros(())
        deviation = (x - mean).square().mean().sqrt()
        tiny = torch.finfo(x.dtype).tiny
        return mean, torch.where(deviation < tiny, torch.ones_like(deviation), deviation)

    def _values(self, x: torch.Tensor) -> torch.Tensor:
        mean, deviation = self._constants(x)
        # One scale, so that values are those of the quantizer, bit by bit.
        values = learned_powers(x - mean, self.value * deviation, self.bits)
        return values + mean if self.centre else values

    def quantizer(self, x: torch.Tensor) -> PowersOfTwoQuantizer:
        mean, deviation = self._constants(x)
        grid = PowersOfTwoQuantizer(
            self.bits, centre=self.centre, entropy_coding=self.entropy_coding
        )
        grid.scale_ = (self.value * deviation).detach().reshape(1).cpu().numpy()
        if self.centre:
            grid.mean_ = mean.reshape(1).cpu().numpy()
        return grid
