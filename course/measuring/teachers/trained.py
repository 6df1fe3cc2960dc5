"""Train the teachers, once for each seed, and read what they say."""

import inspect
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from course.errors import UserError
from course.measuring.cache import Entry, entry
from course.measuring.sources import sources
from course.measuring.teachers.base import Fold, Teacher, answers, device, load_state
from course.measuring.teachers.gru import GRUTeacher
from course.measuring.teachers.linear import LinearTeacher
from course.measuring.teachers.transformer import TransformerTeacher, transformer_logits
from utils.data import SPLITS, Dataset, Vocabulary, load_goemotions, load_sample
from utils.distillation import ensemble_logits
from utils.distillation.teachers import COLUMNS, WIDTH
from utils.models import GRUNetwork, TransformerNetwork

TEACHERS: dict[str, Callable[[], Teacher]] = {
    "linear-words": partial(LinearTeacher, "words", C=2.0),
    "linear-word-pairs": partial(LinearTeacher, "word pairs", C=4.0),
    "linear-characters": partial(LinearTeacher, "characters", C=2.0),
    "gru": GRUTeacher,
    "transformer": TransformerTeacher,
}
# How many transformers take turns in labelling made-up texts: those of the ensemble.
TRANSFORMERS = 4
SAID = "logits.npz"


def train_teacher(name: str, seed: int = 0, fold: Fold | None = None) -> Path:
    """Train one teacher, unless the cache has it; return the file of what it says of every comment.

    The file is a NumPy archive: ``ids`` (n,) and ``logits`` (n, 7 + 28) float16. A network's weights
    are kept beside it. Interrupted, a network's training goes on from its last whole epoch. With a
    ``fold`` the teacher learns without that part of train.

    Raises
    ------
    UserError
        If there is no such teacher, or GoEmotions cannot be had.
    """

    def write(folder: Path) -> None:
        start, checkpoint = time.perf_counter(), folder / "checkpoint"
        teacher = TEACHERS[name]()
        teacher.fit(seed, checkpoint, fold)
        ids, texts = _everything()
        logits = answers(teacher.logits(texts)).astype(np.float16)
        teacher.save(folder)
        seconds = time.perf_counter() - start
        np.savez(folder / SAID, ids=np.array(ids), logits=logits, seconds=seconds)
        checkpoint.unlink(missing_ok=True)

    place = _place(name, seed, fold)
    if load_goemotions("dev").source.kind == "sample":
        raise UserError("Teachers learn from the real GoEmotions; set GOEMOTIONS_DIR.")
    return place.make(write) / SAID


def is_trained(name: str, seed: int, fold: Fold | None = None) -> bool:
    return _place(name, seed, fold).made


def _place(name: str, seed: int, fold: Fold | None = None) -> Entry:
    if name not in TEACHERS:
        raise UserError(f"There is no teacher {name!r}; there are {', '.join(TEACHERS)}.")
    teacher = TEACHERS[name]()
    code = sources(inspect.getsourcefile(type(teacher)))
    return entry("teachers", {"teacher": teacher, "seed": seed, "fold": fold}, code)


def _everything() -> tuple[list[str], list[str]]:
    """Ids and texts of all splits, and of the sample that stands in for them offline."""
    data = [load(split) for load in (load_goemotions, load_sample) for split in SPLITS]
    unique = {i: text for d in data for i, text in zip(d.ids, d.texts, strict=True)}
    return list(unique), list(unique.values())


