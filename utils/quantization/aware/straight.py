"""The straight-through estimator: rounding on the way forward, and none on the way back."""

import copy
from typing import Self

import torch
from sklearn.base import clone
from torch import nn

from utils.quantization.base import Quantizer
from utils.quantization.scalar import AffineQuantizer


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, values, inside):
        ctx.save_for_backward(inside)
        return values.clone()

    @staticmethod
    def backward(ctx, gradient):
        (inside,) = ctx.saved_tensors
        return gradient if inside is None else gradient * inside, None, None


def straight_through(
    x: torch.Tensor, values: torch.Tensor, inside: torch.Tensor | None = None
) -> torch.Tensor:
    """``values`` on the way forward; on the way back the gradient of ``x``, as if they were equal.

    Parameters
    ----------
    x : what is learned
    values : what ``x`` is rounded to, of its shape; it gets no gradient
    inside : bool, of that shape: where ``x`` gets one; None for everywhere

    Raises
    ------
    ValueError
        If shapes differ.

    Source: Bengio, Leonard and Courville (2013), arXiv 1308.3432, section 2.3.

    What people get wrong: x + (values - x).detach(). It has this gradient, and on the way forward it
    is off by what float32 loses in the difference: the network that trains is not the one in the file.

    >>> from utils.quantization.aware import straight_through
    >>> x = torch.tensor([0.3, 100.1], requires_grad=True)
    >>> values = torch.tensor([0.1, 1e-4])
    >>> straight_through(x, values).tolist() == values.tolist()
    True
    >>> (x + (values - x)).tolist() == values.tolist()
    False
    """
    for other in (values, inside):
        if other is not None and other.shape != x.shape:
            raise ValueError(f"x has the shape {tuple(x.shape)}, not {tuple(other.shape)}")
    return _StraightThrough.apply(x, values.detach(), inside)


def fake_quantize(
    x: torch.Tensor,
    scale: torch.Tensor | float,
    zero_point: torch.Tensor | float = 0,
    low: int = -127,
    high: int = 127,
) -> torch.Tensor:
    """Values of a uniform grid, with the gradient of the straight-through estimator.

    scale * (q - zero_point), where q = clip(round(x / scale) + zero_point, low, high). The gradient by
    x is 1 where the code lies in low..high before it is clipped, and 0 elsewhere. For one scale of a
    tensor it is what ``torch.fake_quantize_per_tensor_affine`` computes, bit by bit.

    Parameters
    ----------
    x : float32, of any shape
    scale : above 0, a number or of a shape that fits ``x``
    zero_point : the code of 0.0, as ``scale``
    low, high : the lowest and the highest code

    Raises
    ------
    ValueError
        If a scale is not above 0 or not finite, or there are no two codes.

    Source: Jacob et al., CVPR 2018 (arXiv 1712.05877), section 3.

    What people get wrong: the gradient outside the range. If it is handed through there too, a weight
    runs away from its grid without a change in what the network says.

    >>> from utils.quantization.aware import fake_quantize
    >>> x = torch.tensor([-9.0, 0.3, 0.8, 9.0], requires_grad=True)
    >>> values = fake_quantize(x, 0.5, low=-3, high=3)
    >>> values.sum().backward()
    >>> values.tolist(), x.grad.tolist()
    ([-1.5, 0.5, 1.0, 1.5], [0.0, 1.0, 1.0, 0.0])
    """
    scale = torch.as_tensor(scale, dtype=x.dtype, device=x.device).detach()
    if not bool(((scale > 0) & torch.isfinite(scale)).all()):
        raise ValueError("every scale of a grid must be a number above 0")
    if not low < high:
        raise ValueError(f"a grid needs two codes at least, got {low}..{high}")
    code = torch.round(x.detach() * (1 / scale)) + zero_point
    inside = (code >= low) & (code <= high)
    return straight_through(x, (code.clamp(low, high) - zero_point) * scale, inside)


class FakeQuantizer(nn.Module):
    """What a weight, or an activation, goes through while a network learns to be quantized.

    A subclass computes the values that codes stand for, with a gradient, and in the end names the
    quantizer that stores them.

    Source: Jacob et al., CVPR 2018 (arXiv 1712.05877), section 3.

    What people get wrong: a grid in training and another in the file. A codec that is fitted anew to
    the trained values may find another step; :meth:`quantizer` is the one that trained.

    >>> from utils.quantization.aware import LearnedStep
    >>> fake, weight = LearnedStep(bits=3), torch.tensor([0.1, -0.2, 0.9])
    >>> values = fake.start(weight)(weight)
    >>> codec = fake.quantizer(weight)
    >>> torch.equal(codec.inverse_transform(codec.transform(values)), values)
    True
    """

    def new(self) -> Self:
        """One of the same kind that has seen nothing yet."""
        return copy.deepcopy(self)

    def start(self, x: torch.Tensor) -> Self:
        """Take what is learned from first values; return itself."""
        return self

    def refit(self, x: torch.Tensor) -> None:
        """Follow values that have moved, where that is not learned by gradients."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The values that the codes of ``x`` stand for, of its shape."""
        raise NotImplementedError

    def quantizer(self, x: torch.Tensor) -> Quantizer:
        """The fitted quantizer that stores what :meth:`forward` gives, exactly."""
        raise NotImplementedError


class Straight(FakeQuantizer):
    """Any quantizer of ``utils.quantization``, fitted anew from time to time, straight through.

    Of a uniform grid the gradient is 0 outside its range, as in :func:`fake_quantize`. A codebook has
    no range: a weight beyond its ends is nearest to the last value, and may come back.

    Parameters
    ----------
    quantizer : not fitted; copies of it are

    Source: Bengio, Leonard and Courville (2013), arXiv 1308.3432, section 2.3.

    What people get wrong: a fixed range that cuts weights off. They get no gradient any more, and stay
    where they are; learn the range, or fit it again.

    >>> from utils.quantization import KMeansQuantizer
    >>> from utils.quantization.aware import Straight
    >>> weight = torch.tensor([0.0, 0.5, 4.0], requires_grad=True)
    >>> Straight(KMeansQuantizer(bits=1)).start(weight)(weight).tolist()
    [0.25, 0.25, 4.0]
    """

    def __init__(self, quantizer: Quantizer):
        super().__init__()
        self._quantizer = clone(quantizer)

    def start(self, x: torch.Tensor) -> Self:
        self.refit(x)
        return self

    def refit(self, x: torch.Tensor) -> None:
        self._quantizer.fit(x.detach())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        fitted, weight = self._quantizer, x.detach()
        codes = fitted.transform(weight)
        values, inside = fitted.inverse_transform(codes), None
        if isinstance(fitted, AffineQuantizer):
            inside = fitted.inside(weight)
        return straight_through(x, values, inside)

    def quantizer(self, x: torch.Tensor) -> Quantizer:
        return self._quantizer
