"""How the baselines are trained, and any network on the comments.

What is trained here is kept by :func:`course.measuring.cache.trained_once` until this module, or what
it imports, changes; what models are called and how they are scored stands elsewhere.
"""

import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from scipy.special import expit
from sklearn.decomposition import PCA
from torch import nn

from course.threads import one_thread
from utils.data import SEQUENCE_LENGTH, Dataset, Vocabulary, load_goemotions
from utils.distillation import teacher_logits
from utils.efficiency import count_parameters
from utils.embeddings import distilled_vectors
from utils.models import PAD, NeuralClassifier, SparseLinear, Tokenizer
from utils.training import fit, set_seed

TAXONOMY = "ekman"
TRAINING = {"epochs": 14, "batch_size": 64, "lr": 1e-3, "decay": True, "patience": 4}


@cache
def data(split: str, taxonomy: str = TAXONOMY) -> Dataset:
    """A split of GoEmotions, read once."""
    return load_goemotions(split, taxonomy)


@cache
def soft_labels() -> np.ndarray:
    """What the shipped ensemble says of train, (n, labels): a soft label at T = 1 is a probability."""
    return expit(teacher_logits(data("train"), "ensemble")).astype(np.float32)


def principal_vectors(vocabulary: Vocabulary, dim: int) -> np.ndarray:
    """The distilled vectors of 100 dimensions on their first principal axes, at their scale."""
    values = distilled_vectors(vocabulary, 100).values
    values = PCA(dim, random_state=0).fit_transform(values) * np.sqrt(100 / dim)
    values[PAD] = 0
    return values.astype(np.float32)


def train_linear(C: float, seed: int) -> tuple[SparseLinear, dict]:
    """The sparse linear model of unit 01, and its cost: ``training_s``, ``parameters``, ``words``.

    No seed changes it.
    """
    train, dev = data("train"), data("dev")
    start = time.perf_counter()
    model = SparseLinear(TAXONOMY, train.label_names, C=C)
    model.fit(train.texts, train.labels).tune(dev.texts, dev.labels)
    seconds, words = time.perf_counter() - start, len(model.words)
    parameters = int(model.coef.nnz) + words + len(model.label_names)
    return model, {"training_s": seconds, "words": words, "parameters": parameters}


def train_neural(
    vectors: Callable, build: Callable[..., nn.Module], embedding_lr: float, seed: int
) -> tuple[NeuralClassifier, dict]:
    """A network of unit 01, and its cost as :func:`train_network` has it."""
    network, vocabulary = untrained_network(vectors, build, seed)
    return train_network(network, vocabulary, seed, embedding_lr=embedding_lr)


def untrained_network(
    vectors: Callable, build: Callable[..., nn.Module], seed: int
) -> tuple[nn.Module, Vocabulary]:
    """A network on word vectors before its training, and its vocabulary.

    Parameters
    ----------
    vectors : gives word vectors for a vocabulary and their dimension, as in ``utils.embeddings``
    build : gives a network for its vocabulary's size, dimension and ``labels=``
    """
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
    **options: Any,
) -> tuple[NeuralClassifier, dict]:
    """Train a network in place: on comments and labels, unless there are other texts or targets.

    ``options`` of ``fit`` go before :data:`TRAINING`. Returns the model and what training cost:
    ``training_s``, ``epochs``, ``best_epoch``, ``parameters``.
    """
    one_thread()
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
