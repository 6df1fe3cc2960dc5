"""How sure teachers are of comments that they have seen, and of others."""

from collections.abc import Iterable

import numpy as np
from scipy.special import entr, expit

from course.measuring.teachers.base import Fold
from course.measuring.teachers.ensemble import CROSS_FITTED as MEMBERS
from course.measuring.teachers.ensemble import FOLDS
from course.measuring.teachers.trained import logits_of_folds, rows_of
from course.measuring.training import TAXONOMY, data
from utils.distillation import teacher_logits
from utils.distillation.teachers import COLUMNS
from utils.metrics import macro_f1, tune_thresholds

from .students import CROSS_FITTED, ENSEMBLE


def seen_and_unseen(seed: int) -> list[dict]:
    """Of the members trained on a part of train, and of both ensembles: what they say of comments seen,
    of comments of train that they have not seen, and of dev.

    Thresholds are tuned on dev. Of the members each figure is a mean over the folds.
    """
    records, (train, dev) = [], (data("train"), data("dev"))
    folds = [Fold(number, FOLDS) for number in range(FOLDS)]
    unseen = [fold.rows(train.texts) for fold in folds]
    for name in MEMBERS:
        ids, said = logits_of_folds(name, seed, folds)
        columns = COLUMNS[TAXONOMY]
        on = [
            (logits[rows_of(ids, train)][:, columns], logits[rows_of(ids, dev)][:, columns])
            for logits in said
        ]
        parts = {
            "seen": [(~rows, *both) for rows, both in zip(unseen, on, strict=True)],
            "unseen": [(rows, *both) for rows, both in zip(unseen, on, strict=True)],
        }
        records += _rows(name, parts, [on_dev for _, on_dev in on])
    everything = np.ones(len(train), dtype=bool)
    for name, setting in ((ENSEMBLE, "seen"), (CROSS_FITTED, "unseen")):
        on_train, on_dev = teacher_logits(train, name), teacher_logits(dev, name)
        records += _rows(name, {setting: [(everything, on_train, on_dev)]}, [on_dev])
    return [record | {"seed": seed} for record in records]


def _rows(name: str, parts: dict[str, list[tuple]], said_of_dev: list[np.ndarray]) -> list[dict]:
    train, dev = data("train"), data("dev")
    found = {
        setting: [
            _sureness(train.labels[rows], on_train[rows], _thresholds(on_dev))
            for rows, on_train, on_dev in each
        ]
        for setting, each in parts.items()
    }
    found["dev"] = [_sureness(dev.labels, logits, _thresholds(logits)) for logits in said_of_dev]
    return [
        {"method": name, "setting": setting, "taxonomy": TAXONOMY, **_mean(each)}
        for setting, each in found.items()
    ]


def _thresholds(on_dev: np.ndarray) -> np.ndarray:
    return tune_thresholds(data("dev").labels, expit(on_dev))


def _sureness(labels: np.ndarray, logits: np.ndarray, thresholds: np.ndarray) -> dict[str, float]:
    """Bits an answer: of the teacher's doubt, and of its surprise at the labels; and its macro-F1.

    Who knows how much they know has as much of the one as of the other.
    """
    p = expit(logits.astype(float))
    surprise = np.logaddexp(0, logits.astype(float)) - labels * logits
    return {
        "doubt_bits": float((entr(p) + entr(1 - p)).mean() / np.log(2)),
        "surprise_bits": float(surprise.mean() / np.log(2)),
        "mean_absolute_logit": float(np.abs(logits).mean()),
        "macro_f1": macro_f1(labels, p >= thresholds),
    }


def _mean(found: Iterable[dict[str, float]]) -> dict[str, float]:
    found = list(found)
    return {key: float(np.mean([one[key] for one in found])) for key in found[0]}
