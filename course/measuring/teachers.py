"""Train the teachers that unit 02 and later units learn from, and ship what they say.

``python -m course teachers NAME`` trains one from nothing, on a GPU when there is one, and writes its
logits for every comment of every split, and of the course's own sample, to ``build/teachers``. What
is shipped is not the teacher but these logits, keyed by comment id: a student distils from them in
seconds, without ever running the teacher.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from scipy.optimize import minimize
from scipy.special import entr, expit, logit
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from course.errors import UserError
from course.writing.units import ROOT
from utils.data import (
    EMOTIONS,
    GROUPS,
    SPLITS,
    Dataset,
    Vocabulary,
    load_goemotions,
    load_sample,
    tokenize,
)
from utils.distillation import (
    GroupedLinear,
    augment,
    ensemble_logits,
    grouped_logits,
    replace_layers,
    write_teacher_logits,
)
from utils.distillation.losses import Loss
from utils.distillation.teachers import COLUMNS, FOLDER, WIDTH
from utils.embeddings import distilled_vectors
from utils.models import GRUNetwork, TransformerNetwork, WordPiece, find_encoder, predict_logits
from utils.training import fit, set_seed

BUILD = ROOT / "build" / "teachers"
# Ekman's seven first: `fit` chooses its epoch by the labels of dev, which are Ekman's.
TAXONOMIES = ("ekman", "emotions")
# Which of the 28 emotions stand behind each of Ekman's labels.
MEMBERS_OF = [[EMOTIONS.index(name) for name in names] for names in GROUPS["ekman"].values()]
MAX_TOKENS = 34


def texts_and_labels(split: str) -> tuple[list[str], np.ndarray]:
    """Comments, and 0/1 labels of shape (n, 7 + 28): Ekman's, then the 28 emotions."""
    data = [load_goemotions(split, taxonomy) for taxonomy in TAXONOMIES]
    return data[0].texts, np.concatenate([d.labels for d in data], axis=1).astype(np.float32)


def _answers(logits: np.ndarray) -> np.ndarray:
    """Logits (n, 7 + 28) in which Ekman's labels hear the emotions, too."""
    return grouped_logits(torch.as_tensor(logits, dtype=torch.float32), MEMBERS_OF).numpy()


def _everything() -> tuple[list[str], list[str]]:
    """Ids and texts of all splits, and of the sample that stands in for them offline."""
    data = [load(split) for load in (load_goemotions, load_sample) for split in SPLITS]
    unique = {i: text for d in data for i, text in zip(d.ids, d.texts, strict=True)}
    return list(unique), list(unique.values())


def label_weights(labels: np.ndarray) -> np.ndarray:
    """Weights of shape (labels,), with mean 1, that let a rare label count more in the loss.

    One over the square root of each label's entropy: a label of one comment in a thousand would
    otherwise be a thousandth of what the network attends to. All answers of a label weigh the same,
    so its probabilities stay probabilities.
    """
    share = _shares(labels)
    weights = 1 / np.sqrt(entr(share) + entr(1 - share))
    return (weights / weights.mean()).astype(np.float32)


def weighted_loss(labels: np.ndarray) -> Loss:
    """Binary cross entropy of logits and targets, (n, labels) each, by :func:`label_weights`."""
    weights = torch.from_numpy(label_weights(labels))

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return binary_cross_entropy_with_logits(logits, targets, weight=weights.to(logits.device))

    return loss


def start_at_frequencies(network: nn.Module, labels: np.ndarray) -> None:
    """Let the outputs of a network start at the log-odds of each label.

    Source: Lin et al. (2017), focal loss, arXiv 1708.02002, section 4.1.
    """
    with torch.no_grad():
        network.output.bias.copy_(torch.from_numpy(logit(_shares(labels))))


