"""Networks that train together, each on the labels and on what the others say."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from utils.training import History, fit


def collaborative_losses(
    logits: torch.Tensor, labels: torch.Tensor, temperature: float = 1.0, weight: float = 1.0
) -> torch.Tensor:
    """The loss of each of several networks that learn from one another.

    For the logits s_i of network i, the labels y and the temperature T::

        L_i = BCE(sigmoid(s_i), y) + weight * T^2 * BCE(sigmoid(s_i / T), p_i)

    where p_i is the mean of sigmoid(s_j / T) over all others j and counts as a constant, BCE is the
    binary cross entropy, and both terms are means over batch and labels. For a teacher and a student p_i
    is what the other one says. The second term differs from T^2 times the Kullback-Leibler divergence by
    the entropy of p_i, a constant where p_i is one, so that gradients are the same.

    Parameters
    ----------
    logits : (batch, networks, labels), of two networks at least
    labels : (batch, labels), 0 or 1
    temperature : above 0; see :class:`SoftLabelLoss` for its square
    weight : of what the others say, at least 0

    Returns
    -------
    Tensor (networks,); the sum is what to differentiate.

    Raises
    ------
    ValueError
        If shapes do not fit, or a number is out of range.

    Source: Kim et al. (2019), QKD, arXiv 1911.12491, co-studying, there for a softmax and
    two networks; Anil et al. (2018), arXiv 1804.03235, algorithm 1, for the mean of several.

    What people get wrong: nothing is detached. The student's loss then has a gradient by the teacher's
    logit t, -weight * s * sigmoid'(t / T): the teacher is sent to the student's side and on to certainty,
    past the student. That lowers the loss and teaches nobody. Below, the 0.0 would be 0.105.

    >>> from utils.distillation import collaborative_losses
    >>> logits = torch.zeros(1, 2, 1, requires_grad=True)
    >>> student, teacher = collaborative_losses(logits + torch.tensor([[[-1.0], [2.0]]]), torch.ones(1, 1))
    >>> student.backward()
    >>> [round(slope, 3) for slope in logits.grad.flatten().tolist()]
    [-1.343, 0.0]
    """
    if logits.ndim != 3 or logits.shape[1] < 2 or labels.shape != logits[:, 0].shape:
        raise ValueError(
            "logits (batch, networks, labels) of two networks or more need labels (batch, labels), got "
            f"{tuple(logits.shape)} and {tuple(labels.shape)}"
        )
    if not 0 < temperature < float("inf") or not 0 <= weight < float("inf"):
        raise ValueError(
            f"temperature must be above 0 and weight at least 0, got {temperature} and {weight}"
        )

    def cross_entropy(logits, probabilities):
        each = binary_cross_entropy_with_logits(logits, probabilities, reduction="none")
        return each.mean(dim=(0, 2))

    losses = cross_entropy(logits, labels[:, None].expand_as(logits))
    if weight == 0:
        return losses
    softened = logits / temperature
    p = torch.sigmoid(softened).detach()
    others = (p.sum(dim=1, keepdim=True) - p) / (logits.shape[1] - 1)
    # Of several a difference of sums may miss 0 or 1 by a rounding.
    return losses + weight * temperature**2 * cross_entropy(softened, others.clamp(0, 1))


class _Peers(nn.Module):
    """Several networks side by side: in training the logits of all, otherwise those of the first."""

    def __init__(self, networks: Sequence[nn.Module]):
        super().__init__()
        self.networks, self.config = nn.ModuleList(networks), networks[0].config
        # Part of the state, so that an interrupted run goes on with the right step.
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return self.networks[0](ids)
        self.steps += 1
        return torch.cat([network(ids) for network in self.networks], dim=1)


def co_distill(
    networks: Sequence[nn.Module],
    train: tuple,
    dev: tuple,
    *,
    temperature: float = 1.0,
    weight: float = 1.0,
    burn_in: int = 0,
    **options,
) -> History:
    """Train networks together, each on the labels and on what the others predict.

    Each has its own of the :func:`collaborative_losses`: it moves towards the others, and no loss moves
    the others. Networks of one size are peers; a student and its teacher may learn together as well.

    Parameters
    ----------
    networks : at least two, with different weights and the same labels; all are trained in place, and
        read the same ids
    train, dev : ids and 0/1 labels, as in ``fit``
    temperature, weight : as in :func:`collaborative_losses`
    burn_in : steps on the labels alone, before predictions are worth learning from
    options : of ``fit``, without ``loss``

    Returns
    -------
    History of the first network, the one to keep: its dev macro-F1 chooses the epoch.

    Raises
    ------
    ValueError
        If there are fewer than two networks, or their numbers of labels differ.

    Source: Anil et al. (2018), arXiv 1804.03235, algorithm 1; here the peers read the same batches.

    What people get wrong: the gradient flows into the peer that teaches as well. That one is then
    moved by the loss of whoever learns from it; what it says must count as a constant.

    >>> from utils.distillation import co_distill
    >>> from utils.models import MeanVectorNetwork
    >>> ids, labels = np.array([[5, 7], [9, 0]]), np.array([[1, 0], [0, 1]])
    >>> peers = [MeanVectorNetwork(50, dim=4, hidden=8, labels=2) for _ in range(2)]
    >>> co_distill(peers, (ids, labels), (ids, labels), epochs=1, progress=False).best_epoch
    1
    """
    labels = {network.config["labels"] for network in networks}
    if len(networks) < 2 or len(labels) != 1:
        raise ValueError("co-distillation needs two or more networks with the same labels")
    peers, n = _Peers(networks).to(next(networks[0].parameters()).device), len(networks)

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        heard = weight if peers.steps > burn_in else 0.0
        return collaborative_losses(logits.unflatten(1, (n, -1)), targets, temperature, heard).sum()

    return fit(peers, train, dev, loss=loss, **options)
