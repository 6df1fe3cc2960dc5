"""Word vectors from the official GloVe files."""

import gzip
import io
import math
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from utils.data import Vocabulary
from utils.embeddings.vectors import EmbeddingMatrix, random_vectors
from utils.errors import DataError

# A line of 300 numbers has about 3,000 bytes. Anything longer than this is no line of a GloVe
# file, and reading it in one go would let a damaged file take all the memory.
_LONGEST_LINE = 1 << 16
_CHUNK = 1 << 13
_PEEKED_LINES = 32
ARCHIVES = (".zip", ".gz", ".tar", ".7z", ".bz2", ".xz")
LEAST_FOUND = 0.01  # of the vocabulary: a file with fewer of its words is not what it seems to be


def read_glove(path: str | Path, vocabulary: Vocabulary, dim: int | None = None) -> EmbeddingMatrix:
    """Read the vectors of a vocabulary's words from an official GloVe file.

    The file (.txt, .gz, or .zip of one or more .txt) is read line by line and never held in
    memory: the peak is near the size of the result. A line is a word and d numbers separated by
    blanks; in the 840B file words can contain blanks, so the last d fields are the numbers. Where a
    word occurs twice, the first line counts. Quotes belong to the word.

    Parameters
    ----------
    dim : the d to read. It is needed for a zip that holds files of several d, such as
        glove.6B.zip; otherwise it is inferred from the first lines, unless it is given.

    Returns
    -------
    EmbeddingMatrix
        `skipped_lines` counts lines that have fewer fields, something other than finite
        numbers, or bytes that are not UTF-8. Words that the file lacks keep the vectors of
        `random_vectors`. That includes "don't": GloVe's own tokenizer writes "do n't".

    Raises
    ------
    DataError
        No such file, a damaged archive, an archive in an archive, no line of a word and numbers,
        none with `dim` of them, or next to none of the vocabulary's words.

    Source: Pennington, Socher and Manning, "GloVe: Global Vectors for Word Representation",
    EMNLP 2014; https://nlp.stanford.edu/projects/glove/ describes the files.

    What people get wrong: a line is split at every space. Words of the 840B file contain some, and
    their numbers would be shifted.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from utils.data import Vocabulary
    >>> from utils.embeddings import read_glove
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "two.txt"
    ...     size = path.write_text("glad 0.5 1.0\\nsad 0.5 -1.0\\n")
    ...     matrix = read_glove(path, Vocabulary(["sad", "glad", "unheard-of"]))
    >>> matrix.values[2:4].tolist(), matrix.found
    ([[0.5, -1.0], [0.5, 1.0]], 2)
    """
    path = Path(path)
    if dim is not None and dim < 1:
        raise DataError(f"dim must be at least 1, got {dim}.")
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
    skipped, first = 0, ""
    # Nearly all lines look like this and hold a word that nobody asked for: telling so without
    # converting their numbers is several times as fast.
    plain = re.compile(rb"([^ ]+)(?: -?[0-9]+\.[0-9]+){%d}" % dim)
    for number, line in enumerate(_lines(stream), start=1):
        match = plain.fullmatch(line)
        if match and match[1].isascii() and match[1].decode() not in missing:
            continue
        parsed = _parse(line, dim)
        if parsed is None:
            skipped += 1
            first = first or f"; the first is line {number}, {line[:40]!r}"
        elif parsed[0] in missing:
            word, vector = parsed
            missing.remove(word)
            values[vocabulary[word]] = vector
    found = len(vocabulary.words) - len(missing)
    # The rest would be random vectors, and nothing would say so but a bad model.
    if found <= LEAST_FOUND * len(vocabulary.words):
        raise DataError(
            f"{source}: only {found} of {len(vocabulary.words)} words have a line of a word and {dim} "
            f"numbers, and {skipped} lines are none{first}."
        )
    return EmbeddingMatrix(values, found, source, skipped)


def _parse(line: bytes, dim: int) -> tuple[str, list[float]] | None:
    """The word and its numbers, or None if the line is malformed."""
    # Bytes and two kinds of space: str.split would also cut words at U+00A0 or U+0085.
    fields = [field for field in line.replace(b"\t", b" ").split(b" ") if field]
    try:
        word = b" ".join(fields[:-dim]).decode()
        vector = [float(field) for field in fields[-dim:]]
    except ValueError:  # UnicodeDecodeError is one too
        return None
    # The sum is finite only if all are, and small enough for float32.
    if not word or len(vector) != dim or not sum(map(abs, vector)) < 1e38:
        return None
    return word, vector


def _lines(stream) -> Iterator[bytes]:
    """Lines without their ends (LF, CR or both) and a byte order mark; of a line that is far too
    long only the beginning."""
    rest, told, mark = b"", False, b"\xef\xbb\xbf"
    while chunk := stream.read(_CHUNK):
        *lines, rest = (rest + chunk).splitlines(keepends=True)
        if rest.endswith(b"\n"):  # a CR may be half of a line end
            lines, rest = [*lines, rest], b""
        for line in lines:
            if not told:
                yield line.removeprefix(mark).rstrip(b"\r\n \t")
            told, mark = False, b""
        if len(rest) > _LONGEST_LINE:
            if not told:
                yield rest
            told, rest = True, b""
    if rest and not told:
        yield rest.removeprefix(mark).rstrip(b"\r\n \t")


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
            packed = [name for name in archive.namelist() if name.endswith(ARCHIVES)]
        if not members:
            inside = f"; it holds {packed[0]}, which must be unpacked first" if packed else ""
            raise DataError(f"{path} has no .txt file in it{inside}.")
    if dim is not None and len(members) == 1:
        return members[0], dim
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
        fields = line.replace(b"\t", b" ").split()
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