def freeze_word_pieces(network: TransformerNetwork) -> None:
    """Leave the embedding of a transformer as it was pretrained.

    It is half of the weights, and every step would move all of it for the few word pieces of a batch.
    Pieces that the training comments lack stay in place among the others, too.
    """
    network.encoder.embeddings.word_embeddings.weight.requires_grad_(False)


def _shares(labels: np.ndarray) -> np.ndarray:
    """Of the comments that have each label; never 0 or 1, where logarithms end."""
    return np.asarray(labels, dtype=np.float64).mean(axis=0).clip(1e-4, 1 - 1e-4)


# How MiniLM is fine-tuned, as a teacher and cut in half. The head starts from nothing, so it learns
# faster than the encoder.
TRANSFORMER_TRAINING = {
    "epochs": 2,
    "batch_size": 32,
    "lr": 8e-5,
    "output_lr": 1e-3,
    "warmup": 0.1,
    "decay": True,
}


def transformer(seed: int, checkpoint: Path):
    """all-MiniLM-L6-v2 fine-tuned on Ekman's labels and the 28 emotions together."""
    texts, labels = texts_and_labels("train")
    dev_texts, _ = texts_and_labels("dev")
    tokenizer = WordPiece.from_folder(find_encoder())
    set_seed(seed)
    network = TransformerNetwork.pretrained(labels.shape[1]).to(_device())
    freeze_word_pieces(network)
    start_at_frequencies(network, labels)
    fit(
        network,
        (tokenizer.encode(texts, MAX_TOKENS), labels),
        (tokenizer.encode(dev_texts, MAX_TOKENS), load_goemotions("dev").labels),
        seed=seed,
        loss=weighted_loss(labels),
        # Many processors only emulate bfloat16, which costs more time than it saves.
        bf16=_device() == "cuda",
        checkpoint=checkpoint,
        progress=False,
        **TRANSFORMER_TRAINING,
    )
    return network, partial(_transformer_logits, network)


def _transformer_logits(network: nn.Module, texts: Sequence[str]) -> np.ndarray:
    ids = WordPiece.from_folder(find_encoder()).encode(texts, MAX_TOKENS)
    with torch.autocast(_device(), torch.bfloat16, enabled=_device() == "cuda"):
        return predict_logits(network, ids)


def for_ekman(network: nn.Module) -> nn.Module:
    """A network of 7 + 28 outputs as one of seven, with the same answers as the teacher's logits."""
    return replace_layers(
        network, {"output": GroupedLinear.from_linear(network.output, MEMBERS_OF)}
    )


def _untrained_gru(vocabulary: Vocabulary) -> GRUNetwork:
    return GRUNetwork(len(vocabulary), 100, units=256, labels=WIDTH, layers=2, dropout=0.4)


def gru(seed: int, checkpoint: Path):
    """Two bidirectional GRU layers of 256 on word vectors distilled from the encoder."""
    texts, labels = texts_and_labels("train")
    dev_texts, _ = texts_and_labels("dev")
    vocabulary = Vocabulary.from_texts(texts, min_count=2)
    values = distilled_vectors(vocabulary, 100).values
    set_seed(seed)
    network = _untrained_gru(vocabulary)
    with torch.no_grad():
        network.embedding.weight.copy_(torch.from_numpy(values))
    start_at_frequencies(network, labels)
    network = network.to(_device())
    fit(
        network,
        (vocabulary.encode(texts), labels),
        (vocabulary.encode(dev_texts), load_goemotions("dev").labels),
        seed=seed,
        loss=weighted_loss(labels),
        epochs=6,
        batch_size=64,
        lr=1e-3,
        embedding_lr=1e-4,
        decay=True,
        checkpoint=checkpoint,
        progress=False,
    )
    return network, lambda some: predict_logits(network, vocabulary.encode(some))


