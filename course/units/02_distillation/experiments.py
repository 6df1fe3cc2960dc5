"""What unit 02 measures: teachers, and students trained on labels or taught.

Students learn from the shipped logits of ``utils/assets/teachers``. Teachers are trained by
``python -m course teachers``; what that wrote to ``build/teachers`` is used where it exists.
"""

import copy
import time

import numpy as np
import torch
from scipy.special import expit
from sklearn.decomposition import PCA
from torch import nn

from course.baselines import (
    LINEAR,
    MODEL_1,
    MODEL_2,
    NEURAL,
    SPARSE,
    TAXONOMY,
    TRAINING,
    data,
    scored,
    train_network,
    trained,
    untrained,
)
from course.results import Experiment
from course.teachers import (
    MAX_TOKENS,
    gru_network,
    logits_on,
    made_up_texts,
    transformer_network,
)
from utils.data import Vocabulary
from utils.distillation import (
    FeatureMatching,
    SoftLabelLoss,
    StaticSparseLinear,
    TensorTrainEmbedding,
    co_distill,
    dropout_distillation_targets,
    every_second_layer,
    factorize_network,
    feature_matching,
    predict_features,
    replace_layers,
    static_sparse_network,
    teacher_logits,
)
from utils.efficiency import count_parameters, measure
from utils.embeddings import distilled_vectors, find_encoder
from utils.metrics import f1_report, tune_thresholds
from utils.models import (
    PAD,
    GRUNetwork,
    NeuralClassifier,
    SparseLinear,
    WordPiece,
)
from utils.packing import Sparse
from utils.quantization import KMeansQuantizer
from utils.training import set_seed

TEACHER = "ensemble"
LABELS, TAUGHT = "labels", f"taught by {TEACHER}"
LOSS = SoftLabelLoss(temperature=1.0, alpha=1.0)
# Word vectors in 8 bits and the rest in half precision, as unit 01 ships its networks.
NETWORK = {"vocabulary": "words", "network.embedding.weight": "int8", "network.*": "float16"}
GRU_8 = (MODEL_2[0], "GRU-8, distilled vectors")
STUDENTS = {"Model 1 (mean vectors)": MODEL_1, "GRU-8": GRU_8, "GRU-64": MODEL_2}


def targets(teacher: str = TEACHER) -> np.ndarray:
    """Labels and a teacher's logits of the training comments, side by side for ``SoftLabelLoss``."""
    train = data("train")
    return np.hstack([train.labels, teacher_logits(train, teacher)]).astype(np.float32)


def taught_by(teacher: str = TEACHER, loss=LOSS) -> dict:
    """Options of ``train_network`` for a student of a teacher."""
    return {"targets": targets(teacher), "loss": loss}


# --- teachers ---------------------------------------------------------------------------------------


def _emotions_f1(name: str, seed: int) -> dict[str, float]:
    """Macro-F1 on the 28 emotions, by split, from what the teacher wrote down."""
    on = {}
    for split in ("dev", "test"):
        comments = data(split, "emotions")
        probabilities = expit(logits_on(comments, name, seed))
        if split == "dev":
            thresholds = tune_thresholds(comments.labels, probabilities)
        on[split] = f1_report(comments.labels, probabilities, thresholds)["macro_f1"]
    return on


def _for_ekman(network: nn.Module) -> nn.Module:
    """The network without its outputs for the 28 emotions."""
    labels = len(data("dev").label_names)
    network = copy.deepcopy(network)
    output = nn.Linear(network.output.in_features, labels)
    with torch.no_grad():
        output.weight.copy_(network.output.weight[:labels])
        output.bias.copy_(network.output.bias[:labels])
    network.output, network.config = output, network.config | {"labels": labels}
    return network


def transformer_teacher(seed: int) -> NeuralClassifier:
    """The fine-tuned MiniLM of a seed as a classifier of Ekman's labels; thresholds untuned."""
    network = _for_ekman(transformer_network(seed))
    tokenizer, names = WordPiece.from_folder(find_encoder()), data("dev").label_names
    return NeuralClassifier(network, tokenizer, TAXONOMY, names, length=MAX_TOKENS)


