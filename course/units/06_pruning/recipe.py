"""How unit 06's small networks learn: from the same word vectors, and from the same teacher.

A *parent* is trained whole; what is pruned starts from it and learns for some epochs more, behind masks
or not. Words and vectors are few and of few dimensions, since hundreds of networks are trained.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import torch
from torch import nn

from course.measuring.training import data, principal_vectors, soft_labels, train_network
from utils.data import Vocabulary
from utils.distillation import start_at_frequencies
from utils.models import GRUNetwork, MeanVectorNetwork, NeuralClassifier
from utils.training import set_seed

DIM = 50  # of word vectors
EARLY = 7000  # comments of the first steps, to which tickets are rewound


@dataclass(frozen=True)
class Model:
    """A network, and how it learns.

    Attributes
    ----------
    build : gives the network for ``vocabulary_size=``, ``dim=``, ``labels=`` and its units
    size : name of the argument of its units
    units : so many
    parent : options of ``fit`` for the parent
    extra : options of ``fit`` for what comes after
    ticket : epochs, and of how many comments, of a round of the lottery between two that are measured;
        those are trained like the parent
    """

    build: Callable[..., nn.Module]
    size: str
    units: int
    parent: Mapping
    extra: Mapping
    ticket: tuple[int, int | None]

    def steps(self) -> int:
        """Training steps of the epochs that come after."""
        batches = -(-len(data("train").texts) // self.extra["batch_size"])
        return batches * self.extra["epochs"]


MODELS = {
    "dense": Model(
        partial(MeanVectorNetwork, dropout=0.1),
        "hidden",
        128,
        {"epochs": 6, "batch_size": 256, "lr": 3e-3, "embedding_lr": 5e-3},
        {"epochs": 4, "batch_size": 256, "lr": 5e-3, "embedding_lr": 3e-2},
        ticket=(2, None),
    ),
    "GRU": Model(
        partial(GRUNetwork, dropout=0.2),
        "units",
        64,
        {"epochs": 2, "batch_size": 128, "lr": 3e-3, "embedding_lr": 3e-3},
        {"epochs": 2, "batch_size": 128, "lr": 5e-3, "embedding_lr": 3e-2},
        ticket=(1, 12_000),
    ),
}


@cache
def vocabulary() -> Vocabulary:
    words = Vocabulary.from_texts(data("train").texts, min_count=5).words
    return Vocabulary(sorted(words))  # in the order of the alphabet they take the fewest bytes


@cache
def vectors(dim: int) -> np.ndarray:
    return principal_vectors(vocabulary(), dim)


def untrained(model: str, seed: int, units: int | None = None, dim: int = DIM) -> nn.Module:
    """A network before its training: random but for the word vectors."""
    recipe, labels = MODELS[model], data("train").labels
    set_seed(seed)
    size = {recipe.size: units or recipe.units}
    sizes = {"vocabulary_size": len(vocabulary()), "dim": dim, "labels": labels.shape[1]}
    network = recipe.build(**sizes, **size)
    with torch.no_grad():
        network.embedding.weight.copy_(torch.from_numpy(vectors(dim)))
    start_at_frequencies(network, labels)
    return network


def learn(
    network: nn.Module, seed: int, *, first: int | None = None, **options
) -> tuple[NeuralClassifier, dict]:
    """Train a network in place on soft labels, of the ``first`` so many comments or of all."""
    texts, targets = data("train").texts[:first], soft_labels()[:first]
    options = {"patience": 99} | options
    return train_network(network, vocabulary(), seed, texts=texts, targets=targets, **options)


def with_state(
    model: str, state: Mapping[str, np.ndarray], units: int | None = None, dim: int = DIM
) -> nn.Module:
    """A network of these numbers."""
    network = untrained(model, 0, units, dim)
    network.load_state_dict({name: torch.from_numpy(np.array(one)) for name, one in state.items()})
    return network


def train_early(
    model: str, seed: int, units: int | None = None, dim: int = DIM
) -> tuple[NeuralClassifier, dict]:
    """The first steps of a parent, on some comments."""
    options = dict(MODELS[model].parent) | {"epochs": 1, "decay": False}
    return learn(untrained(model, seed, units, dim), seed, first=EARLY, **options)


def train_parent(
    model: str,
    seed: int,
    state: Mapping[str, np.ndarray],
    epochs: int | None = None,
    units: int | None = None,
    dim: int = DIM,
) -> tuple[NeuralClassifier, dict]:
    """A network trained whole from where its first steps led, for its usual epochs or so many."""
    options = dict(MODELS[model].parent)
    network = with_state(model, state, units, dim)
    options["epochs"] = epochs or options["epochs"]
    return learn(network, seed, **options)


def train_further(
    model: str, seed: int, state: Mapping[str, np.ndarray]
) -> tuple[NeuralClassifier, dict]:
    """The parent with as many epochs more as what is pruned, and nothing pruned.

    A network that is whole needs no large steps: it goes on at the rates of its parent.
    """
    gentle = {name: MODELS[model].parent[name] for name in ("lr", "embedding_lr")}
    return learn(with_state(model, state), seed, **dict(MODELS[model].extra) | gentle)
