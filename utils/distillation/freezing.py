"""What stays as it was pretrained."""

from utils.models import TransformerNetwork


def freeze_word_pieces(network: TransformerNetwork) -> None:
    """Leave the embedding of a transformer as it was pretrained; training passes it over from then on.

    It is half of the weights, and every step would move all of it for the few word pieces of a batch.
    Pieces that the training comments lack stay in place among the others, too.

    Raises
    ------
    TypeError
        If the network is no TransformerNetwork.
    """
    if not isinstance(network, TransformerNetwork):
        raise TypeError(f"a {type(network).__name__} has no word pieces to freeze")
    network.encoder.embeddings.word_embeddings.weight.requires_grad_(False)
