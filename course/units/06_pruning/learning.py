"""How the fine-tuned transformer goes on learning: as it is, with gates, or while weights go.

It gets what it starts from as numbers, and knows nothing of the cache nor of the files of models: a
change there, or in what is measured, trains nothing anew.
"""

import time
from collections.abc import Mapping

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from course.measuring.teachers.transformer import MAX_TOKENS
from course.measuring.teachers.transformer import TRAINING as TRANSFORMER_TRAINING
from course.measuring.training import data, soft_labels
from course.threads import one_thread
from utils.distillation import freeze_word_pieces
from utils.models import WordPiece, find_encoder
from utils.pruning import (
    GatedTransformer,
    MovementPruning,
    PenalizedLoss,
    PrunedTransformerNetwork,
)
from utils.training import fit, set_seed

PART = 300  # comments of dev
BATCH = TRANSFORMER_TRAINING["batch_size"]
# The matrices of the encoder, without its tables of word pieces and of places.
MATRICES = ("*.query.weight", "*.key.weight", "*.value.weight", "*.dense.weight")


def start(config: Mapping, state: Mapping[str, np.ndarray]) -> PrunedTransformerNetwork:
    """The network that these numbers are of; its word pieces stay as they are."""
    network = PrunedTransformerNetwork(**config)
    network.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    freeze_word_pieces(network)
    return network


def some_of_train(seed: int, comments: int | None) -> tuple[list[str], np.ndarray]:
    """So many comments of train, drawn by the seed, or all; with their soft labels."""
    texts, targets = data("train").texts, soft_labels()
    rows = np.random.default_rng(seed).permutation(len(texts))[:comments]
    return [texts[row] for row in rows], targets[rows]


def _train(network, seed: int, comments: int | None, **options) -> dict:
    """One epoch; what it cost. Dev has no say in it, so a part is enough to see how it went."""
    one_thread()
    texts, targets = some_of_train(seed, comments)
    dev, tokenizer = data("dev"), WordPiece.from_folder(find_encoder())
    start = time.perf_counter()
    fit(
        network,
        (tokenizer.encode(texts, MAX_TOKENS), targets),
        (tokenizer.encode(dev.texts[:PART], MAX_TOKENS), dev.labels[:PART]),
        seed=seed,
        progress=False,
        **TRANSFORMER_TRAINING | {"epochs": 1} | options,
    )
    return {"training_s": time.perf_counter() - start}


def train_further(
    seed: int, comments: int | None, config: Mapping, state: Mapping
) -> tuple[PrunedTransformerNetwork, dict]:
    """One epoch more of the recipe that the network was fine-tuned by."""
    network = start(config, state)
    set_seed(seed)
    return network, _train(network, seed, comments, loss=cross_entropy)


def learn_gates(
    seed: int, comments: int, strength: float, rate: float, config: Mapping, state: Mapping
) -> tuple[PrunedTransformerNetwork, dict]:
    """Gates on all heads, and nothing else, learn for an epoch what each of them is worth.

    Returns the network without the heads that are shut, and beside the cost of training ``log_alpha``
    and ``gates``, of each layer a list.
    """
    set_seed(seed)
    gates = GatedTransformer(start(config, state), ("heads",), frozen=True)
    loss = PenalizedLoss(cross_entropy, gates.expected_l0, strength)
    options = {"lr": rate, "output_lr": 0.0, "decay": False, "loss": loss}
    cost = _train(gates, seed, comments, **options)
    cost |= {
        "log_alpha": [gate.log_alpha.tolist() for gate in gates.gates["heads"]],
        "gates": [gate.tolist() for gate in gates.values()["heads"]],
    }
    return gates.pruned(), cost


def prune_weights(
    seed: int,
    comments: int | None,
    sparsity: float,
    learned: bool,
    stride: float,
    config: Mapping,
    state: Mapping,
) -> tuple[PrunedTransformerNetwork, dict]:
    """An epoch in which ever fewer weights are left: by movement, or by their size."""
    network = start(config, state)
    set_seed(seed)
    steps = -(-(comments or len(data("train").texts)) // BATCH)
    pruning = MovementPruning(
        network, MATRICES, sparsity, steps, learned=learned, stride=stride, refresh=20
    )
    cost = _train(pruning, seed, comments, loss=cross_entropy)
    return pruning.pruned(), cost | {"sparsity_reached": pruning.sparsity()}