def gru_teacher(seed: int) -> NeuralClassifier:
    """The GRU teacher of a seed as a classifier of Ekman's labels; thresholds untuned."""
    vocabulary = Vocabulary.from_texts(data("train").texts, min_count=2)
    network = _for_ekman(gru_network(vocabulary, seed))
    return NeuralClassifier(network, vocabulary, TAXONOMY, data("dev").label_names)


def teachers(name: str, build, setting: str):
    def run(seed: int) -> list[dict]:
        model = build(seed)
        records = scored(
            model,
            name,
            setting,
            seed,
            NETWORK,
            tune=True,
            parameters=count_parameters(model.network),
        )
        emotions = _emotions_f1(name, seed)
        return [record | {"macro_f1_emotions": emotions[record["split"]]} for record in records]

    return Experiment(f"teachers: {name}", run)


# --- students ---------------------------------------------------------------------------------------


def network_student(method: str):
    """A network of unit 01, on labels and taught."""

    def run(seed: int) -> list[dict]:
        key = STUDENTS[method]
        on_labels, cost = trained(*key, seed)
        records = scored(on_labels, method, LABELS, seed, NETWORK, **cost)
        network, vocabulary = untrained(*key, seed)
        options = taught_by() | {"embedding_lr": NEURAL[key][2]}
        model, cost = train_network(network, vocabulary, seed, **options)
        return records + scored(model, method, TAUGHT, seed, NETWORK, **cost)

    return Experiment(f"students: {method}", run)


def linear_student(seed: int) -> list[dict]:
    """The sparse linear baseline, fitted to labels and to a teacher's probabilities."""
    train, dev = data("train"), data("dev")
    codecs = {"vocabulary": "words", "network.coef": "sparse", "idf": "float16"}
    on_labels, cost = trained(*SPARSE, seed)
    records = scored(on_labels, SPARSE[0], LABELS, seed, codecs, **cost)
    start = time.perf_counter()
    model = SparseLinear(TAXONOMY, train.label_names, C=LINEAR[SPARSE])
    model.fit(train.texts, expit(teacher_logits(train, TEACHER))).tune(dev.texts, dev.labels)
    cost = {"training_s": time.perf_counter() - start, "parameters": _parameters(model)}
    return records + scored(model, SPARSE[0], TAUGHT, seed, codecs, **cost)


def _parameters(model: SparseLinear) -> int:
    return int(model.coef.nnz) + len(model.words) + len(model.label_names)


def factorised(network: nn.Module) -> nn.Module:
    return factorize_network(network, rank=16)


def tensor_train(network: nn.Module) -> nn.Module:
    shapes = ((20, 26, 27), (4, 5, 5))
    embedding = TensorTrainEmbedding.from_dense(network.embedding, shapes, 16)
    return replace_layers(network, {"embedding": embedding})


def static_sparse(network: nn.Module) -> nn.Module:
    return static_sparse_network(network, 0.9, "random", seed=0, layers=("gru", "output"))


def changed_student(method: str, change, *, from_trained: bool):
    """GRU-64 with other matrices in it, then trained: on labels and taught."""

    def run(seed: int) -> list[dict]:
        records = []
        for setting, options in ((LABELS, {}), (TAUGHT, taught_by())):
            network, vocabulary = untrained(*MODEL_2, seed)
            if from_trained:
                network = trained(*MODEL_2, seed)[0].network
            set_seed(seed)
            options = {"embedding_lr": NEURAL[MODEL_2][2]} | options
            model, cost = train_network(change(network), vocabulary, seed, **options)
            records += scored(model, method, setting, seed, NETWORK, **cost)
        return records

    return Experiment(f"students: {method}", run)


TRANSFORMER_TRAINING = {
    "length": MAX_TOKENS,
    "epochs": 3,
    "batch_size": 32,
    "lr": 8e-5,
    "warmup": 0.1,
    "bf16": True,
}


def half_depth(seed: int) -> list[dict]:
    """Every second layer of the transformer teacher, trained on labels and taught."""
    records, teacher = [], transformer_teacher(seed)
    for setting, options in ((LABELS, {}), (TAUGHT, taught_by())):
        network = every_second_layer(teacher.network)
        options = TRANSFORMER_TRAINING | options
        model, cost = train_network(network, teacher.tokenizer, seed, **options)
        records += scored(
            model, "half-depth transformer", setting, seed, {"network.*": "float16"}, **cost
        )
    return records


