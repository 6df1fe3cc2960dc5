"""The transformer that units 06 and 07 prune: MiniLM, fine-tuned on the ensemble's soft labels.

Everything that is pruned starts from here, so this stands alone: a change elsewhere trains nothing
of it anew.
"""

from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from course.measuring.teachers.transformer import MAX_TOKENS
from course.measuring.teachers.transformer import TRAINING as TRANSFORMER_TRAINING
from course.measuring.training import data, soft_labels, train_network
from utils.distillation import freeze_word_pieces, start_at_frequencies
from utils.models import NeuralClassifier, TransformerNetwork, WordPiece, find_encoder
from utils.training import set_seed


def fine_tune(seed: int, epochs: int) -> tuple[NeuralClassifier, dict]:
    """MiniLM and a classifier of Ekman's labels on it, fine-tuned together."""
    tokenizer, labels = WordPiece.from_folder(find_encoder()), data("train").labels
    set_seed(seed)
    network = TransformerNetwork.pretrained(labels.shape[1])
    freeze_word_pieces(network)
    start_at_frequencies(network, labels)
    options = TRANSFORMER_TRAINING | {"epochs": epochs, "length": MAX_TOKENS, "loss": cross_entropy}
    return train_network(network, tokenizer, seed, targets=soft_labels(), **options)
