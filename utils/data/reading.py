"""Reading split files: texts, labels and comment ids.

A split file has no header and three tab-separated columns: the text, the label ids separated by
commas, and the comment id.
"""

import re
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utils.data.finding import SAMPLE_FOLDER, SPLITS, DataSource, find_goemotions
from utils.data.labels import EMOTIONS, _listed, group_labels, label_names
from utils.data.words import SEQUENCE_LENGTH, length_coverage, tokenize
from utils.errors import DataError


@dataclass(frozen=True, eq=False)
class Dataset:
    """One split: n comments and their labels.

    `texts` and `ids` have n entries; `labels` is (n, L) uint8 with 1 where a comment has a
    label; column j belongs to `label_names[j]`.
    """

    texts: list[str]
    labels: np.ndarray
    label_names: tuple[str, ...]
    ids: list[str]
    taxonomy: str
    split: str
    source: DataSource

    def __len__(self) -> int:
        return len(self.texts)

    def __repr__(self) -> str:
        # The generated one would print every comment into the notebook.
        return (
            f"<Dataset {self.split}, {self.taxonomy}: {len(self):,} comments, "
            f"{len(self.label_names)} labels, from {self.source}>"
        )


def load_goemotions(split: str = "train", taxonomy: str = "ekman") -> Dataset:
    """Load one split with the labels of one taxonomy.

    `split` is "train", "dev" or "test"; `taxonomy` is "emotions" (28 labels), "ekman" (Ekman's
    six and neutral) or "sentiment" (positive, negative, ambiguous, neutral). Where the files
    are looked for, see `find_goemotions`; where they were found, see `Dataset.source`.

    Raises
    ------
    DataError
        Unknown split or taxonomy, or anything `find_goemotions` or the file itself is to blame
        for; see there and `validate_file`.
    """
    return _load(split, taxonomy, find_goemotions)


def load_sample(split: str = "train", taxonomy: str = "ekman") -> Dataset:
    """Load one split of the course's own comments, whether GoEmotions is there or not.

    They may be shown: GoEmotions comments are never printed in a notebook that is published.
    Parameters and errors are those of `load_goemotions`.
    """
    return _load(split, taxonomy, lambda: DataSource("sample", SAMPLE_FOLDER))


def _load(split: str, taxonomy: str, find: Callable[[], DataSource]) -> Dataset:
    if split not in SPLITS:
        raise DataError(f"There is no split {split!r}; choose one of {_listed(SPLITS)}.")
    names = label_names(taxonomy)
    source = find()
    texts, emotions, ids = read_split(source.folder / f"{split}.tsv")
    return Dataset(texts, group_labels(emotions, taxonomy), names, ids, taxonomy, split, source)


def validate_file(path: str | Path) -> int:
    """Read a split file and return its number of rows.

    Raises
    ------
    DataError
        No such file, an empty file, text that is not UTF-8, a row without its three columns, an
        empty text or comment id, or a label id that is not a number or not in 0 to 27.
    """
    return len(read_split(Path(path))[0])


_LABEL_IDS = {str(i): i for i in range(len(EMOTIONS))}


def read_split(path: Path) -> tuple[list[str], np.ndarray, list[str]]:
    """Texts, labels (n, 28) uint8 and comment ids of a split file."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"There is no file {path}; check the path.") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder; give one split file, such as train.tsv.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        content = raw.decode("utf-8-sig")  # editors on Windows put a mark before the first row
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}:{line} is not UTF-8; save the file as UTF-8.") from None
    # Not splitlines(): it would also cut comments at U+2028, U+0085 and other rare characters.
    content = content.rstrip("\r\n")
    if not content:
        raise DataError(f"{path} is empty; a split file has one comment a line.")
    texts: list[str] = []
    ids: list[str] = []
    rows: list[int] = []
    columns: list[int] = []
    for row, line in enumerate(content.split("\n")):
        fields = line.removesuffix("\r").split("\t")
        if len(fields) != 3:
            raise DataError(
                f"{path}:{row + 1} has {len(fields)} columns instead of 3: "
                "text, label ids and comment id, separated by tabs."
            )
        text, labels, comment_id = fields
        if not text.strip() or not comment_id.strip():
            empty = "comment id" if text.strip() else "text"
            raise DataError(f"{path}:{row + 1} has an empty {empty}; fill it in or drop the line.")
        texts.append(text)
        ids.append(comment_id)
        for label in labels.split(","):
            number = _LABEL_IDS.get(label)
            rows.append(row)
            columns.append(_label_id(label, path, row + 1) if number is None else number)
    matrix = np.zeros((len(texts), len(EMOTIONS)), dtype=np.uint8)
    matrix[rows, columns] = 1
    return texts, matrix, ids


def _label_id(label: str, path: Path, line: int) -> int:
    """The label id of a field that is not written plainly, such as " 3"; or what is wrong."""
    shown = label if len(label) <= 20 else label[:20] + "..."
    if not re.fullmatch(r"\s*[+-]?[0-9]+\s*", label):
        raise DataError(
            f"{path}:{line} has {shown!r} where a label id from 0 to {len(EMOTIONS) - 1} should "
            "stand (a split file has no header row)."
        )
    if len(label) > 20 or not 0 <= int(label) < len(EMOTIONS):
        raise DataError(
            f"{path}:{line} has label id {shown.strip()}, which is out of range: "
            f"the ids go from 0 to {len(EMOTIONS) - 1}."
        )
    return int(label)


def describe(dataset: Dataset) -> dict:
    """Facts about a split: rows, labels, rows per label, and the lengths of its comments."""
    lengths = [len(tokenize(text)) for text in dataset.texts]
    per_comment = dataset.labels.sum(axis=1)
    return {
        "rows": len(dataset),
        "labels_per_comment": float(per_comment.mean()),
        "share_with_several_labels": float((per_comment > 1).mean()),
        "rows_per_label": dict(
            zip(dataset.label_names, dataset.labels.sum(axis=0, dtype=int).tolist(), strict=True)
        ),
        "median_words": statistics.median(lengths),
        f"share_within_{SEQUENCE_LENGTH}_words": length_coverage(dataset.texts),
    }
