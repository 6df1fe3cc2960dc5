"""The course's classifiers: a sparse linear baseline, Model 1, Model 2 and a transformer.

Everything that goes from raw text to label probabilities is a :class:`TextClassifier`. Networks
take token ids of shape (batch, tokens), where 0 is padding at the end, and give logits of shape
(batch, labels).
"""

import zlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from scipy import sparse
from scipy.special import expit
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from utils.data import SEQUENCE_LENGTH, tokenize
from utils.metrics import tune_thresholds

PAD = 0
BUCKET = "{:010d}"  # the number of a bucket as a word of SparseLinear


class TextClassifier:
    """From raw text to label probabilities, thresholds included.

    Attributes
    ----------
    taxonomy : str, one of ``utils.data.TAXONOMIES``
    label_names : tuple of str
    thresholds : float32 array of shape (labels,)
    """

    def __init__(self, taxonomy: str, label_names: Sequence[str], thresholds=None):
        self.taxonomy = taxonomy
        self.label_names = tuple(label_names)
        self.thresholds = np.full(len(self.label_names), 0.5, dtype=np.float32)
        if thresholds is not None:
            thresholds = np.asarray(thresholds, dtype=np.float32)
            if thresholds.shape != self.thresholds.shape:
                raise ValueError(
                    f"{len(self.label_names)} labels need as many thresholds, got {thresholds.shape}"
                )
            self.thresholds = thresholds

    def predict_proba(self, texts: Sequence[str], batch_size: int = 256) -> np.ndarray:
        """Probabilities of shape (len(texts), labels), float32; each label is a yes or no of its own."""
        raise NotImplementedError

    def predict(self, texts: Sequence[str], batch_size: int = 256) -> np.ndarray:
        """Labels of shape (len(texts), labels), bool: probability at least the label's threshold."""
        return self.predict_proba(texts, batch_size) >= self.thresholds

    def tune(self, texts: Sequence[str], labels: np.ndarray) -> "TextClassifier":
        """Set the thresholds that maximise F1 per label on these comments (dev, never test)."""
        self.thresholds = tune_thresholds(labels, self.predict_proba(texts)).astype(np.float32)
        return self


class SparseLinear(TextClassifier):
    """L1 logistic regression on TF-IDF unigrams, one binary classifier a label.

    The L1 penalty sets most weights to exactly 0. Words left without any weight are dropped and the
    model is fitted once more on the others, so that the TF-IDF norm needs no dropped word.

    Parameters
    ----------
    C : inverse strength of the L1 penalty; smaller keeps fewer words
    letters : how many letters of a word count, None for all. With few, forms of one word share their
        weights ("thank", "thanks", "thankful"), so that a small model knows more words.
    pairs : whether pairs of neighbouring words count as well
    buckets : into how many buckets the words are hashed, None for none. Words of one bucket share their
        weights, and the file holds numbers of buckets, at about a byte each, where words were.

    Attributes after ``fit``
    ------------------------
    words : list of str, the vocabulary, alphabetical; with ``buckets``, their numbers as text
    idf : float array of shape (words,)
    coef : scipy CSR array of shape (words, labels)
    intercept : float array of shape (labels,)

    Source: Tibshirani (1996), "Regression shrinkage and selection via the lasso"; buckets: Weinberger et
    al. (2009), "Feature hashing for large scale multitask learning", arXiv 0902.2206 (without signs).
    """

    def __init__(
        self,
        taxonomy,
        label_names,
        thresholds=None,
        *,
        C: float = 0.5,
        letters: int | None = None,
        pairs: bool = False,
        buckets: int | None = None,
    ):
        super().__init__(taxonomy, label_names, thresholds)
        self.C, self.letters, self.pairs, self.buckets = C, letters, pairs, buckets

    def _analyze(self, text: str) -> list[str]:
        words = [word[: self.letters] for word in tokenize(text)]
        if self.pairs:
            words += [" ".join(pair) for pair in pairwise(words)]
        if self.buckets is None:
            return words
        return [BUCKET.format(zlib.crc32(word.encode()) % self.buckets) for word in words]

    def fit(self, texts: Sequence[str], labels: np.ndarray) -> "SparseLinear":
        """Fit on comments and a matrix (n, labels) of 0/1 labels, or of a teacher's probabilities.

        Raises
        ------
        ValueError
            If a label is not between 0 and 1.
        """
        labels = np.asarray(labels)
        if not ((labels >= 0) & (labels <= 1)).all():
            raise ValueError("labels must lie between 0 and 1")
        # min_count 3 spares the solver the half of the vocabulary that L1 would drop anyway.
        vectorizer = TfidfVectorizer(analyzer=self._analyze, min_df=3, sublinear_tf=True)
        coef, _ = self._solve(vectorizer.fit_transform(texts), labels)
        kept = sorted(vectorizer.get_feature_names_out()[np.abs(coef).sum(axis=1) > 0])
        vectorizer = TfidfVectorizer(analyzer=self._analyze, vocabulary=kept, sublinear_tf=True)
        coef, self.intercept = self._solve(vectorizer.fit_transform(texts), labels)
        return self._set(kept, vectorizer.idf_, coef, self.intercept)

    def _solve(self, features, labels) -> tuple[np.ndarray, np.ndarray]:
        solver = LogisticRegression(C=self.C, l1_ratio=1.0, solver="liblinear", random_state=0)
        soft = not np.isin(labels, (0, 1)).all()
        if soft:  # each comment twice: as a yes that weighs p, and as a no that weighs 1 - p
            features = sparse.vstack([features, features], format="csr")
        coefs, intercepts = [], []
        for column in labels.T:
            if column.min() == column.max() and column[0] in (0, 1):
                # A label that is absent (or always there) has no solver to fit: it gets a constant.
                coefs.append(np.zeros(features.shape[1]))
                intercepts.append(20.0 if column[0] else -20.0)
                continue
            if soft:
                answers = np.repeat([1, 0], len(column))
                solver.fit(features, answers, np.concatenate([column, 1 - column]))
            else:
                solver.fit(features, column)
            coefs.append(solver.coef_[0])
            intercepts.append(solver.intercept_[0])
        return np.stack(coefs, axis=1), np.array(intercepts)

    def _set(self, words, idf, coef, intercept) -> "SparseLinear":
        self.words, self.idf = list(words), np.asarray(idf, dtype=np.float64)
        self.coef, self.intercept = sparse.csr_array(coef), np.asarray(intercept)
        self._vectorizer = TfidfVectorizer(
            analyzer=self._analyze, vocabulary=self.words, sublinear_tf=True
        )
        self._vectorizer.idf_ = self.idf
        return self

    def predict_proba(self, texts, batch_size=256):
        if len(texts) == 0:
            return np.zeros((0, len(self.label_names)), dtype=np.float32)
        features = self._vectorizer.transform(texts)
        return expit((features @ self.coef).toarray() + self.intercept).astype(np.float32)