def _linear(vectorizer: Callable[[], TfidfVectorizer], C: float):
    def train(seed: int, checkpoint: Path):
        texts, labels = texts_and_labels("train")
        features = vectorizer()
        solver = LogisticRegression(C=C, solver="liblinear", random_state=seed)
        model = OneVsRestClassifier(solver, n_jobs=1).fit(features.fit_transform(texts), labels)
        return None, lambda some: model.decision_function(features.transform(some))

    return train


def _words() -> TfidfVectorizer:
    return TfidfVectorizer(analyzer=tokenize, min_df=2, sublinear_tf=True)


def _word_pairs() -> TfidfVectorizer:
    return TfidfVectorizer(
        tokenizer=tokenize,
        token_pattern=None,
        lowercase=False,
        ngram_range=(1, 2),
        min_df=2,
        sublinear_tf=True,
    )


def _characters() -> TfidfVectorizer:
    return TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True)


TEACHERS: dict[str, Callable] = {
    "linear-words": _linear(_words, 2.0),
    "linear-word-pairs": _linear(_word_pairs, 4.0),
    "linear-characters": _linear(_characters, 2.0),
    "gru": gru,
    "transformer": transformer,
}


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def train_teacher(name: str, seed: int = 0) -> Path:
    """Train one teacher and write what it says of every comment; return the file's path.

    The file is a NumPy archive: ``ids`` (n,) and ``logits`` (n, 7 + 28) float16. A network's weights
    are kept beside it. Interrupted, a network's training goes on from its last whole epoch.

    Raises
    ------
    UserError
        If there is no such teacher, or GoEmotions cannot be had.
    """
    if name not in TEACHERS:
        raise UserError(f"There is no teacher {name!r}; there are {', '.join(TEACHERS)}.")
    if load_goemotions("dev").source.kind == "sample":
        raise UserError("Teachers learn from the real GoEmotions; set GOEMOTIONS_DIR.")
    BUILD.mkdir(parents=True, exist_ok=True)
    start, checkpoint = time.perf_counter(), BUILD / f"{name}-{seed}.checkpoint"
    network, predict = TEACHERS[name](seed, checkpoint)
    ids, texts = _everything()
    logits, path = _answers(predict(texts)).astype(np.float16), BUILD / f"{name}-{seed}.npz"
    if network is not None:
        tensors = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
        save_file(tensors, path.with_suffix(".safetensors"))
    # Written last: a teacher counts as trained once its logits are there.
    np.savez(path, ids=np.array(ids), logits=logits, seconds=time.perf_counter() - start)
    checkpoint.unlink(missing_ok=True)
    return path


