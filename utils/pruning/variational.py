"""Variational dropout: each weight learns how much noise it bears; those that drown in it go.

A weight is a normal variable with mean θ and variance α θ². The lower bound of the likelihood prices
how much is known of each weight, and a weight of which nothing need be known has log α far above 0: its
dropout rate α / (1 + α) is near 1.

Source: Molchanov, Ashukha and Vetrov (2017), "Variational dropout sparsifies deep neural networks",
arXiv 1701.05369, equation 14 and sections 4.2 to 4.4; Kingma, Salimans and Welling (2015), arXiv
1506.02557, for the local reparametrisation.

What people get wrong: what is learned. The variance is, and log α is made of it and of θ; a gradient
through α itself has a noise that grows with α, so that no weight ever gets to large ones.

>>> from utils.pruning import kl_divergence, log_alpha
>>> noise = log_alpha(torch.tensor([1.0, 0.01]), torch.tensor([-8.0, -8.0]))
>>> noise > 3  # which weights would go
tensor([False, False])
>>> [round(kl, 3) for kl in kl_divergence(torch.tensor([-8.0, 0.0, 8.0])).tolist()]
[4.636, 0.431, 0.0]
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.func import functional_call

from utils.pruning.learned import LearnedSparsity, matching_parameters

K1, K2, K3 = 0.63576, 1.87320, 1.48695  # of equation 14
THRESHOLD = 3.0  # of log α; a dropout rate of 0.95
LIMIT = 8.0  # beyond ±8 of log α, nothing changes any more


def log_alpha(theta: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """log α = log σ² - log θ² of weights, within ±:data:`LIMIT`; a weight of 0 has the largest."""
    return (log_variance - torch.log(theta.square() + 1e-16)).clamp(-LIMIT, LIMIT)


def kl_divergence(log_alpha: torch.Tensor) -> torch.Tensor:
    """From a log-uniform prior, of each weight, at least 0: minus equation 14, approximate."""
    known = K1 * (1 - torch.sigmoid(K2 + K3 * log_alpha))
    return known + 0.5 * nn.functional.softplus(-log_alpha)


def dropout_rate(log_alpha: torch.Tensor) -> torch.Tensor:
    """The rate of binary dropout with as much noise: α / (1 + α)."""
    return torch.sigmoid(log_alpha)


def linear_noise(x: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """What noisy weights (out, in) add to a product with x (..., in): the local reparametrisation.

    A sum of normal variables is one, so the noise is drawn of each output, not of each weight: each
    comment of a batch has its own, and gradients vary less.
    """
    # A number to keep the root's gradient finite where all of x is 0.
    deviation = (x.square() @ log_variance.exp().T + 1e-8).sqrt()
    return deviation * torch.randn_like(deviation)


def lookup_noise(ids: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """What noisy rows (n, dim) add to a look-up of ids: each place in a text has noise of its own."""
    deviation = (log_variance[ids] / 2).exp()
    return deviation * torch.randn_like(deviation)


class VariationalNetwork(LearnedSparsity):
    """A network whose weights have noise, of a size that is learned, while it trains.

    Train it with ``PenalizedLoss(loss, network.kl, 1 / comments, warmup)``. At test time there is no
    noise, and weights with log α above the threshold are 0.

    Parameters
    ----------
    network : takes ids (batch, tokens), best one that is trained already; it is trained in place
    weights : patterns of names of parameters. The noise of a ``Linear`` is drawn of its outputs, that of
        an ``Embedding`` of each place of a text, and that of all else, as of a GRU, of the weights, once
        a batch
    log_variance : at the start
    stride : how much faster than the learning rate the log variance moves, as of ``HardConcrete``
    threshold : of log α

    Raises
    ------
    ValueError
        If a pattern fits no parameter, or one has values that are not finite.

    Source: Molchanov, Ashukha and Vetrov (2017), arXiv 1701.05369; Lobacheva, Chirkova and Vetrov (2017),
    arXiv 1708.00077, for recurrent networks.

    What people get wrong: the scale of the bound. The divergence is of the whole data set, so beside a
    mean over comments it is divided by their number, not by that of the batch.

    >>> from utils.models import MeanVectorNetwork
    >>> from utils.pruning import VariationalNetwork
    >>> network = MeanVectorNetwork(50, dim=4, hidden=8, labels=2)
    >>> noisy = VariationalNetwork(network, ["hidden.weight"], log_variance=8.0)
    >>> noisy.pruned().hidden.weight.count_nonzero().item()  # all drown
    0
    """

    def __init__(
        self,
        network: nn.Module,
        weights: Sequence[str],
        log_variance: float = -8.0,
        stride: float = 1.0,
        threshold: float = THRESHOLD,
    ):
        super().__init__(network)
        self.names, self.threshold, self.stride = (
            matching_parameters(network, weights),
            threshold,
            stride,
        )
        # Of one dimension, since optimizers decay matrices.
        self.positions = nn.ParameterList(
            torch.full((network.get_parameter(name).numel(),), log_variance / stride)
            for name in self.names
        )

    def log_variances(self) -> dict[str, torch.Tensor]:
        return {
            name: (position * self.stride).view(self.network.get_parameter(name).shape)
            for name, position in zip(self.names, self.positions, strict=True)
        }

    def log_alphas(self) -> dict[str, torch.Tensor]:
        return {
            name: log_alpha(self.network.get_parameter(name).float(), variance)
            for name, variance in self.log_variances().items()
        }

    def scores(self) -> dict[str, torch.Tensor]:
        """-log α of each weight."""
        return {name: -value.detach() for name, value in self.log_alphas().items()}

    def weights(self) -> dict[str, torch.Tensor]:
        """At test time: those of the network, and 0 where log α is above the threshold."""
        return {
            name: self.network.get_parameter(name) * (noise <= self.threshold)
            for name, noise in self.log_alphas().items()
        }

    def kl(self) -> torch.Tensor:
        """Divergence of all weights together from the prior, a number with a gradient."""
        return sum(kl_divergence(noise).sum() for noise in self.log_alphas().values())

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return super().forward(ids)
        drawn, hooks = {}, []
        for name, variance in self.log_variances().items():
            layer = self.network.get_submodule(name.rpartition(".")[0])
            if name.endswith("weight") and type(layer) in _NOISE:
                hooks.append(layer.register_forward_hook(_adding(_NOISE[type(layer)], variance)))
            else:
                weight = self.network.get_parameter(name)
                drawn[name] = weight + (variance / 2).exp() * torch.randn_like(weight)
        try:
            return functional_call(self.network, drawn, (ids,))
        finally:
            for hook in hooks:
                hook.remove()


_NOISE = {nn.Linear: linear_noise, nn.Embedding: lookup_noise}


def _adding(noise: Any, log_variance: torch.Tensor) -> Any:
    return lambda layer, inputs, output: output + noise(inputs[0], log_variance)
