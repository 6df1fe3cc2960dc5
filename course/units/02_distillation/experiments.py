"""What unit 02 measures: teachers, and students trained on labels or taught."""

import copy
import time
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import torch
from scipy.special import expit
from torch import nn

from course.measuring.baselines import (
    LINEAR,
    MODEL_2,
    SPARSE,
    file_path,
    scored,
    trained,
    untrained,
)
from course.measuring.budgets import ship_best
from course.measuring.pairs import difference_to, on_test
from course.measuring.results import Experiment
from course.measuring.teachers.base import for_ekman
from course.measuring.teachers.ensemble import ensemble_on
from course.measuring.teachers.trained import (
    TEACHERS,
    gru_network,
    logits_on,
    training_seconds,
    transformer_network,
)
from course.measuring.teachers.transformer import MAX_TOKENS
from course.measuring.training import TAXONOMY, data
from utils.data import Dataset, Vocabulary
from utils.distillation import (
    SoftLabelLoss,
    StaticSparseLinear,
    TensorTrainEmbedding,
    dropout_distillation_targets,
    ensemble_logits,
    every_second_layer,
    factorize_network,
    replace_layers,
    static_sparse_network,
    teacher_logits,
)
from utils.efficiency import count_parameters, measure, seconds_in_turns
from utils.metrics import f1_report, tune_thresholds
from utils.models import NeuralClassifier, SparseLinear, WordPiece, find_encoder, predict_logits
from utils.packing import Sparse, save_model
from utils.quantization import KMeansQuantizer

from .cross_fitting import seen_and_unseen
from .students import (
    CROSS_FITTED,
    ENSEMBLE,
    GRU,
    LABELS,
    SEEN,
    STUDENTS,
    TAUGHT,
    TRANSFORMER,
    SmallGRU,
    dropout_distillation,
    half_a_transformer,
    learn,
    match_features,
    said_of_train,
    settings,
    student,
    taught_by,
    with_a_peer,
)
from .timings import time_by_part

# Word vectors in 8 bits and the rest in half precision, as unit 01 ships its networks.
NETWORK = {"vocabulary": "words", "network.embedding.weight": "int8", "network.*": "float16"}
# The same, of a network without a table of word vectors.
HALF = {"vocabulary": "words", "network.*": "float16"}
# The sparse linear model, as unit 01 ships it.
WORDS_AND_WEIGHTS = {"vocabulary": "words", "network.coef": "sparse", "idf": "float16"}


# --- teachers ---------------------------------------------------------------------------------------


def _reports(taxonomy: str, say: Callable) -> dict[str, dict]:
    """F1 on dev and test of what a teacher says of a data set, thresholds tuned on dev."""
    reports = {}
    for split in ("dev", "test"):
        comments = data(split, taxonomy)
        probabilities = expit(say(comments))
        if split == "dev":
            thresholds = tune_thresholds(comments.labels, probabilities)
        reports[split] = f1_report(comments.labels, probabilities, thresholds, comments.label_names)
    return reports


def transformer_teacher(seed: int) -> NeuralClassifier:
    """The fine-tuned MiniLM of a seed as a classifier of Ekman's labels; thresholds untuned."""
    network = for_ekman(transformer_network(seed))
    tokenizer, names = WordPiece.from_folder(find_encoder()), data("dev").label_names
    return NeuralClassifier(network, tokenizer, TAXONOMY, names, length=MAX_TOKENS)


def gru_teacher(seed: int) -> NeuralClassifier:
    """The GRU teacher of a seed as a classifier of Ekman's labels; thresholds untuned."""
    vocabulary = Vocabulary.from_texts(data("train").texts, min_count=2)
    network = for_ekman(gru_network(vocabulary, seed))
    return NeuralClassifier(network, vocabulary, TAXONOMY, data("dev").label_names)


def network_teacher(name: str, build, setting: str):
    def run(seed: int) -> list[dict]:
        model = build(seed)
        cost = {
            "parameters": count_parameters(model.network),
            "training_s": training_seconds(name, seed),
        }
        records = scored(model, name, setting, seed, NETWORK, tune=True, **cost)
        emotions = _reports("emotions", lambda comments: logits_on(comments, name, seed))
        return [r | {"macro_f1_emotions": emotions[r["split"]]["macro_f1"]} for r in records]

    return Experiment(f"teachers: {name}", run)


