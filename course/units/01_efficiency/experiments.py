"""What unit 01 measures: the baselines' scores and sizes, thresholds, batching and timings."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

from course.measuring.baselines import (
    LINEAR,
    MODEL_1,
    MODEL_2,
    NEURAL,
    SHIPPED,
    SPARSE,
    file_path,
    scored,
    ship,
    trained,
)
from course.measuring.cache import trained_once
from course.measuring.pairs import difference_to, on_test
from course.measuring.results import Experiment
from course.measuring.training import TAXONOMY, data
from course.writing.units import ROOT
from utils.data import SEQUENCE_LENGTH, describe, length_coverage
from utils.efficiency import length_batches, measure, naive_batches, padding_share, service_times
from utils.metrics import (
    bootstrap_interval,
    f1_report,
    macro_f1,
    tune_thresholds,
)
from utils.models import NeuralClassifier, SparseLinear, TransformerNetwork, WordPiece
from utils.packing import load_model, save_model, size_report

from .glove import DISTILLED, GLOVE, train_with
from .layers import LAYERS, WIDTHS, train_layers
from .noise import noise
from .rival import fasttext_within_budgets

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
TIMED_COMMENTS = 512
FILES = {SPARSE: "sparse-linear.slm", MODEL_1: "model-1.slm", MODEL_2: "model-2.slm"}
# method, vectors, learning rate of the vectors: with a rate of 0 they stay as they are
OTHER_VECTORS = [
    (MODEL_1, GLOVE, 1e-3),
    (MODEL_1, DISTILLED, 1e-3),
    (MODEL_1, GLOVE, 0.0),
    (MODEL_1, DISTILLED, 0.0),
    (MODEL_2, GLOVE, 1e-4),
]
LINEAR_CODECS = {"network.coef": "sparse", "idf": "float16", "network.intercept": "float16"}
NEURAL_CODECS = {"network.embedding.weight": "int8", "network.*": "float16"}


def _models(method: str, setting: str, codecs: dict):
    """Each seed's model, trained and stored with the codecs."""

    def run(seed: int) -> list[dict]:
        model, cost = trained(method, setting, seed)
        return scored(model, method, setting, seed, codecs, **cost)

    return run


def sparse_linear(seed: int) -> list[dict]:
    """The baseline, as small as we ship it and with a weaker penalty."""
    return [r for key in LINEAR for r in _models(*key, LINEAR_CODECS)(seed)]


def thresholds(seed: int) -> list[dict]:
    """One model, one set of probabilities, five ways to choose thresholds."""
    records = []
    for taxonomy in ("emotions", "ekman"):
        train, dev, test = (data(split, taxonomy) for split in ("train", "dev", "test"))
        model = SparseLinear(taxonomy, train.label_names, C=1.0).fit(train.texts, train.labels)
        on_dev, on_test = model.predict_proba(dev.texts), model.predict_proba(test.texts)
        grid = np.linspace(0.01, 0.99, 99)
        one = grid[np.argmax([f1_report(dev.labels, on_dev, t)["macro_f1"] for t in grid])]
        choices = {
            "0.5": 0.5,
            "0.3": 0.3,
            "one, tuned on dev": one,
            "per label, tuned on dev": tune_thresholds(dev.labels, on_dev),
            "per label, tuned on test": tune_thresholds(test.labels, on_test),
        }
        path = file_path("thresholds", taxonomy, seed)
        save_model(model, path, {"network.coef": "sparse", "idf": "float16"})
        for setting, chosen in choices.items():
            report = f1_report(test.labels, on_test, chosen, test.label_names)
            low, high = bootstrap_interval(test.labels, on_test >= chosen)
            records.append(
                {
                    "method": "sparse linear",
                    "setting": setting,
                    "seed": seed,
                    "split": "test",
                    "taxonomy": taxonomy,
                    "macro_f1": report["macro_f1"],
                    "macro_f1_low": low,
                    "macro_f1_high": high,
                    **difference_to("one", test.labels, on_test >= chosen, on_test >= one),
                    "micro_f1": report["micro_f1"],
                    "per_label_f1": {
                        name: scores["f1"] for name, scores in report["per_label"].items()
                    },
                    **size_report(path),
                }
            )
    return records


def pairs(seed: int) -> list[dict]:
    """The shipped files on the same comments of test, each beside the baseline.

    Some texts of test stand in train, word for word: the score without them is kept beside the other.
    """
    test, seen = data("test"), set(data("train").texts)
    new = np.array([text not in seen for text in test.texts])
    said, models = {}, {key: load_model(SHIPPED / name) for key, name in FILES.items()}
    records = []
    for key, model in models.items():
        probabilities = model.predict_proba(test.texts)
        said[key] = probabilities >= model.thresholds
        report = f1_report(test.labels, probabilities, model.thresholds, test.label_names)
        low, high = bootstrap_interval(test.labels, said[key])
        records.append(
            {
                "method": key[0],
                "setting": key[1],
                "seed": seed,
                "split": "test",
                "taxonomy": TAXONOMY,
                "macro_f1": report["macro_f1"],
                "macro_f1_low": low,
                "macro_f1_high": high,
                "per_label_f1": {name: one["f1"] for name, one in report["per_label"].items()},
                "seen_in_train": int((~new).sum()),
                "macro_f1_without_seen": macro_f1(test.labels[new], said[key][new]),
                **difference_to("linear", test.labels, said[key], said[SPARSE]),
                **size_report(SHIPPED / FILES[key]),
            }
        )
    return records


