"""Linear, embedding and GRU layers that compute with integers."""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from utils.quantization.integer.products import (
    Codes,
    dynamic_quantize,
    integer_product,
    simulated_product,
    static_quantize,
)
from utils.quantization.scalar import AffineQuantizer


def _quantize_weight(
    weight: torch.Tensor, bits: int, granularity: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """int8 codes, and the scale of each row or of all."""
    if weight.is_meta:  # a network without values, made to be filled from a file
        rows = len(weight) if granularity == "channel" else 1
        return torch.empty_like(weight, dtype=torch.int8), weight.new_empty(rows)
    quantizer = AffineQuantizer(bits, granularity=granularity, axis=0)
    codes = quantizer.fit_transform(weight)
    return codes, torch.from_numpy(quantizer.scale_)


def _check_bits(bits: int) -> None:
    if not 2 <= bits <= 8:
        raise ValueError(f"bits of an integer layer must lie in 2..8, got {bits}")


class _IntegerLayer(nn.Module):
    """What integer layers share: the grid of their input, and how their weights are kept.

    ``config`` holds the options beside which the state dict and the original's shape suffice.
    """

    @property
    def config(self) -> dict[str, Any]:
        return {"bits": self.bits} | ({"static": True} if self.input_scale is not None else {})

    def _add_weight(
        self, name: str, weight: torch.Tensor, bits: int, granularity: str = "channel"
    ) -> None:
        codes, scale = _quantize_weight(weight.detach(), bits, granularity)
        self.register_buffer(name, codes)
        self.register_buffer(f"{name}_scale", scale)

    def _add_bias(self, name: str, bias: torch.Tensor | None) -> None:
        if bias is not None:
            bias = nn.Parameter(bias.detach().clone(), requires_grad=False)
        self.register_parameter(name, bias)

    def _add_input_grid(self, activations: AffineQuantizer | None) -> None:
        """Without `activations` the input is quantized dynamically."""
        scale = zero_point = None
        if activations is not None:
            if activations.bits > 8 or activations.granularity != "tensor":
                raise ValueError("activations must be quantized per tensor, to at most 8 bits")
            if activations.step is not None:
                raise ValueError("activations need codes of a fixed width: leave out the step")
            scale = torch.tensor(activations.scale_.item())
            # Unsigned codes 0..255 are stored as -128..127.
            shift = 0 if activations.symmetric else -128
            zero_point = int(getattr(activations, "zero_point_", np.zeros(1)).item()) + shift
            zero_point = torch.tensor(zero_point, dtype=torch.int32)
        self.register_buffer("input_scale", scale)
        self.register_buffer("input_zero_point", zero_point)

    def _input_codes(self, x: torch.Tensor) -> Codes:
        if self.input_scale is None:
            return dynamic_quantize(x)
        return static_quantize(x, self.input_scale, self.input_zero_point)


class IntegerLinear(_IntegerLayer):
    """``nn.Linear`` in integer arithmetic.

    Weights are quantized symmetrically, each output with a scale of its own; biases stay float32.

    Parameters
    ----------
    linear : the layer to quantize
    bits : 2 to 8, of the weights
    activations : a fitted quantizer of the input (static quantization); without it the range of
        every input row is found when it arrives (dynamic quantization)

    Source: Jacob et al., CVPR 2018 (arXiv 1712.05877), equation 7.

    What people get wrong: the sum. A product of two int8 takes 16 bits and the sum of a few of them
    more: it is kept in int32.

    >>> from utils.quantization import IntegerLinear
    >>> linear = torch.nn.Linear(2, 1, bias=False)
    >>> linear.weight.data = torch.tensor([[0.25, -1.0]])
    >>> integer = IntegerLinear(linear)
    >>> integer.weight.tolist(), round(integer(torch.tensor([[1.0, 1.0]])).item(), 2)
    ([[32, -127]], -0.75)
    """

    def __init__(
        self, linear: nn.Linear, bits: int = 8, activations: AffineQuantizer | None = None
    ):
        super().__init__()
        _check_bits(bits)
        self.bits = bits
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self._add_weight("weight", linear.weight, bits)
        self._add_bias("bias", linear.bias)
        self._add_input_grid(activations)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., in_features) to (..., out_features), float32 both."""
        return self._run(x, integer_product)

    def simulate(self, x: torch.Tensor) -> torch.Tensor:
        """What `forward` computes, in floating point on rounded values ("fake quantization")."""
        return self._run(x, simulated_product)

    def macs(self, output: torch.Tensor) -> int:
        """Multiply-accumulates that led to an output, as many as in ``nn.Linear``."""
        return output.numel() * self.in_features

    def _run(self, x: torch.Tensor, product) -> torch.Tensor:
        codes = self._input_codes(x.reshape(-1, self.in_features))
        bias = 0.0 if self.bias is None else self.bias
        y = product(codes, self.weight, self.weight_scale, bias)
        return y.reshape(*x.shape[:-1], self.out_features)

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, bits={self.bits}"


class IntegerEmbedding(_IntegerLayer):
    """``nn.Embedding`` whose rows are integers.

    Parameters
    ----------
    embedding : the layer to quantize
    bits : 2 to 8
    granularity : one scale for each row ("channel"), or one for the whole "tensor": that takes
        fewer bytes, and its codes compress better

    Source: Jacob et al., CVPR 2018 (arXiv 1712.05877), equation 1, with zero point 0.

    What people get wrong: the scale is thrown away, since cosines do not need it. Every layer that
    comes after does.

    >>> from utils.quantization import IntegerEmbedding
    >>> table = torch.nn.Embedding.from_pretrained(torch.tensor([[0.0, 0.0], [1.27, -0.5]]))
    >>> integer = IntegerEmbedding(table)
    >>> integer.weight.tolist(), [round(x, 2) for x in integer(torch.tensor(1)).tolist()]
    ([[0, 0], [127, -50]], [1.27, -0.5])
    """

    def __init__(self, embedding: nn.Embedding, bits: int = 8, granularity: str = "channel"):
        super().__init__()
        _check_bits(bits)
        self.bits, self.granularity = bits, granularity
        self.num_embeddings, self.embedding_dim = embedding.weight.shape
        self.padding_idx = embedding.padding_idx
        self._add_weight("weight", embedding.weight, bits, granularity)

    @property
    def config(self) -> dict[str, Any]:
        return {"bits": self.bits, "granularity": self.granularity}

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Ids (...) to float32 vectors (..., d)."""
        rows = self.granularity == "channel"
        return self.weight[ids] * (
            self.weight_scale[ids].unsqueeze(-1) if rows else self.weight_scale
        )

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}, bits={self.bits}"


