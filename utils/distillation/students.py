"""Students: half a transformer, and networks of ``utils.models`` with smaller layers in them.

Source: Sanh et al. (2019), arXiv 1910.01108, section 3, for half a transformer; Denil et al.
(2013), "Predicting parameters in deep learning", arXiv 1306.0543, for low-rank layers; Prabhu,
Varma and Namboodiri (2018), arXiv 1711.08757, for sparse ones.

What people get wrong: a network is judged as it was cut. That is only where it starts: train it
further, and judge it then, by the length of its file.

>>> from utils.distillation import factorize_network
>>> from utils.models import MeanVectorNetwork
>>> network = MeanVectorNetwork(100, dim=20, hidden=8, labels=2)
>>> smaller = factorize_network(network, rank=4, layers=["embedding"])
>>> smaller.embedding, smaller.hidden.weight.equal(network.hidden.weight)
(FactorizedEmbedding(
  (projection): Linear(in_features=4, out_features=20, bias=False)
), True)
"""

import copy
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import chain

import numpy as np
import torch
from torch import nn

from utils.distillation.factorized import FactorizedEmbedding, FactorizedLinear, _rank_for_energy
from utils.distillation.grouped import GroupedLinear
from utils.distillation.layers import StructuredGRU, _name, build_layer, layer_spec
from utils.distillation.sparse import StaticSparseLinear
from utils.models import (
    NETWORKS,
    GRUNetwork,
    MeanVectorNetwork,
    TransformerNetwork,
    register_network,
)


def every_second_layer(teacher: TransformerNetwork) -> TransformerNetwork:
    """A student with half of a transformer's layers: copies of layers 0, 2, 4...

    Embeddings, head and width are the teacher's, so its layers fit. There is no such thing for the
    other networks: their students are built smaller, as a ``GRUNetwork`` with fewer units or layers.

    Raises
    ------
    TypeError
        If the teacher is no TransformerNetwork.

    Source: Sanh et al. (2019), DistilBERT, arXiv 1910.01108, section 3.
    """
    if type(teacher) is not TransformerNetwork:
        raise TypeError(f"a TransformerNetwork has layers to leave out, not {_name(teacher)}")
    config = teacher.config
    layers = list(teacher.encoder.encoder.layer)[::2]
    student = TransformerNetwork(
        **config | {"encoder": config["encoder"] | {"num_hidden_layers": len(layers)}}
    )
    student.encoder.embeddings.load_state_dict(teacher.encoder.embeddings.state_dict())
    student.output.load_state_dict(teacher.output.state_dict())
    for ours, theirs in zip(student.encoder.encoder.layer, layers, strict=True):
        ours.load_state_dict(theirs.state_dict())
    return student.to(next(teacher.parameters()).device)


class _Compressed:
    """Before a class of ``utils.models``: that network, with other layers in some places.

    Parameters
    ----------
    replaced : name of a layer to what stands there, as :func:`layer_spec` gives it
    config : of the network itself
    """

    def __init__(self, *, replaced: Mapping[str, Sequence], **config):
        super().__init__(**config)
        for name, spec in replaced.items():
            self.get_submodule(name)  # an AttributeError if there is none to replace
            self.set_submodule(name, build_layer(spec))
        self.config = self.config | {"replaced": dict(replaced)}
        if isinstance(self.output, GroupedLinear):
            self.config["labels"] = len(self.output.config["groups"])


@register_network
class CompressedMeanVectorNetwork(_Compressed, MeanVectorNetwork):
    """A :class:`MeanVectorNetwork` with other layers in it; made by :func:`replace_layers`."""


@register_network
class CompressedGRUNetwork(_Compressed, GRUNetwork):
    """A :class:`GRUNetwork` with other layers in it; made by :func:`replace_layers`."""


@register_network
class CompressedTransformerNetwork(_Compressed, TransformerNetwork):
    """A :class:`TransformerNetwork` with other layers in it; made by :func:`replace_layers`."""


