"""The baselines: trained once for each seed, kept as they are, saved and scored by every unit.

A unit about a method asks :func:`trained` for a float32 model, changes it, and hands the result to
:func:`scored`; what it trains itself it hands to :func:`kept`. Models are kept in ``build/models``;
delete that folder after a change to training.
"""

import copy
import json
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from course.writing.units import ROOT
from utils.data import SEQUENCE_LENGTH, Dataset, Vocabulary, load_goemotions
from utils.efficiency import count_parameters
from utils.embeddings import distilled_vectors, random_vectors
from utils.metrics import bootstrap_interval, f1_report, macro_f1
from utils.models import (
    GRUNetwork,
    MeanVectorNetwork,
    NeuralClassifier,
    SparseLinear,
    TextClassifier,
    Tokenizer,
)
from utils.packing import load_model, save_model, size_report
from utils.training import fit, set_seed

BUILD = ROOT / "build" / "models"
SHIPPED = ROOT / "course" / "models"
TAXONOMY = "ekman"
SPARSE = ("sparse linear", "L1, C=0.25")
MODEL_1 = ("Model 1 (mean vectors)", "distilled vectors")
MODEL_2 = ("Model 2 (GRU)", "GRU-64, distilled vectors")
TRAINING = {"epochs": 14, "batch_size": 64, "lr": 1e-3, "decay": True, "patience": 4}


def _mean_vectors(size, dim, labels):
    return MeanVectorNetwork(size, dim, hidden=128, labels=labels, dropout=0.1)


def _gru(units):
    return lambda size, dim, labels: GRUNetwork(size, dim, units=units, labels=labels, dropout=0.3)


# (method, setting): the inverse penalty C, or word vectors, network and the embedding's learning rate
LINEAR = {SPARSE: 0.25, (SPARSE[0], "L1, C=1"): 1.0}
NEURAL = {
    (MODEL_1[0], "random vectors"): (random_vectors, _mean_vectors, 1e-3),
    MODEL_1: (distilled_vectors, _mean_vectors, 1e-3),
    (MODEL_2[0], "GRU-8, distilled vectors"): (distilled_vectors, _gru(8), 1e-3),
    (MODEL_2[0], "GRU-64, random vectors"): (random_vectors, _gru(64), 1e-3),
    MODEL_2: (distilled_vectors, _gru(64), 1e-4),
}


@cache
def data(split: str, taxonomy: str = TAXONOMY) -> Dataset:
    """A split of GoEmotions, read once."""
    return load_goemotions(split, taxonomy)


def build_path(method: str, setting: str, seed: int) -> Path:
    """Where the file of a measured model is kept."""
    BUILD.mkdir(parents=True, exist_ok=True)
    name = "".join(c if c.isalnum() else "-" for c in f"{method} {setting} {seed}")
    return BUILD / f"{name}.slm"


def kept(
    method: str, setting: str, seed: int, train: Callable[[], tuple[TextClassifier, dict]]
) -> tuple[TextClassifier, dict]:
    """A model in float32 with its thresholds, and what its training cost.

    ``train`` is called only if ``build/models`` does not hold this model yet.
    """
    path = build_path(method, f"{setting}, float32", seed)
    facts = path.with_suffix(".json")
    if not facts.exists():  # written last
        model, cost = train()
        save_model(model, path)
        facts.write_text(json.dumps(cost), encoding="utf-8")
    return load_model(path), json.loads(facts.read_text(encoding="utf-8"))


def trained(method: str, setting: str, seed: int) -> tuple[TextClassifier, dict]:
    """A baseline as :func:`kept` has it.

    Its cost has ``training_s`` and ``parameters``; of networks also ``epochs`` and ``best_epoch``, of
    linear models ``words``.
    """
    train = _linear if (method, setting) in LINEAR else _neural
    return kept(method, setting, seed, lambda: train(method, setting, seed))


def _linear(method: str, setting: str, seed: int) -> tuple[SparseLinear, dict]:
    train, dev = data("train"), data("dev")
    start = time.perf_counter()
    model = SparseLinear(TAXONOMY, train.label_names, C=LINEAR[method, setting])
    model.fit(train.texts, train.labels).tune(dev.texts, dev.labels)
    seconds, words = time.perf_counter() - start, len(model.words)
    parameters = int(model.coef.nnz) + words + len(model.label_names)
    return model, {"training_s": seconds, "words": words, "parameters": parameters}


def _neural(method: str, setting: str, seed: int) -> tuple[NeuralClassifier, dict]:
    network, vocabulary = untrained(method, setting, seed)
    return train_network(network, vocabulary, seed, embedding_lr=NEURAL[method, setting][2])


def untrained(method: str, setting: str, seed: int) -> tuple[nn.Module, Vocabulary]:
    """A network of a setting of :data:`NEURAL` before its training, and its vocabulary."""
    vectors, build, _ = NEURAL[method, setting]
    vocabulary = Vocabulary.from_texts(data("train").texts, min_count=2)
    values = vectors(vocabulary, 100).values
    set_seed(seed)
    network = build(len(vocabulary), values.shape[1], labels=len(data("train").label_names))
    with torch.no_grad():
        network.embedding.weight.copy_(torch.from_numpy(values))
    return network, vocabulary


def train_network(
    network: nn.Module,
    tokenizer: Tokenizer,
    seed: int,
    *,
    texts: Sequence[str] | None = None,
    targets: np.ndarray | None = None,
    length: int = SEQUENCE_LENGTH,
    **options,
) -> tuple[NeuralClassifier, dict]:
    """Train a network in place: on comments and labels, unless there are other texts or targets.

    ``options`` of ``fit`` go before :data:`TRAINING`. Returns the model and what training cost.
    """
    torch.set_num_threads(1)
    train, dev = data("train"), data("dev")
    start = time.perf_counter()
    history = fit(
        network,
        (
            tokenizer.encode(texts or train.texts, length),
            train.labels if targets is None else targets,
        ),
        (tokenizer.encode(dev.texts, length), dev.labels),
        seed=seed,
        progress=False,
        **TRAINING | options,
    )
    cost = {
        "training_s": time.perf_counter() - start,
        "epochs": len(history.epochs),
        "best_epoch": history.best_epoch,
        "parameters": count_parameters(network),
    }
    names = train.label_names
    model = NeuralClassifier(network, tokenizer, TAXONOMY, names, history.thresholds, length=length)
    return model, cost


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
    path = build_path(method, setting, seed)
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
