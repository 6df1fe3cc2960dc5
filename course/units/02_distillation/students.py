"""What unit 02 trains: students on labels and taught, by several ways, and the half of a transformer.

Students learn from the shipped logits of ``utils/assets/teachers``. Made-up texts and the half of a
transformer need a transformer of ``python -m course teachers``; it is trained where it is missing.
What is measured of them stands in ``experiments.py``, so that a change there trains nothing anew.
"""

import time
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import expit
from sklearn.decomposition import PCA
from torch import nn

from course.measuring.baselines import MODEL_1, MODEL_2, untrained
from course.measuring.cache import trained_once
from course.measuring.teachers.base import TAXONOMIES, for_ekman, texts_and_labels
from course.measuring.teachers.ensemble import cross_fitted_ensemble
from course.measuring.teachers.trained import rows_of, say_of_made_up, transformer_network
from course.measuring.teachers.transformer import MAX_TOKENS
from course.measuring.teachers.transformer import TRAINING as TRANSFORMER_TRAINING
from course.measuring.training import TAXONOMY, TRAINING, data, train_network
from utils.data import Vocabulary
from utils.distillation import (
    FeatureMatching,
    SoftLabelLoss,
    WeightedLoss,
    co_distill,
    dropout_distillation_targets,
    every_second_layer,
    feature_matching,
    freeze_word_pieces,
    predict_features,
    teacher_logits,
    with_made_up_texts,
)
from utils.distillation.teachers import COLUMNS
from utils.efficiency import count_parameters
from utils.embeddings import distilled_vectors
from utils.models import PAD, GRUNetwork, NeuralClassifier, WordPiece, find_encoder
from utils.quantization import KMeansQuantizer, QuantizationAware
from utils.training import set_seed

ENSEMBLE, TRANSFORMER, GRU = "ensemble", "transformer", "gru"
# The ensemble of teachers that have not seen the comment; and the same teachers, asked where they have.
CROSS_FITTED, SEEN = "cross-fitted", "cross-fitted, asked the wrong way round"
LABELS, TAUGHT = "labels", f"taught by {ENSEMBLE}"
LOSS = SoftLabelLoss(temperature=1.0, alpha=1.0)
# Larger batches than unit 01's, with a rate to match, because there is so much to train.
BATCHES = {"batch_size": 256, "lr": 3e-3}
GRU_8 = (MODEL_2[0], "GRU-8, distilled vectors")
# A network, and how fast its word vectors may move: those of a small one have to fit it.
STUDENTS = {"Model 1": (MODEL_1, 3e-3), "GRU-8": (GRU_8, 3e-3), "GRU-64": (MODEL_2, 3e-4)}


def taught_by(teacher: str = ENSEMBLE, loss=LOSS) -> dict:
    """Options of ``train_network`` for a student of a teacher: its logits beside the labels."""
    targets = np.hstack([data("train").labels, said_of_train(teacher)]).astype(np.float32)
    return {"targets": targets, "loss": loss}


def said_of_train(teacher: str) -> np.ndarray:
    """Logits (n, labels) of a shipped teacher, or of :data:`SEEN`."""
    train = data("train")
    if teacher != SEEN:
        return teacher_logits(train, teacher)
    ids, logits, _ = cross_fitted_ensemble(seen=True)
    return logits[rows_of(ids, train)][:, COLUMNS[TAXONOMY]]


def learn(network: nn.Module, tokenizer, seed: int, **options) -> tuple[NeuralClassifier, dict]:
    """Train a student by this unit's recipe, from the seed on."""
    set_seed(seed)
    return train_network(network, tokenizer, seed, **BATCHES | options)


def train_student(name: str, seed: int, **options) -> tuple[NeuralClassifier, dict]:
    """A network of :data:`STUDENTS`; ``options`` are those of ``train_network``."""
    key, rate = STUDENTS[name]
    return learn(*untrained(*key, seed), seed, embedding_lr=rate, **options)


def student(name: str, seed: int, **options) -> tuple[NeuralClassifier, dict]:
    """The same, trained once and kept."""
    return trained_once(train_student, name=name, seed=seed, **options)


def settings(teachers: tuple[str, ...]) -> dict[str, dict]:
    """Labels alone, and each teacher: what a student is called, and options of ``train_network``."""
    return {LABELS: {}} | {f"taught by {teacher}": taught_by(teacher) for teacher in teachers}


# --- half a transformer -------------------------------------------------------------------------------


def half_a_transformer(setting: str, seed: int) -> tuple[NeuralClassifier, dict]:
    """Every second layer of the transformer teacher, on labels or taught, 7 and 28 of them; kept."""
    _, labels = texts_and_labels("train")
    targets = labels
    if setting != LABELS:
        # A soft label at T = 1 is a probability in the place of a label.
        said = [teacher_logits(data("train", taxonomy), ENSEMBLE) for taxonomy in TAXONOMIES]
        targets = expit(np.hstack(said))
    # Rare labels weigh more, as they did for its teacher.
    loss = WeightedLoss(labels)
    return trained_once(train_half, seed=seed, targets=targets, loss=loss)


def train_half(seed: int, targets: np.ndarray, loss) -> tuple[NeuralClassifier, dict]:
    network = every_second_layer(transformer_network(seed))
    freeze_word_pieces(network)
    options = TRANSFORMER_TRAINING | {
        "epochs": 1,  # its layers are trained already
        "length": MAX_TOKENS,
        "loss": loss,
    }
    tokenizer = WordPiece.from_folder(find_encoder())
    model, cost = train_network(network, tokenizer, seed, targets=targets, **options)
    model.network = for_ekman(network)
    return model, cost


