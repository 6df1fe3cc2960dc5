"""GoEmotions: finding it, reading it, and turning comments into arrays.

The data set is Demszky et al., "GoEmotions: A Dataset of Fine-Grained Emotions", ACL 2020
(https://arxiv.org/abs/2005.00547); the groupings are the files ekman_mapping.json and
sentiment_mapping.json beside the official splits, with neutral as a group of its own. A split
file has no header and three tab-separated columns: the text, the label ids separated by commas,
and the comment id.
"""

import errno
import os
import re
import statistics
import sys
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pooch
import requests
from scipy import sparse
from tqdm import tqdm

SPLITS = ("train", "dev", "test")
TAXONOMIES = ("emotions", "ekman", "sentiment")
SEQUENCE_LENGTH = 27

#: The 28 labels in the order of their ids (id 0 is admiration, id 27 is neutral).
EMOTIONS = (
    "admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion",
    "curiosity", "desire", "disappointment", "disapproval", "disgust", "embarrassment",
    "excitement", "fear", "gratitude", "grief", "joy", "love", "nervousness", "optimism",
    "pride", "realization", "relief", "remorse", "sadness", "surprise", "neutral",
)  # fmt: skip

_EKMAN = {
    "anger": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "joy": (
        "joy", "amusement", "approval", "excitement", "gratitude", "love", "optimism",
        "relief", "pride", "admiration", "desire", "caring",
    ),
    "sadness": ("sadness", "disappointment", "embarrassment", "grief", "remorse"),
    "surprise": ("surprise", "realization", "confusion", "curiosity"),
    "neutral": ("neutral",),
}  # fmt: skip

_SENTIMENT = {
    "positive": (
        "amusement", "excitement", "joy", "love", "desire", "optimism", "caring", "pride",
        "admiration", "gratitude", "relief", "approval",
    ),
    "negative": (
        "fear", "nervousness", "remorse", "embarrassment", "disappointment", "sadness",
        "grief", "disgust", "anger", "annoyance", "disapproval",
    ),
    "ambiguous": ("realization", "surprise", "curiosity", "confusion"),
    "neutral": ("neutral",),
}  # fmt: skip

#: taxonomy -> {label name: the emotions it stands for}, neutral last and on its own in each.
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "emotions": {name: (name,) for name in EMOTIONS},
    "ekman": _EKMAN,
    "sentiment": _SENTIMENT,
}

BASE_URL = (
    "https://raw.githubusercontent.com/google-research/google-research/master/goemotions/data/"
)
SHA256 = {
    "train.tsv": "1c254a142be5c00e80d819b9ae1bbd36d94b2eeb8f4b1271846508d57e57d9c5",
    "dev.tsv": "575489c079c9de1097062a01738f998590d6b7ead66dd1c9fd1d2ba01fd8bc62",
    "test.tsv": "0587b2dd8b27b97352adbfc3fb083d46005c8946657fdc2b1ca8b1cc7f1f8be4",
}
SAMPLE_FOLDER = Path(__file__).parent / "sample"


class DataError(ValueError):
    """Input that cannot be used; the message is one sentence: what is wrong, where, what to do."""


# ------------------------------------------------------------------------------------- finding


@dataclass(frozen=True)
class DataSource:
    """Where the comments came from.

    `kind` is "GOEMOTIONS_DIR", "cache", "download" or "sample"; `folder` holds the split files.
    """

    kind: str
    folder: Path

    def __str__(self) -> str:
        return {
            "GOEMOTIONS_DIR": "the folder that GOEMOTIONS_DIR names",
            "cache": "the official GoEmotions files in the cache",
            "download": "the official GoEmotions files, downloaded just now",
            "sample": "the course sample, which is not GoEmotions",
        }[self.kind]


_CONNECT_SECONDS = 4  # for one address of the server
_READ_SECONDS = 30  # between two pieces of an answer
_PROBE_SECONDS = 8  # for the first answer altogether, whatever the resolver and firewall do
_RETRIES = 2
_DISK_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}  # Windows has no EDQUOT
_ADVICE = "set GOEMOTIONS_DIR to a folder that has train.tsv, dev.tsv and test.tsv"

# A process that could not download once does not make its user wait again for the next split.
_download_failure: str | None = None
_notice_shown = False


class _NoDownload(Exception):
    """Why the official files cannot be had, as half a sentence."""


