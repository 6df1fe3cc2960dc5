"""One teacher of several, by weights that fit labels best."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.special import entr, expit

from utils.distillation.rare_labels import label_shares


def mixing_weights(members: Sequence[np.ndarray], labels: np.ndarray) -> np.ndarray:
    """Weights of at least 0 with which the sum of logits fits these labels (dev) best.

    Best in cross entropy, each label divided by its entropy, so that all count alike: a logistic
    regression on the members, with one set of weights for all labels. Macro-F1 would be the goal, but it
    is a step function of a few hundred rare labels, and weights tuned on it fit those.

    Parameters
    ----------
    members : logits (n, labels), one array a member
    labels : (n, labels), 0 or 1

    Returns
    -------
    Array of shape (members,); they need not add up to 1.

    Raises
    ------
    ValueError
        If there are no members, or their shapes differ from that of the labels.

    Source: Hinton (2002), "Training products of experts by minimizing contrastive divergence", for the
    sum of logits; Wolpert (1992), "Stacked generalization", for weights learned on other comments.

    What people get wrong: weights fitted on the comments that the members were trained on. The
    member that knows those by heart gets all the weight.

    >>> from utils.distillation import mixing_weights
    >>> labels = np.array([[1], [1], [0], [0]])
    >>> good, useless = np.array([[[2], [-1], [-2], [-2]], [[1], [-1], [1], [-1]]])
    >>> weights = mixing_weights([good, useless], labels)
    >>> bool(weights[0] > weights[1])
    True
    """
    labels, share = np.asarray(labels), label_shares(labels)
    shapes = {np.shape(member) for member in members}
    if shapes != {labels.shape}:
        raise ValueError(
            f"members need logits {labels.shape} like the labels, got {shapes or None}"
        )
    logits = np.stack(members).astype(float)
    importance = np.broadcast_to(1 / (entr(share) + entr(1 - share)), labels.shape) / labels.size

    def loss(weights):
        pooled = np.tensordot(weights, logits, axes=1)
        value = np.logaddexp(0, pooled) - labels * pooled
        slope = (importance * (expit(pooled) - labels) * logits).sum(axis=(1, 2))
        return (importance * value).sum(), slope

    start = np.full(len(logits), 1 / len(logits))
    bounds = [(0, None)] * len(logits)
    return minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