# --- temperature and tricks ---------------------------------------------------------------------------


def temperature(seed: int) -> list[dict]:
    records = []
    for T in (1.0, 2.0, 4.0):
        network, vocabulary = untrained(*GRU_8, seed)
        options = taught_by(loss=SoftLabelLoss(T, 1.0)) | {"embedding_lr": NEURAL[GRU_8][2]}
        model, cost = train_network(network, vocabulary, seed, **options)
        records += scored(model, "GRU-8", f"T={T:g}", seed, NETWORK, **cost)
    return records


def tricks(seed: int) -> list[dict]:
    """GRU-8 taught in other ways. Each is to be compared with GRU-8 on labels and on soft labels."""
    records, rate = [], {"embedding_lr": NEURAL[GRU_8][2]}
    train = data("train")

    def learn(setting, **options):
        network, vocabulary = untrained(*GRU_8, seed)
        model, cost = train_network(network, vocabulary, seed, **rate | options)
        records.extend(scored(model, "GRU-8", setting, seed, NETWORK, **cost))

    learn("taught by one transformer", **taught_by("transformer"))
    own, _ = trained(*GRU_8, seed)
    ids = own.tokenizer.encode(train.texts)
    soft = dropout_distillation_targets(own.network, ids, samples=10, seed=seed)
    learn("dropout distillation", targets=np.hstack([train.labels, soft]), loss=LOSS)
    large, _ = trained(*MODEL_2, seed)
    features = predict_features(large.network, large.tokenizer.encode(train.texts))
    network, vocabulary = untrained(*GRU_8, seed)
    matching = FeatureMatching(network.output.in_features, features.shape[1])
    with feature_matching(network, matching, LOSS) as loss:
        both = np.hstack([targets(), features])
        model, cost = train_network(network, vocabulary, seed, targets=both, loss=loss, **rate)
    records.extend(scored(model, "GRU-8", "feature matching", seed, NETWORK, **cost))
    peers = [untrained(*GRU_8, seed)[0], untrained(*GRU_8, seed + 100)[0]]
    vocabulary = own.tokenizer
    on = [(vocabulary.encode(data(s).texts), data(s).labels) for s in ("train", "dev")]
    start = time.perf_counter()
    options = {"seed": seed, "progress": False} | TRAINING | rate
    history = co_distill(peers, *on, burn_in=500, **options)
    cost = {
        "training_s": time.perf_counter() - start,
        "parameters": count_parameters(peers[0]),
        "best_epoch": history.best_epoch,
    }
    model = NeuralClassifier(peers[0], vocabulary, TAXONOMY, train.label_names, history.thresholds)
    records.extend(scored(model, "GRU-8", "co-distillation", seed, NETWORK, **cost))
    return records


# --- the best complete file within a budget -----------------------------------------------------------


def with_made_up_texts(times: int) -> dict:
    """Options of ``train_network``: the comments as the ensemble sees them, and made-up texts too."""
    texts, soft = list(data("train").texts), [targets()]
    for seed in range(times):
        made_up, logits = made_up_texts(seed)
        logits = logits[:, : len(data("train").label_names)]
        texts += made_up
        soft.append(np.hstack([expit(logits), logits]))
    return {"texts": texts, "targets": np.vstack(soft), "loss": LOSS}


def linear_budget(budget: int, C: float, letters: int):
    """A sparse linear model of few letters on labels and soft labels, half and half."""

    def run(seed: int) -> list[dict]:
        train = data("train")
        labels = (train.labels + expit(teacher_logits(train, TEACHER))) / 2
        model = SparseLinear(TAXONOMY, train.label_names, C=C, letters=letters)
        model.fit(train.texts, labels)
        codecs = {
            "network.coef": Sparse(KMeansQuantizer(4)),
            "idf": KMeansQuantizer(2),
            "network.intercept": "float16",
            "thresholds": "float16",
            "vocabulary": "words",
        }
        setting = f"{letters} letters, C={C:g}, 4 bits"
        facts = {"budget_bytes": budget, "parameters": _parameters(model)}
        return scored(model, SPARSE[0], setting, seed, codecs, tune=True, **facts)

    return Experiment(f"budgets: {budget}, linear", run, seeded=False)


