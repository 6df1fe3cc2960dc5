"""Training that preserves clusters: weights that share a value move together."""

from typing import Self

import numpy as np
import torch
from torch import nn

from utils.quantization.aware.straight import FakeQuantizer
from utils.quantization.base import check_option
from utils.quantization.scalar import KMeansQuantizer, shared_values


class _SharedValues(torch.autograd.Function):
    @staticmethod
    def forward(ctx, centroids, codes):
        ctx.save_for_backward(centroids, codes)
        return centroids[codes]

    @staticmethod
    def backward(ctx, gradient):
        centroids, codes = ctx.saved_tensors
        flat, totals = codes.flatten(), torch.zeros_like(centroids)
        totals.index_add_(0, flat, gradient.flatten())
        counts = torch.bincount(flat, minlength=len(centroids)).clamp(min=1)
        return torch.where(centroids == 0, 0.0, totals / counts), None


def share(centroids: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """The weights that codes stand for; a centroid gets the mean of their gradients.

    A centroid that is 0 gets none, so that weights which were pruned away stay away.

    Parameters
    ----------
    centroids : (n,) float32
    codes : int64, of any shape

    Returns
    -------
    Tensor of the shape of ``codes``.

    Source: Han, Mao and Dally (2016), arXiv 1510.00149, section 3.3, who take the sum; so does
    TensorFlow's Model Optimization Toolkit, unless its aggregation is set to "AVG", which is this.

    What people get wrong: the sum, in plain gradient descent with one learning rate for all. The centroid
    of a thousand small weights then moves a hundred times as far as that of ten large ones. (Adam divides
    by a gradient's size, and moves both as far.)

    >>> from utils.quantization.aware import share
    >>> centroids = torch.tensor([0.0, 1.0, 5.0], requires_grad=True)
    >>> weights = share(centroids, torch.tensor([0, 1, 1, 2]))
    >>> (weights * torch.tensor([7.0, 2.0, 4.0, 1.0])).sum().backward()
    >>> centroids.grad.tolist()
    [0.0, 3.0, 1.0]
    """
    return _SharedValues.apply(centroids, codes)


class SharedWeights(FakeQuantizer):
    """Weights shared by k-means, whose codes stay as they are while the shared values learn.

    See :func:`share`. What is trained are the centroids; the float32 weights behind get no gradient.

    Parameters
    ----------
    bits : 2**bits shared values, 1 to 12
    sparse : keep one of them at 0, for weights that are 0 and those that are nearest to it
    entropy_coding : store the codes with rANS

    Source: Han, Mao and Dally (2016), arXiv 1510.00149, section 3; cluster-preserving training as in
    TensorFlow's Model Optimization Toolkit.

    What people get wrong: k-means of a pruned matrix without a value kept for 0. The nearest shared
    value is a little beside it, and no weight is gone any more.

    >>> from utils.quantization.aware import SharedWeights
    >>> weight = torch.tensor([0.0, 0.0, 0.1, 0.3, 2.0])
    >>> shared = SharedWeights(bits=2, sparse=True).start(weight)
    >>> [round(x, 2) for x in shared(weight).tolist()]
    [0.0, 0.0, 0.1, 0.3, 2.0]
    >>> shared.quantizer(weight).codebook_
    array([0. , 0.1, 0.3, 2. ], dtype=float32)
    """

    def __init__(self, bits: int = 4, *, sparse: bool = False, entropy_coding: bool = False):
        super().__init__()
        check_option("bits of a k-means codebook", bits, 1, 12)
        self.bits, self.sparse, self.entropy_coding = bits, sparse, entropy_coding

    def start(self, x: torch.Tensor) -> Self:
        values = x.detach().cpu().numpy().astype(np.float32)
        codebook = shared_values(values, 2**self.bits)
        if self.sparse and (values == 0).any() and (values != 0).any():
            others = shared_values(values[values != 0], 2**self.bits - 1)
            codebook = np.unique(np.append(others, np.float32(0)))
        quantizer = self._fitted(codebook)
        codes = torch.from_numpy(quantizer.transform(values).astype(np.int64))
        self.centroids = nn.Parameter(torch.from_numpy(codebook).to(x.device))
        self.register_buffer("codes", codes.to(x.device))
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return share(self.centroids, self.codes)

    def quantizer(self, x: torch.Tensor) -> KMeansQuantizer:
        return self._fitted(np.unique(self.centroids.detach().cpu().numpy()))

    def _fitted(self, codebook: np.ndarray) -> KMeansQuantizer:
        quantizer = KMeansQuantizer(self.bits, entropy_coding=self.entropy_coding)
        quantizer.codebook_ = codebook
        return quantizer
