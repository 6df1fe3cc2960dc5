"""Products of int8 matrices, and the activations' codes that go into them."""

import functools
from typing import NamedTuple

import torch


class Codes(NamedTuple):
    """Values x = scale * (codes - zero_point)."""

    codes: torch.Tensor  # int8
    scale: torch.Tensor  # float32, broadcasts over the codes
    zero_point: torch.Tensor | None  # int32, broadcasts over the codes; None is zero

    def values(self) -> torch.Tensor:
        """The values as float64, in which sums of products are exact enough to compare with."""
        zero_point = 0 if self.zero_point is None else self.zero_point
        return (self.codes.double() - zero_point) * self.scale.double()


def dynamic_quantize(x: torch.Tensor) -> Codes:
    """Quantize activations (..., d) to 8 bits, each row with a scale and zero point of its own.

    Dynamic means that the range is taken from the values at hand, here row by row: then what a
    text is answered does not depend on the other texts in its batch. The grid is that of
    ``AffineQuantizer(symmetric=False)``, with codes from -128 to 127.

    Parameters
    ----------
    x : (..., d) float32

    Returns
    -------
    Codes with scale and zero point of shape (..., 1)
    """
    low, high = (
        x.amin(dim=-1, keepdim=True).clamp_(max=0),
        x.amax(dim=-1, keepdim=True).clamp_(min=0),
    )
    scale = (high - low) / 255
    scale = torch.where(scale < torch.finfo(torch.float32).tiny, 1.0, scale)
    zero_point = torch.round(-128 - low / scale)
    codes = torch.round(x / scale).add_(zero_point).clamp_(-128, 127)
    return Codes(codes.to(torch.int8), scale, zero_point.to(torch.int32))


def static_quantize(x: torch.Tensor, scale: torch.Tensor, zero_point: torch.Tensor) -> Codes:
    """Quantize activations with a scale and an int32 zero point that were calibrated before."""
    codes = torch.round(x / scale).add_(zero_point).clamp_(-128, 127)
    return Codes(codes.to(torch.int8), scale, zero_point)


def integer_matmul(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Exact product of int8 matrices (n, k) and (k, m) as int32 (n, m).

    PyTorch has no public integer product that is fast on a CPU. ``torch._int_mm`` uses the
    processor's int8 instructions; where it is missing or saturates (old processors), the product
    is taken in float64, which holds every integer up to 2**53.
    """
    if _has_exact_int_mm() and a.shape[0] > 0:
        return torch._int_mm(a, b)
    return (a.double() @ b.double()).to(torch.int32)


@functools.cache
def _has_exact_int_mm() -> bool:
    a = torch.full((32, 64), -128, dtype=torch.int8)
    b = torch.full((64, 32), 127, dtype=torch.int8)
    try:
        return bool((torch._int_mm(a, b) == -128 * 127 * 64).all())
    except (AttributeError, RuntimeError):
        return False


def integer_product(
    x: Codes, weight: torch.Tensor, weight_scale: torch.Tensor, bias: torch.Tensor | float
) -> torch.Tensor:
    """``x @ W.T + bias`` for W = weight_scale * weight, with all products and sums in integers.

    Jacob et al., CVPR 2018 (arXiv 1712.05877), equation 7: the zero point is taken out of the sum,
    so that it costs one multiplication for each output rather than one for each product.

    Parameters
    ----------
    x : Codes of shape (n, k)
    weight : (m, k) int8
    weight_scale : (m,) float32
    bias : (m,) float32, or 0

    Returns
    -------
    (n, m) float32
    """
    total = integer_matmul(x.codes, weight.T)
    if x.zero_point is not None:
        total -= x.zero_point * weight.sum(dim=1, dtype=torch.int32)
    return total.float().mul_(weight_scale).mul_(x.scale).add_(bias)


def simulated_product(
    x: Codes, weight: torch.Tensor, weight_scale: torch.Tensor, bias: torch.Tensor | float
) -> torch.Tensor:
    """The same as `integer_product`, computed in floating point on the values of the codes."""
    return (x.values() @ (weight.double() * weight_scale[:, None]).T + bias).float()
