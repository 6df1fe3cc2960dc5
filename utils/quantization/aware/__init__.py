"""Quantization-aware training: a network that computes with its codes while it learns.

A :class:`FakeQuantizer` stands between a weight and the network: it gives the values that codes stand
for, has a gradient, and names the quantizer that stores them. Steps, ranges and shared values may be
learned with the weights.

Source: Jacob et al., CVPR 2018 (arXiv 1712.05877), section 3; each method says its own.

What people get wrong: a grid in training and another in the file. Save with
:attr:`QuantizationAware.codecs`, the quantizers that trained.

>>> from utils.models import MeanVectorNetwork
>>> from utils.quantization.aware import LearnedStep, QuantizationAware, SharedWeights
>>> network = MeanVectorNetwork(50, dim=8, hidden=4, labels=2)
>>> fakes = {"embedding.weight": SharedWeights(bits=3), "*weight": LearnedStep(bits=4)}
>>> aware = QuantizationAware(network, fakes)
>>> said, network = aware.eval()(torch.tensor([[5, 7]])), aware.quantized()
>>> torch.equal(network(torch.tensor([[5, 7]])), said), list(aware.codecs)
(True, ['network.embedding.weight', 'network.hidden.weight', 'network.output.weight'])
"""

from utils.quantization.aware.clusters import SharedWeights, share
from utils.quantization.aware.learned import LearnedClip, LearnedStep, learned_step, pact
from utils.quantization.aware.network import QuantizationAware
from utils.quantization.aware.powers import AdditivePowers, learned_powers
from utils.quantization.aware.rate import code_entropy
from utils.quantization.aware.straight import (
    FakeQuantizer,
    Straight,
    fake_quantize,
    straight_through,
)

__all__ = [
    "AdditivePowers",
    "FakeQuantizer",
    "LearnedClip",
    "LearnedStep",
    "QuantizationAware",
    "SharedWeights",
    "Straight",
    "code_entropy",
    "fake_quantize",
    "learned_powers",
    "learned_step",
    "pact",
    "share",
    "straight_through",
]
