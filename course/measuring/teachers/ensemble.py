"""The ensemble of all teachers, and what is shipped of them."""

import numpy as np

from course.measuring.teachers.trained import TRANSFORMERS, load_logits, rows_of
from utils.data import Dataset, load_goemotions
from utils.distillation import ensemble_logits, mixing_weights, write_teacher_logits
from utils.distillation.teachers import COLUMNS, FOLDER

SHIPPED = ("transformer", "gru", "ensemble")
# Of the ensemble, and of how many seeds each is the mean.
MEMBERS = {
    "linear-words": 1,
    "linear-word-pairs": 1,
    "linear-characters": 1,
    "gru": 5,
    "transformer": TRANSFORMERS,
}


def ensemble() -> tuple[list[str], np.ndarray, dict]:
    """Ids and logits of the ensemble of :data:`MEMBERS`, and each one's mixing weight and seeds.

    All seeds of a member count as one, the mean of their probabilities. Members are unlike one another,
    and sure to different degrees, so their logits are added up, by weights that fit Ekman's labels on
    dev and are used for all columns.
    """
    ids, _ = load_logits(next(iter(MEMBERS)))
    members = [
        ensemble_logits([load_logits(name, seed)[1] for seed in range(seeds)])
        for name, seeds in MEMBERS.items()
    ]
    dev = load_goemotions("dev")
    rows = rows_of(ids, dev)
    weights = mixing_weights([m[rows][:, COLUMNS["ekman"]] for m in members], dev.labels)
    made_of = {
        name: {"weight": round(float(weight), 3), "seeds": list(range(seeds))}
        for (name, seeds), weight in zip(MEMBERS.items(), weights, strict=True)
    }
    return ids, np.tensordot(weights, members, axes=1).astype(np.float32), made_of


def ensemble_on(data: Dataset) -> np.ndarray:
    """What the ensemble says of a data set, as :func:`logits_on` has it for one teacher."""
    ids, logits, _ = ensemble()
    return logits[rows_of(ids, data)][:, COLUMNS[data.taxonomy]]


def ship_logits() -> dict[str, int]:
    """Write the logits that students learn from to ``utils/assets/teachers``; bytes of each file.

    Of a single teacher seed 0 is shipped.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    sizes = {}
    for name in SHIPPED:
        alone = {name: {"weight": 1.0, "seeds": [0]}}
        found = ensemble() if name == "ensemble" else (*load_logits(name), alone)
        sizes[name] = write_teacher_logits(FOLDER / f"{name}.bin", *found)
    return sizes
