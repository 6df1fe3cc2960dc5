"""Clipping that is learned: PACT's range, and the learned step size."""

from math import sqrt
from typing import Literal, Self

import numpy as np
import torch
from torch import nn

from utils.quantization.aware.rate import code_entropy
from utils.quantization.aware.straight import FakeQuantizer, straight_through
from utils.quantization.base import check_option
from utils.quantization.scalar import AffineQuantizer

SMALLEST = 1e-12  # of a step or a range, where values are all 0


def learned_step(
    x: torch.Tensor, step: torch.Tensor, low: int, high: int, group: int
) -> torch.Tensor:
    """Values of a uniform grid whose step has a gradient.

    step * round(clip(x / step, low, high)). With u = x / step, the gradient by the step is round(u) - u
    where low <= u <= high, and the code it is clipped to elsewhere; summed over all that share the step,
    it is multiplied by 1 / sqrt(group * high). The gradient by x is 1 in that range and 0 outside.

    Parameters
    ----------
    x : of any shape
    step : above 0, of a shape that fits ``x``
    low, high : the lowest and the highest code
    group : how many numbers share one step: the weights of the layer or, with a step for each output,
        of one output; for activations the features, not the batch

    Source: Esser et al. (2020), arXiv 1902.08153, equations 1 to 3 and section 2.2.

    What people get wrong: N. With a step for each output it is the number of weights of that output; the
    number of the whole tensor makes every gradient too small by the square root of the outputs.

    >>> from utils.quantization.aware import learned_step
    >>> x, step = torch.tensor([0.3, 0.8, 9.0]), torch.tensor(0.5, requires_grad=True)
    >>> learned_step(x, step, -3, 3, group=3).sum().backward()
    >>> round(step.grad.item(), 4)  # (0.4 + 0.4 + 3) / sqrt(3 * 3)
    1.2667
    """
    scaled = _scale_gradient(step, 1 / sqrt(group * high))
    u = (x / scaled).clamp(low, high)
    return straight_through(u, torch.round(u.detach())) * scaled


def _scale_gradient(x: torch.Tensor, factor: float) -> torch.Tensor:
    return straight_through(x * factor, x)


def pact(x: torch.Tensor, clip: torch.Tensor, bits: int, signed: bool = False) -> torch.Tensor:
    """Values cut at a learned range, on a uniform grid over that range.

    With y = min(max(x, low), clip), where low is 0 or, if signed, -clip, it is y rounded to a multiple
    of clip / highest code. The gradient by x is 1 where low < x < clip and 0 elsewhere; that by the clip
    is 1 where x >= clip, -1 where x <= low if signed, and 0 elsewhere: rounding adds nothing to it.

    Parameters
    ----------
    x : of any shape
    clip : above 0, a single number
    bits : 1 to 16, if signed from 2 on; then codes are -(2**(bits-1)-1) .. 2**(bits-1)-1
    signed : the paper's is not, since it comes after a ReLU

    Source: Choi et al. (2018), arXiv 1805.06085, equations 1 to 3; the signed one is ours.

    What people get wrong: a range that may grow for nothing. Only values beyond it pull at it, always
    outwards where they help; the paper adds the square of the range to the loss.

    >>> from utils.quantization.aware import pact
    >>> x, clip = torch.tensor([-1.0, 0.4, 2.0], requires_grad=True), torch.tensor(1.5, requires_grad=True)
    >>> values = pact(x, clip, bits=2)
    >>> values.sum().backward()
    >>> values.tolist(), x.grad.tolist(), clip.grad.item()
    ([0.0, 0.5, 1.5], [0.0, 1.0, 0.0], 1.0)
    """
    low = -clip if signed else torch.zeros_like(clip)
    y = torch.where(x >= clip, clip, torch.where(x <= low, low, x))
    step = (clip / _highest(bits, signed)).detach()
    return straight_through(y, torch.round(y.detach() / step) * step)


def _highest(bits: int, signed: bool) -> int:
    check_option("bits", bits, 2 if signed else 1, 16)
    return 2 ** (bits - 1) - 1 if signed else 2**bits - 1


