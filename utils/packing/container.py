"""One file of named arrays: what is in it, byte by byte, and what a reader refuses.

Format version 2. All that follows is compressed with zstandard if that makes it smaller::

    "SLM" and the byte 2
    one line of JSON: [header, entry, entry, ...] and a line break
    the parts of all entries, one after another, little-endian
    CRC-32 of all of this, 4 bytes, little-endian

An entry is a tensor: ``[codec, config, parts, shape, name]``. A part is its number of bytes, if it is
a list of bytes; its type ("f2"), if it has the tensor's own shape; else a list of type and shape. Where
the kind of file says what tensors it has (:class:`Kind`), name and shape are left out, and the header
is a list of values without their keys.
"""

import fnmatch
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import zstandard

from utils.codecs import MAX_EXPANSION, Codec, decode, encode, expect
from utils.packing import version1
from utils.packing.entries import Entry, PackingError

VERSION = 2
MIN_ALLOWANCE = 1 << 16
MAX_FILE_BYTES = 1 << 31
MAX_HEADER_BYTES = 1 << 20
OWN_BLOCK = 256  # bytes; a block costs 3
_MAGIC = b"SLM"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_TYPES = {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"}


@dataclass(frozen=True)
class Kind:
    """What follows from a file's kind, and need not be said in each file.

    Parameters
    ----------
    fields : the keys of a header besides ``kind``, in the order in which their values are written
    tensors : from a header to the names of the first tensors in the file and their shapes, None for
        a shape that does not follow from the header
    """

    fields: tuple[str, ...]
    tensors: Callable[[dict], dict[str, tuple | None]]


KINDS: dict[str, Kind] = {}


def write_file(
    path,
    tensors: Mapping[str, np.ndarray],
    header: dict,
    codecs: Mapping[str, str | Codec] | None = None,
    *,
    check: Callable[[dict[str, np.ndarray], dict], object] | None = None,
) -> int:
    """Write arrays and a header to one file; return its length in bytes.

    Parameters
    ----------
    tensors : name to array
    header : what JSON can hold; ``kind`` says what kind of file it is
    codecs : pattern of names (as in ``fnmatch``) to codec; the first that fits wins, else "raw". A
        codec is a name, or a quantizer: a fitted one is used as it is, of one that is not fitted
        yet each array gets a copy fitted to it. ``Sparse(quantizer)`` quantizes the non-zeros.
    check : called with what :func:`read_file` makes of the new file, before it takes its place; a
        ``ValueError`` of it says what is wrong

    Raises
    ------
    PackingError
        If a pattern fits no tensor, a codec is one that reading would not know or cannot hold an
        array, ``check`` refuses the file, or it cannot be written.
    """
    codecs = codecs or {}
    for pattern in codecs:
        if not any(fnmatch.fnmatchcase(name, pattern) for name in tensors):
            raise PackingError(
                f"no tensor fits the pattern {pattern!r}; there are {', '.join(tensors)}"
            )
    entries = []
    for name, array in tensors.items():
        chosen = next((c for p, c in codecs.items() if fnmatch.fnmatchcase(name, p)), "raw")
        try:
            entries.append(Entry(name, *encode(chosen, array), np.shape(array)))
        except ValueError as error:
            why = str(error).partition("\n")[0]  # scikit-learn goes on with advice
            raise PackingError(f"{name} cannot be stored as {chosen}: {why}") from error
    try:
        data = _compressed(_serialized(header, entries))
    except KeyError as error:
        raise PackingError(f"{path} cannot be written: its header has no {error}") from error
    except (TypeError, ValueError) as error:
        raise PackingError(f"{path} cannot be written: {error}") from error
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(data)
        if check is not None:
            check(*read_file(partial))
        partial.replace(path)
    except OSError as error:
        raise PackingError(f"cannot write {path}: {error.strerror}") from error
    except ValueError as error:
        raise PackingError(f"{path} could not be loaded again: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return len(data)


def read_file(path) -> tuple[dict[str, np.ndarray], dict]:
    """Read what :func:`write_file` wrote: arrays by name, and the header.

    Raises
    ------
    PackingError
        If the file is missing, truncated, corrupted, too large, or not a model file.
    """
    header, entries = read_entries(path)
    tensors = {}
    for name, *how in entries:
        try:
            tensors[name] = decode(*how)
        except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
            raise PackingError(
                f"{path} is damaged: tensor {str(name)[:60]!r} cannot be decoded ({error})"
            ) from error
    return tensors, header


def read_entries(path) -> tuple[dict, list[Entry]]:
    """The header of a file and its tensors as they are stored.

    Raises
    ------
    PackingError
        If the file is missing, truncated, corrupted, too large, or not a model file.
    """
    data = _bytes(Path(path))
    version = data[3] if data[:3] == _MAGIC and len(data) > 3 else 1
    if version > VERSION:
        raise PackingError(f"{path} has format version {version}; this course reads 1 to {VERSION}")
    try:
        return _parse(data) if version == VERSION else version1.parse(data)
    except (LookupError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise PackingError(
            f"{path} is not a model file of this course, or is truncated or damaged ({error})"
        ) from error


# --- version 2 ------------------------------------------------------------------------------------


def _serialized(header: dict, entries: list[Entry]) -> list[bytes]:
    """A file in pieces: what comes before the parts, each part, and the checksum."""
    kind = KINDS.get(header.get("kind"))
    known = kind.tensors(header) if kind else {}
    by_name = {entry.name: entry for entry in entries}
    if kind:
        extra, missing = set(header) - {"kind", *kind.fields}, set(known) - set(by_name)
        expect(not extra, f"the header of a {header['kind']} has no {', '.join(extra)}")
        expect(not missing, f"a {header['kind']} needs {', '.join(missing)}")
        values = [header.get(field) for field in ("kind", *kind.fields)]
        while values[-1] is None:
            values.pop()
        header = values
    described, stored = [], []
    for name in [*known, *(name for name in by_name if name not in known)]:
        entry, parts = by_name[name], []
        for part in entry.parts:
            part = part.astype(part.dtype.newbyteorder("<"), copy=False)
            parts.append(_description(part, entry.shape))
            stored.append(part.tobytes())
        described.append([entry.codec, entry.config, parts])
        if known.get(name) is None:
            described[-1].append(entry.shape)
        else:
            expect(known[name] == entry.shape, f"{name} has the shape {entry.shape}")
        if name not in known:
            described[-1].append(name)
    line = json.dumps([header, *described], separators=(",", ":"), ensure_ascii=False).encode()
    expect(len(line) < MAX_HEADER_BYTES, f"a header of {len(line):,} bytes is too long")
    pieces = [_MAGIC + bytes([VERSION]) + line + b"\n", *stored]
    return [*pieces, zlib.crc32(b"".join(pieces)).to_bytes(4, "little")]


def _description(part: np.ndarray, shape: tuple[int, ...]) -> int | str | list:
    name = part.dtype.str[1:]
    expect(name in _TYPES, f"a file cannot hold numbers of the type {part.dtype}")
    if name == "u1" and part.ndim == 1:
        return part.size
    return name if part.shape == shape else [name, *part.shape]


def _compressed(pieces: list[bytes]) -> bytes:
    # zstandard chooses a code for each block. Text, a bitmask and the codes of weights differ in what
    # is frequent in them, so the text and every longer part get blocks of their own.
    blocks = [pieces[0]]
    for before, piece in pairwise(pieces):
        if before is pieces[0] or max(len(before), len(piece)) >= OWN_BLOCK:
            blocks.append(piece)
        else:
            blocks[-1] += piece
    size = sum(map(len, blocks))
    packer = zstandard.ZstdCompressor(level=19).compressobj(size=size)
    packed = []
    for block in blocks[:-1]:
        packed += [packer.compress(block), packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)]
    packed = b"".join([*packed, packer.compress(blocks[-1]), packer.flush()])
    # Too good a compression would be refused on reading as a bomb, so such a file stays as it is.
    return packed if len(packed) < size <= MAX_EXPANSION * len(packed) else b"".join(blocks)


def _parse(data: bytes) -> tuple[dict, list[Entry]]:
    view = memoryview(data)
    expect(zlib.crc32(view[:-4]) == int.from_bytes(view[-4:], "little"), "wrong checksum")
    end = data.index(b"\n", 4, MAX_HEADER_BYTES)
    header, *described = json.loads(data[4:end])
    kind = None
    if isinstance(header, list):
        name, *values = header
        kind = KINDS[name]
        expect(len(values) <= len(kind.fields), f"too many fields for a {name}")
        fields = zip(kind.fields, values, strict=False)
        header = {"kind": name} | {key: value for key, value in fields if value is not None}
    expect(isinstance(header, dict), "no header")
    known = kind.tensors(header) if kind else {}
    names = iter(known.items())
    parts, entries = _Parts(view[end + 1 : -4]), {}
    for codec, config, specs, *told in described:
        name, shape = next(names, (None, None))
        shape = told.pop(0) if shape is None else shape
        name = told.pop(0) if name is None else name
        expect(isinstance(name, str) and not told and name not in entries, "a tensor twice")
        arrays = [parts.take(spec, shape) for spec in specs]
        entries[name] = Entry(name, codec, config, arrays, shape)
    expect(next(names, None) is None, "a tensor is missing")
    expect(not parts.rest, "bytes that belong to nothing")
    return header, list(entries.values())


class _Parts:
    """Hands out the stored bytes, as the arrays that a header says they are."""

    def __init__(self, rest: memoryview):
        self.rest = rest

    def take(self, spec: Any, shape: Any) -> np.ndarray:
        if isinstance(spec, int):
            spec = ["u1", spec]
        name, *shape = [spec, *shape] if isinstance(spec, str) else spec
        expect(name in _TYPES, f"no type is called {name!r}")
        expect(all(type(n) is int and n >= 0 for n in shape), f"{shape} is no shape")
        dtype = np.dtype(f"<{name}")
        size = prod(shape) * dtype.itemsize
        expect(size <= len(self.rest), "parts are missing")
        taken, self.rest = self.rest[:size], self.rest[size:]
        # Copied, or an array would keep the whole file, and begin where no float may begin.
        return np.frombuffer(bytearray(taken), dtype).reshape(shape)


# --- any version ----------------------------------------------------------------------------------


def _bytes(path: Path) -> bytes:
    """What a file holds, unpacked."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise PackingError(f"{path} is not a file")
        if size > MAX_FILE_BYTES:
            raise PackingError(f"{path} has {size:,} bytes; model files end at {MAX_FILE_BYTES:,}")
        data = path.read_bytes()
    except OSError as error:
        raise PackingError(f"cannot read {path}: {error.strerror}") from error
    return _decompress(data, path) if data[:4] == _ZSTD_MAGIC else data


def _decompress(data: bytes, path: Path) -> bytes:
    try:
        content = zstandard.get_frame_parameters(data).content_size
        # The size is stated by the file, so it is checked before anything of that size is allocated.
        if content in (zstandard.CONTENTSIZE_UNKNOWN, zstandard.CONTENTSIZE_ERROR):
            raise PackingError(f"{path} does not say how long it is unpacked, as model files do")
        if content > MAX_EXPANSION * len(data) + MIN_ALLOWANCE:
            raise PackingError(
                f"{path} claims to unpack to more than {MAX_EXPANSION} times its size; refused"
            )
        return zstandard.ZstdDecompressor().decompress(data, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise PackingError(
            f"{path} is truncated or damaged, or one of the files below 2,048 bytes that the first "
            f"version of this course compressed with a dictionary: save such a model anew ({error})"
        ) from error
