"""What a student is trained on besides the labels: a teacher's logits, a teacher's features.

Source: Hinton, Vinyals and Dean (2015), arXiv 1503.02531, for logits; Romero et al. (2015),
FitNets, arXiv 1412.6550, for features.

What people get wrong: the teacher's features are those of a network that predicts. With its dropout
left on, the student would learn noise; :func:`predict_features` switches it off.

>>> from utils.distillation import FeatureMatching, SoftLabelLoss
>>> from utils.distillation import feature_matching, predict_features
>>> from utils.models import MeanVectorNetwork
>>> teacher, student = (MeanVectorNetwork(50, dim=4, hidden=n, labels=2) for n in (16, 8))
>>> ids = np.array([[5, 7, 9], [6, 4, 0]])
>>> features = predict_features(teacher, ids)
>>> features.shape
(2, 16)
>>> targets = torch.zeros(2, 2 + 2 + 16)  # labels, the teacher's logits, its features
>>> with feature_matching(student, FeatureMatching(8, 16), SoftLabelLoss()) as loss:
...     loss(student(torch.from_numpy(ids)), targets).shape
torch.Size([])
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
ENOUGH = 16  # numbers to tell probabilities from logits by


class SoftLabelLoss:
    """Soft labels from a teacher's logits, mixed with the hard labels; a loss for ``fit``.

    For student logits s, teacher logits t, labels y and temperature T::

        alpha * T^2 * BCE(sigmoid(s / T), sigmoid(t / T)) + (1 - alpha) * BCE(sigmoid(s), y)

    where BCE is the binary cross entropy. Both terms are means over batch and labels, so they are
    on one scale whatever the number of labels.

    Why T^2: by the chain rule, the gradient of BCE(sigmoid(s / T), sigmoid(t / T)) by s is
    (sigmoid(s / T) - sigmoid(t / T)) / T. Where T is large beside s and t, sigmoid(x / T) is nearly
    1/2 + x / (4 T), so the gradient is nearly (s - t) / (4 T^2), and vanishes. Multiplied by T^2 it
    tends to (s - t) / 4: the gradient of a regression on the teacher's logits, (s - t)^2 / 8.

    The soft term is smallest where s = t, and there it is not 0 but T^2 times the entropy of the
    teacher's softened probabilities. The Kullback-Leibler divergence subtracts that constant. Its
    gradient is the same; the cross entropy is used because it is the loss of the hard labels too,
    so that a teacher which knows the labels for certain makes the two terms equal at T = 1.

    Parameters
    ----------
    temperature : above 0; 1 leaves the teacher's probabilities as they are
    alpha : 0 to 1, the share of the soft term

    Called with logits (n, k) and targets (n, 2k): the 0/1 labels, then the teacher's logits.

    Raises
    ------
    ValueError
        If a parameter is out of range, targets are not twice as wide as the logits, a label does
        not lie between 0 and 1, or the teacher's logits are probabilities by the look of them: all
        between 0 and 1, where logits of rare labels are negative.

    Source: Hinton, Vinyals and Dean (2015), arXiv 1503.02531, section 2 and 2.1, there for a softmax.

    What people get wrong: T^2 is left out, so that a higher temperature is a smaller soft term too. Or
    it is trusted to keep the gradient's size, which it does only where T is large beside the logits.
    For a teacher's confident "no" of -6 and s = -3 the gradient grows with T, towards (-3 + 6) / 4:

    >>> from utils.distillation import SoftLabelLoss
    >>> for T in (1.0, 2.0, 4.0, 8.0, 64.0):
    ...     s = torch.full((1, 1), -3.0, requires_grad=True)
    ...     SoftLabelLoss(T, alpha=1.0)(s, torch.tensor([[0.0, -6.0]])).backward()
    ...     print(round(s.grad.item(), 3))
    0.045
    0.27
    0.554
    0.692
    0.749
    """

    def __init__(self, temperature: float = 2.0, alpha: float = 0.5):
        if not 0 < temperature < float("inf"):
            raise ValueError(f"temperature must be a number above 0, got {temperature}")
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha must lie between 0 and 1, got {alpha}")
        self.temperature, self.alpha = temperature, alpha

    def __call__(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        n, k = logits.shape
        if targets.shape != (n, 2 * k):
            raise ValueError(
                f"logits {tuple(logits.shape)} need targets ({n}, {2 * k}), the labels and then the "
                f"teacher's logits; got {tuple(targets.shape)}"
            )
        labels, teacher = targets.split(k, dim=1)
        if not bool(((labels >= 0) & (labels <= 1)).all()):
            raise ValueError("labels must lie between 0 and 1; they come first, then the logits")
        if teacher.numel() >= ENOUGH and bool(((teacher > 0) & (teacher < 1)).all()):
            raise ValueError(
                "the teacher's logits all lie between 0 and 1, as probabilities do; give what comes "
                "before the sigmoid"
            )
        T = self.temperature
        soft = T**2 * binary_cross_entropy_with_logits(logits / T, torch.sigmoid(teacher / T))
        hard = binary_cross_entropy_with_logits(logits, labels)
        return self.alpha * soft + (1 - self.alpha) * hard


class FeatureMatching(nn.Module):
    """The distance of a student's features, projected linearly, to those of a teacher.

    The mean over batch and features of (W f + b - g)^2, for student features f and teacher
    features g. W and b are learned with the student and thrown away after training: they exist
    because the two feature spaces have neither the same size nor the same axes.

    Parameters
    ----------
    student_dim, teacher_dim : number of features

    Called with features (n, student_dim) and (n, teacher_dim).

    Raises
    ------
    ValueError
        If shapes do not fit.

    Source: Romero et al. (2015), FitNets, arXiv 1412.6550, equation 3 (there half the squared norm
    rather than a mean, and the regressor is convolutional).

    What people get wrong: the projection. It learns with the student, so the optimiser must hold
    its weights (:func:`feature_matching` sees to it), and it is no part of the student's bytes.

    >>> from utils.distillation import FeatureMatching
    >>> matching = FeatureMatching(student_dim=8, teacher_dim=16)
    >>> matching(torch.zeros(4, 8), torch.zeros(4, 16)).shape, matching.projection
    (torch.Size([]), Linear(in_features=8, out_features=16, bias=True))
    """

    def __init__(self, student_dim: int, teacher_dim: int):
        super().__init__()
        self.projection = nn.Linear(student_dim, teacher_dim)

    def forward(self, student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
        expected = (self.projection.in_features, self.projection.out_features)
        if student.shape[:-1] != teacher.shape[:-1] or expected != (
            student.shape[-1],
            teacher.shape[-1],
        ):
            raise ValueError(
                f"expected features (n, {expected[0]}) and (n, {expected[1]}), "
                f"got {tuple(student.shape)} and {tuple(teacher.shape)}"
            )
        return (self.projection(student) - teacher).square().mean()


@contextmanager
def feature_matching(
    student: nn.Module, matching: FeatureMatching, loss: Loss, weight: float = 1.0
) -> Iterator[Loss]:
    """Train a student's features beside its logits: gives the loss to hand to ``fit``.

    ::

        targets = np.hstack([labels, teacher_logits, teacher_features])
        with feature_matching(student, FeatureMatching(32, 128), SoftLabelLoss()) as loss:
            fit(student, (ids, targets), dev, loss=loss)

    Inside the block the student, in training mode, gives its features behind its logits, and the
    projection is one of its layers, so that the optimiser moves it. Outside it is as before.

    Parameters
    ----------
    student : a network of ``utils.models``; its features are the input of ``dropout``, the layer
        under its output, as in :func:`predict_features`
    matching : of the student's and the teacher's number of features
    loss : of the logits and of the targets without the teacher's features
    weight : of the features' distance, added to ``loss``
    """
    labels, seen = student.config["labels"], []
    dim = matching.projection.out_features
    student.matching = matching.to(next(student.parameters()).device)
    hooks = [
        student.dropout.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0])),
        student.register_forward_hook(
            lambda _, inputs, logits: _with_features(student, logits, seen)
        ),
    ]

    def total(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        distance = matching(outputs[:, labels:], targets[:, -dim:])
        return loss(outputs[:, :labels], targets[:, :-dim]) + weight * distance

    try:
        yield total
    finally:
        for hook in hooks:
            hook.remove()
        del student.matching


def _with_features(student, logits, seen) -> torch.Tensor:
    features = seen.pop()
    return torch.cat([logits, features], dim=1) if student.training else logits


@torch.inference_mode()
def predict_features(network: nn.Module, ids: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """Features (n, d), float32: what a network of ``utils.models`` hands to its dropout and output."""
    network.eval()
    device, seen = next(network.parameters()).device, []
    hook = network.dropout.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0].float().cpu())
    )
    try:
        for start in range(0, len(ids), batch_size):
            network(torch.as_tensor(ids[start : start + batch_size]).to(device))
    finally:
        hook.remove()
    return torch.cat(seen).numpy()
