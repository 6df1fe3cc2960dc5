"""Word vectors from one of three places, all with the same interface.

They are random (to be learned end to end), read from a GloVe file, or distilled from a
transformer. Each function returns an `EmbeddingMatrix` whose rows follow the ids of a
`utils.data.Vocabulary`.
"""

from utils.embeddings.distilled import (
    DISTILLED_FILE,
    distil_words,
    distilled_vectors,
    read_word_vectors,
    write_word_vectors,
)
from utils.embeddings.glove import read_glove
from utils.embeddings.vectors import EmbeddingMatrix, random_vectors

__all__ = [
    "DISTILLED_FILE",
    "EmbeddingMatrix",
    "distil_words",
    "distilled_vectors",
    "random_vectors",
    "read_glove",
    "read_word_vectors",
    "write_word_vectors",
]