def _heard(method: str, setting: str, seed: int, say: Callable) -> list[dict]:
    """Records of a teacher by what it says alone."""
    return [
        {
            "method": method,
            "setting": setting,
            "seed": seed,
            "split": split,
            "taxonomy": TAXONOMY,
            "macro_f1": report["macro_f1"],
            "per_label_f1": {k: v["f1"] for k, v in report["per_label"].items()},
        }
        for split, report in _reports(TAXONOMY, say).items()
    ]


def heard_teacher(group: str, name: str, setting: str, say: Callable) -> Experiment:
    """A teacher of whom nothing is kept but what it says; it has no file and no size."""

    def run(seed: int) -> list[dict]:
        records, emotions = _heard(name, setting, seed, say), _reports("emotions", say)
        return [
            record | {"macro_f1_emotions": emotions[record["split"]]["macro_f1"]}
            for record in records
        ]

    return Experiment(f"{group}: {name}", run, seeded=False, scored=False)


# --- students ---------------------------------------------------------------------------------------


def network_student(name: str, teachers: tuple[str, ...]):
    """A network of unit 01, on labels and taught."""

    def run(seed: int) -> list[dict]:
        records = []
        for setting, options in settings(teachers).items():
            model, cost = student(name, seed, **options)
            records += scored(model, name, setting, seed, NETWORK, **cost)
        return records

    return Experiment(f"students: {name}", run)


def _parameters(model: SparseLinear) -> int:
    return int(model.coef.nnz) + len(model.words) + len(model.label_names)


soft = cache(taught_by)  # of teachers that are asked anew each time


def linear_student(seed: int) -> list[dict]:
    """The sparse linear baseline, fitted to labels and to a teacher's probabilities."""
    on_labels, cost = trained(*SPARSE, seed)
    records = scored(on_labels, SPARSE[0], LABELS, seed, WORDS_AND_WEIGHTS, **cost)
    return records + taught_linear_student(ENSEMBLE, seed)


def taught_linear_student(teacher: str, seed: int) -> list[dict]:
    train, dev = data("train"), data("dev")
    _, said = np.hsplit(soft(teacher)["targets"], 2)
    start = time.perf_counter()
    model = SparseLinear(TAXONOMY, train.label_names, C=LINEAR[SPARSE])
    model.fit(train.texts, expit(said)).tune(dev.texts, dev.labels)
    cost = {"training_s": time.perf_counter() - start, "parameters": _parameters(model)}
    return scored(model, SPARSE[0], f"taught by {teacher}", seed, WORDS_AND_WEIGHTS, **cost)


def cross_fitted_student(name: str) -> Experiment:
    """A student of teachers that have not seen the comment, and of the same asked the wrong way round."""

    def run(seed: int) -> list[dict]:
        records = []
        for teacher in (CROSS_FITTED, SEEN):
            if name == SPARSE[0]:
                records += taught_linear_student(teacher, seed)
            else:
                model, cost = student(name, seed, **soft(teacher))
                records += scored(model, name, f"taught by {teacher}", seed, NETWORK, **cost)
        return records

    return Experiment(f"cross-fitted students: {name}", run, seeded=name != SPARSE[0])


def cross_fitted_pair(
    method: str, train: Callable, codecs: dict = NETWORK, **tuning: bool
) -> Experiment:
    """A network taught by the ensemble, and by teachers that have not seen the comment; no made-up texts.

    Of the second, test has its paired difference to the first of the same seed.
    """

    def run(seed: int) -> list[dict]:
        records, said = [], []
        for teacher in (ENSEMBLE, CROSS_FITTED):
            setting, (model, cost) = f"taught by {teacher}", train(seed, **soft(teacher))
            records += scored(model, method, setting, seed, codecs, **tuning, **cost)
            said.append(on_test(file_path(method, setting, seed)))
        records[-1] |= difference_to("ensemble", data("test").labels, *reversed(said))
        return records

    return Experiment(f"cross-fitted pairs: {method}", run)


def factorised(network: nn.Module) -> nn.Module:
    return factorize_network(network, rank=16)