def _cache() -> pooch.Pooch:
    return pooch.create(
        path=pooch.os_cache("goemotions"),
        base_url=BASE_URL,
        registry=SHA256,
        retry_if_failed=_RETRIES,
    )


def _unusable(cache: pooch.Pooch) -> dict[str, str]:
    """The files that the cache cannot give: name -> "missing" or "damaged" (its SHA-256)."""
    problems = {}
    for name, known in SHA256.items():
        path = Path(cache.abspath) / name
        if not path.is_file():
            problems[name] = "missing"
        elif pooch.file_hash(str(path)) != known:
            problems[name] = "damaged"
    return problems


def _probe(cache: pooch.Pooch) -> None:
    """Raise _NoDownload, within _PROBE_SECONDS, if the server cannot be reached.

    requests has no limit on an attempt as a whole: it waits for the resolver as long as that
    takes and tries every address in turn. Asking from a thread bounds the wait of somebody
    without a network; as a daemon, it does not keep the process alive either.
    """
    host = BASE_URL.split("/")[2]
    answer = [f"{host} gave no answer within {_PROBE_SECONDS} seconds"]

    def ask() -> None:
        downloader = pooch.HTTPDownloader(timeout=_CONNECT_SECONDS)
        try:
            found = cache.is_available("dev.tsv", downloader=downloader)
            answer[0] = "" if found else f"{host} does not have the files"
        except requests.RequestException as error:
            answer[0] = f"no connection to {host} ({type(error).__name__})"

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_PROBE_SECONDS)
    if answer[0]:
        raise _NoDownload(answer[0])


def _download(cache: pooch.Pooch) -> None:
    """Fill the cache. pooch gives a file its name only after its SHA-256 was found right."""
    missing = list(_unusable(cache))
    _probe(cache)
    try:
        for name in missing:
            # stdout: nbgrader takes anything on stderr in a graded cell for a failure.
            # Any total: pooch asks for the truth of the bar before it has the real one.
            with tqdm(
                total=1, desc=f"GoEmotions {name}", unit="B", unit_scale=True, file=sys.stdout
            ) as bar:
                timeout = (_CONNECT_SECONDS, _READ_SECONDS)
                downloader = pooch.HTTPDownloader(progressbar=bar, timeout=timeout)
                cache.fetch(name, downloader=downloader)
    except requests.RequestException as error:
        raise _NoDownload(f"the download of {name} broke off ({type(error).__name__})") from error
    except ValueError as error:
        problem = f"the download of {name} does not match its SHA-256 and was thrown away"
        raise _NoDownload(problem) from error
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise DataError(
                f"No disk space is left for {name} in {cache.abspath}; free 5 MB, or {_ADVICE}."
            ) from error
        problem = f"{cache.abspath} cannot be written ({type(error).__name__})"
        raise _NoDownload(problem) from error


def download_goemotions() -> DataSource:
    """Download the three official split files into the user's cache, unless they are there.

    Each file is checked against its SHA-256 before it gets its name, so an interrupted or
    altered download is never taken for data.

    Raises
    ------
    DataError
        No network, a file that does not match its SHA-256, no disk space, or a cache folder
        that cannot be written.
    """
    cache = _cache()
    if not _unusable(cache):
        return DataSource("cache", Path(cache.abspath))
    try:
        _download(cache)
    except _NoDownload as error:
        raise DataError(
            f"GoEmotions cannot be downloaded: {error}; connect to the internet, or {_ADVICE}."
        ) from error
    return DataSource("download", Path(cache.abspath))


def find_goemotions(*, allow_download: bool = True) -> DataSource:
    """Find the three split files: GOEMOTIONS_DIR; the user's cache; a download; the sample.

    With `allow_download=False`, or the environment variable GOEMOTIONS_OFFLINE set to 1, the
    third step is left out. The sample is used only when nothing else can be had, and a notice
    says so on stdout, once in a process.

    Raises
    ------
    DataError
        GOEMOTIONS_DIR is set and does not name a folder with the three files (a wrong setting
        is never passed over in silence), or the disk is full.
    """
    global _download_failure
    if os.environ.get("GOEMOTIONS_DIR"):
        return _from_environment(Path(os.environ["GOEMOTIONS_DIR"]).expanduser())
    cache = _cache()
    problems = _unusable(cache)
    if not problems:
        return DataSource("cache", Path(cache.abspath))
    if not allow_download:
        reason = "no download was asked for"
    elif os.environ.get("GOEMOTIONS_OFFLINE", "").lower() not in ("", "0", "false", "no"):
        reason = "GOEMOTIONS_OFFLINE is set"
    else:
        if _download_failure is None:
            try:
                _download(cache)
            except _NoDownload as error:
                _download_failure = str(error)
            else:
                return DataSource("download", Path(cache.abspath))
        reason = _download_failure
    if "damaged" in problems.values():
        reason += "; the files in the cache are damaged and were not used"
    _announce_sample(reason)
    return DataSource("sample", SAMPLE_FOLDER)


