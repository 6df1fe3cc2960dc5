"""A transformer without some of its heads, feed-forward columns and layers: switched off, or removed.

Source: Michel, Levy and Neubig (2019), "Are sixteen heads really better than one?", arXiv 1905.10650,
equation 2, for switching heads off, and equation 4 for their importance; Xia, Zhong and Chen (2022),
CoFi, arXiv 2204.00408, section 3.1, for feed-forward columns and layers.

What people get wrong: a head that is switched off still costs what it cost. Only a smaller matrix makes
anything faster; so remove it, and see that the answers stay the same.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from utils.models import PAD, TransformerNetwork, register_network


def sizes(network: TransformerNetwork) -> tuple[list[int], list[int]]:
    """Heads of each layer, and feed-forward columns of each layer.

    Source: ours.

    What people get wrong: the configuration of the encoder. It says what a layer had before anything
    was removed, and the same for all layers.

    >>> from utils.models import TransformerNetwork
    >>> from utils.pruning.transformer import prune_transformer, sizes
    >>> shape = dict(hidden_size=4, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8)
    >>> network = TransformerNetwork(dict(vocab_size=50, **shape), labels=2)
    >>> kept = [torch.tensor([True, False]), torch.tensor([True, True])]
    >>> sizes(network), sizes(prune_transformer(network, heads=kept))
    (([2, 2], [8, 8]), ([1, 2], [8, 8]))
    """
    config: dict[str, Any] = network.config
    layers = config["encoder"]["num_hidden_layers"]
    heads = [config["encoder"]["num_attention_heads"]] * layers
    columns = [config["encoder"]["intermediate_size"]] * layers
    return list(config.get("heads", heads)), list(config.get("columns", columns))


# --- switched off -------------------------------------------------------------------------------------


@contextmanager
def gated(
    network: TransformerNetwork,
    *,
    heads: Sequence[torch.Tensor] | torch.Tensor | None = None,
    columns: Sequence[torch.Tensor] | torch.Tensor | None = None,
    layers: Sequence[torch.Tensor] | torch.Tensor | None = None,
) -> Iterator[None]:
    """Multiply heads, feed-forward columns and layers by gates inside this block.

    Parameters
    ----------
    heads : of each layer gates of shape (heads,) or (batch, heads); what a head says is multiplied
    columns : the same, of feed-forward columns
    layers : of each layer a gate, or gates (batch,): at 0, a layer hands on what it got

    Source: Michel, Levy and Neubig (2019), arXiv 1905.10650, equation 2.

    What people get wrong: where the gate stands. Before the matrix that mixes the heads, each has its
    own slice; after it, none can be told from another.

    >>> from utils.models import TransformerNetwork
    >>> from utils.pruning import gated
    >>> widths = dict(hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8)
    >>> network = TransformerNetwork(dict(vocab_size=50, **widths), labels=2).eval()
    >>> ids, off = torch.tensor([[5, 7, 9]]), torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    >>> before = network(ids)
    >>> with gated(network, heads=off):
    ...     print(torch.equal(network(ids), before))
    False
    """
    hooks, found = [], network.encoder.encoder.layer
    for place, gates in ((_of_heads, heads), (_of_columns, columns)):
        for layer, gate in zip(found, () if gates is None else gates, strict=gates is not None):
            hooks.append(place(layer).register_forward_pre_hook(_multiplying(gate)))
    for layer, gate in zip(found, () if layers is None else layers, strict=layers is not None):
        hooks.append(layer.register_forward_hook(_passing(gate)))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _of_heads(layer: nn.Module) -> nn.Module:
    return layer.attention.output.dense


def _of_columns(layer: nn.Module) -> nn.Module:
    return layer.output.dense


def _multiplying(gate: torch.Tensor) -> Callable:
    def hook(dense: nn.Module, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        states = inputs[0]
        if gate.shape[-1] == 0:  # no heads are left there
            return inputs
        wide = gate.repeat_interleave(states.shape[-1] // gate.shape[-1], dim=-1)
        return (states * (wide if wide.ndim == 1 else wide[:, None]),)

    return hook


def _passing(gate: torch.Tensor) -> Callable:
    def hook(layer: nn.Module, inputs: tuple, output: torch.Tensor) -> torch.Tensor:
        before = inputs[0]
        return before + (gate if gate.ndim == 0 else gate[:, None, None]) * (output - before)

    return hook


# --- which matter -------------------------------------------------------------------------------------


def head_importance(
    network: TransformerNetwork,
    ids: np.ndarray,
    targets: np.ndarray,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    batch_size: int = 32,
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """By how much the loss of a comment would change with a gate, in size and in the mean.

    Parameters
    ----------
    ids, targets : (n, tokens) and (n, labels)
    loss : of logits and targets, a mean over comments

    Returns
    -------
    Of each layer the importance of its heads (heads,), and of its feed-forward columns (columns,).

    Source: Michel, Levy and Neubig (2019), arXiv 1905.10650, equation 4.

    What people get wrong: the mean before the absolute value. A head that helps half of the comments
    and harms the others would look as if it did nothing.

    >>> from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
    >>> from utils.models import TransformerNetwork
    >>> from utils.pruning import head_importance
    >>> widths = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=6)
    >>> network = TransformerNetwork(dict(vocab_size=50, **widths), labels=2)
    >>> ids, labels = np.array([[5, 7], [9, 0]]), np.array([[1, 0], [0, 1]])
    >>> [[len(each) for each in of] for of in head_importance(network, ids, labels, cross_entropy)]
    [[2], [6]]
    """
    network.eval()
    totals = [[torch.zeros(n) for n in counts] for counts in sizes(network)]
    lengths = (ids != PAD).sum(axis=1)
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(ids), batch_size):
        rows = order[start : start + batch_size]
        batch = torch.from_numpy(ids[rows, : max(1, lengths[rows].max())])
        wanted = torch.as_tensor(targets[rows], dtype=torch.float32)
        # A gate for each comment, so that each has a gradient of its own.
        gates = [
            [torch.ones(len(rows), n, requires_grad=True) for n in counts]
            for counts in sizes(network)
        ]
        with gated(network, heads=gates[0], columns=gates[1]):
            value = loss(network(batch), wanted) * len(rows)
        flat = [gate for kind in gates for gate in kind]
        found = iter(torch.autograd.grad(value, flat, allow_unused=True))
        for total in (total for kind in totals for total in kind):
            gradient = next(found)
            if gradient is not None:  # there is one wherever anything is left
                total += gradient.abs().sum(dim=0)
    heads, columns = ([total / len(ids) for total in kind] for kind in totals)
    return heads, columns


# --- removed ------------------------------------------------------------------------------------------


class Constant(nn.Module):
    """In the place of a ``Linear`` that nothing is left to come into: its biases alone."""

    def __init__(self, outputs: int):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.bias.expand(*x.shape[:-1], -1)

    def macs(self, output: torch.Tensor) -> int:
        return 0


class _NoHeads(nn.Module):
    def forward(
        self, states: torch.Tensor, *others: Any, **options: Any
    ) -> tuple[torch.Tensor, None]:
        return states, None


@register_network
class PrunedTransformerNetwork(TransformerNetwork):
    """A transformer whose layers have as many heads and feed-forward columns as are left in each.

    Made by :func:`prune_transformer`; saved and loaded like any other.

    Parameters
    ----------
    encoder, labels, dropout : as of ``TransformerNetwork``, with the heads and columns there once were
    heads : of each layer, how many there are; 0 leaves the biases of attention
    columns : the same of feed-forward columns

    Raises
    ------
    ValueError
        If there are not as many counts as layers, or one is out of range.

    Source: as of :func:`prune_transformer`.

    What people get wrong: the width of a head. It stays what it was, so that the scores of the heads
    that are left are divided by the same root.

    >>> from utils.efficiency import count_macs
    >>> from utils.pruning import PrunedTransformerNetwork
    >>> widths = dict(hidden_size=8, num_hidden_layers=2, num_attention_heads=4, intermediate_size=9)
    >>> config = dict(encoder=dict(vocab_size=50, **widths), labels=2)
    >>> counts = [([4, 4], [9, 9]), ([2, 0], [9, 3])]
    >>> networks = [PrunedTransformerNetwork(**config, heads=h, columns=c) for h, c in counts]
    >>> [count_macs(network, tokens=1) for network in networks]
    [848, 344]
    """

    def __init__(
        self,
        encoder: dict,
        labels: int,
        dropout: float = 0.1,
        *,
        heads: Sequence[int],
        columns: Sequence[int],
    ):
        most = encoder["num_attention_heads"], encoder["intermediate_size"]
        for counts, limit in zip((heads, columns), most, strict=True):
            if len(counts) != encoder["num_hidden_layers"] or not all(
                type(n) is int and 0 <= n <= limit for n in counts
            ):
                raise ValueError(
                    f"of {encoder['num_hidden_layers']} layers each needs a count of 0 to {limit}, "
                    f"got {list(counts)}"
                )
        super().__init__(encoder, labels, dropout)
        self.config |= {"heads": list(heads), "columns": list(columns)}
        for layer, n, width in zip(self.encoder.encoder.layer, heads, columns, strict=True):
            _keep_heads(layer.attention, n)
            _keep_columns(layer, width)


def _keep_heads(attention: nn.Module, heads: int) -> None:
    """Room for so many heads, whatever their weights."""
    ours, hidden = attention.self, attention.output.dense.out_features
    if heads == 0:
        attention.self, attention.output.dense = _NoHeads(), Constant(hidden)
    elif heads < ours.num_attention_heads:
        width = heads * ours.attention_head_size
        for name in ("query", "key", "value"):
            setattr(ours, name, nn.Linear(hidden, width))
        attention.output.dense = nn.Linear(width, hidden)
        ours.num_attention_heads, ours.all_head_size = heads, width


def _keep_columns(layer: nn.Module, columns: int) -> None:
    hidden = layer.output.dense.out_features
    if columns == 0:
        layer.intermediate, layer.output.dense = nn.Identity(), Constant(hidden)
    elif columns < layer.intermediate.dense.out_features:
        layer.intermediate.dense = nn.Linear(hidden, columns)
        layer.output.dense = nn.Linear(columns, hidden)


@torch.no_grad()
def prune_transformer(
    network: TransformerNetwork,
    *,
    heads: Sequence[torch.Tensor] | None = None,
    columns: Sequence[torch.Tensor] | None = None,
    layers: Sequence[bool] | None = None,
) -> PrunedTransformerNetwork:
    """A smaller network, which says what this one says with the rest switched off.

    Parameters
    ----------
    network : a ``TransformerNetwork``, pruned already or not; it stays as it is
    heads : of each layer, which of its heads stay, bool (heads,); all, if nothing is given
    columns : the same of feed-forward columns
    layers : which layers stay

    Raises
    ------
    ValueError
        If a mask does not fit the network.

    Source: Michel, Levy and Neubig (2019), arXiv 1905.10650, section 4; Xia, Zhong and Chen (2022),
    arXiv 2204.00408, section 3.1.

    What people get wrong: the bias. A head that goes takes no bias along: that of the matrix behind it
    belongs to all heads and stays, even if all of them are gone.

    >>> from utils.models import TransformerNetwork
    >>> from utils.pruning import gated, prune_transformer
    >>> widths = dict(hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8)
    >>> network = TransformerNetwork(dict(vocab_size=50, **widths), labels=2).eval()
    >>> ids, keep = torch.tensor([[5, 7, 9]]), torch.tensor([[True, False], [False, False]])
    >>> small = prune_transformer(network, heads=keep)
    >>> with gated(network, heads=keep.float()):
    ...     print(torch.allclose(small(ids), network(ids), atol=1e-6))
    True
    """
    masks = []
    for given, counts in zip((heads, columns), sizes(network), strict=True):
        kept = [torch.ones(n, dtype=torch.bool) for n in counts]
        if given is not None:
            given = [torch.as_tensor(mask) for mask in given]
            if [m.shape for m in given] != [m.shape for m in kept] or any(
                m.dtype != torch.bool for m in given
            ):
                raise ValueError(f"masks must be bool and as long as {counts}, layer by layer")
            kept = given
        masks.append(kept)
    stay = [True] * len(masks[0]) if layers is None else [bool(one) for one in layers]
    if len(stay) != len(masks[0]):
        raise ValueError(
            f"there are {len(masks[0])} layers, and {len(stay)} of them to keep or not"
        )
    masks = [[m for m, one in zip(kept, stay, strict=True) if one] for kept in masks]
    config: dict[str, Any] = {key: network.config[key] for key in ("encoder", "labels", "dropout")}
    small = PrunedTransformerNetwork(
        **config | {"encoder": config["encoder"] | {"num_hidden_layers": sum(stay)}},
        heads=[int(mask.sum()) for mask in masks[0]],
        columns=[int(mask.sum()) for mask in masks[1]],
    )
    small.encoder.embeddings.load_state_dict(network.encoder.embeddings.state_dict())
    small.output.load_state_dict(network.output.state_dict())
    old = [layer for layer, one in zip(network.encoder.encoder.layer, stay, strict=True) if one]
    for ours, theirs, *kept in zip(small.encoder.encoder.layer, old, *masks, strict=True):
        _copy_layer(ours, theirs, *kept)
    for ours, theirs in zip(
        small.encoder.embeddings.parameters(), network.encoder.embeddings.parameters(), strict=True
    ):
        ours.requires_grad_(theirs.requires_grad)
    return small.to(next(network.parameters()).device).train(network.training)


def _copy_layer(ours: Any, theirs: Any, heads: torch.Tensor, columns: torch.Tensor) -> None:
    state, width = theirs.state_dict(), 0
    if len(heads):
        width = theirs.attention.output.dense.weight.shape[1] // len(heads)
    rows = heads.repeat_interleave(width).to(state["output.dense.bias"].device)
    columns = columns.to(rows.device)
    for name in ("query", "key", "value"):
        for kind in ("weight", "bias"):
            _slice(state, f"attention.self.{name}.{kind}", rows, 0)
    _slice(state, "attention.output.dense.weight", rows, 1)
    for kind in ("weight", "bias"):
        _slice(state, f"intermediate.dense.{kind}", columns, 0)
    _slice(state, "output.dense.weight", columns, 1)
    ours.load_state_dict(state)


def _slice(state: dict, name: str, kept: torch.Tensor, dim: int) -> None:
    """Take what is kept along a dimension; leave the tensor out if that is nothing."""
    if not kept.any():
        state.pop(name, None)
    else:
        state[name] = state[name][kept] if dim == 0 else state[name][:, kept]