def tensor_train(network: nn.Module) -> nn.Module:
    shapes = ((20, 26, 27), (4, 5, 5))
    embedding = TensorTrainEmbedding.from_dense(network.embedding, shapes, 16)
    return replace_layers(network, {"embedding": embedding})


def changed_student(
    method: str, change: Callable, teachers: tuple[str, ...], codecs: dict = NETWORK
):
    """GRU-64, trained on labels, with other matrices in it that are then trained further."""

    def run(seed: int) -> list[dict]:
        records, (start, _) = [], student("GRU-64", seed)
        for setting, options in settings(teachers).items():
            network = change(start.network)
            model, cost = learn(network, start.tokenizer, seed, epochs=5, **options)
            records += scored(model, method, setting, seed, codecs, **cost)
        return records

    return Experiment(f"students: {method}", run)


def static_sparse(seed: int) -> list[dict]:
    """GRU-64 of which a tenth of the GRU exists from the first step on, on labels and taught."""
    records, method = [], "static sparse 90%"
    for setting, options in settings((ENSEMBLE,)).items():
        dense, vocabulary = untrained(*MODEL_2, seed)
        network = static_sparse_network(dense, 0.9, seed=0, layers=("gru", "output"))
        # It has about as few weights as GRU-8, so its word vectors have to fit it, too.
        options = {"embedding_lr": STUDENTS["GRU-8"][1], "epochs": 9} | options
        model, cost = learn(network, vocabulary, seed, **options)
        weights = _sparse_weights(model.network)
        cost["nonzeros"] = sum(weight.numel() for weight in weights)
        rows = scored(model, method, setting, seed, NETWORK, **cost)
        # What the file would have without these weights, to compare with the formula.
        with torch.no_grad():
            for weight in weights:
                weight.zero_()
        rest = save_model(model, file_path(method, f"{setting}, without", seed), NETWORK)
        records += [row | {"bytes_without_nonzeros": rest} for row in rows]
    return records


def _sparse_weights(network: nn.Module) -> list[torch.Tensor]:
    return [layer.weight for layer in network.modules() if isinstance(layer, StaticSparseLinear)]


def half_depth(seed: int) -> list[dict]:
    """Every second layer of the transformer teacher, trained on labels and taught, 7 and 28 of them.

    What that teacher scores stands in each record as ``macro_f1_teacher``.
    """
    method, codecs, records = "half-depth transformer", {"network.*": "float16"}, []
    teacher = _reports(TAXONOMY, lambda comments: logits_on(comments, TRANSFORMER, seed))
    for setting in (LABELS, TAUGHT):
        model, cost = half_a_transformer(setting, seed)
        records += scored(model, method, setting, seed, codecs, tune=True, **cost)
    return [r | {"macro_f1_teacher": teacher[r["split"]]["macro_f1"]} for r in records]


# --- temperature and tricks ---------------------------------------------------------------------------


def temperature(seed: int) -> list[dict]:
    records = []
    for T in (1.0, 2.0, 4.0):
        model, cost = student("GRU-8", seed, **taught_by(loss=SoftLabelLoss(T, 1.0)))
        records += scored(model, "GRU-8", f"T={T:g}", seed, NETWORK, **cost)
    return records


def tricks(seed: int) -> list[dict]:
    """GRU-8 taught in other ways. Each is to be compared with GRU-8 on labels and on soft labels."""
    ways = {
        "dropout distillation": dropout_distillation,
        "feature matching": match_features,
        "co-distillation": with_a_peer,
    }
    records = []
    for setting, train in ways.items():
        model, cost = train(seed)
        records += scored(model, "GRU-8", setting, seed, NETWORK, **cost)
    return records


def own_teachers(seed: int) -> list[dict]:
    """What a GRU-8 without a larger teacher hears: itself with dropout on, or a peer of another seed.

    Seeds are one another's peers in pairs: 0 and 1, 2 and 3.
    """
    (own, _), (peer, _) = (student("GRU-8", s) for s in (seed, seed ^ 1))

    def ids(comments: Dataset) -> np.ndarray:
        return own.tokenizer.encode(comments.texts)

    def both(comments: Dataset) -> np.ndarray:
        return ensemble_logits([predict_logits(m.network, ids(comments)) for m in (own, peer)])

    ways = {
        "itself": lambda comments: predict_logits(own.network, ids(comments)),
        "itself, mean over dropout": lambda comments: dropout_distillation_targets(
            own.network, ids(comments), seed=seed
        ),
        "mean of itself and a peer": both,
    }
    return [record for way, say in ways.items() for record in _heard("GRU-8", way, seed, say)]


