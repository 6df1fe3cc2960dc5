"""Unit 05's transformer with a classifier after each layer."""

from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from course.measuring.teachers.transformer import MAX_TOKENS
from course.measuring.teachers.transformer import TRAINING as TRANSFORMER_TRAINING
from course.measuring.training import data, soft_labels, train_network
from utils.adaptive import EarlyExitTransformer, ExitLoss
from utils.distillation import freeze_word_pieces, start_at_frequencies
from utils.models import NeuralClassifier, WordPiece, find_encoder
from utils.training import set_seed


def train_exits(seed: int, epochs: int) -> tuple[NeuralClassifier, dict]:
    """MiniLM and all its exits, fine-tuned together on the ensemble's soft labels."""
    tokenizer, labels = WordPiece.from_folder(find_encoder()), data("train").labels
    set_seed(seed)
    network = EarlyExitTransformer.pretrained(labels.shape[1])
    freeze_word_pieces(network)
    for classifier in (*network.exits, network):
        start_at_frequencies(classifier, labels)
    options = TRANSFORMER_TRAINING | {"epochs": epochs, "length": MAX_TOKENS}
    loss = ExitLoss(network, cross_entropy)
    return train_network(network, tokenizer, seed, targets=soft_labels(), loss=loss, **options)
