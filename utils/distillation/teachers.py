"""What teachers say: shipped logits, ensembles, and dropout samples."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.special import log_expit, logsumexp
from torch import nn

import utils
from utils.data import EMOTIONS, DataError, Dataset, label_names
from utils.models import PAD
from utils.packing import read_file, write_file

FOLDER = Path(utils.__file__).parent / "assets" / "teachers"
# A teacher's columns: Ekman's seven labels first, then the 28 emotions.
COLUMNS = {
    "ekman": slice(0, len(label_names("ekman"))),
    "emotions": slice(len(label_names("ekman")), len(label_names("ekman")) + len(EMOTIONS)),
}
WIDTH = COLUMNS["emotions"].stop


def teacher_logits(dataset: Dataset, name: str = "transformer") -> np.ndarray:
    """What a shipped teacher says of every comment of a data set, in its order.

    Parameters
    ----------
    dataset : with the taxonomy "ekman" or "emotions"
    name : of a teacher in ``utils/assets/teachers``

    Returns
    -------
    Logits (n, labels), float32.

    Raises
    ------
    DataError
        If there is no such teacher, it says nothing of some comments, or nothing in that taxonomy.
    utils.packing.PackingError
        If the teacher's file is damaged.

    Source: Ba and Caruana (2014), arXiv 1312.6184, section 2, who store a teacher's logits once.

    What people get wrong: the order. Logits go to comments by their ids; by position they would go
    to others as soon as a data set is filtered or shuffled.

    >>> from utils.data import load_sample
    >>> from utils.distillation import teacher_logits
    >>> sample = load_sample("dev", "ekman")
    >>> teacher_logits(sample).shape == (len(sample), 7)
    True
    """
    if dataset.taxonomy not in COLUMNS:
        raise DataError(
            f"Teachers know the taxonomies {', '.join(COLUMNS)}, not {dataset.taxonomy!r}."
        )
    path = FOLDER / f"{name}.bin"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.bin"))) or "none"
        raise DataError(f"There is no teacher {name!r}; there are: {known}.")
    tensors, header = read_file(path)
    if header.get("kind") != "TeacherLogits":
        raise DataError(f"{path} holds no logits of a teacher.")
    ids = tensors["ids"].tobytes().decode().split("\n")
    row_of = dict(zip(ids, range(len(tensors["logits"])), strict=True))
    missing = [i for i in dataset.ids if i not in row_of]
    if missing:
        raise DataError(
            f"Teacher {name!r} has no logits for {len(missing):,} of {len(dataset):,} comments; "
            f"the first ids are {', '.join(missing[:3])}."
        )
    rows = [row_of[i] for i in dataset.ids]
    return tensors["logits"][rows, COLUMNS[dataset.taxonomy]].astype(np.float32)


def write_teacher_logits(
    path, ids: Sequence[str], logits: np.ndarray, made_of: Mapping | None = None
) -> int:
    """Write a teacher's logits for :func:`teacher_logits`; return the file's length in bytes.

    Parameters
    ----------
    path : file to write
    ids : of n comments, each once
    logits : (n, 35), Ekman's seven labels and the 28 emotions; stored as float16, rounded to a
        32nd, and beyond 4 to an eighth, where the sigmoid is flat: no probability changes by more
        than 0.004, and the file compresses better
    made_of : what the file is to say of its origin, such as seeds and mixing weights

    Raises
    ------
    ValueError
        If ids repeat or contain a line break, or logits have another shape or do not fit float16.
    """
    logits = np.asarray(logits)
    if logits.shape != (len(ids), WIDTH):
        raise ValueError(f"{len(ids)} ids need logits ({len(ids)}, {WIDTH}), got {logits.shape}")
    if len(set(ids)) != len(ids) or any("\n" in i for i in ids):
        raise ValueError("ids must differ and be of one line each")
    if not (np.abs(logits) <= np.finfo(np.float16).max).all():
        raise ValueError("a logit is not a number that float16 can hold")
    steps = np.where(np.abs(logits) > 4, 8, 32)
    tensors = {
        "ids": np.frombuffer("\n".join(ids).encode(), dtype=np.uint8),
        "logits": (np.round(logits * steps) / steps).astype(np.float16),
    }
    return write_file(path, tensors, {"kind": "TeacherLogits", "made_of": dict(made_of or {})})


def ensemble_logits(
    logits: Sequence[np.ndarray], weights: Sequence[float] | None = None
) -> np.ndarray:
    """The logits of the mean of several teachers' probabilities.

    Parameters
    ----------
    logits : arrays of one shape, such as (n, labels), one a teacher
    weights : at least 0, one a teacher, of any sum above 0; None for the plain mean

    Returns
    -------
    float32 array of that shape: log p - log(1 - p), where p is the mean of the probabilities. It is
    computed from logarithms, so that it stays finite where a probability rounds to 0 or 1.

    Raises
    ------
    ValueError
        If there are no teachers, shapes differ, or weights do not fit.

    Source: Freitag, Al-Onaizan and Sankaran (2017), "Ensemble distillation for neural machine
    translation", arXiv 1702.01802, section 4.

    What people get wrong: the mean of logits. It is the ensemble of a product of experts, in which
    one member that is certain outvotes the others.

    >>> from utils.distillation import ensemble_logits
    >>> ensemble_logits([np.array([0.0]), np.array([10.0])]).round(2)  # the mean would be 5
    array([1.1], dtype=float32)
    """
    shapes = {np.shape(one) for one in logits}
    if len(shapes) != 1:
        raise ValueError(f"teachers must agree on one shape, got {sorted(shapes)}")
    weights = np.ones(len(logits)) if weights is None else np.asarray(weights, dtype=np.float64)
    if weights.shape != (len(logits),) or not (weights >= 0).all() or not weights.sum() > 0:
        raise ValueError(f"{len(logits)} teachers need as many weights of at least 0, not all 0")
    stacked = np.stack(logits).astype(np.float64)[weights > 0]
    weights = weights[weights > 0].reshape(-1, *[1] * (stacked.ndim - 1))
    yes, no = (logsumexp(log_expit(sign * stacked), axis=0, b=weights) for sign in (1, -1))
    return (yes - no).astype(np.float32)


@torch.no_grad()
def dropout_distillation_targets(
    network: nn.Module, ids: np.ndarray, samples: int = 10, seed: int = 0, batch_size: int = 256
) -> np.ndarray:
    """Logits of the mean probability over many runs of a network with its dropout left on.

    Dropout trains an ensemble of thinned networks; switching it off only approximates their mean.
    These targets are the mean itself, for a student of the same shape to learn.

    Parameters
    ----------
    network : with dropout; it is left as it was
    ids : (n, tokens), padded with 0
    samples : runs, each with new dropout
    seed : of the dropout; torch's own generator is left as it was

    Returns
    -------
    Logits (n, labels), float32.

    Raises
    ------
    ValueError
        If ``samples`` is below 1.

    Source: Bulo, Porzi and Kontschieder (2016), "Dropout distillation", ICML, PMLR 48, section 3.

    What people get wrong: the mean is one of probabilities, not of logits, and one run is no mean.

    >>> from utils.distillation import dropout_distillation_targets
    >>> from utils.models import MeanVectorNetwork
    >>> network = MeanVectorNetwork(50, dim=4, hidden=8, labels=2, dropout=0.5)
    >>> dropout_distillation_targets(network, np.array([[5, 7, 0]]), samples=3).shape
    (1, 2)
    """
    if samples < 1:
        raise ValueError(f"samples must be at least 1, got {samples}")
    device, training = next(network.parameters()).device, network.training
    devices = [device] if device.type == "cuda" else []
    lengths = (ids != PAD).sum(axis=1)
    order = np.argsort(lengths, kind="stable")  # batches of similar length
    targets = np.empty((len(ids), network.config["labels"]), dtype=np.float32)
    network.train()
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        for start in range(0, len(ids), batch_size):
            rows = order[start : start + batch_size]
            batch = torch.from_numpy(ids[rows, : max(1, lengths[rows].max())]).to(device)
            targets[rows] = ensemble_logits(
                [network(batch).float().cpu().numpy() for _ in range(samples)]
            )
    network.train(training)
    return targets
