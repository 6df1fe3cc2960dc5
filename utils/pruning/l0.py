"""L0 regularisation: a network that learns by gradients which of its weights or units it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from utils.pruning.hard_concrete import HardConcrete
from utils.pruning.learned import LearnedSparsity, matching_parameters


@dataclass(frozen=True)
class Units:
    """Weights that go together: slices of several parameters that share one gate.

    Parameters
    ----------
    count : how many units there are
    slices : name of a parameter to the dimension along which unit after unit lies. A dimension of
        several times ``count`` holds as many blocks of units, as the three gates of a GRU.
    """

    count: int
    slices: Mapping[str, int]


def linear_units(network: nn.Module, layer: str) -> Units:
    """The output units of a ``Linear``: rows of its matrix, and its biases.

    Source: Louizos, Welling and Kingma (2018), arXiv 1712.01312, section 4, "group sparsity".

    What people get wrong: the bias. A unit without its incoming weights still says its bias, to all
    that come after it, and cannot be left out.

    >>> from utils.models import MeanVectorNetwork
    >>> from utils.pruning import linear_units
    >>> linear_units(MeanVectorNetwork(9, dim=4, hidden=8, labels=2), "hidden")
    Units(count=8, slices={'hidden.weight': 0, 'hidden.bias': 0})
    """
    linear = network.get_submodule(layer)
    names = ["weight", "bias"] if linear.bias is not None else ["weight"]
    return Units(linear.out_features, {f"{layer}.{name}": 0 for name in names})


def gru_units(network: nn.Module, layer: str = "gru") -> dict[str, Units]:
    """The units of each layer and direction of a ``GRU``: rows of both its matrices, and biases.

    A unit whose weights are all 0 keeps half of its state at each step and adds nothing to it; it
    begins at 0 and so stays 0.

    Source: Cho et al. (2014), arXiv 1406.1078, equations 5 to 8; ours.

    What people get wrong: one row for a unit. It has three in each matrix, for the reset gate, the
    update gate and the new state.

    >>> from utils.models import GRUNetwork
    >>> from utils.pruning import gru_units
    >>> list(gru_units(GRUNetwork(9, dim=4, units=8, labels=2)))
    ['gru_l0', 'gru_l0_reverse']
    """
    gru = network.get_submodule(layer)
    ends = [
        name.removeprefix("weight_hh")
        for name in dict(gru.named_parameters())
        if "weight_hh" in name
    ]
    return {
        f"{layer}{end}": Units(
            gru.hidden_size,
            {
                f"{layer}.{name}{end}": 0
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
                if hasattr(gru, f"{name}{end}")
            },
        )
        for end in ends
    }


class L0Network(LearnedSparsity):
    """A network with hard concrete gates on weights, on units, or on both.

    While it trains, each batch draws gates anew; otherwise each gate is its deterministic value. Train
    it with ``PenalizedLoss(loss, gated.expected_l0, strength)``.

    Parameters
    ----------
    network : takes ids (batch, tokens); it is trained in place
    weights : patterns of names of parameters of which every weight gets a gate
    units : name to :class:`Units`, each of which gets a gate, by which all its weights are multiplied
    keep, stride : of :class:`HardConcrete`

    Raises
    ------
    ValueError
        If a pattern fits no parameter, a parameter has gates of both kinds or has values that are not
        finite, or its shape does not fit its units.

    Source: Louizos, Welling and Kingma (2018), arXiv 1712.01312, equations 8 to 13.

    What people get wrong: the price of a group. Expected L0 counts weights, so a unit costs as much
    as it has weights; to count units instead lets wide layers stay.

    >>> from utils.models import MeanVectorNetwork
    >>> from utils.pruning import L0Network, linear_units
    >>> network = MeanVectorNetwork(50, dim=4, hidden=8, labels=2)
    >>> units = {"hidden": linear_units(network, "hidden")}
    >>> gated = L0Network(network, units=units, keep=0.9)
    >>> round(gated.expected_l0().item(), 3)  # 0.9 of 8 rows of 4 weights and a bias
    36.0
    """

    def __init__(
        self,
        network: nn.Module,
        weights: Sequence[str] = (),
        units: Mapping[str, Units] | None = None,
        keep: float = 0.98,
        stride: float = 1.0,
    ):
        super().__init__(network)
        self.units = dict(units or {})
        self.names = matching_parameters(network, weights)
        self.gates = nn.ModuleList(
            [HardConcrete(network.get_parameter(n).shape, keep, stride) for n in self.names]
            + [HardConcrete((group.count,), keep, stride) for group in self.units.values()]
        )
        self.owner: dict[str, tuple[int, int | None]] = {
            name: (number, None) for number, name in enumerate(self.names)
        }
        for number, group in enumerate(self.units.values(), len(self.names)):
            for name, dim in group.slices.items():
                matching_parameters(network, [name])
                if name in self.owner:
                    raise ValueError(f"{name} would have two gates")
                size = network.get_parameter(name).shape[dim]
                if size % group.count:
                    raise ValueError(f"{name} has no {group.count} units along dimension {dim}")
                self.owner[name] = number, dim

    def _spread(self, values: Sequence[torch.Tensor]) -> dict[str, torch.Tensor]:
        """What there is of each gate, beside each weight: by name, and of a shape that broadcasts."""
        spread = {}
        for name, (number, dim) in self.owner.items():
            value, weight = values[number], self.network.get_parameter(name)
            if dim is not None:
                value = value.repeat(weight.shape[dim] // len(value))
                value = value.view([-1 if d == dim else 1 for d in range(weight.ndim)])
            spread[name] = value
        return spread

    def weights(self) -> dict[str, torch.Tensor]:
        gates = self._spread([gate() for gate in self.gates])
        weights = {name: self.network.get_parameter(name) for name in gates}
        return {name: weight * gates[name].to(weight.dtype) for name, weight in weights.items()}

    def scores(self) -> dict[str, torch.Tensor]:
        """log α of the gate that each weight has."""
        values = self._spread([gate.log_alpha.detach() for gate in self.gates])
        return {n: v.expand(self.network.get_parameter(n).shape) for n, v in values.items()}

    def expected_l0(self) -> torch.Tensor:
        """How many of the weights that have gates are not 0 in the mean, a number with a gradient."""
        return sum(
            gate.expected_l0() * held for gate, held in zip(self.gates, self._held(), strict=True)
        )

    def _held(self) -> list[float]:
        """Weights behind a gate, of each set of gates."""
        held = [0.0] * len(self.gates)
        for name, (number, _) in self.owner.items():
            gates = self.gates[number].position.numel()
            held[number] += self.network.get_parameter(name).numel() / gates
        return held
