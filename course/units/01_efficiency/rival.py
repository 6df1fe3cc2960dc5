"""fastText with its own compression, a rival of unit 01's models: tuned on dev as they are.

Joulin et al., "FastText.zip: Compressing text classification models" (2016), arXiv 1612.03651:
the words with the largest vectors are kept (``cutoff``) and trained further (``retrain``), their
vectors stored as product-quantized codes of ``dsub`` numbers each, with norms apart (``qnorm``).
Quantizing the output too (``qout``) needs 256 labels, and a cutoff at least 256 words, since
fastText's codebooks have 256 entries.

Needs the extra ``peers``.
"""

import itertools
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from course.measuring.baselines import TAXONOMY, data
from utils.data import tokenize
from utils.metrics import bootstrap_interval, f1_report, macro_f1, tune_thresholds

BUDGETS = (16_000, 64_000, 1_000_000)  # bytes; fastText's codebooks leave little below the first
PREFIX = "__label__"
UNITS = {
    "words": {},
    "words and pairs": {"wordNgrams": 2, "bucket": 50_000},
    "words and 3 to 6 letters": {"minn": 3, "maxn": 6, "bucket": 50_000},
}
# The grid, in two stages: what to train, at dim=10 and uncompressed, then how to store the best.
TRAINING = {
    "text": ("tokenized", "raw"),
    "units": tuple(UNITS),
    "minCount": (1, 2, 5),
    "epoch, lr": ((3, 0.5), (5, 0.25), (5, 0.5), (8, 0.25)),
}
STORING = {
    "dim": (7, 10, 20, 50),
    "cutoff": (0, 256, 350, 500, 1000),
    "dsub": (2, 5),
    "qnorm": (False, True),
    "retrain epoch, lr": ((3, 0.25), (5, 0.25), (5, 0.5)),
}


def fasttext_within_budgets(seed: int) -> list[dict]:
    """The file that is best on dev within each budget, with this seed.

    ``file_bytes`` is the length of the complete ``.ftz`` file (words, vectors, output layer and
    labels) and 2 bytes for each label's threshold, a float16, which the file has no room for.
    ``encoder_bytes`` is the output layer alone, float32: all that is neither words nor vectors.
    """
    records = []
    for budget, (training, storing) in chosen().items():
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            path = _store(_train(folder, seed, training, storing["dim"]), storing)
            seconds = time.perf_counter() - start
            model, length = _load(path), path.stat().st_size
        on = {split: _probabilities(model, split, training["text"]) for split in ("dev", "test")}
        thresholds = tune_thresholds(data("dev").labels, on["dev"]).astype(np.float16)
        cut = "all words" if not storing["cutoff"] else f"{storing['cutoff']} words"
        setting = f"quantized, {cut}, dim={storing['dim']}"
        for split, probabilities in on.items():
            comments = data(split)
            report = f1_report(comments.labels, probabilities, thresholds, comments.label_names)
            low, high = bootstrap_interval(comments.labels, probabilities >= thresholds)
            records.append(
                {
                    "method": "fastText",
                    "setting": setting,
                    "seed": seed,
                    "split": split,
                    "taxonomy": TAXONOMY,
                    "macro_f1": report["macro_f1"],
                    "macro_f1_low": low,
                    "macro_f1_high": high,
                    "micro_f1": report["micro_f1"],
                    "weighted_f1": report["weighted_f1"],
                    "per_label_f1": {n: score["f1"] for n, score in report["per_label"].items()},
                    "encoder_bytes": 4 * storing["dim"] * len(thresholds),
                    "file_bytes": length + thresholds.nbytes,
                    "budget_bytes": budget,
                    "training_s": seconds,
                    **_flat(training | storing),
                }
            )
    return records


