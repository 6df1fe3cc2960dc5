"""Layers that compute with their non-zeros alone: what a sparse product gains, and when.

Source: Williams et al. (2009), "Optimization of sparse matrix-vector multiplication on emerging
multicore platforms", section 2.1 (compressed sparse rows).

What people get wrong: zeros make nothing faster. A dense product multiplies by them like by all other
numbers, and a sparse one has to look up where each number stands: it wins at high sparsities only,
and at which is to be timed.

>>> from utils.models import MeanVectorNetwork
>>> from utils.pruning import apply_masks, magnitude_masks, with_sparse_layers
>>> network = MeanVectorNetwork(50, dim=8, hidden=4, labels=2).eval()
>>> network = apply_masks(network, magnitude_masks(network, 0.9))
>>> sparse, ids = with_sparse_layers(network), torch.tensor([[5, 7]])
>>> sparse.hidden.weight.layout, torch.allclose(sparse(ids), network(ids), atol=1e-6)
(torch.sparse_csr, True)
"""

import copy
import warnings
from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence


def compressed(weight: torch.Tensor) -> torch.Tensor:
    """A matrix in compressed sparse rows."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        return weight.detach().to_sparse_csr()


class SparseLinear(nn.Module):
    """A ``Linear`` by a sparse product, for predictions."""

    def __init__(self, layer: nn.Linear):
        super().__init__()
        self.weight, self.bias = compressed(layer.weight), layer.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, in) to (batch, out)."""
        product = (self.weight @ x.T).T
        return product if self.bias is None else product + self.bias


class SparseGRU(nn.Module):
    """A ``GRU`` of one layer by sparse products, for predictions.

    Raises
    ------
    ValueError
        If it has several layers, or no biases.
    """

    def __init__(self, layer: nn.GRU):
        super().__init__()
        if layer.num_layers > 1 or not layer.bias:
            raise ValueError("a sparse GRU has one layer, with biases")
        self.units = layer.hidden_size
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        self.directions = [
            [getattr(layer, f"{name}_l0{ending}").detach() for name in names]
            for ending in ("", "_reverse")[: 2 if layer.bidirectional else 1]
        ]
        for weights in self.directions:
            weights[:2] = map(compressed, weights[:2])

    def forward(self, x: torch.Tensor | PackedSequence) -> tuple[Any, None]:
        """States of a batch of whole texts, (batch, tokens, d), or of a packed one; as of ``nn.GRU``."""
        lengths = None
        if isinstance(x, PackedSequence):
            x, lengths = pad_packed_sequence(x, batch_first=True)
        places = torch.arange(x.shape[1]).expand(x.shape[:2])
        # Backwards each text begins at its own last word; padding stays where it is.
        ends = torch.full((len(x), 1), x.shape[1]) if lengths is None else lengths[:, None]
        backwards = torch.where(places < ends, ends - 1 - places, places)[..., None]
        states = []
        for number, weights in enumerate(self.directions):
            turned = x.gather(1, backwards.expand(x.shape)) if number else x
            one = self._run(turned, *weights)
            states.append(one.gather(1, backwards.expand(one.shape)) if number else one)
        states = torch.cat(states, dim=2)
        if lengths is not None:
            states = pack_padded_sequence(states, lengths, batch_first=True, enforce_sorted=False)
        return states, None

    def _run(
        self, x: torch.Tensor, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any
    ) -> torch.Tensor:
        batch, tokens, dim = x.shape
        inputs = (weight_ih @ x.reshape(-1, dim).T).T + bias_ih
        inputs = inputs.reshape(batch, tokens, -1)
        state, states = x.new_zeros(batch, self.units), []
        for step in range(tokens):
            r_in, z_in, n_in = inputs[:, step].chunk(3, dim=1)
            r, z, n = ((weight_hh @ state.T).T + bias_hh).chunk(3, dim=1)
            reset, update = torch.sigmoid(r_in + r), torch.sigmoid(z_in + z)
            state = (1 - update) * torch.tanh(n_in + reset * n) + update * state
            states.append(state)
        return torch.stack(states, dim=1)


_SPARSE = {nn.Linear: SparseLinear, nn.GRU: SparseGRU}


def with_sparse_layers(network: nn.Module) -> nn.Module:
    """A copy whose ``Linear`` and ``GRU`` layers compute with their non-zeros alone, to predict with.

    Embeddings stay as they are: looking up a row reads its zeros, and multiplies nothing.
    """
    network = copy.deepcopy(network).eval()
    for name, layer in list(network.named_modules()):
        if type(layer) in _SPARSE:
            above, _, last = name.rpartition(".")
            setattr(network.get_submodule(above), last, _SPARSE[type(layer)](layer))
    return network
