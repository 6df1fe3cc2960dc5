"""How a network learns labels of which some are rare: weights for the loss, and where outputs start."""

import numpy as np
import torch
from scipy.special import entr, logit
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits


def label_weights(labels: np.ndarray) -> np.ndarray:
    """Weights of shape (labels,), float32 with mean 1, that let a rare label count more in the loss.

    One over the square root of each label's entropy: a label of one comment in a thousand would
    otherwise be a thousandth of what the network attends to. All answers of a label weigh the same,
    so its probabilities stay probabilities.

    Parameters
    ----------
    labels : (n, labels), 0 or 1. A label of no comment counts as one of a comment in ten thousand.

    Raises
    ------
    ValueError
        If labels are no matrix with at least a row.
    """
    share = label_shares(labels)
    weights = 1 / np.sqrt(entr(share) + entr(1 - share))
    return (weights / weights.mean()).astype(np.float32)


class WeightedLoss:
    """Binary cross entropy in which each label weighs by :func:`label_weights`; a loss for ``fit``.

    Parameters
    ----------
    labels : (n, labels), 0 or 1, of the training comments

    Called with logits and targets, (n, labels) each; targets may be probabilities.

    Raises
    ------
    ValueError
        If labels are no matrix with at least a row.

    Source: ours. After Cui et al. (2019), arXiv 1901.05555, who weigh a class by how rare it is.

    What people get wrong: a weight for the answer yes alone (``pos_weight``). Probabilities then
    come out too high; here both answers of a label weigh the same.

    >>> from utils.distillation import WeightedLoss
    >>> loss = WeightedLoss(np.array([[1, 0], [0, 0], [1, 0], [0, 1]]))
    >>> bool(loss.weights[1] > loss.weights[0]), loss(torch.zeros(4, 2), torch.ones(4, 2)).shape
    (True, torch.Size([]))
    """

    def __init__(self, labels: np.ndarray):
        self.weights = label_weights(labels)

    def __call__(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        weights = torch.from_numpy(self.weights).to(logits.device)
        return binary_cross_entropy_with_logits(logits, targets, weight=weights)


def start_at_frequencies(network: nn.Module, labels: np.ndarray) -> None:
    """Let the outputs of a network start at the log-odds of each label, in place.

    Parameters
    ----------
    network : with a linear layer ``output``, one output a label
    labels : (n, labels), 0 or 1

    Raises
    ------
    ValueError
        If labels are no matrix with at least a row.
    RuntimeError
        If the network has another number of outputs.

    Source: Lin et al. (2017), focal loss, arXiv 1708.02002, section 4.1.

    What people get wrong: the bias is the log-odds of a label, not its share. The sigmoid of a bias
    of 0.01 is about a half.

    >>> from utils.distillation import start_at_frequencies
    >>> from utils.models import MeanVectorNetwork
    >>> network = MeanVectorNetwork(50, dim=4, hidden=8, labels=2)
    >>> start_at_frequencies(network, np.array([[1, 0], [0, 0], [0, 1], [0, 1]]))
    >>> network.output.bias.sigmoid().tolist()
    [0.25, 0.5]
    """
    with torch.no_grad():
        network.output.bias.copy_(torch.from_numpy(logit(label_shares(labels))))


def label_shares(labels: np.ndarray) -> np.ndarray:
    """Of the comments that have each label, (labels,); never 0 or 1, where logarithms end.

    Raises
    ------
    ValueError
        If labels are no matrix with at least a row.
    """
    labels = np.asarray(labels, dtype=np.float64)
    if labels.ndim != 2 or len(labels) == 0:
        raise ValueError(f"labels must be a matrix (n, labels) with n > 0, got {labels.shape}")
    return labels.mean(axis=0).clip(1e-4, 1 - 1e-4)