@cache
def chosen() -> dict[int, tuple[dict, dict]]:
    """Budget -> options of training and of storing: the best on dev of the grid, with seed 0.

    A larger budget that finds nothing better is left out.
    """
    with tempfile.TemporaryDirectory() as folder:
        tried = []
        for training in _grid(TRAINING):
            model = _load(_train(folder, 0, training, dim=10))
            tried.append((_on_dev(model, training["text"]), training))
        _, training = max(tried, key=lambda pair: pair[0])
        stored = []
        for dim in STORING["dim"]:
            float32 = _train(folder, 0, training, dim)
            # Without a cutoff nothing is trained further.
            for storing in _grid(STORING | {"dim": (dim,)}):
                if storing["cutoff"] or storing["retrain epoch, lr"] == (3, 0.25):
                    path = _store(float32, storing)
                    length = path.stat().st_size + 2 * len(data("dev").label_names)
                    stored.append((_on_dev(_load(path), training["text"]), length, storing))
    best, last = {}, 0.0
    for budget in BUDGETS:
        score, _, storing = max(
            (entry for entry in stored if entry[1] <= budget), key=lambda entry: entry[0]
        )
        if score > last:
            best[budget], last = (training, storing), score
    return best


def _load(path: Path):
    import fasttext

    return fasttext.load_model(str(path))


def _grid(options: dict[str, Sequence]) -> list[dict]:
    return [dict(zip(options, v, strict=True)) for v in itertools.product(*options.values())]


def _flat(options: dict) -> dict:
    """Options as plain values: a pair such as "epoch, lr" becomes two of them."""
    flat = {}
    for name, value in options.items():
        if ", " in name:
            first, rest = name.split(", ")
            prefix = "retrain_" if first.startswith("retrain ") else ""
            flat |= {prefix + first.removeprefix("retrain "): value[0], prefix + rest: value[1]}
        else:
            flat[name] = value
    return flat


def _lines(split: str, text: str) -> list[str]:
    """Each comment on one line: the course's tokens, or as it stands."""
    return [" ".join(tokenize(t) if text == "tokenized" else t.split()) for t in data(split).texts]


def _train(folder: str, seed: int, training: dict, dim: int) -> Path:
    """Train on one thread, which a seed repeats exactly; return the float32 file.

    The comments are written into ``folder`` for fastText to read.
    """
    import fasttext

    train, flat = data("train"), _flat(training)
    labels = [[PREFIX + train.label_names[j] for j in np.flatnonzero(row)] for row in train.labels]
    comments = Path(folder) / f"{training['text']}.txt"
    if not comments.exists():
        lines = zip(labels, _lines("train", training["text"]), strict=True)
        text = "".join(" ".join([*names, line]) + "\n" for names, line in lines)
        comments.write_text(text, encoding="utf-8")
    model = fasttext.train_supervised(
        str(comments),
        loss="ova",  # one against all: a comment may have several labels
        dim=dim,
        **{name: flat[name] for name in ("epoch", "lr", "minCount")},
        **UNITS[training["units"]],
        seed=seed,
        thread=1,
        verbose=1,
    )
    path = comments.with_suffix(".bin")
    model.save_model(str(path))
    return path


def _store(float32: Path, storing: dict) -> Path:
    """Quantize a float32 file, with the comments beside it; return the ``.ftz`` file."""
    model = _load(float32)
    epoch, lr = storing["retrain epoch, lr"]
    model.quantize(
        str(float32.with_suffix(".txt")),
        retrain=bool(storing["cutoff"]),
        epoch=epoch,
        lr=lr,
        thread=1,
        verbose=1,
        **{name: storing[name] for name in ("cutoff", "dsub", "qnorm")},
    )
    path = float32.with_suffix(".ftz")
    model.save_model(str(path))
    return path


def _on_dev(model, text: str) -> float:
    """Macro-F1 on dev, thresholds tuned there: what the grid is judged by."""
    probabilities, labels = _probabilities(model, "dev", text), data("dev").labels
    return macro_f1(labels, probabilities >= tune_thresholds(labels, probabilities))


def _probabilities(model, split: str, text: str) -> np.ndarray:
    """Of every label for every comment, (comments, labels), in the order of the course's labels."""
    comments = data(split)
    column = {PREFIX + name: j for j, name in enumerate(comments.label_names)}
    names, values = model.predict(_lines(split, text), k=-1)
    probabilities = np.zeros(comments.labels.shape)
    for row, (found, scores) in enumerate(zip(names, values, strict=True)):
        probabilities[row, [column[name] for name in found]] = scores
    return probabilities
