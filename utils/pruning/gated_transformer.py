"""L0 on the structure of a transformer: gates that learn which heads, columns and layers it needs."""

from collections.abc import Sequence

import torch
from torch import nn

from utils.models import TransformerNetwork
from utils.pruning.hard_concrete import HardConcrete
from utils.pruning.transformer import gated, prune_transformer, sizes

GRAINS = ("heads", "columns", "layers")


class GatedTransformer(nn.Module):
    """A transformer with hard concrete gates on its heads, its feed-forward columns or its layers.

    Train it with ``PenalizedLoss(loss, gated.expected_l0, strength)``, then take :meth:`pruned`.

    Parameters
    ----------
    network : a ``TransformerNetwork``, best one that has converged; trained in place
    grains : of :data:`GRAINS`, what gets gates
    keep, stride : of :class:`HardConcrete`
    frozen : leave the network as it is, and learn the gates alone

    Raises
    ------
    ValueError
        If there is no such grain.

    Source: Voita, Talbot, Moiseev, Sennrich and Titov (2019), "Analyzing multi-head self-attention:
    specialized heads do the heavy lifting, the rest can be pruned", arXiv 1905.09418, section 6.

    What people get wrong: the start. Gates are added to a model that has converged; from scratch, heads
    are shut before they have learned to be of use.

    >>> from utils.models import TransformerNetwork
    >>> from utils.pruning import GatedTransformer
    >>> widths = dict(hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8)
    >>> network = TransformerNetwork(dict(vocab_size=50, **widths), labels=2)
    >>> heads = GatedTransformer(network, keep=0.9)
    >>> round(heads.expected_l0().item(), 2)  # of 4 heads
    3.6
    """

    def __init__(
        self,
        network: TransformerNetwork,
        grains: Sequence[str] = ("heads",),
        keep: float = 0.98,
        stride: float = 1.0,
        frozen: bool = False,
    ):
        super().__init__()
        if wrong := [grain for grain in grains if grain not in GRAINS]:
            raise ValueError(f"there is no grain {wrong[0]!r}; there are {', '.join(GRAINS)}")
        heads, columns = sizes(network)
        counts = {"heads": heads, "columns": columns, "layers": [1] * len(heads)}
        self.network, self.config = network, network.config
        self.gates = nn.ModuleDict(
            {
                grain: nn.ModuleList(HardConcrete((n,), keep, stride) for n in counts[grain])
                for grain in grains
            }
        )
        if frozen:
            network.requires_grad_(False)
        self.frozen = frozen

    def train(self, mode: bool = True) -> "GatedTransformer":
        """As of any module; a frozen network has no dropout, either."""
        super().train(mode)
        if self.frozen:
            self.network.eval()
        return self

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        drawn = {grain: [gate() for gate in layers] for grain, layers in self.gates.items()}
        if "layers" in drawn:
            drawn["layers"] = [gate[0] for gate in drawn["layers"]]
        with gated(self.network, **drawn):
            return self.network(ids)

    def expected_l0(self) -> torch.Tensor:
        """How many gates are not 0 in the mean, of all grains together; a number with a gradient."""
        return sum(gate.expected_l0() for layers in self.gates.values() for gate in layers)

    @torch.no_grad()
    def values(self) -> dict[str, list[torch.Tensor]]:
        """Of each grain and each layer, the gates at test time."""
        training = self.training
        self.eval()
        values = {grain: [gate() for gate in layers] for grain, layers in self.gates.items()}
        self.train(training)
        return values

    @torch.no_grad()
    def pruned(self) -> TransformerNetwork:
        """The network without what is shut. Gates between 0 and 1 are multiplied into the weights behind
        them, so that it says the same; those of layers are rounded, since no weight can hold them."""
        values = self.values()
        kept = {grain: [gate > 0 for gate in layers] for grain, layers in values.items()}
        if "layers" in kept:
            kept["layers"] = [bool(gate[0] >= 0.5) for gate in values["layers"]]
        full = prune_transformer(self.network)
        for grain, dense in (("heads", "attention.output.dense"), ("columns", "output.dense")):
            for layer, gate in zip(full.encoder.encoder.layer, values.get(grain, ()), strict=False):
                matrix = layer.get_submodule(dense)
                if isinstance(matrix, nn.Linear):
                    matrix.weight *= gate.repeat_interleave(matrix.in_features // len(gate))
        return prune_transformer(full, **kept)
