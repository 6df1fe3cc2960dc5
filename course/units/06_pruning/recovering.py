"""A pruned transformer that has time: some epochs of all of train, with dev to choose the best of them."""

from collections.abc import Mapping

import numpy as np
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from course.measuring.teachers.transformer import MAX_TOKENS
from course.measuring.teachers.transformer import TRAINING as TRANSFORMER_TRAINING
from course.measuring.training import soft_labels, train_network
from utils.models import WordPiece, find_encoder
from utils.pruning import PrunedTransformerNetwork
from utils.training import set_seed

from .learning import start


def recover(
    seed: int, epochs: int, config: Mapping, state: Mapping[str, np.ndarray]
) -> tuple[PrunedTransformerNetwork, dict]:
    """The recipe that the network was fine-tuned by, on the ensemble's soft labels of all of train."""
    network = start(config, state)
    set_seed(seed)
    options = TRANSFORMER_TRAINING | {"epochs": epochs, "length": MAX_TOKENS, "loss": cross_entropy}
    tokenizer = WordPiece.from_folder(find_encoder())
    _, cost = train_network(network, tokenizer, seed, targets=soft_labels(), **options)
    return network, cost
