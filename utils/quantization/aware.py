"""Quantization-aware training: a network that computes with its codes while it learns."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

import torch
from sklearn.base import clone
from torch import nn
from torch.func import functional_call

from utils.quantization.base import Quantizer


class QuantizationAware(nn.Module):
    """A network whose weights are quantized whenever it computes; it learns the float32 ones behind.

    Rounding has the derivative 0 nearly everywhere, so nothing could be learned through it. The
    *straight-through* estimator takes 1 instead: with q(w) for the quantized weight, the network
    computes with w + (q(w) - w), where the bracket counts as a constant. A weight that is pushed again
    and again in one direction reaches the next code in the end, and the others learn to live with it.

    Give it to ``utils.training.fit`` like the network itself, then take :meth:`quantized`.

    Parameters
    ----------
    network : of ``utils.models``, best one that is trained already; it is trained in place
    quantizers : patterns (as in ``fnmatch``) of names of parameters, to an unfitted scalar quantizer;
        each parameter gets a copy of the first that fits
    refresh : training passes after which codebooks are fitted anew, since weights move

    Raises
    ------
    ValueError
        If a pattern fits no parameter, or ``refresh`` is below 1.

    Source: Bengio, Leonard and Courville (2013), arXiv 1308.3432, section 2.3 (straight-through); Han,
    Mao and Dally (2016), arXiv 1510.00149, section 3.3, who train the shared values themselves.

    What people get wrong: what they save. The weights of the trained network are float32 still, and
    a file of them is as large as before; take :meth:`quantized`, and save it by the quantizer.

    >>> from utils.models import MeanVectorNetwork
    >>> from utils.quantization import KMeansQuantizer, QuantizationAware
    >>> network = MeanVectorNetwork(50, dim=8, hidden=4, labels=2)
    >>> aware = QuantizationAware(network, {"embedding.weight": KMeansQuantizer(bits=2)})
    >>> len(network.embedding.weight.unique()) > 4, len(aware.quantized().embedding.weight.unique())
    (True, 4)
    """

    def __init__(self, network: nn.Module, quantizers: Mapping[str, Quantizer], refresh: int = 100):
        super().__init__()
        if refresh < 1:
            raise ValueError(f"refresh must be at least 1, got {refresh}")
        self.network, self.config = network, network.config
        self.refresh, self._passes = refresh, 0
        self._quantizers = {}
        names = [name for name, _ in network.named_parameters()]
        for pattern, quantizer in quantizers.items():
            found = [name for name in names if fnmatchcase(name, pattern)]
            if not found:
                raise ValueError(
                    f"no parameter is called {pattern!r}; there are {', '.join(names)}"
                )
            for name in found:
                self._quantizers.setdefault(name, clone(quantizer))
        self._fit()

    def _fit(self) -> None:
        for name, quantizer in self._quantizers.items():
            quantizer.fit(self.network.get_parameter(name).detach())

    def _values(self, name: str) -> torch.Tensor:
        quantizer, weight = self._quantizers[name], self.network.get_parameter(name).detach()
        return quantizer.inverse_transform(quantizer.transform(weight))

    def train(self, mode: bool = True) -> "QuantizationAware":
        """As of any module. Codebooks are fitted anew for predictions, so that these are those of
        :meth:`quantized`."""
        if self.training and not mode:
            self._fit()
        return super().train(mode)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """What the network says with its quantized weights."""
        if self.training:
            self._passes += 1
            if self._passes % self.refresh == 0:
                self._fit()
        weights = {}
        for name in self._quantizers:
            weight = self.network.get_parameter(name)
            weights[name] = weight + (self._values(name) - weight.detach())
        return functional_call(self.network, weights, (ids,))

    @torch.no_grad()
    def quantized(self) -> nn.Module:
        """The network, its weights replaced by what their codes stand for; not to be trained further.

        Those values are all that a quantizer of the same kind finds in it, so a file that is written
        with such a codec holds the very network that was trained.
        """
        self._fit()
        for name in self._quantizers:
            self.network.get_parameter(name).copy_(self._values(name))
        return self.network.eval()
