"""Networks: from token ids (batch, tokens), where 0 is padding at the end, to logits (batch, labels).

A network registers where it is defined, by :func:`register_network`: model files know it by its name.
"""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

PAD = 0

NETWORKS: dict[str, type[nn.Module]] = {}


def register_network(kind: type[nn.Module]) -> type[nn.Module]:
    """Class decorator: make a network known to model files by its name.

    Raises
    ------
    ValueError
        If another class has that name.
    """
    known = NETWORKS.get(kind.__name__, kind)
    if (known.__module__, known.__qualname__) != (kind.__module__, kind.__qualname__):
        raise ValueError(f"{known.__module__} has a network called {kind.__name__} already")
    NETWORKS[kind.__name__] = kind
    return kind


def masked_mean(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over tokens of (batch, tokens, d), padding left out; zeros for a comment without tokens.

    Source: Iyyer et al. (2015), "Deep unordered composition rivals syntactic methods", ACL, section 3.

    What people get wrong: the divisor. It is the number of the comment's own tokens, not the width of
    its batch.

    >>> from utils.models.networks import masked_mean
    >>> states = torch.tensor([[[2.0], [4.0], [9.0]]])
    >>> masked_mean(states, torch.tensor([[True, True, False]]))
    tensor([[3.]])
    """
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


@register_network
class MeanVectorNetwork(nn.Module):
    """Model 1: the mean of a comment's word vectors, a dense layer with dropout, sigmoid outputs.

    Parameters
    ----------
    vocabulary_size : rows of the embedding, padding and unknown word included
    dim : word vector dimensions
    hidden : units of the dense layer
    labels : outputs
    dropout : share of hidden units dropped in training

    Source: Iyyer et al. (2015), "Deep unordered composition rivals syntactic methods for text
    classification", ACL, section 3 (deep averaging networks).

    What people get wrong: padding in the mean. What a text is answered would then depend on how
    long the others in its batch are.

    >>> from utils.models import MeanVectorNetwork
    >>> network = MeanVectorNetwork(50, dim=4, hidden=8, labels=2).eval()
    >>> short, padded = torch.tensor([[5, 7]]), torch.tensor([[5, 7, 0, 0]])
    >>> torch.allclose(network(short), network(padded), atol=1e-6)
    True
    """

    def __init__(
        self, vocabulary_size: int, dim: int, hidden: int, labels: int, dropout: float = 0.1
    ):
        super().__init__()
        self.config = dict(
            vocabulary_size=vocabulary_size, dim=dim, hidden=hidden, labels=labels, dropout=dropout
        )
        self.embedding = nn.Embedding(vocabulary_size, dim, padding_idx=PAD)
        self.hidden = nn.Linear(dim, hidden)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, labels)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Ids (batch, tokens) to logits (batch, labels)."""
        mean = masked_mean(self.embedding(ids), ids != PAD)
        return self.output(self.dropout(torch.relu(self.hidden(mean))))


@register_network
class GRUNetwork(nn.Module):
    """Model 2: word vectors into GRU layers, then dense on the pooled states.

    The states are pooled by their mean and their maximum over the comment's own tokens, so that
    padding changes nothing.

    Parameters
    ----------
    vocabulary_size, dim, labels, dropout : as in :class:`MeanVectorNetwork`
    units : size of the state, in each direction
    layers : GRU layers, one on top of the other
    bidirectional : read the comment in both directions

    Source: Cho et al. (2014), arXiv 1406.1078, equations 5 to 8.

    What people get wrong: the backward direction reads the padding first, and the last state of a
    short text is one of padding, unless sequences are packed and pooled over their own tokens.

    >>> from utils.models import GRUNetwork
    >>> network = GRUNetwork(50, dim=4, units=8, labels=2).eval()
    >>> short, padded = torch.tensor([[5, 7]]), torch.tensor([[5, 7, 0, 0]])
    >>> torch.allclose(network(short), network(padded), atol=1e-6)
    True
    """

    def __init__(
        self,
        vocabulary_size: int,
        dim: int,
        units: int,
        labels: int,
        layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.config = dict(
            vocabulary_size=vocabulary_size,
            dim=dim,
            units=units,
            labels=labels,
            layers=layers,
            bidirectional=bidirectional,
            dropout=dropout,
        )
        self.embedding = nn.Embedding(vocabulary_size, dim, padding_idx=PAD)
        self.input_dropout = nn.Dropout(dropout)
        self.gru = nn.GRU(
            dim,
            units,
            layers,
            batch_first=True,
            bidirectional=bidirectional,
            dropout=dropout if layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(2 * units * (2 if bidirectional else 1), labels)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Ids (batch, tokens) to logits (batch, labels)."""
        mask = ids != PAD
        lengths = mask.sum(dim=1).clamp(min=1)
        vectors = self.input_dropout(self.embedding(ids))
        if bool((lengths == ids.shape[1]).all()):
            states, _ = self.gru(vectors)  # nothing is padded: packing would only cost time
        else:
            packed = pack_padded_sequence(
                vectors, lengths.cpu(), batch_first=True, enforce_sorted=False
            )
            states, _ = pad_packed_sequence(
                self.gru(packed)[0], batch_first=True, total_length=ids.shape[1]
            )
        mask = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
        maximum = states.masked_fill(~mask[..., None], -torch.inf).amax(dim=1)
        return self.output(self.dropout(torch.cat([masked_mean(states, mask), maximum], dim=1)))