# --- tricks -------------------------------------------------------------------------------------------


def dropout_distillation(seed: int) -> tuple[NeuralClassifier, dict]:
    train, (own, _) = data("train"), student("GRU-8", seed)
    soft = dropout_distillation_targets(own.network, own.tokenizer.encode(train.texts), seed=seed)
    targets = np.hstack([train.labels, soft])
    return student("GRU-8", seed, targets=targets, loss=LOSS)


def match_features(seed: int) -> tuple[NeuralClassifier, dict]:
    """Soft labels of the ensemble, and the layer under the output of a GRU-64."""
    large, _ = student("GRU-64", seed)
    features = predict_features(large.network, large.tokenizer.encode(data("train").texts))
    (network, vocabulary), rate = untrained(*GRU_8, seed), STUDENTS["GRU-8"][1]
    matching = FeatureMatching(network.output.in_features, features.shape[1])
    targets = np.hstack([taught_by()["targets"], features])
    with feature_matching(network, matching, LOSS) as loss:
        options = {"targets": targets, "loss": loss, "embedding_lr": rate}
        return learn(network, vocabulary, seed, **options)


def with_a_peer(seed: int) -> tuple[NeuralClassifier, dict]:
    peers = [untrained(*GRU_8, s)[0] for s in (seed, seed + 100)]
    vocabulary, rate = untrained(*GRU_8, seed)[1], STUDENTS["GRU-8"][1]
    on = [(vocabulary.encode(data(s).texts), data(s).labels) for s in ("train", "dev")]
    options = TRAINING | BATCHES | {"seed": seed, "embedding_lr": rate, "progress": False}
    start = time.perf_counter()
    history = co_distill(peers, *on, burn_in=170, **options)  # an epoch
    cost = {
        "training_s": time.perf_counter() - start,
        "parameters": count_parameters(peers[0]),
        "best_epoch": history.best_epoch,
    }
    names = data("train").label_names
    return NeuralClassifier(peers[0], vocabulary, TAXONOMY, names, history.thresholds), cost


# --- small networks -----------------------------------------------------------------------------------


def comments_and_made_up_texts(sets: int) -> dict:
    """Options of ``train_network``: the comments as the ensemble sees them, and made-up texts too."""
    labels, taught = len(data("train").label_names), taught_by()

    def say(texts: list[str], seed: int) -> np.ndarray:
        return say_of_made_up(texts, seed)[:, :labels]

    texts, targets = with_made_up_texts(data("train").texts, taught["targets"], sets, say)
    return taught | {"texts": texts, "targets": targets}


@dataclass(frozen=True)
class SmallGRU:
    """A GRU for a budget of bytes, of words that ``min_count`` comments have.

    ``bits`` are those of its word vectors, and of its matrices; ``made_up`` counts sets of made-up texts
    that it learns from, for so many epochs, when it is taught. For ``epochs_with_codes`` more it computes
    with its codes while it learns.
    """

    budget: int
    units: int
    dim: int
    min_count: int
    embedding_lr: float
    dropout: float
    bits: tuple[int, int]
    epochs: int
    epochs_with_codes: int
    made_up: int

    def untrained(self, seed: int) -> tuple[GRUNetwork, Vocabulary]:
        words = Vocabulary.from_texts(data("train").texts, min_count=self.min_count).words
        # Neighbours share their first letters then, which the file need not repeat.
        vocabulary = Vocabulary(sorted(words))
        values = distilled_vectors(vocabulary, 100).values
        if self.dim < 100:  # the principal axes of the word vectors, at their scale
            values = PCA(self.dim, random_state=0).fit_transform(values) / np.sqrt(self.dim / 100)
        labels = len(data("train").label_names)
        set_seed(seed)
        network = GRUNetwork(len(vocabulary), self.dim, self.units, labels, dropout=self.dropout)
        with torch.no_grad():
            network.embedding.weight.copy_(torch.from_numpy(values))
            network.embedding.weight[PAD] = 0
        return network, vocabulary

    def quantizers(self) -> dict[str, KMeansQuantizer]:
        vectors, matrices = (KMeansQuantizer(bits, entropy_coding=True) for bits in self.bits)
        return {"embedding.weight": vectors, "*weight*": matrices}

    def train(self, seed: int, **options) -> tuple[NeuralClassifier, dict]:
        network, vocabulary = self.untrained(seed)
        model, cost = learn(network, vocabulary, seed, embedding_lr=self.embedding_lr, **options)
        if self.epochs_with_codes:
            aware = QuantizationAware(network, self.quantizers())
            options |= {"epochs": self.epochs_with_codes, "lr": 1e-3, "embedding_lr": 1e-3}
            model, more = learn(aware, vocabulary, seed, **options)
            model.network = aware.quantized()
            for key in ("training_s", "epochs"):
                cost[key] += more[key]
        return model, cost

    def trained(self, setting: str, seed: int) -> tuple[NeuralClassifier, dict]:
        """On labels, or taught, with made-up texts too; kept."""
        options = {}
        if setting != LABELS:
            options = comments_and_made_up_texts(self.made_up) | {"epochs": self.epochs}
        return self.taught(seed, **options)

    def taught(self, seed: int, **options) -> tuple[NeuralClassifier, dict]:
        """With ``options`` of ``train_network``, such as those of :func:`taught_by`; kept."""
        return trained_once(train_small_gru, recipe=self, seed=seed, **options)


def train_small_gru(recipe: SmallGRU, seed: int, **options) -> tuple[NeuralClassifier, dict]:
    return recipe.train(seed, **options)
