"""Whole units removed for real: a smaller dense network that says the same as the masked one.

Source: Molchanov et al. (2017), arXiv 1611.06440, section 2.2, for the scores; Li et al. (2017), arXiv
1608.08710, section 3.1, for removing what leads out of a unit along with it.

What people get wrong: a unit has two sides. Whoever removes its row has to remove the column of the
next layer too; of a GRU unit these are a row of each of three gates, a column of the recurrent
matrix, and a column of the output for each way of pooling.

>>> from utils.models import GRUNetwork
>>> from utils.pruning import keep_units, mask_units, remove_units, unit_scores
>>> network, ids = GRUNetwork(50, dim=4, units=8, labels=2).eval(), torch.tensor([[5, 7], [7, 0]])
>>> kept = keep_units(unit_scores(network, ids, "activation"), 0.5)
>>> small = remove_units(network, kept)
>>> small.config["units"], torch.allclose(small(ids), mask_units(network, kept)(ids), atol=1e-6)
(4, True)
"""

import copy
from typing import Any, Literal

import torch
from torch import nn

from utils.models import GRUNetwork, MeanVectorNetwork

Criterion = Literal["magnitude", "activation", "random"]
CRITERIA = ("magnitude", "activation", "random")


def directions(network: GRUNetwork) -> list[str]:
    """The endings of the names of a GRU's weights, of each direction.

    Raises
    ------
    ValueError
        If the GRU has several layers.
    """
    if network.config["layers"] > 1:
        raise ValueError("units of a GRU of several layers cannot be removed yet")
    return ["_l0", "_l0_reverse"] if network.config["bidirectional"] else ["_l0"]


@torch.no_grad()
def unit_scores(
    network: MeanVectorNetwork | GRUNetwork,
    ids: torch.Tensor | None,
    criterion: Criterion,
    seed: int = 0,
) -> list[torch.Tensor]:
    """A score for each unit, of each direction of a GRU; of a dense layer the list has one entry.

    "magnitude" is the norm of the weights that lead out of a unit to the outputs times that of those
    that lead in; "activation" the norm of the weights to the outputs times the root mean square of the
    unit over comments; "random" knows nothing.

    Raises
    ------
    ValueError
        If there is no such criterion.
    TypeError
        If the network has no units that could be removed here.
    """
    if criterion not in CRITERIA:
        raise ValueError(f"no criterion is called {criterion!r}; there are {', '.join(CRITERIA)}")
    outgoing = _outgoing(network)
    if criterion == "random":
        generator = torch.Generator().manual_seed(seed)
        return [torch.rand(len(one), generator=generator) for one in outgoing]
    if criterion == "magnitude":
        return [a * b for a, b in zip(outgoing, _incoming(network), strict=True)]
    return [a * b for a, b in zip(outgoing, _root_mean_squares(network, ids), strict=True)]


def keep_units(scores: list[torch.Tensor], sparsity: float) -> list[torch.Tensor]:
    """The numbers of the units that stay, ascending: as many in each direction, and at least one."""
    kept = []
    for one in scores:
        count = max(1, len(one) - round(sparsity * len(one)))
        kept.append(one.argsort(descending=True, stable=True)[:count].sort().values)
    return kept


@torch.no_grad()
def mask_units(
    network: MeanVectorNetwork | GRUNetwork, kept: list[torch.Tensor]
) -> MeanVectorNetwork | GRUNetwork:
    """A copy in which nothing leads out of the units that are gone; it has as many weights as before."""
    network = copy.deepcopy(network)
    if isinstance(network, MeanVectorNetwork):
        network.output.weight.copy_(_only(network.output.weight, kept[0]))
        return network
    for ending, one in zip(directions(network), kept, strict=True):
        weight = getattr(network.gru, f"weight_hh{ending}")
        weight.copy_(_only(weight, one))
    network.output.weight.copy_(_only(network.output.weight, _output_columns(network, kept)))
    return network