def replace_layers(network: nn.Module, layers: Mapping[str, nn.Module]) -> nn.Module:
    """A copy of a network in which other layers, weights included, stand in the places named.

    Parameters
    ----------
    network : of ``utils.models``, or one that this function gave
    layers : name of a layer in the network, such as "embedding", to a layer of a kind in ``LAYERS``

    Returns
    -------
    A network that ``fit`` trains and ``utils.packing.save_model`` saves, like any other.

    Raises
    ------
    TypeError
        If the network or a layer is of another kind.
    AttributeError
        If the network has no layer of that name.
    """
    kind = NETWORKS.get(f"Compressed{_name(network).removeprefix('Compressed')}")
    if kind is None:
        raise TypeError(f"cannot replace layers of a {_name(network)}")
    specs = {name: layer_spec(layer) for name, layer in layers.items()}
    replaced = network.config.get("replaced", {}) | specs
    result = kind(**copy.deepcopy(network.config | {"replaced": replaced}))
    state = {
        name: tensor for name, tensor in network.state_dict().items() if not _within(name, layers)
    }
    for name, layer in layers.items():
        state |= {f"{name}.{part}": tensor for part, tensor in layer.state_dict().items()}
    result.load_state_dict(state)
    return result.to(next(network.parameters()).device).train(network.training)


def factorize_network(
    network: nn.Module,
    *,
    rank: int | None = None,
    energy: float | None = None,
    budget: int | None = None,
    bytes_per_value: float = 4,
    layers: Iterable[str] = ("*",),
) -> nn.Module:
    """A copy of a network with its matrices replaced by low-rank products, to be trained further.

    Exactly one of ``rank``, ``energy`` and ``budget`` says how far to go. A matrix whose factors
    would not be smaller stays as it is.

    Parameters
    ----------
    network : of ``utils.models``
    rank : of every matrix
    energy : 0 to 1, share of the squared singular values that every matrix keeps
    budget : bytes for all parameters of the network; of all matrices together, those directions are
        kept first that hold the largest share of their matrix's energy for each value stored
    bytes_per_value : what a parameter will be stored in, for ``budget``
    layers : patterns (as in ``fnmatch``) of the names of linear, embedding and GRU layers

    Returns
    -------
    The network, see :func:`replace_layers`.

    Raises
    ------
    ValueError
        If not exactly one of the three is given or it is out of range, or rank 1 is still too large.
    """
    if sum(option is not None for option in (rank, energy, budget)) != 1:
        raise ValueError("give exactly one of rank, energy and budget")
    if rank is not None and rank < 1:
        raise ValueError(f"rank must be at least 1, got {rank}")
    if energy is not None and not 0 <= energy <= 1:
        raise ValueError(f"energy must lie between 0 and 1, got {energy}")
    chosen = dict(_candidates(network, layers, (nn.Linear, nn.Embedding, nn.GRU)))
    matrices = {
        (name, weight): parameter.detach().cpu().numpy().astype(np.float64)
        for name, layer in chosen.items()
        for weight, parameter in layer.named_parameters()
        if weight.startswith("weight")
    }
    if rank is not None:
        ranks = {key: min(rank, *W.shape) for key, W in matrices.items()}
    else:
        spectra = {key: np.linalg.svd(W, compute_uv=False) for key, W in matrices.items()}
        if energy is not None:
            ranks = {key: _rank_for_energy(S, energy) for key, S in spectra.items()}
        else:
            other = sum(p.numel() for p in network.parameters())
            other -= sum(W.size for W in matrices.values())
            values = budget / bytes_per_value - other
            ranks = _share_out(values, {k: (spectra[k], *W.shape) for k, W in matrices.items()})
    replaced = {}
    for name, layer in chosen.items():
        own = {w: r for (n, w), r in ranks.items() if n == name and _saved(matrices[n, w], r)}
        if own:
            replaced[name] = _factorized(layer, own)
    return replace_layers(network, replaced)