def _with_vectors(baseline: tuple[str, str], vectors: str, embedding_lr: float):
    """Each seed's network of a baseline on other word vectors.

    On GloVe, test has its difference to the same seed's network on distilled vectors: of as many
    dimensions for Model 1, of 100 for Model 2.
    """
    build, rate = NEURAL[baseline]["build"], embedding_lr
    setting = vectors if rate else f"{vectors}, frozen"

    def run(seed: int) -> list[dict]:
        def with_(kind: str) -> tuple[NeuralClassifier, dict]:
            return trained_once(train_with, vectors=kind, build=build, embedding_lr=rate, seed=seed)

        model, cost = with_(vectors)
        records = scored(model, baseline[0], setting, seed, NEURAL_CODECS, **cost)
        if vectors == GLOVE:
            control, _ = trained(*MODEL_2, seed) if baseline == MODEL_2 else with_(DISTILLED)
            said = (_said(one, f"{setting}, {seed}, pairs") for one in (model, control))
            records[1] |= difference_to("distilled", data("test").labels, *said)
        return records

    return run


def _said(model: NeuralClassifier, name: str) -> np.ndarray:
    """What the file of a network says of test, (comments, labels)."""
    path = file_path(MODEL_1[0], name, 0)
    save_model(model, path, NEURAL_CODECS)
    return on_test(path)


def _with_layers(layers: int, width: int):
    def run(seed: int) -> list[dict]:
        model, cost = trained_once(train_layers, layers=layers, width=width, seed=seed)
        setting = f"{width} units, {layers} layer{'s' * (layers > 1)}"
        shape = {"layers": layers, "width": width}
        return scored(model, MODEL_1[0], setting, seed, NEURAL_CODECS, **shape, **cost)

    return run


def data_facts(seed: int) -> list[dict]:
    splits = {split: describe(data(split, "emotions")) for split in ("train", "dev", "test")}
    record = {f"rows_{split}": facts["rows"] for split, facts in splits.items()}
    texts = data("train").texts
    return [
        record
        | {
            "method": "GoEmotions",
            "setting": "official splits"
            if data("train").source.kind != "sample"
            else "course sample",
            "seed": seed,
            "rows_per_label_test": dict(
                zip(
                    data("test").label_names,
                    data("test").labels.sum(axis=0).tolist(),
                    strict=True,
                )
            ),
            "words_median": splits["train"]["median_words"],
            "labels_per_comment": splits["train"]["labels_per_comment"],
            f"share_within_{SEQUENCE_LENGTH}_tokens": length_coverage(texts),
        }
    ]


def _transformer() -> NeuralClassifier:
    """MiniLM with an untrained head: it takes as long as a trained one."""
    from utils.models import find_encoder

    labels = data("dev").label_names
    network = TransformerNetwork.pretrained(len(labels))
    return NeuralClassifier(
        network, WordPiece.from_folder(find_encoder()), TAXONOMY, labels, length=34
    )


def _timed_texts() -> list[str]:
    return data("dev").texts[:TIMED_COMMENTS]


def _stored(method: str, setting: str) -> Path:
    """The file of seed 0, as it is shipped; no seed changes how long a model takes."""
    path = file_path(method, setting, 0)
    codecs = LINEAR_CODECS if (method, setting) in LINEAR else NEURAL_CODECS
    save_model(trained(method, setting, 0)[0], path, codecs)
    return path


def _timed_models() -> dict[tuple, tuple]:
    """The files of seed 0 and the transformer."""
    models = {key: (load_model(path), path) for key in FILES for path in [_stored(*key)]}
    key = ("MiniLM (transformer)", "untrained head")
    transformer, path = _transformer(), file_path(*key, 0)
    save_model(transformer, path, {"*": "float16"})
    return models | {key: (transformer, path)}


def timing(seed: int) -> list[dict]:
    records = []
    for (method, setting), (model, path) in _timed_models().items():
        few = 128 if method.startswith("MiniLM") else TIMED_COMMENTS
        measured = measure(
            model, _timed_texts()[:few], batch_sizes=(1, 8, 64), threads=1, path=path, seed=seed
        )
        records.append(
            {
                "method": method,
                "setting": "1 thread",
                "file_of": setting,
                "seed": seed,
                **measured.to_record(),
            }
        )
    return records