def load_logits(name: str, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Ids and logits (n, 7 + 28) float32 that :func:`train_teacher` wrote.

    Raises
    ------
    UserError
        If that teacher has not been trained, naming the command that does it.
    """
    path = BUILD / f"{name}-{seed}.npz"
    if not path.exists():
        raise UserError(
            f"There is no {path}; run `python -m course teachers {name} --seeds {seed + 1}`."
        )
    with np.load(path) as stored:
        return stored["ids"].tolist(), stored["logits"].astype(np.float32)


def training_seconds(name: str, seed: int = 0) -> float:
    """How long :func:`train_teacher` took, the reading of every comment included."""
    with np.load(BUILD / f"{name}-{seed}.npz") as stored:
        return float(stored["seconds"])


def logits_on(data: Dataset, name: str, seed: int = 0) -> np.ndarray:
    """What a teacher said of a data set, (n, labels) float32, in its order and its taxonomy."""
    ids, logits = load_logits(name, seed)
    return logits[_rows(ids, data)][:, COLUMNS[data.taxonomy]]


def _rows(ids: Sequence[str], data: Dataset) -> list[int]:
    """Where the comments of a data set stand among these ids."""
    row_of = dict(zip(ids, range(len(ids)), strict=True))
    return [row_of[i] for i in data.ids]


def transformer_network(seed: int = 0) -> TransformerNetwork:
    """The fine-tuned transformer of a seed, with its 7 + 28 outputs; trained if it is not yet."""
    network = TransformerNetwork.pretrained(WIDTH)
    network.load_state_dict(_trained_state("transformer", seed))
    return network


def gru_network(vocabulary: Vocabulary, seed: int = 0) -> GRUNetwork:
    """The GRU teacher of a seed, with its 7 + 28 outputs; trained if it is not yet."""
    network = _untrained_gru(vocabulary)
    network.load_state_dict(_trained_state("gru", seed))
    return network


def _trained_state(name: str, seed: int) -> dict[str, torch.Tensor]:
    if not is_trained(name, seed):
        train_teacher(name, seed)
    return load_file(BUILD / f"{name}-{seed}.safetensors")


def made_up_texts(seed: int) -> tuple[list[str], np.ndarray]:
    """As many texts as there are training comments, made from them, and what a transformer says.

    The ensemble's transformers take turns, one a set, so that a student of several sets hears them all.
    The logits (n, 7 + 28) are kept in ``build/teachers`` and not shipped: the texts hold the words of
    the comments.
    """
    path = BUILD / f"made-up-{seed}.npz"
    texts = augment(load_goemotions("train").texts, seed)
    if not path.exists():
        network = transformer_network(seed % MEMBERS["transformer"]).to(_device())
        logits = _answers(_transformer_logits(network, texts))
        np.savez(path, logits=logits.astype(np.float16))
    with np.load(path) as stored:
        return texts, stored["logits"].astype(np.float32)


def mixing_weights(members: Sequence[np.ndarray], labels: np.ndarray) -> np.ndarray:
    """Weights of at least 0 with which the sum of logits fits these labels (dev) best.

    Best in cross entropy, each label divided by its entropy, so that all count alike: a logistic
    regression on the members, with one set of weights for all labels. Macro-F1 would be the goal, but it
    is a step function of a few hundred rare labels, and weights tuned on it fit those.

    Parameters
    ----------
    members : logits (n, labels), one array a member
    labels : (n, labels), 0 or 1

    Source: Hinton (2002), "Training products of experts by minimizing contrastive divergence", for the
    sum of logits; Wolpert (1992), "Stacked generalization", for weights learned on other comments.
    """
    logits, labels, share = np.stack(members).astype(float), np.asarray(labels), _shares(labels)
    importance = np.broadcast_to(1 / (entr(share) + entr(1 - share)), labels.shape) / labels.size

    def loss(weights):
        pooled = np.tensordot(weights, logits, axes=1)
        value = np.logaddexp(0, pooled) - labels * pooled
        slope = (importance * (expit(pooled) - labels) * logits).sum(axis=(1, 2))
        return (importance * value).sum(), slope

    start = np.full(len(logits), 1 / len(logits))
    bounds = [(0, None)] * len(logits)
    return minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x


SHIPPED = ("transformer", "gru", "ensemble")
# Of the ensemble, and of how many seeds each is the mean.
MEMBERS = {
    "linear-words": 1,
    "linear-word-pairs": 1,
    "linear-characters": 1,
    "gru": 5,
    "transformer": 4,
}


def is_trained(name: str, seed: int) -> bool:
    return (BUILD / f"{name}-{seed}.npz").exists()


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
    rows = _rows(ids, dev)
    weights = mixing_weights([m[rows][:, COLUMNS["ekman"]] for m in members], dev.labels)
    made_of = {
        name: {"weight": round(float(weight), 3), "seeds": list(range(seeds))}
        for (name, seeds), weight in zip(MEMBERS.items(), weights, strict=True)
    }
    return ids, np.tensordot(weights, members, axes=1).astype(np.float32), made_of


def ensemble_on(data: Dataset) -> np.ndarray:
    """What the ensemble says of a data set, as :func:`logits_on` has it for one teacher."""
    ids, logits, _ = ensemble()
    return logits[_rows(ids, data)][:, COLUMNS[data.taxonomy]]


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
