"""The baselines: trained once for each seed, kept as they are, saved and scored by every unit.

A unit about a method asks :func:`trained` for a float32 model, changes it, and hands the result to
:func:`scored`; what it trains itself it hands to :func:`course.measuring.cache.trained_once`.
"""

import copy
import hashlib
import re
import shutil
from functools import partial
from pathlib import Path

from torch import nn

from course.errors import UserError
from course.measuring.cache import trained_once
from course.measuring.training import TAXONOMY, data, train_linear, train_neural, untrained_network
from course.writing.units import ROOT
from utils.data import Vocabulary
from utils.embeddings import distilled_vectors, random_vectors
from utils.metrics import bootstrap_interval, f1_report, macro_f1
from utils.models import GRUNetwork, MeanVectorNetwork, TextClassifier
from utils.packing import load_model, save_model, size_report

FILES = ROOT / "build" / "files"
SHIPPED = ROOT / "course" / "models"
SPARSE = ("sparse linear", "L1, C=0.25")
MODEL_1 = ("Model 1 (mean vectors)", "distilled vectors")
MODEL_2 = ("Model 2 (GRU)", "GRU-64, distilled vectors")


def _neural(vectors, build, embedding_lr: float) -> dict:
    return {"vectors": vectors, "build": build, "embedding_lr": embedding_lr}


def _gru(units: int):
    return partial(GRUNetwork, units=units, dropout=0.3)


_MEAN_VECTORS = partial(MeanVectorNetwork, hidden=128, dropout=0.1)
# (method, setting): the inverse penalty, or the settings of `train_neural`
LINEAR = {SPARSE: 0.25, (SPARSE[0], "L1, C=1"): 1.0}
NEURAL = {
    (MODEL_1[0], "random vectors"): _neural(random_vectors, _MEAN_VECTORS, 1e-3),
    MODEL_1: _neural(distilled_vectors, _MEAN_VECTORS, 1e-3),
    (MODEL_2[0], "GRU-8, distilled vectors"): _neural(distilled_vectors, _gru(8), 1e-3),
    (MODEL_2[0], "GRU-64, random vectors"): _neural(random_vectors, _gru(64), 1e-3),
    MODEL_2: _neural(distilled_vectors, _gru(64), 1e-4),
}


def trained(method: str, setting: str, seed: int) -> tuple[TextClassifier, dict]:
    """A baseline in float32 with its thresholds, and what its training cost.

    The cost has ``training_s`` and ``parameters``; of networks also ``epochs`` and ``best_epoch``, of
    linear models ``words``.
    """
    if (method, setting) in LINEAR:
        return trained_once(train_linear, C=LINEAR[method, setting], seed=seed)
    return trained_once(train_neural, **NEURAL[method, setting], seed=seed)


def untrained(method: str, setting: str, seed: int) -> tuple[nn.Module, Vocabulary]:
    """A network of a setting of :data:`NEURAL` before its training, and its vocabulary."""
    settings = NEURAL[method, setting]
    return untrained_network(settings["vectors"], settings["build"], seed)


def file_path(method: str, setting: str, seed: int) -> Path:
    """Where the file of a measured model is written, for :func:`ship` to find it."""
    FILES.mkdir(parents=True, exist_ok=True)
    name = f"{method} {setting} {seed}"
    readable = re.sub(r"[^a-zA-Z0-9]+", "-", name)  # two names may look alike then
    return FILES / f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:8]}.slm"


def ship(record: dict, name: str) -> None:
    """Copy the file that a record of :func:`scored` was measured on to ``course/models/NAME``.

    Raises
    ------
    UserError
        If what is there has another length or other scores than the record says.
    """
    path = file_path(record["method"], record["setting"], record["seed"])
    if not path.exists() or (path.stat().st_size, _score(path, record["split"])) != (
        record["file_bytes"],
        record["macro_f1"],
    ):
        raise UserError(
            f"{path} is not the file that was measured as {record['method']!r}, "
            f"{record['setting']!r}, seed {record['seed']}; measure it again to ship it as {name}."
        )
    SHIPPED.mkdir(exist_ok=True)
    shutil.copyfile(path, SHIPPED / name)


def _score(path: Path, split: str) -> float:
    model, comments = load_model(path), data(split)
    probabilities = model.predict_proba(comments.texts)
    return f1_report(comments.labels, probabilities, model.thresholds)["macro_f1"]


def scored(
    model: TextClassifier,
    method: str,
    setting: str,
    seed: int,
    codecs: dict,
    *,
    tune: bool = False,
    **extra,
) -> list[dict]:
    """Save a model, load it back from its file, and score what was loaded on dev and test.

    With ``tune``, thresholds are set on dev anew, with the weights as the codecs left them.

    Returns
    -------
    A record for each split: F1 scores with their interval, sizes, and the fields of ``extra``; with
    ``tune`` also ``macro_f1_old_thresholds``, with those that the model came with.
    """
    path = file_path(method, setting, seed)
    save_model(model, path, codecs)
    if tune:
        model, old = copy.copy(model), model.thresholds
        model.thresholds = load_model(path).tune(data("dev").texts, data("dev").labels).thresholds
        save_model(model, path, codecs)
    loaded, sizes, records = load_model(path), size_report(path), []
    for split in ("dev", "test"):
        comments = data(split)
        probabilities = loaded.predict_proba(comments.texts)
        report = f1_report(comments.labels, probabilities, loaded.thresholds, comments.label_names)
        low, high = bootstrap_interval(comments.labels, probabilities >= loaded.thresholds)
        at_half = f1_report(comments.labels, probabilities, 0.5)["macro_f1"]
        before = {}
        if tune:
            before["macro_f1_old_thresholds"] = macro_f1(comments.labels, probabilities >= old)
        records.append(
            {
                "method": method,
                "setting": setting,
                "seed": seed,
                "split": split,
                "taxonomy": TAXONOMY,
                "macro_f1": report["macro_f1"],
                "macro_f1_low": low,
                "macro_f1_high": high,
                "micro_f1": report["micro_f1"],
                "weighted_f1": report["weighted_f1"],
                "macro_f1_at_half": at_half,
                "per_label_f1": {
                    name: scores["f1"] for name, scores in report["per_label"].items()
                },
                **before,
                **sizes,
                **extra,
            }
        )
    return records
