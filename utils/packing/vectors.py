"""The shipped word vectors as a file."""

import numpy as np

from utils.codecs import pack_words, unpack_words
from utils.packing.container import read_file, write_file
from utils.packing.entries import PackingError


def write_word_vectors(path, words, values: np.ndarray) -> int:
    """Write words and their vectors (words, d), 8 bits a number; return the file's length in bytes."""
    return write_file(
        path,
        {"vocabulary": pack_words(words), "vectors": np.asarray(values, np.float32)},
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