class Tokenizer(Protocol):
    """What turns texts into padded ids: ``utils.data.Vocabulary`` or :class:`WordPiece`."""

    def encode(self, texts: Sequence[str], length: int) -> np.ndarray: ...


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
    """

    def __init__(self, text: str):
        from tokenizers import Tokenizer as Backend

        try:
            backend = Backend.from_str(text)
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

    def encode(self, texts: Sequence[str], length: int = 34) -> np.ndarray:
        """Ids of shape (len(texts), length), int64, [CLS] and [SEP] included, 0 after the end."""
        self._backend.enable_truncation(length)
        ids = np.zeros((len(texts), length), dtype=np.int64)
        for row, encoding in zip(ids, self._backend.encode_batch(list(texts)), strict=True):
            row[: len(encoding.ids)] = encoding.ids
        return ids


class NeuralClassifier(TextClassifier):
    """A tokenizer and a network: raw text to ids to logits to probabilities."""

    def __init__(
        self,
        network: nn.Module,
        tokenizer: Tokenizer,
        taxonomy,
        label_names,
        thresholds=None,
        *,
        length: int = SEQUENCE_LENGTH,
    ):
        super().__init__(taxonomy, label_names, thresholds)
        self.network, self.tokenizer, self.length = network.eval(), tokenizer, length

    @torch.inference_mode()
    def predict_proba(self, texts, batch_size=256):
        logits = predict_logits(self.network, self.tokenizer.encode(texts, self.length), batch_size)
        return expit(logits)


@torch.inference_mode()
def predict_logits(network: nn.Module, ids: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """Logits of shape (n, labels), float32, computed in batches of similar length, given back in order."""
    network.eval()
    if len(ids) == 0:
        return np.zeros((0, network.config["labels"]), dtype=np.float32)
    lengths = (ids != PAD).sum(axis=1)
    order = np.argsort(lengths, kind="stable")
    logits = np.empty((len(ids), network.config["labels"]), dtype=np.float32)
    device = next(network.parameters()).device
    for start in range(0, len(ids), batch_size):
        rows = order[start : start + batch_size]
        batch = torch.from_numpy(ids[rows, : max(1, lengths[rows].max())]).to(device)
        logits[rows] = network(batch).float().cpu().numpy()
    return logits


def masked_mean(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over tokens of (batch, tokens, d), padding left out; zeros for a comment without tokens."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


class MeanVectorNetwork(nn.Module):
    """Model 1: the mean of a comment's word vectors, a dense layer with dropout, sigmoid outputs.

    Parameters
    ----------
    vocabulary_size : rows of the embedding, padding and unknown word included
    dim : word vector dimensions
    hidden : units of the dense layer
    labels : outputs
    dropout : share of hidden units dropped in training
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


class TransformerNetwork(nn.Module):
    """A pretrained encoder (all-MiniLM-L6-v2), mean pooling over tokens, one linear head.

    Build it with :meth:`pretrained`. Needs the extra ``transformer``.

    Parameters
    ----------
    encoder : dict, the encoder's configuration in the terms of Hugging Face ``BertConfig``
    labels : outputs
    dropout : before the head

    Source: Wang et al. (2020), MiniLM, arXiv 2002.10957; Reimers and Gurevych (2019), arXiv 1908.10084.
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
        """Load the encoder from a local folder or the Hub; see ``utils.embeddings.find_encoder``."""
        from transformers import BertModel
        from transformers.utils import logging

        from utils.embeddings import find_encoder

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


NETWORKS = {
    network.__name__: network for network in (MeanVectorNetwork, GRUNetwork, TransformerNetwork)
}


def _compressed(name: str):
    def build(**config) -> nn.Module:
        # These are made of the networks above, so this module cannot import them when it is read.
        from utils.distillation import students

        return getattr(students, name)(**config)

    return build


NETWORKS |= {f"Compressed{name}": _compressed(f"Compressed{name}") for name in NETWORKS}