def _from_environment(folder: Path) -> DataSource:
    if not folder.is_dir():
        raise DataError(
            f"GOEMOTIONS_DIR is set to {folder}, which is not a folder; "
            "correct it, or unset it to use the cache, a download or the course sample."
        )
    for split in SPLITS:
        if not (folder / f"{split}.tsv").is_file():
            raise DataError(
                f"GOEMOTIONS_DIR is set to {folder}, which has no {split}.tsv; "
                "it must have train.tsv, dev.tsv and test.tsv."
            )
    return DataSource("GOEMOTIONS_DIR", folder)


def _announce_sample(reason: str) -> None:
    global _notice_shown
    if _notice_shown:
        return
    _notice_shown = True
    line = "=" * 78
    print(
        f"{line}\n"
        "NOTICE: these comments are the course sample, not GoEmotions.\n"
        "Everything runs, but scores will NOT match the published tables.\n"
        f"Why: {reason}.\n"
        "For the real data, connect to the internet and start again, or put train.tsv,\n"
        "dev.tsv and test.tsv into a folder and set GOEMOTIONS_DIR to it. They stand in\n"
        f"{BASE_URL}\n"
        f"{line}",
        flush=True,
    )


# ------------------------------------------------------------------------------------- reading


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


def label_names(taxonomy: str) -> tuple[str, ...]:
    """The label names of a taxonomy in the order of the columns; neutral is the last."""
    if taxonomy not in GROUPS:
        raise DataError(f"There is no taxonomy {taxonomy!r}; choose one of {_listed(TAXONOMIES)}.")
    return tuple(GROUPS[taxonomy])


def group_labels(emotions: np.ndarray, taxonomy: str) -> np.ndarray:
    """Labels (n, 28) -> labels (n, L) of a taxonomy: the union of the groups of the emotions."""
    member = np.zeros((len(EMOTIONS), len(label_names(taxonomy))), dtype=np.uint8)
    for column, members in enumerate(GROUPS[taxonomy].values()):
        member[[EMOTIONS.index(name) for name in members], column] = 1
    # A row has at most 28 ones, so the sum cannot wrap around in uint8.
    return (np.asarray(emotions, dtype=np.uint8) @ member > 0).astype(np.uint8)


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


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


# -------------------------------------------------------------------------------------- words

_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u00b4": "'", "`": "'"})
# Variation selector 16 asks for a coloured picture, U+1F3FB to U+1F3FF for a skin tone: with
# them removed, one emoji is one word however it was typed.
_EMOJI_DRESS = re.compile("[\ufe0f\U0001f3fb-\U0001f3ff]")
_RUNS = re.compile(r"[!?]{2,}|\.{2,}")
_PICTURE = "[\U0001f300-\U0001faff\u2300-\u23ff\u2600-\u27bf\u2b50\u2b55]"
_TOKEN = re.compile(
    r"\[name\]|\[religion\]"  # GoEmotions' placeholders
    r"|[0-9]+(?:[.,][0-9]+)+"
    r"|[^\W_]+(?:'[^\W_]+)*"
    r"|\?!|[!?]|\.\.\."
    r"|<3(?![0-9])|[:;=]'?-?(?:[()]|[dp/](?![\w/]))"  # emoticons: :) ;-( :'( =d :p :/
    "|[\U0001f1e6-\U0001f1ff]{2}"  # a flag is two letters
    f"|{_PICTURE}(?:\u200d{_PICTURE})*"  # joined pictures make one emoji
)


def _shorten(run: re.Match) -> str:
    marks = set(run[0])
    return "..." if "." in marks else "?!" if len(marks) == 2 else run[0][0]


