"""A network that computes with its codes while it learns."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

import torch
from torch import nn
from torch.func import functional_call
from torch.nn.utils.rnn import PackedSequence

from utils.quantization.aware.straight import FakeQuantizer, Straight
from utils.quantization.base import Quantizer


class QuantizationAware(nn.Module):
    """A network whose weights are quantized whenever it computes; it learns the float32 ones behind.

    Rounding has the derivative 0 nearly everywhere, so nothing could be learned through it. The
    *straight-through* estimator takes 1 instead: the network computes with the quantized weight q(w),
    and w gets the gradient of q(w). A weight that is pushed again and again in one direction reaches
    the next code in the end, and the others learn to live with it.

    Give it to ``utils.training.fit`` like the network itself, then take :meth:`quantized`, and save
    that with :attr:`codecs`.

    Parameters
    ----------
    network : of ``utils.models``, best one that is trained already; it is trained in place
    quantizers : patterns (as in ``fnmatch``) of names of parameters, to a :class:`FakeQuantizer` or an
        unfitted quantizer; each parameter gets a copy of the first that fits
    refresh : training passes after which codebooks are fitted anew, since weights move
    activations : patterns of names of layers, to a :class:`FakeQuantizer` of what goes into them, such
        as :class:`LearnedClip`. It learns its first range from the first batch. Of ``nn.GRU`` that is
        the input and not the states, which never leave it; those of ``StructuredGRU`` do.

    Raises
    ------
    ValueError
        If a pattern fits no parameter or no layer, or ``refresh`` is below 1.

    Source: Bengio, Leonard and Courville (2013), arXiv 1308.3432, section 2.3 (straight-through); Han,
    Mao and Dally (2016), arXiv 1510.00149, section 3.3, who train the shared values themselves.

    What people get wrong: what they save. The weights of the trained network are float32 still, and
    a file of them is as large as before; take :meth:`quantized`, and save it by the quantizers that
    trained. One that is fitted anew may find another step.

    >>> from utils.models import MeanVectorNetwork
    >>> from utils.quantization import KMeansQuantizer, QuantizationAware
    >>> network = MeanVectorNetwork(50, dim=8, hidden=4, labels=2)
    >>> aware = QuantizationAware(network, {"embedding.weight": KMeansQuantizer(bits=2)})
    >>> len(network.embedding.weight.unique()) > 4, len(aware.quantized().embedding.weight.unique())
    (True, 4)
    >>> aware.codecs
    {'network.embedding.weight': KMeansQuantizer(bits=2)}
    """

    def __init__(
        self,
        network: nn.Module,
        quantizers: Mapping[str, Quantizer | FakeQuantizer],
        refresh: int = 100,
        activations: Mapping[str, FakeQuantizer] | None = None,
    ):
        super().__init__()
        if refresh < 1:
            raise ValueError(f"refresh must be at least 1, got {refresh}")
        self.network, self.config = network, network.config
        self.refresh, self._passes = refresh, 0
        self._codecs: dict[str, Quantizer] = {}
        weights = _first_fits(dict(network.named_parameters()), quantizers, "parameter")
        self.names = tuple(weights)
        self.weights = nn.ModuleList(
            (Straight(chosen) if isinstance(chosen, Quantizer) else chosen)
            .new()
            .start(network.get_parameter(name).detach())
            for name, chosen in weights.items()
        )
        layers = dict(network.named_modules())
        inputs = _first_fits(layers, activations or {}, "layer")
        self.activations = nn.ModuleList(chosen.new() for chosen in inputs.values())
        for name, fake in zip(inputs, self.activations, strict=True):
            layers[name].register_forward_pre_hook(_quantized_input(fake))

    def _refit(self) -> None:
        if not self._codecs:  # quantized() froze them
            for name, fake in zip(self.names, self.weights, strict=True):
                fake.refit(self.network.get_parameter(name).detach())

    def train(self, mode: bool = True) -> "QuantizationAware":
        """As of any module. Codebooks are fitted anew for predictions, so that these are those of
        :meth:`quantized`."""
        if not mode:
            self._refit()
        return super().train(mode)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """What the network says with its quantized weights."""
        if self._codecs:
            return self.network(ids)
        if self.training:
            self._passes += 1
            if self._passes % self.refresh == 0:
                self._refit()
        values = {
            name: fake(self.network.get_parameter(name))
            for name, fake in zip(self.names, self.weights, strict=True)
        }
        return functional_call(self.network, values, (ids,))

    def rate(self) -> torch.Tensor:
        """Bytes that an ideal entropy coder takes for the codes of all weights, with a gradient.

        A penalty for ``utils.pruning.PenalizedLoss``; see :func:`code_entropy`.

        Raises
        ------
        ValueError
            If no weight has a step that is learned.
        """
        rates = [
            fake.rate(self.network.get_parameter(name)) / 8
            for name, fake in zip(self.names, self.weights, strict=True)
            if hasattr(fake, "rate")
        ]
        if not rates:
            raise ValueError("no weight has a LearnedStep, so there is no rate to train for")
        return torch.stack(rates).sum()

    @property
    def codecs(self) -> dict[str, Quantizer]:
        """Name of each quantized weight in a model file to its fitted quantizer, for ``save_model``.

        Raises
        ------
        ValueError
            Before :meth:`quantized`.
        """
        if not self._codecs:
            raise ValueError("weights are float32 still: take quantized() first, and save that")
        return dict(self._codecs)

    @torch.no_grad()
    def quantized(self) -> nn.Module:
        """The network, its weights replaced by what their codes stand for; not to be trained further.

        Saved with :attr:`codecs`, its file holds the very network that was trained. What quantizes
        activations stays in it, and no file holds that.
        """
        if not self._codecs:
            self._refit()
            for name, fake in zip(self.names, self.weights, strict=True):
                weight = self.network.get_parameter(name)
                self._codecs[f"network.{name}"] = fake.quantizer(weight)
                weight.copy_(fake(weight))
        return self.network.eval()


def _first_fits(known: Mapping, patterns: Mapping, what: str) -> dict:
    """Names to what the first pattern that fits them stands for."""
    found = {}
    for pattern, chosen in patterns.items():
        names = [name for name in known if fnmatchcase(name, pattern)]
        if not names:
            raise ValueError(f"no {what} is called {pattern!r}; there are {', '.join(known)}")
        for name in names:
            found.setdefault(name, chosen)
    return found


def _quantized_input(fake: FakeQuantizer):
    """A hook that quantizes the first input of a layer, a packed one too."""

    def hook(_, inputs):
        x, *others = inputs
        if isinstance(x, PackedSequence):
            return x._replace(data=fake(x.data)), *others
        return fake(x), *others

    return hook
