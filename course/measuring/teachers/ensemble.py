"""Ensembles of all teachers, and what is shipped of them."""

from collections.abc import Collection, Mapping

import numpy as np

from course.errors import UserError
from course.measuring.teachers.trained import (
    TRANSFORMERS,
    cross_fitted_logits,
    load_logits,
    rows_of,
)
from utils.data import Dataset, load_goemotions
from utils.distillation import ensemble_logits, mixing_weights, write_teacher_logits
from utils.distillation.teachers import COLUMNS, FOLDER

SHIPPED = ("transformer", "gru", "ensemble", "cross-fitted")
# Of the ensemble, and of how many seeds each is the mean.
MEMBERS = {
    "linear-words": 1,
    "linear-word-pairs": 1,
    "linear-characters": 1,
    "gru": 5,
    "transformer": TRANSFORMERS,
}


# Parts of train, each labelled by teachers that have learned from the others only; and who these are.
FOLDS = 2
CROSS_FITTED = ("linear-words", "linear-word-pairs", "linear-characters", "transformer")


def ensemble() -> tuple[list[str], np.ndarray, dict]:
    """Ids and logits of the ensemble of :data:`MEMBERS`, and each one's mixing weight and seeds.

    All seeds of a member count as one, the mean of their probabilities.
    """
    ids, _ = load_logits(next(iter(MEMBERS)))
    members = {
        name: ensemble_logits([load_logits(name, seed)[1] for seed in range(seeds)])
        for name, seeds in MEMBERS.items()
    }
    facts = {name: {"seeds": list(range(seeds))} for name, seeds in MEMBERS.items()}
    return ids, *_mixed(ids, members, facts)


def cross_fitted_ensemble(seen: bool = False) -> tuple[list[str], np.ndarray, dict]:
    """The same of :data:`CROSS_FITTED`, one seed each, of whom none has seen the comment it speaks of.

    See :func:`course.measuring.teachers.trained.cross_fitted_logits`, also for ``seen``; what is missing
    is trained.
    """
    said = {name: cross_fitted_logits(name, 0, FOLDS, seen) for name in CROSS_FITTED}
    ids, _ = next(iter(said.values()))
    members = {name: logits for name, (_, logits) in said.items()}
    facts = {name: {"seeds": [0], "folds": FOLDS} for name in CROSS_FITTED}
    return ids, *_mixed(ids, members, facts)


def _mixed(
    ids: list[str], members: Mapping[str, np.ndarray], facts: Mapping[str, dict]
) -> tuple[np.ndarray, dict]:
    """The members' logits in one, and ``facts`` with each one's weight.

    Members are unlike one another, and sure to different degrees, so their logits are added up, by
    weights that fit Ekman's labels on dev and are used for all columns.
    """
    dev = load_goemotions("dev")
    rows = rows_of(ids, dev)
    on_dev = [logits[rows][:, COLUMNS["ekman"]] for logits in members.values()]
    weights = mixing_weights(on_dev, dev.labels)
    made_of = {
        name: {"weight": round(float(weight), 3), **facts[name]}
        for name, weight in zip(members, weights, strict=True)
    }
    return np.tensordot(weights, list(members.values()), axes=1).astype(np.float32), made_of


def ensemble_on(data: Dataset) -> np.ndarray:
    """What the ensemble says of a data set, as :func:`logits_on` has it for one teacher."""
    ids, logits, _ = ensemble()
    return logits[rows_of(ids, data)][:, COLUMNS[data.taxonomy]]


def ship_logits(names: Collection[str]) -> dict[str, int]:
    """Write the logits that students learn from to ``utils/assets/teachers``; bytes of each file.

    Of a single teacher seed 0 is shipped.

    Raises
    ------
    UserError
        If a name is not in :data:`SHIPPED`, or a teacher that another is made of is not trained.
    """
    if unknown := [name for name in names if name not in SHIPPED]:
        raise UserError(f"No teacher {unknown[0]!r} is shipped; there are {', '.join(SHIPPED)}.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    ensembles = {"ensemble": ensemble, "cross-fitted": cross_fitted_ensemble}
    sizes = {}
    for name in names:
        alone = {name: {"weight": 1.0, "seeds": [0]}}
        found = ensembles[name]() if name in ensembles else (*load_logits(name), alone)
        sizes[name] = write_teacher_logits(FOLDER / f"{name}.bin", *found)
    return sizes
