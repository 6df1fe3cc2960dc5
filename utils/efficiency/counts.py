"""Counts that need no clock: parameters, and multiply-accumulates.

Source: Sze, Chen, Yang and Emer (2017), "Efficient processing of deep neural networks", arXiv
1703.09039, section II, for what is counted.

What people get wrong: a counter that is silent about a layer it does not know. Several in common
use give 0 for a GRU. And a multiply-accumulate is two floating-point operations.

>>> from utils.efficiency import count_macs, count_parameters
>>> from utils.models import MeanVectorNetwork
>>> network = MeanVectorNetwork(vocabulary_size=100, dim=20, hidden=8, labels=2)
>>> count_parameters(network), count_macs(network)  # 100 * 20 + 21 * 8 + 9 * 2, and 20 * 8 + 8 * 2
(2186, 176)
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np


def count_parameters(model) -> int:
    """How many numbers a model learned from data and needs in order to predict.

    Parameters
    ----------
    model : torch module, or a classifier of ``utils.models``
        A torch module: every element of every parameter, a tensor that is shared counted once.
        The sparse linear model: its non-zero weights, its intercepts and its IDF values.

    Raises
    ------
    TypeError
        For any other kind of model, rather than a zero.
    """
    import torch

    network = getattr(model, "network", model)
    if isinstance(network, torch.nn.Module):
        return sum(parameter.numel() for parameter in network.parameters())
    from utils.models import SparseLinear

    if isinstance(model, SparseLinear):
        return int(model.coef.count_nonzero()) + len(model.intercept) + len(model.idf)
    raise TypeError(f"cannot count the parameters of a {type(model).__name__}")


def count_macs(network, tokens: int = 27) -> int:
    """Multiply-accumulates of one forward pass over one text of ``tokens`` tokens.

    Layers are counted by formula, at the shapes seen in a forward pass over dummy ids (1, tokens):

    - ``Linear``: inputs times outputs, for each position it is applied to;
    - ``GRU`` (3 gates) and ``LSTM`` (4 gates): gates times units times (inputs + units), for each
      token, layer and direction;
    - a layer of the course's own, or of yours: what its method ``macs(output)`` says, by which its
      class gives the multiply-accumulates that led to an output; one that only holds other layers
      needs none, for these are counted;
    - ``Embedding`` (a look-up), normalisation, activations and dropout: 0. As is usual, only the
      products of matrices are counted: no biases, no element-wise products.

    A product of matrices made outside of these layers, as in self-attention, is counted from its
    shapes. Unlike the counters in common use, of which several return 0 for a GRU, nothing that
    could multiply matrices is passed over in silence.

    Parameters
    ----------
    network : torch module that takes ids (batch, tokens)
    tokens : length of the text, as the network sees it

    Returns
    -------
    int, multiply-accumulates (twice as many floating-point operations).

    Raises
    ------
    TypeError
        If the network holds a layer, or runs an operation, whose cost is not known here.
    ValueError
        If ``tokens`` is below 1.
    """
    import torch

    if tokens < 1:
        raise ValueError(f"tokens must be at least 1, got {tokens}")
    counter = _MacCounter(network)
    was_training = {module: module.training for module in network.modules()}
    fast_path = torch.backends.mha.get_fastpath_enabled()
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    # Id 1 is a word like any other; id 0 would be padding, which networks leave out.
    ids = torch.ones((1, tokens), dtype=torch.int64, device=device)
    try:
        network.eval()
        # Both switches make attention run as plain matrix products, which can be seen and counted.
        torch.backends.mha.set_fastpath_enabled(False)
        attention = torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)
        with torch.no_grad(), attention, counter.watching():
            network(ids)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
        for module, training in was_training.items():
            module.training = training
    return counter.macs


def _linear_macs(layer, output) -> int:
    return output.numel() * layer.in_features


def _recurrent_macs(gates: int) -> Callable:
    def count(layer, output) -> int:
        if getattr(layer, "proj_size", 0):
            raise TypeError("count_macs does not know recurrent layers with proj_size")
        states = getattr(output[0], "data", output[0])  # a packed sequence keeps them in .data
        directions = 2 if layer.bidirectional else 1
        steps = states.numel() // states.shape[-1]
        inputs = [layer.input_size] + [directions * layer.hidden_size] * (layer.num_layers - 1)
        units = layer.hidden_size
        return steps * directions * sum(gates * units * (size + units) for size in inputs)

    return count


def _formula(module) -> Callable | None:
    """(layer, output) to multiply-accumulates, for a layer whose cost is known."""
    from torch import nn

    known = {
        nn.Linear: _linear_macs,
        nn.modules.linear.NonDynamicallyQuantizableLinear: _linear_macs,
        nn.GRU: _recurrent_macs(3),
        nn.LSTM: _recurrent_macs(4),
    }
    # Of this very class: one that is derived from it may compute in another way.
    return known.get(type(module)) or vars(type(module)).get("macs")


class _MacCounter:
    """Sums the products of matrices in a forward pass: see :func:`count_macs`."""

    # Operations that multiply matrices in some way that is not counted below.
    SUSPECT = re.compile(r"mm|conv|linear|matmul|attention|gru|lstm|rnn|transformer|bag|cdist|dot")

    def __init__(self, network):
        from torch import nn

        self.network, self.macs, self.inside = network, 0, 0
        # A list of parameters does nothing itself; whoever multiplies them is watched.
        lists = (nn.ParameterList, nn.ParameterDict)
        self.free = (nn.Embedding, nn.LayerNorm, nn.RMSNorm, nn.BatchNorm1d, nn.PReLU, *lists)
        for module in network.modules():
            own = next(module.parameters(recurse=False), None) is not None
            leaf = next(module.children(), None) is None
            known = _formula(module) or isinstance(module, self.free)
            # A leaf without parameters (an activation, dropout) is watched like code in between.
            if leaf and own and not known:
                raise TypeError(
                    f"count_macs does not know the layer {type(module).__name__}: give it a "
                    "method macs(output) instead of counting it as zero"
                )

    @contextmanager
    def watching(self) -> Iterator[None]:
        from torch.utils._python_dispatch import TorchDispatchMode

        counter = self

        class Products(TorchDispatchMode):
            def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
                result = operation(*args, **(kwargs or {}))
                if not counter.inside:
                    counter.macs += counter.product(operation, args, result)
                return result

        handles = []
        for module in self.network.modules():
            if formula := _formula(module):
                handles += [
                    module.register_forward_pre_hook(self.enter),
                    module.register_forward_hook(self.leave(formula)),
                ]
        try:
            with Products():
                yield
        finally:
            for handle in handles:
                handle.remove()

    def enter(self, layer, inputs) -> None:
        self.inside += 1

    def leave(self, formula: Callable) -> Callable:
        def hook(layer, inputs, output) -> None:
            self.inside -= 1
            if not self.inside:  # it has spoken for the layers in it, too
                self.macs += formula(layer, output)

        return hook

    def product(self, operation, args, result) -> int:
        name = operation.overloadpacket.__name__
        factors = {"mm": 0, "bmm": 0, "mv": 0, "dot": 0, "addmm": 1, "baddbmm": 1, "addmv": 1}
        if name in factors:  # rows x inner times inner x columns: inner products for each result
            return result.numel() * args[factors[name]].shape[-1]
        if self.SUSPECT.search(name):
            raise TypeError(
                f"count_macs does not know the operation {name}, which the network runs outside "
                "of the layers that are counted: add its formula instead of counting it as zero"
            )
        return 0


def sparse_macs(model, texts) -> int:
    """Mean non-zero weights met by the distinct known words of a text."""
    weights = dict(zip(model.words, np.diff(model.coef.tocsr().indptr), strict=True))
    met = [sum(int(weights.get(w, 0)) for w in set(model._analyze(text))) for text in texts]
    return round(float(np.mean(met)))
