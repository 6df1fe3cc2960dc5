"""Quantization-aware knowledge distillation: three phases of a quantized student and its teacher."""

from pathlib import Path

import numpy as np
from torch import nn

from utils.distillation.losses import SoftLabelLoss
from utils.distillation.peers import co_distill
from utils.models import predict_logits
from utils.training import History, fit


def qkd(
    student: nn.Module,
    teacher: nn.Module,
    train: tuple[np.ndarray, np.ndarray],
    dev: tuple[np.ndarray, np.ndarray],
    *,
    self_studying: int,
    co_studying: int,
    tutoring: int,
    temperature: float = 2.0,
    weight: float = 1.0,
    **options,
) -> dict[str, History]:
    """Train a quantized student in three phases, each for so many epochs; 0 leaves a phase out.

    1. *Self-studying*: the student alone, on the labels, gets used to its codes.
    2. *Co-studying*: student and teacher train together by :func:`collaborative_losses`, so that the
       teacher learns what a student of so few bits can say.
    3. *Tutoring*: the teacher is frozen, and the student learns its logits and the labels:
       BCE(sigmoid(s), y) + weight * T^2 * BCE(sigmoid(s / T), sigmoid(t / T)), by
       :class:`SoftLabelLoss`, which divides that by 1 + weight.

    Every phase starts from the student, and the third from the teacher, of the best epoch on dev of the
    one before.

    Parameters
    ----------
    student : a ``utils.quantization.QuantizationAware`` network, or one that is not quantized, for
        comparison; trained in place
    teacher : that reads the same ids, trained already; changed by co-studying and by nothing else
    train, dev : ids and 0/1 labels, as in ``fit``
    self_studying, co_studying, tutoring : epochs of each phase, at least 0
    temperature, weight : of what the other says
    options : of ``fit``, without ``loss`` and ``epochs``; a ``checkpoint`` gets the phase's name added

    Returns
    -------
    Name of each phase that took place to its History; thresholds are those of the last.

    Raises
    ------
    ValueError
        If numbers of labels differ, a number of epochs is below 0, or all are 0.

    Source: Kim et al. (2019), QKD, arXiv 1911.12491, section 3, there for a softmax.

    What people get wrong: a full-precision student in the first phase. What that phase is for is a start
    with its codes; the paper argues that what a teacher says regularises, and that a student of few bits
    should find that start without it.

    >>> from utils.distillation import qkd
    >>> from utils.models import MeanVectorNetwork
    >>> from utils.quantization.aware import LearnedStep, QuantizationAware
    >>> ids, labels = np.array([[5, 7], [9, 0]] * 8), np.array([[1, 0], [0, 1]] * 8)
    >>> student, teacher = (MeanVectorNetwork(50, dim=4, hidden=n, labels=2) for n in (4, 16))
    >>> student = QuantizationAware(student, {"*weight": LearnedStep(bits=3)})
    >>> phases = dict(self_studying=1, co_studying=0, tutoring=2)
    >>> list(qkd(student, teacher, (ids, labels), (ids, labels), **phases, progress=False))
    ['self_studying', 'tutoring']
    """
    epochs = dict(self_studying=self_studying, co_studying=co_studying, tutoring=tutoring)
    if min(epochs.values()) < 0 or not any(epochs.values()):
        raise ValueError(f"phases last 0 epochs or more, and not all of them 0; got {epochs}")
    if student.config["labels"] != teacher.config["labels"]:
        raise ValueError(
            f"student and teacher need the same labels, got {student.config['labels']} and "
            f"{teacher.config['labels']}"
        )
    checkpoint, histories = options.pop("checkpoint", None), {}
    for phase, number in epochs.items():
        if number == 0:
            continue
        more = options | {"epochs": number}
        if checkpoint is not None:
            path = Path(checkpoint)
            more["checkpoint"] = path.with_name(f"{path.name}.{phase}")
        if phase == "self_studying":
            histories[phase] = fit(student, train, dev, **more)
        elif phase == "co_studying":
            histories[phase] = co_distill(
                [student, teacher], train, dev, temperature=temperature, weight=weight, **more
            )
        else:
            ids, labels = train
            targets = np.hstack([labels, predict_logits(teacher, ids)])
            loss = SoftLabelLoss(temperature, alpha=weight / (1 + weight))
            histories[phase] = fit(student, (ids, targets), dev, loss=loss, **more)
    return histories