def static_sparse_network(
    network: nn.Module,
    sparsity: float,
    pattern: str = "random",
    *,
    seed: int = 0,
    layers: Iterable[str] = ("*",),
    **options,
) -> nn.Module:
    """A copy of a network with new, sparse layers in place of its linear and GRU layers.

    Their weights are drawn anew, from torch's generator, and are still to be trained; everything
    else, such as the word vectors, is copied.

    Parameters
    ----------
    network : of ``utils.models``
    sparsity, pattern, options : as in :class:`StaticSparseLinear`
    seed : of the first layer's pattern; each further matrix takes the next
    layers : patterns (as in ``fnmatch``) of the names of linear and GRU layers
    """
    replaced = {}
    for name, layer in _candidates(network, layers, (nn.Linear, nn.GRU)):
        shared = dict(sparsity=sparsity, pattern=pattern) | options
        if isinstance(layer, nn.Linear):
            replaced[name] = StaticSparseLinear(
                layer.in_features,
                layer.out_features,
                bias=layer.bias is not None,
                seed=seed,
                **shared,
            )
            seed += 1
            continue
        matrices = []
        for weight, _ in chain(*_gru_weights(layer)):
            outputs, inputs = getattr(layer, weight).shape
            sizes = dict(in_features=inputs, out_features=outputs, seed=seed)
            matrices.append(["StaticSparseLinear", sizes | shared])
            seed += 1
        matrices = [matrices[i : i + 2] for i in range(0, len(matrices), 2)]
        replaced[name] = StructuredGRU(**_gru_sizes(layer), matrices=matrices)
    return replace_layers(network, replaced)


def _within(name: str, places: Iterable[str]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def _candidates(network, patterns: Iterable[str], kinds: tuple[type, ...]):
    """Names and layers of these kinds, those that were replaced before left out."""
    patterns, done = list(patterns), getattr(network, "config", {}).get("replaced", {})
    for name, layer in network.named_modules():
        if isinstance(layer, kinds) and not _within(name, done):
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                yield name, layer


def _saved(matrix: np.ndarray, rank: int) -> int:
    """Values that factors of this rank save; 0 if they are no smaller than the matrix."""
    return max(0, matrix.size - rank * sum(matrix.shape))


def _share_out(values: float, spectra: Mapping) -> dict:
    """The ranks, from key to (singular values, m, n), that keep most energy in so many values."""
    gains = {key: S**2 / (S @ S or 1) / (m + n) for key, (S, m, n) in spectra.items()}

    def ranks(least: float) -> dict:
        return {key: max(1, int((gain >= least).sum())) for key, gain in gains.items()}

    def size(least: float) -> int:
        kept = ranks(least)
        return sum(min(kept[key] * (m + n), m * n) for key, (_, m, n) in spectra.items())

    if size(np.inf) > values:
        raise ValueError(
            f"matrices of rank 1 have {size(np.inf):,} values, and the budget has room for "
            f"{max(0, int(values)):,}"
        )
    steps = [np.inf, *np.sort(np.concatenate(list(gains.values())))[::-1]]
    return ranks(steps[bisect_right(steps, values, key=size) - 1])


def _gru_sizes(gru: nn.GRU) -> dict:
    return dict(
        input_size=gru.input_size,
        hidden_size=gru.hidden_size,
        num_layers=gru.num_layers,
        bidirectional=gru.bidirectional,
        dropout=gru.dropout,
    )


def _gru_weights(gru: nn.GRU) -> list:
    """((input weight, its bias), (state weight, its bias)) by name, for each layer and direction."""
    directions = ("", "_reverse") if gru.bidirectional else ("",)
    return [
        tuple((f"weight_{k}_l{i}{way}", f"bias_{k}_l{i}{way}") for k in ("ih", "hh"))
        for i in range(gru.num_layers)
        for way in directions
    ]


def _factorized(layer: nn.Module, ranks: Mapping[str, int]) -> nn.Module:
    """The layer with those of its weights factorised that have a rank."""
    if isinstance(layer, nn.Linear):
        return FactorizedLinear.from_dense(layer, ranks["weight"])
    if isinstance(layer, nn.Embedding):
        return FactorizedEmbedding.from_dense(layer, ranks["weight"])
    linears = []
    for weight, bias in chain(*_gru_weights(layer)):
        W = getattr(layer, weight)
        linear = nn.Linear(W.shape[1], W.shape[0])
        with torch.no_grad():
            linear.weight.copy_(W)
            linear.bias.copy_(getattr(layer, bias))
        factorize = weight in ranks
        linears.append(FactorizedLinear.from_dense(linear, ranks[weight]) if factorize else linear)
    pairs = list(zip(linears[::2], linears[1::2], strict=True))
    specs = [[layer_spec(linear) for linear in pair] for pair in pairs]
    gru = StructuredGRU(**_gru_sizes(layer), matrices=specs)
    gru.inputs, gru.states = (nn.ModuleList(side) for side in zip(*pairs, strict=True))
    return gru