# --- the best complete file within a budget -----------------------------------------------------------


def linear_budget(budget: int, method: str, teacher: str | None = None, **options):
    """A sparse linear model, hashed, on labels or a teacher's probabilities."""
    setting = f"taught by {teacher}" if teacher else LABELS

    def run(seed: int) -> list[dict]:
        train = data("train")
        model = SparseLinear(TAXONOMY, train.label_names, **options)
        model.fit(train.texts, expit(said_of_train(teacher)) if teacher else train.labels)
        codecs = {
            "network.coef": Sparse(KMeansQuantizer(4)),
            "idf": KMeansQuantizer(2),
            "network.intercept": "float16",
            "thresholds": "float16",
        }
        facts = {"budget_bytes": budget, "parameters": _parameters(model)} | options
        return scored(model, method, setting, seed, codecs, tune=True, **facts)

    # A group of its own, since new records take the place of all others of their group.
    group = "cross-fitted budgets" if teacher == CROSS_FITTED else "budgets"
    return Experiment(f"{group}: {budget}, {setting}", run, seeded=False)


def _method(recipe: SmallGRU) -> str:
    bits = " and ".join(map(str, sorted(set(recipe.bits))))
    return f"GRU-{recipe.units} in {bits} bits"


def _codecs(recipe: SmallGRU) -> dict:
    codecs = {f"network.{name}": quantizer for name, quantizer in recipe.quantizers().items()}
    return codecs | {"vocabulary": "words", "thresholds": "float16", "network.*": "float16"}


def small_gru(recipe: SmallGRU) -> Experiment:
    """A recipe on labels, and taught by the ensemble, with made-up texts too."""

    def run(seed: int) -> list[dict]:
        method, codecs, records = _method(recipe), _codecs(recipe), []
        for setting in (LABELS, f"{TAUGHT}, made-up texts too"):
            model, cost = recipe.trained(setting, seed)
            facts = {
                "budget_bytes": recipe.budget,
                "words": len(model.tokenizer),
                "bits": list(recipe.bits),
                "epochs_with_codes": recipe.epochs_with_codes,
            }
            records += scored(model, method, setting, seed, codecs, tune=True, **facts | cost)
        return records

    return Experiment(f"budgets: {recipe.budget}, GRU", run)


IN_64_KB = SmallGRU(
    budget=64_000,
    units=64,
    dim=32,
    min_count=13,
    embedding_lr=3e-3,
    dropout=0.1,
    bits=(3, 4),
    epochs=11,
    epochs_with_codes=3,
    made_up=4,
)
IN_1_MB = SmallGRU(
    budget=1_000_000,
    units=96,
    dim=100,
    min_count=2,
    embedding_lr=3e-4,
    dropout=0.2,
    bits=(5, 6),
    epochs=6,
    epochs_with_codes=0,
    made_up=4,
)


# --- timings ------------------------------------------------------------------------------------------


def transformer_latency(seed: int) -> list[dict]:
    """The teacher and its half in one run; untrained halves take as long as trained ones."""
    teacher = transformer_teacher(0)
    half = copy.copy(teacher)
    half.network = for_ekman(every_second_layer(transformer_network(0)))
    texts, found = data("dev").texts[:128], {}
    for method, model in (("transformer", teacher), ("half-depth transformer", half)):
        measured = measure(model, texts, batch_sizes=(1, 64), threads=1, seed=seed).to_record()
        batch_ms = {1: measured["latency_ms_p50"], 64: 64e3 / measured["throughput_b64_per_s"]}
        facts = {key: measured[key] for key in ("parameters", "macs", "threads", "n_texts")}
        found[method] = batch_ms, facts
    return [
        {
            "method": method,
            "setting": "1 thread",
            "seed": seed,
            "batch_size": size,
            "batch_ms": ms,
            "ratio": ms / found["transformer"][0][size],
            **facts,
        }
        for method, (batch_ms, facts) in found.items()
        for size, ms in batch_ms.items()
    ]