def load_logits(name: str, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Ids and logits (n, 7 + 28) float32 that :func:`train_teacher` wrote.

    Raises
    ------
    UserError
        If that teacher has not been trained by today's code, naming the command that does it.
    """
    stored = _said(name, seed)
    return stored["ids"].tolist(), stored["logits"].astype(np.float32)


def cross_fitted_logits(
    name: str, seed: int, folds: int, seen: bool = False
) -> tuple[list[str], np.ndarray]:
    """Ids and logits (n, 7 + 28) float32 of a teacher that has seen none of the comments.

    What a teacher says of a comment that it has seen leans to the label that it was shown. So one is
    trained without each fold and says what it thinks of the comments there (cross-fitting); of all that
    is not in train, the mean of their probabilities counts. Teachers that are missing are trained. With
    ``seen`` it is the other way round, for a control: of each comment of train those speak, in the mean
    of their probabilities, that have seen it.

    Source: Wolpert (1992), "Stacked generalization", Neural Networks 5, section 2.
    """
    train = load_goemotions("train")
    parts = [Fold(number, folds) for number in range(folds)]
    ids, logits = logits_of_folds(name, seed, parts)
    mixed, rows = ensemble_logits(logits), np.array(rows_of(ids, train))
    for number, part in enumerate(parts):
        here = rows[part.rows(train.texts)]
        speak = [one[here] for k, one in enumerate(logits) if (k != number) is seen]
        mixed[here] = ensemble_logits(speak)
    return ids, mixed


def logits_of_folds(
    name: str, seed: int, folds: Sequence[Fold]
) -> tuple[list[str], list[np.ndarray]]:
    """Ids and, for each fold, logits (n, 7 + 28) float32 of the teacher without it; trained if it
    is not yet."""
    said = [np.load(train_teacher(name, seed, fold)) for fold in folds]
    return said[0]["ids"].tolist(), [one["logits"].astype(np.float32) for one in said]


def training_seconds(name: str, seed: int = 0) -> float:
    """How long :func:`train_teacher` took, the reading of every comment included."""
    return float(_said(name, seed)["seconds"])


def _said(name: str, seed: int) -> dict[str, np.ndarray]:
    place = _place(name, seed)
    if not place.made:
        raise UserError(
            f"The teacher {name!r} of seed {seed} is not trained, or its code has changed since; "
            f"run `python -m course teachers {name} --seeds {seed + 1}`."
        )
    with np.load(place.folder / SAID) as stored:
        return dict(stored)


def logits_on(data: Dataset, name: str, seed: int = 0) -> np.ndarray:
    """What a teacher said of a data set, (n, labels) float32, in its order and its taxonomy."""
    ids, logits = load_logits(name, seed)
    return logits[rows_of(ids, data)][:, COLUMNS[data.taxonomy]]


def rows_of(ids: Sequence[str], data: Dataset) -> list[int]:
    """Where the comments of a data set stand among these ids."""
    row_of = dict(zip(ids, range(len(ids)), strict=True))
    return [row_of[i] for i in data.ids]


def transformer_network(seed: int = 0, fold: Fold | None = None) -> TransformerNetwork:
    """The fine-tuned transformer of a seed, with its 7 + 28 outputs; trained if it is not yet."""
    network = TransformerNetwork.pretrained(WIDTH)
    network.load_state_dict(load_state(train_teacher("transformer", seed, fold).parent))
    return network


def gru_network(vocabulary: Vocabulary, seed: int = 0) -> GRUNetwork:
    """The GRU teacher of a seed, with its 7 + 28 outputs; trained if it is not yet."""
    network = TEACHERS["gru"]().untrained(vocabulary)
    network.load_state_dict(load_state(train_teacher("gru", seed).parent))
    return network


def say_of_made_up(texts: Sequence[str], seed: int) -> np.ndarray:
    """What a transformer says of a set of made-up texts, (n, 7 + 28) float32.

    The ensemble's transformers take turns, one a set, so that a student of several sets hears them all.
    """
    teacher = seed % TRANSFORMERS
    trained = train_teacher("transformer", teacher).parent

    def write(folder: Path) -> None:
        network = transformer_network(teacher).to(device())
        logits = answers(transformer_logits(network, texts))
        np.savez(folder / SAID, logits=logits.astype(np.float16))

    code = sources(inspect.getsourcefile(TransformerTeacher))
    folder = entry("made-up", {"teacher": trained.name, "texts": texts}, code).make(write)
    with np.load(folder / SAID) as stored:
        return stored["logits"].astype(np.float32)