# Run in a process of its own: the first call of a process is what a user meets who comes once.
_FIRST_CALLS = """
import json, sys, time, torch
from utils.packing import load_model
torch.set_num_threads(1)
path, texts = sys.argv[1], json.load(sys.stdin)
model, seconds = load_model(path), []
for text in texts:
    start = time.perf_counter()
    model.predict_proba([text])
    seconds.append(time.perf_counter() - start)
print(json.dumps(seconds))
"""


def warmup(seed: int) -> list[dict]:
    """The first call after loading, in a fresh process, against the ones that follow."""
    records = []
    for (method, _), (_, path) in _timed_models().items():
        done = subprocess.run(
            [sys.executable, "-c", _FIRST_CALLS, str(path)],
            input=json.dumps(_timed_texts()[:100]),
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        seconds = json.loads(done.stdout)
        records.append(
            {
                "method": method,
                "setting": "1 thread",
                "seed": seed,
                "first_call_ms": 1e3 * seconds[0],
                "steady_ms_p50": 1e3 * float(np.median(seconds[20:])),
            }
        )
    return records


def threads(seed: int) -> list[dict]:
    method, setting = MODEL_2
    model = load_model(_stored(method, setting))
    return [
        {
            "method": method,
            "setting": f"{n} thread{'s' * (n > 1)}",
            "seed": seed,
            **measure(model, _timed_texts(), batch_sizes=(1, 64), threads=n, seed=seed).to_record(),
        }
        for n in (1, 2)
    ]


@torch.inference_mode()
def batching(seed: int, repeats: int = 5) -> list[dict]:
    """The same comments in batches of 64, in the order they come and sorted by length."""
    method, setting = MODEL_2
    model = load_model(_stored(method, setting))
    ids = model.tokenizer.encode(data("dev").texts, model.length)
    lengths = np.maximum((ids != 0).sum(axis=1), 1)
    kinds = {"naive": naive_batches(len(ids), 64), "by length": length_batches(lengths, 64)}
    rates = {name: [] for name in kinds}
    for repeat in range(repeats + 1):
        for name, batches in kinds.items():  # in turn, so that a busy moment hits both
            start = time.perf_counter()
            for rows in batches:
                model.network(torch.from_numpy(ids[rows, : lengths[rows].max()]))
            if repeat:  # the first round warms up
                rates[name].append(len(ids) / (time.perf_counter() - start))
    return [
        {
            "method": method,
            "setting": name,
            "seed": seed,
            "batch_size": 64,
            "comments": len(ids),
            "padding_share": padding_share(lengths, batches),
            "throughput_per_s": float(np.median(rates[name])),
            "throughput_per_s_min": min(rates[name]),
            "throughput_per_s_max": max(rates[name]),
        }
        for name, batches in kinds.items()
    ]


def service(seed: int) -> list[dict]:
    """How long one batch takes: what the queue in the lecture draws from."""
    records = []
    for method, setting in (SPARSE, MODEL_2):
        model = load_model(_stored(method, setting))
        for size, seconds in service_times(model, _timed_texts(), BATCH_SIZES).items():
            ms = {
                f"service_ms_p{q:02d}": float(np.percentile(seconds, q)) * 1e3
                for q in (5, 25, 50, 75, 95)
            }
            records.append(
                {
                    "method": method,
                    "setting": "1 thread",
                    "seed": seed,
                    "batch_size": size,
                    **ms,
                    "service_ms_mean": float(np.mean(seconds)) * 1e3,
                }
            )
    return records


def finish(records: list[dict]) -> None:
    """Ship, of each baseline, the seed with the best macro-F1 on dev."""
    for (method, setting), file in FILES.items():
        seeds = [
            r
            for r in records
            if (r["method"], r["setting"], r.get("split")) == (method, setting, "dev")
            and r["experiment"] == "models"
        ]
        if not seeds:  # another experiment was run
            return
        ship(max(seeds, key=lambda r: r["macro_f1"]), file)


EXPERIMENTS = [
    Experiment("data", data_facts, seeded=False, scored=False),
    Experiment("models: sparse linear", sparse_linear, seeded=False),
    *(Experiment(f"models: {', '.join(key)}", _models(*key, NEURAL_CODECS)) for key in NEURAL),
    *(
        Experiment(f"glove: {method[0]}, {vectors}, {rate}", _with_vectors(method, vectors, rate))
        for method, vectors, rate in OTHER_VECTORS
    ),
    *(
        Experiment(f"{group}: {layers} of {width}", _with_layers(layers, width))
        for group, widths in WIDTHS.items()
        for width in widths
        for layers in LAYERS
    ),
    Experiment("fasttext", fasttext_within_budgets),
    Experiment("thresholds", thresholds, seeded=False),
    Experiment("pairs", pairs, seeded=False),
    Experiment("timing", timing, seeded=False, alone=True, scored=False),
    Experiment("warmup", warmup, seeded=False, alone=True, scored=False),
    Experiment("noise", noise, seeded=False, alone=True, scored=False),
    Experiment("threads", threads, seeded=False, alone=True, scored=False),
    Experiment("batching", batching, seeded=False, alone=True, scored=False),
    Experiment("service_times", service, seeded=False, alone=True, scored=False),
]