@torch.no_grad()
def remove_units(
    network: MeanVectorNetwork | GRUNetwork, kept: list[torch.Tensor]
) -> MeanVectorNetwork | GRUNetwork:
    """A smaller network of the units that stay; it says what the masked one says.

    Raises
    ------
    TypeError
        If the network has no units that could be removed here.
    ValueError
        If a GRU has several layers.
    """
    _outgoing(network)
    config: dict[str, Any]
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    if isinstance(network, MeanVectorNetwork):
        (one,) = kept
        config = network.config | {"hidden": len(one)}
        for name in ("hidden.weight", "hidden.bias"):
            state[name] = state[name][one]
        state["output.weight"] = state["output.weight"][:, one]
    else:
        units, config = network.config["units"], network.config | {"units": len(kept[0])}
        for ending, one in zip(directions(network), kept, strict=True):
            gates = torch.cat([one + gate * units for gate in range(3)])  # reset, update, new
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                state[f"gru.{name}{ending}"] = state[f"gru.{name}{ending}"][gates]
            state[f"gru.weight_hh{ending}"] = state[f"gru.weight_hh{ending}"][:, one]
        state["output.weight"] = state["output.weight"][:, _output_columns(network, kept)]
    kind: Any = type(network)
    small: nn.Module = kind(**config)
    small.load_state_dict(state)
    return small.train(network.training)


def _outgoing(network: nn.Module) -> list[torch.Tensor]:
    """Of each unit the norm of the weights to the outputs."""
    if isinstance(network, MeanVectorNetwork):
        return [network.output.weight.detach().norm(dim=0)]
    if not isinstance(network, GRUNetwork):
        raise TypeError(f"a {type(network).__name__} has no units that could be removed here")
    columns = network.output.weight.detach().norm(dim=0)
    by_pool = columns.reshape(2, len(directions(network)), network.config["units"])
    return list(by_pool.norm(dim=0))


def _incoming(network: nn.Module) -> list[torch.Tensor]:
    if isinstance(network, MeanVectorNetwork):
        return [network.hidden.weight.detach().norm(dim=1)]
    units = network.config["units"]
    found = []
    for ending in directions(network):
        both = [getattr(network.gru, f"weight_{kind}{ending}").detach() for kind in ("ih", "hh")]
        found.append(torch.cat(both, dim=1).reshape(3, units, -1).norm(dim=(0, 2)))
    return found


def _root_mean_squares(network: nn.Module, ids: torch.Tensor) -> list[torch.Tensor]:
    """Of each unit over the tokens of comments; of a dense unit over comments."""
    seen: list[Any] = []
    ids = torch.as_tensor(ids)
    layer = network.hidden if isinstance(network, MeanVectorNetwork) else network.gru
    hook = layer.register_forward_hook(lambda layer, inputs, output: seen.append(output))
    squares: Any = 0.0
    count, training = 0, network.training
    try:
        network.eval()
        for rows in ids.split(256):
            network(rows)
            output = seen.pop()
            if isinstance(output, tuple):
                states: Any = getattr(output[0], "data", output[0])  # packed: the tokens alone
                states = states.reshape(-1, states.shape[-1])
            else:
                states = output.relu()
            squares = squares + states.square().sum(dim=0)
            count += len(states)
    finally:
        network.train(training)
        hook.remove()
    return list((squares / max(count, 1)).sqrt().chunk(len(_outgoing(network))))


def _output_columns(network: GRUNetwork, kept: list[torch.Tensor]) -> torch.Tensor:
    """The columns of the output layer that belong to units which stay: the mean's, the maximum's."""
    units, ways = network.config["units"], len(kept)
    return torch.cat(
        [one + (pool * ways + way) * units for pool in range(2) for way, one in enumerate(kept)]
    )


def _only(weight: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    kept = torch.zeros_like(weight)
    kept[:, columns] = weight[:, columns]
    return kept
