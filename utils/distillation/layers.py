"""Layers by name: all kinds that may stand in a network, among them a GRU made of any of them."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from utils.distillation.factorized import FactorizedEmbedding, FactorizedLinear
from utils.distillation.grouped import GroupedLinear
from utils.distillation.sparse import StaticSparseLinear
from utils.distillation.tensor_train import TensorTrainEmbedding


class StructuredGRU(nn.Module):
    """``nn.GRU`` whose matrices are layers of their own: factorised, sparse or dense.

    Two layers for each layer and direction: one from the input, one from the state, each to the
    3 * hidden_size numbers of the gates r, z, n. What the input adds is computed for all steps at
    once, what the state adds step by step.

    Parameters
    ----------
    input_size, hidden_size, num_layers, bidirectional : as in ``nn.GRU``; batches come first
    matrices : [input layer, state layer] for each direction of each layer (forward first), each a
        pair of a name in ``LAYERS`` and its parameters, as :func:`layer_spec` gives them
    dropout : between layers, in training

    Raises
    ------
    ValueError
        If there are not as many matrices as layers and directions, or their sizes do not fit.

    Source: Cho et al. (2014), arXiv 1406.1078, in the variant of ``nn.GRU``; for the factorised one
    Kuchaiev and Ginsburg (2017), arXiv 1703.10722, section 2.1 (there an LSTM).

    What people get wrong: only the matrix of the inputs is made smaller. That of the states is
    stored as well, and its products have to wait for one another.

    >>> from utils.distillation import StructuredGRU
    >>> sizes = [dict(in_features=n, out_features=24, rank=2) for n in (5, 8)]
    >>> gru = StructuredGRU(5, 8, [[["FactorizedLinear", size] for size in sizes]])
    >>> gru(torch.ones(2, 7, 5))[0].shape
    torch.Size([2, 7, 8])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        matrices: Sequence,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.config = dict(
            input_size=input_size,
            hidden_size=hidden_size,
            matrices=matrices,
            num_layers=num_layers,
            bidirectional=bidirectional,
            dropout=dropout,
        )
        self.hidden_size, self.num_layers = hidden_size, num_layers
        self.directions = 2 if bidirectional else 1
        if len(matrices) != num_layers * self.directions:
            raise ValueError(
                f"{num_layers} layers in {self.directions} directions need as many pairs of "
                f"matrices, got {len(matrices)}"
            )
        self.inputs = nn.ModuleList(build_layer(spec) for spec, _ in matrices)
        self.states = nn.ModuleList(build_layer(spec) for _, spec in matrices)
        self.dropout = nn.Dropout(dropout)
        for i, specs in enumerate(matrices):
            sizes = [(spec[1]["in_features"], spec[1]["out_features"]) for spec in specs]
            width = input_size if i < self.directions else self.directions * hidden_size
            if sizes != [(width, 3 * hidden_size), (hidden_size, 3 * hidden_size)]:
                raise ValueError(f"matrices {i} have sizes {sizes}, which do not fit the layer")

    def forward(self, x: torch.Tensor | PackedSequence):
        """As ``nn.GRU``: states of the last layer at every step, and the last states of all layers."""
        packed = isinstance(x, PackedSequence)
        if packed:
            x, lengths = pad_packed_sequence(x, batch_first=True)
        else:
            lengths = torch.full((len(x),), x.shape[1])
        reading = (torch.arange(x.shape[1]) < lengths[:, None])[..., None].to(x.device)
        last = []
        for layer in range(self.num_layers):
            x = self.dropout(x) if layer else x
            ways = [
                self._read(x, reading, layer * self.directions + direction)
                for direction in range(self.directions)
            ]
            x = torch.cat([states for states, _ in ways], dim=2)
            last += [state for _, state in ways]
        if packed:
            x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return x, torch.stack(last)

    def _read(self, x, reading, i):
        """Layer and direction number i: states (batch, steps, hidden), and the last state."""
        backwards = i % self.directions == 1
        from_input, n = self.inputs[i](x), 2 * self.hidden_size
        state = from_input.new_zeros(len(x), self.hidden_size)
        states, steps = [], range(x.shape[1])
        for t in reversed(steps) if backwards else steps:
            from_state = self.states[i](state)
            gates = torch.sigmoid(from_input[:, t, :n] + from_state[:, :n])
            reset, update = gates.chunk(2, dim=1)
            new = torch.tanh(from_input[:, t, n:] + reset * from_state[:, n:])
            # A sequence that has ended, or not begun, keeps its state.
            state = torch.where(reading[:, t], torch.lerp(new, state, update), state)
            states.append(state)
        states = torch.stack(states[::-1] if backwards else states, dim=1)
        return torch.where(reading, states, 0), state


LAYERS = {
    layer.__name__: layer
    for layer in (
        nn.Linear,
        FactorizedLinear,
        FactorizedEmbedding,
        TensorTrainEmbedding,
        GroupedLinear,
        StaticSparseLinear,
        StructuredGRU,
    )
}


def layer_spec(layer: nn.Module) -> list:
    """[name in ``LAYERS``, parameters]: all that building such a layer needs, ready for JSON."""
    if _name(layer) not in LAYERS:
        raise TypeError(f"no layer is called {_name(layer)}; there are {', '.join(LAYERS)}")
    if type(layer) is nn.Linear:
        bias = layer.bias is not None
        config = dict(in_features=layer.in_features, out_features=layer.out_features, bias=bias)
    else:
        config = layer.config
    return [_name(layer), config]


def build_layer(spec: Sequence) -> nn.Module:
    """A new layer from what :func:`layer_spec` gave."""
    name, config = spec
    if name not in LAYERS:
        raise ValueError(f"no layer is called {name!r}; there are {', '.join(LAYERS)}")
    return LAYERS[name](**config)


def _name(thing) -> str:
    return type(thing).__name__