class _Positive(FakeQuantizer):
    """What holds a number above 0: its logarithm is learned.

    So no step of an optimiser leads below 0, and one of Adam changes it by a share, not by an amount.
    """

    def __init__(self):
        super().__init__()
        self.log = nn.Parameter(torch.zeros(()))
        self.register_buffer("started", torch.zeros((), dtype=torch.bool))

    @property
    def value(self) -> torch.Tensor:
        return self.log.exp()

    @torch.no_grad()
    def start(self, x: torch.Tensor) -> Self:
        first = self._first(x.detach()).clamp(min=SMALLEST).log().to(self.log)
        if first.shape == self.log.shape:
            self.log.copy_(first)  # an optimiser may hold it already
        else:
            self.log = nn.Parameter(first)
        self.started.fill_(True)
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.started:
            self.start(x)
        return self._values(x)

    def _first(self, x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def _values(self, x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError


class LearnedStep(_Positive):
    """A uniform grid with a learned step, for weights (a step for all or for each output) or activations.

    See :func:`learned_step`. The step starts at 2 * mean|x| / sqrt(highest code). Its logarithm is what
    is learned, so that it stays above 0. The grid is that of a symmetric ``AffineQuantizer``: one code
    less at the lower end than in the paper.

    Parameters
    ----------
    bits : width of a code, 2 to 16
    granularity : one step per "tensor", or one per "channel" of a weight (axis 0)
    of : "weights" or "activations": what N is the number of
    entropy_coding : store the codes with rANS; then many bits with a wide step cost few bytes

    Source: Esser et al. (2020), arXiv 1902.08153, section 2; the logarithm is ours.

    What people get wrong: Adam divides a gradient by its own size, and the factor 1 / sqrt(N * Q) with
    it. What remains of that factor there is its share of the gradient's norm when that is clipped.

    >>> from utils.quantization.aware import LearnedStep
    >>> fake = LearnedStep(bits=2).start(torch.tensor([0.4, -0.6, 0.5]))
    >>> round(fake.value.item(), 3), [round(x, 3) for x in fake(torch.tensor([0.4, -0.6, 5.0])).tolist()]
    (1.0, [0.0, -1.0, 1.0])
    """

    def __init__(
        self,
        bits: int = 4,
        *,
        granularity: Literal["tensor", "channel"] = "tensor",
        of: Literal["weights", "activations"] = "weights",
        entropy_coding: bool = False,
    ):
        super().__init__()
        self.high = _highest(bits, signed=True)
        if granularity not in ("tensor", "channel") or of not in ("weights", "activations"):
            raise ValueError(
                "granularity must be 'tensor' or 'channel' and of 'weights' or 'activations', got "
                f"{granularity!r} and {of!r}"
            )
        if granularity == "channel" and of == "activations":
            raise ValueError("activations have one step: a channel is an output of a weight")
        self.bits, self.granularity, self.of = bits, granularity, of
        self.entropy_coding = entropy_coding

    def _first(self, x: torch.Tensor) -> torch.Tensor:
        size = x.abs()
        channel = self.granularity == "channel"
        mean = size.reshape(len(x), -1).mean(dim=1) if channel else size.mean()
        return 2 * mean / sqrt(self.high)

    def _step(self, x: torch.Tensor) -> torch.Tensor:
        """The step in a shape that fits ``x``."""
        if self.granularity == "tensor":
            return self.value
        return self.value.view(-1, *[1] * (x.ndim - 1))

    def _group(self, x: torch.Tensor) -> int:
        return x.shape[-1] if self.of == "activations" else x.numel() // self.log.numel()

    def _values(self, x: torch.Tensor) -> torch.Tensor:
        return learned_step(x, self._step(x), -self.high, self.high, self._group(x))

    def rate(self, x: torch.Tensor) -> torch.Tensor:
        """Bits of all codes of ``x`` in an ideal entropy coder, with a gradient.

        That by the step is scaled as in :func:`learned_step`, so that of a sum of loss and rate both
        count for the step as they do for the weights.
        """
        step = _scale_gradient(self._step(x), 1 / sqrt(self._group(x) * self.high))
        return x.numel() * code_entropy(x / step, -self.high, self.high)

    def quantizer(self, x: torch.Tensor) -> AffineQuantizer:
        return _uniform(
            self.bits, self.value, granularity=self.granularity, entropy_coding=self.entropy_coding
        )


class LearnedClip(_Positive):
    """A uniform grid over a learned range, for activations or weights. See :func:`pact`.

    The range starts at the largest |x|, and its logarithm is what is learned.

    Parameters
    ----------
    bits : width of a code, 1 to 16, if signed from 2 on
    signed : False for what comes out of a ReLU
    entropy_coding : store the codes of a weight with rANS

    Source: Choi et al. (2018), arXiv 1805.06085, section 3; the logarithm is ours.

    What people get wrong: an unsigned range on what is not the output of a ReLU. Embeddings, states of
    a GRU and what leaves a GELU lie below 0 as well, and all of that would be cut off.

    >>> from utils.quantization.aware import LearnedClip
    >>> fake = LearnedClip(bits=2, signed=False).start(torch.tensor([0.0, 1.5]))
    >>> [round(x, 3) for x in fake(torch.tensor([-0.4, 0.4, 0.9, 7.0])).tolist()]
    [0.0, 0.5, 1.0, 1.5]
    """

    def __init__(self, bits: int = 4, *, signed: bool = True, entropy_coding: bool = False):
        super().__init__()
        _highest(bits, signed)
        self.bits, self.signed, self.entropy_coding = bits, signed, entropy_coding

    def _first(self, x: torch.Tensor) -> torch.Tensor:
        return x.abs().max()

    def _values(self, x: torch.Tensor) -> torch.Tensor:
        return pact(x, self.value, self.bits, self.signed)

    def quantizer(self, x: torch.Tensor) -> AffineQuantizer:
        step = self.value / _highest(self.bits, self.signed)
        return _uniform(self.bits, step, symmetric=self.signed, entropy_coding=self.entropy_coding)


def _uniform(bits: int, step: torch.Tensor, **options) -> AffineQuantizer:
    """A fitted grid of these steps; without a sign, its code of 0.0 is 0."""
    grid = AffineQuantizer(bits, **options)
    grid.scale_ = step.detach().reshape(-1).cpu().numpy().astype(np.float32)
    if not grid.symmetric:
        grid.zero_point_ = np.zeros(1, np.uint8 if bits <= 8 else np.uint16)
    return grid
