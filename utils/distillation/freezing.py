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

    Source: Lee, Tang and Lin (2019), "What would Elsa do? Freezing layers during transformer
    fine-tuning", arXiv 1911.03090.

    What people get wrong: frozen is not small. Training gets cheaper; the file has as many bytes.

    >>> from utils.distillation import freeze_word_pieces
    >>> from utils.models import TransformerNetwork
    >>> sizes = dict(hidden_size=4, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    >>> network = TransformerNetwork(dict(vocab_size=50, **sizes), labels=2)
    >>> freeze_word_pieces(network)
    >>> [name for name, p in network.named_parameters() if not p.requires_grad]
    ['encoder.embeddings.word_embeddings.weight']
    """
    if not isinstance(network, TransformerNetwork):
        raise TypeError(f"a {type(network).__name__} has no word pieces to freeze")
    network.encoder.embeddings.word_embeddings.weight.requires_grad_(False)
