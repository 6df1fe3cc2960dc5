"""A network that trains behind masks."""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import nn
from torch.func import functional_call

from utils.pruning.masks import (
    apply_masks,
    full_masks,
    masks_over_all,
    masks_per_layer,
    matrices,
)

Scope = Literal["layer", "all"]
MASKS = {"layer": masks_per_layer, "all": masks_over_all}


def magnitude_masks(
    network: nn.Module,
    sparsity: float,
    scope: Scope = "layer",
    masks: Mapping[str, torch.Tensor] | None = None,
) -> dict[str, torch.Tensor]:
    """Masks without the smallest weights of a network, of each layer or over all.

    Source: Han et al. (2015), arXiv 1506.02626, section 3.

    What people get wrong: magnitudes of layers of different scale, over all layers together: the
    layer of the small numbers goes first, whatever it is good for.

    >>> from utils.models import MeanVectorNetwork
    >>> from utils.pruning import magnitude_masks, sparsity_of
    >>> network = MeanVectorNetwork(50, dim=8, hidden=4, labels=2)
    >>> masks = magnitude_masks(network, 0.75)
    >>> {name: sparsity_of({name: mask}) for name, mask in masks.items()}
    {'embedding.weight': 0.75, 'hidden.weight': 0.75, 'output.weight': 0.75}
    """
    scores = {name: weight.abs() for name, weight in matrices(network).items()}
    return MASKS[scope](scores, sparsity, masks)


class MaskedNetwork(nn.Module):
    """A network that computes with its weights times masks, and may get sparser while it trains.

    The optimiser has the weights behind the masks. Momentum and weight decay go on moving those that
    are gone, but the network never sees them, and they get no gradient; ``pruned`` sets them to 0.

    Give it to ``utils.training.fit`` like the network itself, then take :meth:`pruned`. Its state holds
    masks and steps, so that training goes on from a checkpoint where it was.

    Parameters
    ----------
    network : of ``utils.models``; it is trained in place
    masks : by name of parameter, to start with; all weights, if there are none
    schedule : gives the sparsity at a training step, see ``utils.pruning.schedules``; without one the
        masks stay as they are
    every : training steps between two looks at the schedule
    scope : whether the smallest weights go from each "layer" or from "all" together

    Raises
    ------
    ValueError
        If masks and parameters do not fit, or ``every`` is below 1.

    Source: Zhu and Gupta (2017), arXiv 1710.01878, section 3.

    What people get wrong: weights set to 0 once. The next step of Adam moves them again, from its
    momentum alone, without any gradient.

    >>> from utils.models import MeanVectorNetwork
    >>> from utils.pruning import MaskedNetwork, cubic, sparsity_of
    >>> masked = MaskedNetwork(MeanVectorNetwork(50, 8, 4, labels=2), schedule=cubic(0.8, 10), every=5)
    >>> for _ in range(10):
    ...     logits = masked(torch.tensor([[5, 7]]))
    >>> round(sparsity_of(masked.pruned()), 3)
    0.8
    """

    def __init__(
        self,
        network: nn.Module,
        masks: Mapping[str, torch.Tensor] | None = None,
        *,
        schedule: Callable[[int], float] | None = None,
        every: int = 10,
        scope: Scope = "layer",
    ):
        super().__init__()
        if every < 1:
            raise ValueError(f"masks change every 1 step at most, got {every}")
        masks = full_masks(network) if masks is None else masks
        for name, mask in masks.items():
            shape = network.get_parameter(name).shape
            if mask.shape != shape or mask.dtype != torch.bool:
                raise ValueError(f"{name} has the shape {tuple(shape)}; its mask does not fit")
        self.network, self.config = network, network.config
        self.schedule, self.every, self.scope = schedule, every, scope
        self.names = tuple(masks)
        for number, mask in enumerate(masks.values()):
            self.register_buffer(f"mask_{number}", mask.clone())
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    @property
    def masks(self) -> dict[str, torch.Tensor]:
        return {name: getattr(self, f"mask_{n}") for n, name in enumerate(self.names)}

    def prune_to(self, sparsity: float) -> None:
        """Make the masks sparser: of the weights that are left, the smallest go."""
        old = self.masks
        scores = {name: self.network.get_parameter(name).detach().abs() for name in self.names}
        for number, mask in enumerate(MASKS[self.scope](scores, sparsity, old).values()):
            getattr(self, f"mask_{number}").copy_(mask)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """What the network says without the weights that are gone."""
        if self.training:
            self.steps += 1
            if self.schedule is not None and int(self.steps) % self.every == 0:
                self.prune_to(self.schedule(int(self.steps)))
        weights = {
            # Not a product: that would make NaN of a weight that ran away behind its mask.
            name: torch.where(mask, self.network.get_parameter(name), 0.0)
            for name, mask in self.masks.items()
        }
        return functional_call(self.network, weights, (ids,))

    def pruned(self) -> nn.Module:
        """The network with zeros where weights are gone: to be saved, not to be trained without masks."""
        return apply_masks(self.network, self.masks).eval()