class IntegerGRU(_IntegerLayer):
    """``nn.GRU`` with both of its matrix products in integer arithmetic.

    Weights are quantized symmetrically, each row with a scale of its own. States lie between -1
    and 1, so they are stored on the fixed grid of step 1/127, also as inputs of further layers.
    Gates, and the average that makes the new state, are computed in float32.

    Parameters
    ----------
    gru : the layer to quantize; any number of layers and directions
    bits : 2 to 8, of the weights
    activations : a fitted quantizer of the input; without it, dynamic quantization

    Source: Cho et al. (2014), arXiv 1406.1078, in the variant of ``nn.GRU``; the products as in
    :class:`IntegerLinear`.

    What people get wrong: where the reset gate acts. Cho et al. multiply the state by it before the
    product with the weights, ``nn.GRU`` the product; weights of one are of no use to the other.

    >>> from utils.quantization import IntegerGRU
    >>> gru = torch.nn.GRU(4, 3, batch_first=True)
    >>> states, _ = IntegerGRU(gru)(torch.ones(2, 5, 4))
    >>> states.shape, bool((states - gru(torch.ones(2, 5, 4))[0]).abs().max() < 0.1)
    (torch.Size([2, 5, 3]), True)
    """

    def __init__(self, gru: nn.GRU, bits: int = 8, activations: AffineQuantizer | None = None):
        super().__init__()
        _check_bits(bits)
        self.bits = bits
        self.input_size, self.hidden_size = gru.input_size, gru.hidden_size
        self.num_layers, self.bidirectional = gru.num_layers, gru.bidirectional
        self.batch_first = gru.batch_first
        for name in self._suffixes():
            for kind in ("ih", "hh"):
                self._add_weight(
                    f"weight_{kind}_{name}", getattr(gru, f"weight_{kind}_{name}"), bits
                )
                bias = getattr(gru, f"bias_{kind}_{name}") if gru.bias else None
                self._add_bias(f"bias_{kind}_{name}", bias)
        self._add_input_grid(activations)

    def forward(self, input: torch.Tensor | PackedSequence, hx: torch.Tensor | None = None):
        """As ``nn.GRU``: states of the last layer at every step, and the last states of all layers.

        Takes a batch of sequences, padded (batch, steps, d) or packed. `hx` (layers * directions,
        batch, hidden) must lie in -1..1.
        """
        return self._run(input, hx, integer_product)

    def simulate(self, input: torch.Tensor | PackedSequence, hx: torch.Tensor | None = None):
        """What `forward` computes, with the products in floating point on rounded values."""
        return self._run(input, hx, simulated_product)

    def macs(self, output: tuple) -> int:
        """Multiply-accumulates that led to an output: each weight is used once a step."""
        states = getattr(output[0], "data", output[0])  # a packed sequence keeps them in .data
        weights = sum(
            getattr(self, f"weight_{kind}_{name}").numel()
            for name in self._suffixes()
            for kind in ("ih", "hh")
        )
        return states.numel() // states.shape[-1] * weights

    def _suffixes(self) -> list[str]:
        directions = ("", "_reverse") if self.bidirectional else ("",)
        return [f"l{layer}{d}" for layer in range(self.num_layers) for d in directions]

    def _run(self, input, hx, product):
        if isinstance(input, PackedSequence):
            x, lengths = pad_packed_sequence(input)  # (steps, batch, d), original order
            reading = torch.arange(len(x))[:, None] < lengths
        elif input.dim() != 3:
            raise ValueError(f"input must be a batch of sequences, got shape {tuple(input.shape)}")
        else:
            x, reading = (input.transpose(0, 1) if self.batch_first else input), None
        n_directions = 2 if self.bidirectional else 1
        if hx is None:
            hx = x.new_zeros(self.num_layers * n_directions, x.shape[1], self.hidden_size)
        elif hx.abs().max() > 1:
            raise ValueError("initial states must lie in -1..1")

        codes, last = self._input_codes(x.reshape(-1, self.input_size)), []
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(n_directions):
                i = layer * n_directions + direction
                states, h = self._read(
                    codes, hx[i], reading, self._suffixes()[i], bool(direction), product
                )
                outputs.append(states)
                last.append(h)
            x = torch.cat(outputs, dim=-1)
            codes = _state_codes(x.flatten(0, 1))
        if isinstance(input, PackedSequence):
            x = pack_padded_sequence(x, lengths, enforce_sorted=False)
        elif self.batch_first:
            x = x.transpose(0, 1)
        return x, torch.stack(last)

    def _read(self, codes: Codes, h, reading, name: str, backwards: bool, product):
        """One layer in one direction: states (steps, batch, hidden) and the last state."""
        w_input, w_state = (
            (getattr(self, f"weight_{k}_{name}"), getattr(self, f"weight_{k}_{name}_scale"))
            for k in ("ih", "hh")
        )
        b_input, b_state = (getattr(self, f"bias_{k}_{name}") for k in ("ih", "hh"))
        b_input, b_state = (0.0 if b is None else b for b in (b_input, b_state))
        # What the input adds is known for all steps at once.
        from_input = product(codes, *w_input, b_input).reshape(-1, len(h), 3 * self.hidden_size)
        n = 2 * self.hidden_size
        states = h.new_zeros(len(from_input), *h.shape)
        steps = range(len(from_input))
        for t in reversed(steps) if backwards else steps:
            from_state = product(_state_codes(h), *w_state, b_state)
            gates = torch.sigmoid(from_input[t, :, :n] + from_state[:, :n])
            reset, update = gates.chunk(2, dim=1)
            new = torch.tanh(torch.addcmul(from_input[t, :, n:], reset, from_state[:, n:]))
            new = torch.lerp(new, h, update)  # update * h + (1 - update) * new
            if reading is None:
                h = states[t] = new
            else:  # a sequence that has ended, or not begun, keeps its state
                h = torch.where(reading[t, :, None], new, h)
                states[t] = torch.where(reading[t, :, None], new, 0)
        return states, h

    def extra_repr(self) -> str:
        return (
            f"{self.input_size}, {self.hidden_size}, num_layers={self.num_layers}, "
            f"bidirectional={self.bidirectional}, bits={self.bits}"
        )


_STATE_SCALE = torch.tensor(1 / 127)


def _state_codes(h: torch.Tensor) -> Codes:
    """States in -1..1 on the grid of step 1/127."""
    return Codes(torch.round(h * 127).to(torch.int8), _STATE_SCALE, None)