def gru_budget(budget: int, units: int, dim: int, min_count: int, bits: tuple[int, int]):
    """A GRU taught on made-up texts as well; ``bits`` of its word vectors, and of its matrices."""

    def run(seed: int) -> list[dict]:
        vocabulary = Vocabulary.from_texts(data("train").texts, min_count=min_count)
        values = distilled_vectors(vocabulary, 100).values
        set_seed(seed)
        labels = len(data("train").label_names)
        network = GRUNetwork(len(vocabulary), dim, units=units, labels=labels, dropout=0.2)
        with torch.no_grad():
            if dim < values.shape[1]:  # the principal axes, at the scale of the vectors
                values = PCA(dim, random_state=0).fit_transform(values) / np.sqrt(dim / 100)
            network.embedding.weight.copy_(torch.from_numpy(values.astype(np.float32)))
            network.embedding.weight[PAD] = 0
        options = with_made_up_texts(3) | {"embedding_lr": 1e-4 if dim == 100 else 1e-3}
        model, cost = train_network(network, vocabulary, seed, **options)
        codecs = {"vocabulary": "words", "thresholds": "float16", "network.*": "float16"}
        vectors, matrices = (KMeansQuantizer(b, entropy_coding=True) for b in bits)
        weights = {"network.embedding.weight": vectors, "network.*weight*": matrices}
        codecs = weights | codecs
        setting = f"GRU-{units}, {dim} dimensions, {len(vocabulary):,} words, {bits[0]} and {bits[1]} bits"
        facts = {"budget_bytes": budget} | cost
        return scored(model, "GRU", setting, seed, codecs, tune=True, **facts)

    return Experiment(f"budgets: {budget}, GRU", run)


# --- timings ------------------------------------------------------------------------------------------


def transformer_latency(seed: int) -> list[dict]:
    """The teacher and its half, in turns in one run; untrained halves take as long as trained ones."""
    teacher = transformer_teacher(0)
    half = copy.copy(teacher)
    half.network = every_second_layer(teacher.network)
    texts, records = data("dev").texts[:128], []
    for batch_size in (1, 64):
        found = {}
        for method, model in (("transformer", teacher), ("half-depth transformer", half)):
            found[method] = measure(model, texts, batch_sizes=(batch_size,), threads=1, seed=seed)
        for method, measured in found.items():
            records.append(
                {"method": method, "setting": "1 thread", "seed": seed, "batch_size": batch_size}
                | measured.to_record()
            )
    return records


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
            seconds = {"sparse": [], "dense": []}
            for repeat in range(repeats + 10):
                for name, one in (("sparse", layer), ("dense", dense)):
                    start = time.perf_counter()
                    one(x)
                    if repeat >= 10:  # the first ones warm up
                        seconds[name].append(time.perf_counter() - start)
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


EXPERIMENTS = [
    teachers("gru", gru_teacher, "2 layers of 256, bidirectional"),
    teachers("transformer", transformer_teacher, "all-MiniLM-L6-v2, fine-tuned"),
    Experiment("students: sparse linear", linear_student, seeded=False),
    *(network_student(method) for method in STUDENTS),
    changed_student("factorised GRU-64", factorised, from_trained=True),
    changed_student("tensor-train embedding", tensor_train, from_trained=True),
    changed_student("static sparse 90%", static_sparse, from_trained=False),
    Experiment("students: half-depth transformer", half_depth),
    Experiment("temperature", temperature),
    Experiment("tricks", tricks),
    linear_budget(1500, C=0.1, letters=5),
    linear_budget(6000, C=0.5, letters=5),
    gru_budget(64_000, units=56, dim=48, min_count=12, bits=(2, 3)),
    gru_budget(1_000_000, units=64, dim=100, min_count=2, bits=(4, 4)),
    Experiment("latency", transformer_latency, seeded=False, alone=True, scored=False),
    Experiment("sparse multiply", sparse_multiply, seeded=False, alone=True, scored=False),
]