@torch.inference_mode()
def sparse_multiply(seed: int, repeats: int = 201) -> list[dict]:
    """A static sparse layer against the same layer dense, in turns, one thread."""
    torch.set_num_threads(1)
    records = []
    for pattern in ("random", "block", "small-world"):
        torch.manual_seed(seed)
        layer = StaticSparseLinear(384, 1536, 0.9, pattern, seed=seed)
        dense = nn.Linear(384, 1536)
        dense.weight.copy_(layer.dense())
        for batch_size in (1, 64):
            x = torch.randn(batch_size, 384)
            works = {"sparse": partial(layer, x), "dense": partial(dense, x)}
            seconds = seconds_in_turns(works, repeats, clock=time.perf_counter)
            ms = {f"{name}_ms_p50": 1e3 * float(np.median(s)) for name, s in seconds.items()}
            records.append(
                {
                    "method": "static sparse 90%",
                    "setting": f"384 to 1,536, {pattern}",
                    "pattern": pattern,
                    "seed": seed,
                    "batch_size": batch_size,
                    **ms,
                    "ratio": ms["sparse_ms_p50"] / ms["dense_ms_p50"],
                }
            )
    return records


def finish(records: list[dict]) -> None:
    """Ship the small files, each if it is the best of its budget on dev."""
    ship_best(records)


TINY = {"letters": 5, "buckets": 1 << 15}
SMALL = {"letters": 6, "pairs": True, "buckets": 1 << 18}

EXPERIMENTS = [
    *(
        heard_teacher(
            "teachers", name, "TF-IDF, logistic regression", partial(logits_on, name=name)
        )
        for name in TEACHERS
        if name.startswith("linear")
    ),
    network_teacher(GRU, gru_teacher, "2 layers of 256, bidirectional"),
    network_teacher(TRANSFORMER, transformer_teacher, "all-MiniLM-L6-v2, fine-tuned"),
    heard_teacher("teachers", ENSEMBLE, "weighted sum of all logits", ensemble_on),
    # What students hear is what was shipped, whichever teachers have been trained since.
    *(
        heard_teacher("shipped teachers", name, "as shipped", partial(teacher_logits, name=name))
        for name in (ENSEMBLE, TRANSFORMER, GRU, CROSS_FITTED)
    ),
    Experiment("seen and unseen", seen_and_unseen, seeded=False, scored=False),
    Experiment("students: sparse linear", linear_student, seeded=False),
    network_student("Model 1", (ENSEMBLE,)),
    network_student("GRU-8", (ENSEMBLE, TRANSFORMER)),
    network_student("GRU-64", (ENSEMBLE,)),
    *(cross_fitted_student(name) for name in (SPARSE[0], "Model 1", "GRU-8")),
    cross_fitted_pair("GRU-64", partial(student, "GRU-64")),
    cross_fitted_pair(_method(IN_64_KB), IN_64_KB.taught, _codecs(IN_64_KB), tune=True),
    changed_student("factorised GRU-64", factorised, (ENSEMBLE, GRU)),
    changed_student("tensor-train embedding", tensor_train, (ENSEMBLE,), HALF),
    Experiment("students: static sparse 90%", static_sparse),
    Experiment("half depth", half_depth),
    Experiment("temperature", temperature),
    Experiment("tricks", tricks),
    Experiment("own teachers", own_teachers, scored=False),
    # C by hand, by macro-F1 on dev, among those with which the file fits.
    linear_budget(1500, "hashed words", C=0.17, **TINY),
    linear_budget(1500, "hashed words", ENSEMBLE, C=0.2, **TINY),
    linear_budget(1500, "hashed words", CROSS_FITTED, C=0.2, **TINY),
    linear_budget(6000, "hashed pairs", C=0.7, **SMALL),
    linear_budget(6000, "hashed pairs", ENSEMBLE, C=1.2, **SMALL),
    linear_budget(6000, "hashed pairs", CROSS_FITTED, C=1.2, **SMALL),
    small_gru(IN_64_KB),
    small_gru(IN_1_MB),
    Experiment("latency", transformer_latency, seeded=False, alone=True, scored=False),
    Experiment("parts of the time", time_by_part, seeded=False, alone=True, scored=False),
    Experiment("sparse multiply", sparse_multiply, seeded=False, alone=True, scored=False),
]