def tokenize(text: str) -> list[str]:
    """Split a comment into lower-cased words.

    A word is: letters and digits with inner apostrophes ("don't"); a number ("1,000"); a run
    of "!", "?", both, or dots, shortened to "!", "?", "?!", "..."; an emoticon or emoji; or one
    of the placeholders "[name]" and "[religion]". Everything else is dropped, a lone full stop
    or comma included.
    """
    if not text.isascii():
        text = text.translate(_APOSTROPHES)
        text = _EMOJI_DRESS.sub("", unicodedata.normalize("NFKC", text))
    return _TOKEN.findall(_RUNS.sub(_shorten, text.lower()))


class Vocabulary:
    """The words a model knows, and their ids.

    Ids 0 and 1 are kept for padding (`PAD`) and for every word that is not known (`UNK`); word
    i of `words` has id i + 2, so `len(vocabulary) == len(vocabulary.words) + 2`.
    """

    PAD = 0
    UNK = 1

    def __init__(self, words: Sequence[str]):
        if isinstance(words, str):
            raise DataError("A Vocabulary takes a list of words, not one string.")
        self.words = tuple(words)
        self._ids = {word: i for i, word in enumerate(self.words, start=2)}
        if len(self._ids) != len(self.words):
            word = next(word for word, n in Counter(self.words).items() if n > 1)
            raise DataError(f"The word {word!r} occurs more than once in the vocabulary.")

    @classmethod
    def from_texts(
        cls, texts: Iterable[str], min_count: int = 2, max_size: int | None = None
    ) -> "Vocabulary":
        """The words that occur at least `min_count` times, at most `max_size` of them.

        They are ordered by descending count, equal counts alphabetically.
        """
        counts = Counter(word for text in _texts(texts) for word in tokenize(text))
        kept = sorted((-n, word) for word, n in counts.items() if n >= min_count)
        return cls([word for _, word in kept[:max_size]])

    def __len__(self) -> int:
        return len(self.words) + 2

    def __contains__(self, word: object) -> bool:
        return word in self._ids

    def __getitem__(self, word: str) -> int:
        """The id of a word; `UNK` for a word that is not in the vocabulary."""
        return self._ids.get(word, self.UNK)

    def __repr__(self) -> str:
        return f"<Vocabulary of {len(self.words):,} words>"

    def encode(self, texts: Iterable[str], length: int = SEQUENCE_LENGTH) -> np.ndarray:
        """Comments -> ids (n, length) int64: the first `length` words, then PAD."""
        rows = [[self[word] for word in tokenize(text)[:length]] for text in _texts(texts)]
        ids = np.full((len(rows), length), self.PAD, dtype=np.int64)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = row
        return ids

    def oov_rate(self, texts: Iterable[str]) -> float:
        """The share of all words in the comments that the vocabulary lacks (0 if no words)."""
        words = [word for text in _texts(texts) for word in tokenize(text)]
        return sum(word not in self._ids for word in words) / max(len(words), 1)


def _texts(texts: Iterable[str]) -> Iterable[str]:
    if isinstance(texts, str):  # it would be taken for a list of one-letter comments
        raise DataError("Give a list of comments, not one string.")
    return texts


def length_coverage(texts: Iterable[str], length: int = SEQUENCE_LENGTH) -> float:
    """The share of comments with at most `length` words; nan if there are no comments."""
    short = [len(tokenize(text)) <= length for text in _texts(texts)]
    return sum(short) / len(short) if short else float("nan")


def mean_vectors(ids: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Ids (n, T) and vectors (V, d) -> the mean vector of each comment, (n, d) float32.

    PAD is left out of the mean; a comment of nothing but PAD gives zeros.
    """
    ids, vectors = np.asarray(ids), np.asarray(vectors, dtype=np.float32)
    real = ids != Vocabulary.PAD
    rows, _ = np.nonzero(real)
    if len(rows) and not (0 <= ids.min() and ids.max() < len(vectors)):
        raise ValueError(f"ids must lie between 0 and {len(vectors) - 1}, one row of vectors each")
    # The product of a sparse matrix of weights (n, V) with the vectors: vectors[ids] would
    # need n * T * d floats, 470 MB for the training split.
    weights = np.repeat(1 / np.maximum(real.sum(axis=1), 1), real.sum(axis=1))
    shape = (len(ids), len(vectors))
    return sparse.csr_array((weights.astype(np.float32), (rows, ids[real])), shape=shape) @ vectors


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
