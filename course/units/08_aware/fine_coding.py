"""How the transformer goes on learning with codes: fewer word pieces, perhaps fewer heads and columns.

It gets what it starts from as numbers, and knows nothing of files and records: a change there trains
nothing anew.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
import torch
from scipy.special import expit
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from course.measuring.teachers.transformer import MAX_TOKENS
from course.measuring.teachers.transformer import TRAINING as TRANSFORMER_TRAINING
from course.measuring.training import data, train_network
from utils.data import label_names
from utils.distillation import freeze_word_pieces, teacher_logits
from utils.models import NeuralClassifier, WordPiece, cut_pieces, find_encoder
from utils.pruning import PrunedTransformerNetwork
from utils.quantization import AffineQuantizer, QuantizationAware
from utils.training import set_seed

TAXONOMIES_HEARD = ("ekman", "emotions")  # in the order of the outputs
NAMES = tuple(name for taxonomy in TAXONOMIES_HEARD for name in label_names(taxonomy))
TABLE = "encoder.embeddings.word_embeddings.weight"
# All that has many weights, but for the table of word pieces, which stays as it was pretrained.
MATRICES = (
    "*.query.weight",
    "*.key.weight",
    "*.value.weight",
    "*.dense.weight",
    "*.position_embeddings.weight",
    "output.weight",
)
# Larger batches than before: what the codes of a step take is the same for any number of comments.
TRAINING = TRANSFORMER_TRAINING | {"batch_size": 64, "lr": 1e-4, "length": MAX_TOKENS}


def grid(step: float) -> AffineQuantizer:
    """Equal steps without ends, in standard deviations of a matrix: the entropy coder makes it cheap."""
    return AffineQuantizer(step=step, entropy_coding=True)


@cache
def pieces(min_count: int) -> tuple[WordPiece, np.ndarray]:
    """The word pieces that occur so often in train, and which rows of the whole table are theirs."""
    whole = WordPiece.from_folder(find_encoder())
    return cut_pieces(whole, data("train").texts, MAX_TOKENS, min_count)


@cache
def heard() -> np.ndarray:
    """What the shipped ensemble says of train, probabilities (n, 7 + 28)."""
    said = [teacher_logits(data("train", taxonomy), "ensemble") for taxonomy in TAXONOMIES_HEARD]
    return expit(np.concatenate(said, axis=1)).astype(np.float32)


def network_of(config: Mapping, state: Mapping[str, np.ndarray]) -> PrunedTransformerNetwork:
    network = PrunedTransformerNetwork(**config)
    network.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    return network.eval()


def classifier(network: torch.nn.Module, min_count: int) -> NeuralClassifier:
    """With all 7 + 28 outputs; thresholds come later."""
    return NeuralClassifier(network, pieces(min_count)[0], "ekman", NAMES, length=MAX_TOKENS)


@torch.no_grad()
def round_table(network: torch.nn.Module, step: float) -> AffineQuantizer:
    """Put the table of word pieces on its grid, in place."""
    table = network.get_parameter(TABLE)
    codec = grid(step).fit(table)
    table.copy_(codec.inverse_transform(codec.transform(table)))
    return codec


def train_coded(
    seed: int,
    epochs: int,
    min_count: int,
    step: float | None,
    table_step: float | None,
    config: Mapping,
    state: Mapping[str, np.ndarray],
    **options: float,
) -> tuple[NeuralClassifier, dict]:
    """Epochs of train, on the ensemble's soft labels, with codes or (no ``step``) without.

    The table of word pieces is rounded first and stays as it is: to quantize all of it in every step
    would take longer than the step. Beside its cost there is ``scales``, of each matrix with codes the
    distance of two values.
    """
    network, scales = network_of(config, state), {}
    freeze_word_pieces(network)
    set_seed(seed)
    learner: torch.nn.Module = network
    if step is not None:
        scales[TABLE] = float(round_table(network, table_step).scale_[0])
        learner = QuantizationAware(network, dict.fromkeys(MATRICES, grid(step)))
    _, cost = train_network(
        learner,
        pieces(min_count)[0],
        seed,
        targets=heard(),
        loss=cross_entropy,
        **TRAINING | {"epochs": epochs} | options,
    )
    if step is not None:
        learner.quantized()
        for name, codec in learner.codecs.items():
            scales[name.removeprefix("network.")] = float(codec.scale_[0])
    return classifier(network, min_count), cost | {"scales": scales}
