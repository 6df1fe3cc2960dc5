"""A whole network, its layers replaced by integer ones."""

import copy
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from utils.quantization.integer.layers import (
    IntegerEmbedding,
    IntegerGRU,
    IntegerLinear,
    _IntegerLayer,
)
from utils.quantization.scalar import AffineQuantizer


def quantize_network(
    network: nn.Module,
    bits: int = 8,
    *,
    sample: Any = None,
    activations: AffineQuantizer | None = None,
    embedding_granularity: str = "channel",
) -> nn.Module:
    """A copy of `network` in which linear, GRU and embedding layers compute with integers.

    Parameters
    ----------
    network : any module that contains such layers
    bits : 2 to 8, of the weights
    sample : input of `network`, to calibrate the range of every layer's input on (static
        quantization); without it, ranges are found when inputs arrive (dynamic quantization)
    activations : how to calibrate, an unfitted quantizer; the default takes minimum and maximum
    embedding_granularity : as in `IntegerEmbedding`

    Returns
    -------
    nn.Module in evaluation mode

    Source: Jacob et al., CVPR 2018 (arXiv 1712.05877), section 2.

    What people get wrong: the embedding. It holds most bytes of a small text model, and many tools
    leave it in float32, or quantize layers in name only: compare the file, and time it.

    >>> from utils.models import MeanVectorNetwork
    >>> from utils.quantization import quantize_network
    >>> network = MeanVectorNetwork(50, dim=8, hidden=4, labels=2).eval()
    >>> integer, ids = quantize_network(network), torch.tensor([[5, 7, 9, 0]])
    >>> integer.embedding.weight.dtype, bool((integer(ids) - network(ids)).abs().max() < 0.1)
    (torch.int8, True)
    """
    network = copy.deepcopy(network).eval()
    layers = {
        name: layer
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Linear | nn.GRU | nn.Embedding)
    }
    grids: dict[str, AffineQuantizer] = {}
    if sample is not None:
        recipe = AffineQuantizer(symmetric=False) if activations is None else activations
        for name, inputs in _layer_inputs(network, layers, sample).items():
            grids[name] = copy.deepcopy(recipe).fit(inputs)
    for name, layer in layers.items():
        if isinstance(layer, nn.Embedding):
            integer = IntegerEmbedding(layer, bits, embedding_granularity)
        else:
            integer = _integer_kind(layer)(layer, bits, grids.get(name))
        if not name:
            return integer
        network.set_submodule(name, integer)
    return network


def integer_layers(network: nn.Module) -> dict[str, dict[str, Any]]:
    """The integer layers of `network`: each one's name and ``config``."""
    return {
        name: layer.config
        for name, layer in network.named_modules()
        if isinstance(layer, _IntegerLayer)
    }


def add_integer_layers(network: nn.Module, configs: dict[str, dict[str, Any]]) -> None:
    """Replace layers of a network on the meta device by integer layers of the same shape.

    They have no values yet: ``load_state_dict(..., assign=True)`` brings them.

    Parameters
    ----------
    network : changed in place
    configs : what `integer_layers` returned

    Raises
    ------
    ValueError, TypeError, AttributeError
        A name or an option that does not fit the network.
    """
    for name, config in configs.items():
        layer = network.get_submodule(name)
        options = dict(config)
        if options.pop("static", False):
            options["activations"] = AffineQuantizer(symmetric=False).fit(np.zeros(1, np.float32))
        network.set_submodule(name, _integer_kind(layer)(layer, **options))


def _integer_kind(layer: nn.Module) -> type[_IntegerLayer]:
    for kind, integer in _INTEGER.items():
        if isinstance(layer, kind):
            return integer
    raise ValueError(f"there is no integer layer for a {type(layer).__name__}")


_INTEGER = {nn.Linear: IntegerLinear, nn.GRU: IntegerGRU, nn.Embedding: IntegerEmbedding}


def _layer_inputs(network: nn.Module, layers: dict, sample: Any) -> dict[str, torch.Tensor]:
    """All inputs (n, d) that each linear and GRU layer meets when the network reads `sample`."""
    seen: dict[str, list[torch.Tensor]] = {}

    def record(name):
        def hook(_, inputs):
            x = inputs[0].data if isinstance(inputs[0], PackedSequence) else inputs[0]
            seen.setdefault(name, []).append(x.reshape(-1, x.shape[-1]))

        return hook

    hooks = [
        layer.register_forward_pre_hook(record(name))
        for name, layer in layers.items()
        if not isinstance(layer, nn.Embedding)
    ]
    try:
        with torch.inference_mode():
            network(sample)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: torch.cat(inputs) for name, inputs in seen.items()}
