"""One file holds a whole model: raw text in, label probabilities out, nothing else needed.

The file is a safetensors file, compressed whole with zstandard when that makes it smaller. Each
tensor passes through a codec (:class:`Float16`, :class:`Sparse`...) that says how it is stored. A
new codec is one small class under :func:`codec`; every quantizer of ``utils.quantization`` is one
too: its packed codes are stored, and what decoding needs.

Nothing in a file is executed, and reading one allocates no more than a fixed multiple of its own
length: sizes are checked against the stored bytes before any tensor is made.
"""

import fnmatch
import json
import os.path
import struct
import zlib
from collections.abc import Mapping
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import zstandard
from safetensors import SafetensorError
from safetensors.numpy import load as load_safetensors
from safetensors.numpy import save as save_safetensors
from sklearn.base import clone

from utils import quantization
from utils.data import TAXONOMIES, Vocabulary
from utils.errors import MendableError
from utils.models import (
    BUCKET,
    NETWORKS,
    NeuralClassifier,
    SparseLinear,
    TextClassifier,
    WordPiece,
)
from utils.quantization import Quantizer, add_integer_layers, integer_layers

FORMAT = "small-language-model"
VERSION = 1
# zstandard on weights and words gains less than 4; a bitmask stands for 32 times its bytes of float32.
MAX_EXPANSION = 64
MIN_ALLOWANCE = 1 << 16
MAX_FILE_BYTES = 1 << 31
MAX_LAYERS = 64
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# Much of a file as short as this is its header, which says what all of them say. Its usual words are
# therefore known to writer and reader (nothing of a model: no word, no weight). Longer files do
# without, so that any zstandard can read them.
TINY_FILE = 2048


class PackingError(MendableError, ValueError):
    """A model file that cannot be read or written; the message says which and why."""


# --- codecs: how one tensor becomes stored arrays -----------------------------------------------


class Codec(Protocol):
    """Turns one array into named stored arrays and back.

    ``encode`` returns at least the part ``""``. ``decode`` gets the same parts and the shape; it must
    raise ValueError when they do not fit together, and must not allocate more than the shape needs.
    """

    name: str

    def encode(self, array: np.ndarray) -> dict[str, np.ndarray]: ...

    def decode(self, parts: dict[str, np.ndarray], shape: tuple[int, ...]) -> np.ndarray: ...


CODECS: dict[str, Codec] = {}


def codec(cls):
    """Class decorator: make a codec known to files by its ``name``."""
    CODECS[cls.name] = cls()
    return cls


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


@codec
class Raw:
    """The array as it is."""

    name = "raw"

    def encode(self, array):
        return {"": array}

    def decode(self, parts, shape):
        _expect(parts[""].shape == shape, f"shape {parts[''].shape} is not {shape}")
        return parts[""]


@codec
class Float16:
    """Half precision: 10 bits of fraction, largest value 65,504."""

    name = "float16"

    def encode(self, array):
        _expect(
            np.abs(array).max(initial=0) <= np.finfo(np.float16).max,
            "a value is too large for float16",
        )
        return {"": array.astype(np.float16)}

    def decode(self, parts, shape):
        return Raw().decode(parts, shape).astype(np.float32)


@codec
class Int8:
    """Symmetric 8-bit integers, one float16 scale for each column of a matrix."""

    name = "int8"

    def encode(self, array):
        _expect(array.ndim == 2, f"int8 wants a matrix, got shape {array.shape}")
        largest = np.abs(array.astype(np.float64)).max(axis=0, initial=0)
        _expect(
            bool((largest < 127.0 * float(np.finfo(np.float16).max)).all()),
            "a value is too large for int8 with a float16 scale",
        )
        scale = (largest / 127).astype(np.float16)
        # The next half up, or rounding the scale down would push the largest values past 127.
        scale = np.maximum(np.nextafter(scale, np.float16(np.inf)), np.float16(6e-8))
        return {"": np.rint(array / scale.astype(np.float32)).astype(np.int8), "scale": scale}

    def decode(self, parts, shape):
        _expect(
            parts[""].shape == shape and parts["scale"].shape == shape[1:],
            f"codes or scales do not fit {shape}",
        )
        return parts[""] * parts["scale"].astype(np.float32)


@codec
class Sparse:
    """A bitmask of the non-zeros, then the non-zeros: in half precision, or as a quantizer has them.

    Parameters
    ----------
    values : Quantizer of single numbers; None for half precision
    """

    name = "sparse"

    def __init__(self, values: Quantizer | None = None):
        self.values = values

    def encode(self, array):
        mask = array != 0
        return {"": Float16().encode(array[mask])[""], "mask": np.packbits(mask)}

    def decode(self, parts, shape):
        mask = self.mask(parts, shape)
        _expect(int(mask.sum()) == parts[""].size, "the mask and the number of values disagree")
        array = np.zeros(prod(shape), dtype=np.float32)
        array[mask] = parts[""]
        return array.reshape(shape)

    def mask(self, parts, shape):
        _expect(len(parts["mask"]) == -(-prod(shape) // 8), f"the mask does not fit shape {shape}")
        return np.unpackbits(parts["mask"], count=prod(shape)).astype(bool)


@codec
class Words:
    """Lines of text by front coding: how many bytes each shares with the line before, and the rest.

    Good for words in alphabetical order. (Witten, Moffat and Bell, Managing Gigabytes, 2nd edition,
    1999, section 4.1.)
    """

    name = "words"

    def encode(self, array):
        words = array.tobytes().split(b"\n")
        shared = [min(len(os.path.commonprefix(pair)), 255) for pair in pairwise([b"", *words])]
        rest = b"\n".join(word[n:] for word, n in zip(words, shared, strict=True))
        return {"": np.frombuffer(rest, np.uint8), "shared": np.array(shared, np.uint8)}

    def decode(self, parts, shape):
        shared, rest = parts["shared"], parts[""].tobytes().split(b"\n")
        _expect(
            shared.dtype == np.uint8
            and shared.shape == (len(rest),)
            and (int(shared.sum()) + parts[""].size,) == shape,
            f"the words do not fit {shape}",
        )
        words = [b""]
        for n, tail in zip(shared.tolist(), rest, strict=True):
            words.append(words[-1][:n] + tail)
        return np.frombuffer(b"\n".join(words[1:]), np.uint8)


@codec
class Gaps:
    """Rising whole numbers as what lies between them, in bytes; 255 stands for 255, to be continued.

    About a byte a number while 255 or fewer lie between two. (Witten, Moffat and Bell, Managing
    Gigabytes, 2nd edition, 1999, section 3.3.)
    """

    name = "gaps"

    def encode(self, array):
        _expect(array.ndim == 1 and array.dtype.kind in "iu", "gaps wants a list of whole numbers")
        between = np.diff(array.astype(np.int64), prepend=-1) - 1
        _expect(bool((between >= 0).all()), "gaps wants rising numbers from 0 on")
        ends = np.cumsum(between // 255 + 1)
        gaps = np.full(ends[-1] if len(ends) else 0, 255, np.uint8)
        gaps[ends - 1] = between % 255
        return {"": gaps}

    def decode(self, parts, shape):
        gaps = parts[""]
        _expect(gaps.dtype == np.uint8 and gaps.ndim == 1, "gaps are no bytes")
        ends = np.flatnonzero(gaps != 255)
        _expect((len(ends),) == shape, f"{len(ends)} numbers do not fit {shape}")
        _expect(not gaps.size or gaps[-1] != 255, "the last number is cut off")
        return np.cumsum(gaps, dtype=np.int64)[ends] + np.arange(len(ends))


QUANTIZERS = {
    name: kind
    for name, kind in vars(quantization).items()
    if isinstance(kind, type) and issubclass(kind, Quantizer) and kind is not Quantizer
}


def _encode(chosen: str | Sparse | Quantizer, array: np.ndarray) -> tuple[list, dict]:
    """The layout entry of an array (codec, shape, what else decoding needs), and its stored parts."""
    shape = list(array.shape)
    if isinstance(chosen, str):
        return [chosen, shape], CODECS[chosen].encode(array)
    if isinstance(chosen, Sparse):
        if chosen.values is None:
            return _encode(chosen.name, array)
        mask = array != 0
        entry, parts = _encode(chosen.values, array[mask])
        return ["sparse", shape, entry], parts | {"mask": np.packbits(mask)}
    if not hasattr(chosen, chosen._decode_arrays[0]):
        chosen = clone(chosen).fit(array)
    parts = {"": chosen.pack(chosen.transform(array))}
    options = {}
    for name, value in chosen.get_state().items():
        if isinstance(value, np.ndarray):
            parts[name] = value
        else:
            options[name] = value.item() if isinstance(value, np.generic) else value
    return [type(chosen).__name__, shape, options], parts


def _decode(entry: list, parts: dict[str, np.ndarray]) -> np.ndarray:
    name, shape, *more = entry
    shape = tuple(shape)
    _expect(all(type(n) is int and n >= 0 for n in shape), f"shape {shape} is no shape")
    held = sum(part.nbytes for part in parts.values())
    _expect(_fits(shape, held), f"shape {shape} is too large for {held} stored bytes")
    if name in QUANTIZERS:
        codes = parts.pop("")
        quantizer = QUANTIZERS[name].from_state(more[0] | parts)
        return quantizer.inverse_transform(quantizer.unpack(codes, shape))
    if name == "sparse" and more and more[0][0] in QUANTIZERS:
        count = int(CODECS[name].mask(parts, shape).sum())
        _expect(more[0][1] == [count], "the mask and the number of values disagree")
        mask = parts.pop("mask")
        parts = {"": _decode(more[0], parts), "mask": mask}
    return CODECS[name].decode(parts, shape)


def _fits(shape: tuple[int, ...], held: int) -> bool:
    """Whether an array of this shape may come out of so many stored bytes."""
    return 4 * prod(shape) <= MAX_EXPANSION * held


# --- the container: named arrays in one file ------------------------------------------------------

# Part of the format: changed, it would make tiny files unreadable that were written before.
_HEADER_WORDS = zstandard.ZstdCompressionDict(
    b'{"__metadata__":{"":"{\\"format\\":\\"small-language-model\\",\\"version\\":1,\\"layout\\":'
    b'{\\"thresholds\\":[\\"float16\\",[7]],\\"vocabulary\\":[\\"words\\",[999]],[\\"gaps\\",[999]],'
    b'\\"idf\\":[\\"KMeansQuantizer\\",[999],{\\"bits\\":2,\\"entropy_coding\\":false}],'
    b'\\"network.coef\\":[\\"sparse\\",[999,7],[\\"KMeansQuantizer\\",[999],{\\"bits\\":4,'
    b'\\"entropy_coding\\":false}]],\\"network.intercept\\":[\\"float16\\",[7]]},'
    b'\\"kind\\":\\"SparseLinear\\",\\"taxonomy\\":\\"ekman\\",\\"labels\\":[\\"anger\\",\\"disgust\\",'
    b'\\"fear\\",\\"joy\\",\\"sadness\\",\\"surprise\\",\\"neutral\\"],\\"letters\\":5,\\"pairs\\":true,'
    b'\\"buckets\\":32768}","crc32":"00000000"},'
    b'"idf|codebook_":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},'
    b'"network.coef|codebook_":{"dtype":"F32","shape":[16],"data_offsets":[16,80]},'
    b'"network.intercept":{"dtype":"F16","shape":[7],"data_offsets":[80,94]},'
    b'"thresholds":{"dtype":"F16","shape":[7],"data_offsets":[94,108]},'
    b'"idf":{"dtype":"U8","shape":[99],"data_offsets":[108,'
    b'"network.coef":{"dtype":"U8","shape":[999],"data_offsets":[999,'
    b'"network.coef|mask":{"dtype":"U8","shape":[999],"data_offsets":[999,'
    b'"vocabulary":{"dtype":"U8","shape":[999],"data_offsets":[999,'
    b'"vocabulary|shared":{"dtype":"U8","shape":[999],"data_offsets":[999,',
    dict_type=zstandard.DICT_TYPE_RAWCONTENT,
)


def write_file(
    path, tensors: Mapping[str, np.ndarray], header: dict, codecs: Mapping[str, Any] | None = None
) -> int:
    """Write arrays and a JSON header to one file; return its length in bytes.

    Parameters
    ----------
    tensors : name to array
    codecs : pattern of names (as in ``fnmatch``) to codec; the first that fits wins, else "raw". A
        codec is a name, or a quantizer: a fitted one is used as it is, of one that is not fitted
        yet each array gets a copy fitted to it. ``Sparse(quantizer)`` quantizes the non-zeros.

    Raises
    ------
    PackingError
        If a codec is unknown or cannot hold an array, or the file cannot be written.
    """
    stored, layout = {}, {}
    for name, array in tensors.items():
        chosen = next(
            (c for pattern, c in (codecs or {}).items() if fnmatch.fnmatchcase(name, pattern)),
            "raw",
        )
        if isinstance(chosen, str) and chosen not in CODECS:
            raise PackingError(
                f"no codec is called {chosen!r}; there are {', '.join(sorted(CODECS))}"
            )
        try:
            layout[name], parts = _encode(chosen, np.asarray(array, order="C"))
            held = sum(part.nbytes for part in parts.values())
            _expect(
                _fits(array.shape, held),
                f"more than {MAX_EXPANSION} times its {held} bytes; reading would refuse it",
            )
        except ValueError as error:
            raise PackingError(f"{name} cannot be stored as {chosen}: {error}") from error
        stored |= {
            f"{name}|{part}" if part else name: np.asarray(value, order="C")
            for part, value in parts.items()
        }
    text = json.dumps(
        {"format": FORMAT, "version": VERSION, "layout": layout} | header,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    data = _serialized(stored, {"": text, "crc32": _checksum(text, stored)})
    packed = zstandard.ZstdCompressor(level=19).compress(data)
    if len(packed) < TINY_FILE:
        packed = zstandard.ZstdCompressor(level=19, dict_data=_HEADER_WORDS).compress(data)
    # Too good a compression would be refused on reading as a bomb, so such a file stays as it is.
    if len(packed) < len(data) <= MAX_EXPANSION * len(packed):
        data = packed
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise PackingError(f"cannot write {path}: {error.strerror}") from error
    return len(data)


def _serialized(stored: Mapping[str, np.ndarray], metadata: dict[str, str]) -> bytes:
    """A safetensors file. The library writes metadata in random order; the same model must always
    make the same file."""
    data = save_safetensors(stored)
    (length,) = struct.unpack_from("<Q", data)
    head = {"__metadata__": metadata} | json.loads(data[8 : 8 + length])
    text = json.dumps(head, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def read_file(path) -> tuple[dict[str, np.ndarray], dict]:
    """Read what :func:`write_file` wrote: arrays by name, and the header.

    Raises
    ------
    PackingError
        If the file is missing, truncated, corrupted, too large, or not a model file.
    """
    stored, metadata = _read_stored(path)
    tensors = {}
    for name, entry in metadata["layout"].items():
        try:
            parts = {
                part.partition("|")[2]: stored[part]
                for part in stored
                if part.partition("|")[0] == name
            }
            tensors[name] = _decode(entry, parts)
        except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
            raise PackingError(
                f"{path} is damaged: tensor {str(name)[:60]!r} cannot be decoded ({error})"
            ) from error
    return tensors, metadata


def _read_stored(path) -> tuple[dict[str, np.ndarray], dict]:
    path = Path(path)
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise PackingError(f"{path} is not a file")
        if size > MAX_FILE_BYTES:
            raise PackingError(f"{path} has {size:,} bytes; model files end at {MAX_FILE_BYTES:,}")
        data = path.read_bytes()
    except OSError as error:
        raise PackingError(f"cannot read {path}: {error.strerror}") from error
    if data[:4] == _ZSTD_MAGIC:
        data = _decompress(data, path)
    try:
        arrays = load_safetensors(data)
        (length,) = struct.unpack_from("<Q", data)
        texts = json.loads(data[8 : 8 + length])["__metadata__"]
        _expect(texts["crc32"] == _checksum(texts[""], arrays), "wrong checksum")
        metadata = json.loads(texts[""])
        _expect(metadata["format"] == FORMAT, "another format")
        _expect(isinstance(metadata["layout"], dict), "no layout")
    except (
        SafetensorError,
        KeyError,
        TypeError,
        ValueError,
        RecursionError,
        struct.error,
    ) as error:
        raise PackingError(
            f"{path} is not a model file of this course, or is truncated or damaged"
        ) from error
    if metadata.get("version") != VERSION:
        raise PackingError(
            f"{path} has format version {metadata.get('version')!r}; this course reads {VERSION}"
        )
    return arrays, metadata


def _checksum(text: str, stored: Mapping[str, np.ndarray]) -> str:
    """CRC-32 of all that a file says: damage done by accident never passes for a model."""
    crc = zlib.crc32(text.encode())
    for name in sorted(stored):
        crc = zlib.crc32(f"{name} {stored[name].dtype} {stored[name].shape}".encode(), crc)
        crc = zlib.crc32(stored[name].tobytes(), crc)
    return f"{crc:08x}"


def _decompress(data: bytes, path) -> bytes:
    try:
        content = zstandard.get_frame_parameters(data).content_size
        # The size is stated by the file, so it is checked before anything of that size is allocated.
        if content in (zstandard.CONTENTSIZE_UNKNOWN, zstandard.CONTENTSIZE_ERROR) or (
            content > MAX_EXPANSION * len(data) + MIN_ALLOWANCE
        ):
            raise PackingError(
                f"{path} claims to unpack to more than {MAX_EXPANSION} times its size; refused"
            )
        return zstandard.ZstdDecompressor(_HEADER_WORDS).decompress(data, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise PackingError(f"{path} is truncated or damaged: {error}") from error


# --- models ---------------------------------------------------------------------------------------


def _pack_words(words) -> np.ndarray:
    return np.frombuffer("\n".join(words).encode(), dtype=np.uint8)


def _unpack_words(array: np.ndarray) -> list[str]:
    text = array.tobytes().decode()
    return text.split("\n") if text else []


def save_model(model: TextClassifier, path, codecs: Mapping[str, Any] | None = None) -> int:
    """Write a complete classifier to one file; return its length in bytes.

    Parameters
    ----------
    model : SparseLinear or NeuralClassifier
    path : file to write (replaced as a whole, or not at all)
    codecs : as in :func:`write_file`, such as ``{"network.embedding.*": ProductQuantizer(20), "*":
        "float16"}``. The values of integer layers stay as they are under the codec "raw".

    Raises
    ------
    PackingError
        If the model's kind is unknown or the file cannot be written.

    Tensor names start with what they are: ``vocabulary`` (text), ``thresholds``, ``network.`` (the
    encoder; the embedding table is ``network.embedding.weight``).
    """
    header = {
        "kind": type(model).__name__,
        "taxonomy": model.taxonomy,
        "labels": list(model.label_names),
    }
    tensors, words = {"thresholds": model.thresholds}, "raw"
    if isinstance(model, SparseLinear):
        header |= {key: getattr(model, key) for key in READING if getattr(model, key)}
        hashed = model.buckets is not None
        words = "gaps" if hashed else "raw"
        tensors |= {
            "vocabulary": np.array(model.words, np.int64) if hashed else _pack_words(model.words),
            "idf": model.idf.astype(np.float32),
            "network.coef": model.coef.toarray().astype(np.float32),
            "network.intercept": model.intercept.astype(np.float32),
        }
    elif isinstance(model, NeuralClassifier):
        tokenizer = model.tokenizer
        text = tokenizer.words if isinstance(tokenizer, Vocabulary) else [tokenizer.to_str()]
        tensors["vocabulary"] = _pack_words(text)
        header |= {
            "tokenizer": type(model.tokenizer).__name__,
            "length": model.length,
            "network": type(model.network).__name__,
            "config": model.network.config,
        }
        if layers := integer_layers(model.network):
            header["integer_layers"] = layers
        tensors |= {
            f"network.{name}": t.detach().cpu().numpy()
            for name, t in model.network.state_dict().items()
        }
    else:
        raise PackingError(f"do not know how to save a {type(model).__name__}")
    return write_file(path, tensors, header, {"vocabulary": words} | dict(codecs or {}))


def load_model(path) -> TextClassifier:
    """Read a classifier written by :func:`save_model`.

    Raises
    ------
    PackingError
        If the file is missing, truncated, corrupted, hostile, or of another format.
    """
    tensors, header = read_file(path)
    try:
        common = _common(tensors, header)
        if header["kind"] == "SparseLinear":
            return _load_sparse_linear(tensors, header, common)
        if header["kind"] == "NeuralClassifier":
            return _load_neural(tensors, header, common)
    except PackingError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError) as error:
        raise PackingError(f"{path} is damaged: its parts do not make a model ({error})") from error
    raise PackingError(
        f"{path} holds a {str(header['kind'])[:60]!r}, which this course cannot load"
    )


def _common(tensors, header) -> dict:
    labels = header["labels"]
    _expect(header["taxonomy"] in TAXONOMIES, "unknown taxonomy")
    _expect(
        isinstance(labels, list) and all(isinstance(label, str) for label in labels),
        "labels are not names",
    )
    return {
        "taxonomy": header["taxonomy"],
        "label_names": labels,
        "thresholds": tensors["thresholds"],
    }


# What a SparseLinear makes of a text, in the header if it is not as usual.
READING = {"letters": int, "pairs": bool, "buckets": int}


def _load_sparse_linear(tensors, header, common) -> SparseLinear:
    reading = {key: header[key] for key in READING if key in header}
    for key, value in reading.items():
        _expect(type(value) is READING[key] and 0 < value < 1 << 32, f"{key} cannot be {value!r}")
    words, shape = tensors["vocabulary"], (len(tensors["idf"]), len(common["label_names"]))
    if "buckets" in reading:
        _expect(bool((words < reading["buckets"]).all()), "there is no such bucket")
        words = [BUCKET.format(number) for number in words.tolist()]
    else:
        words = _unpack_words(words)
    _expect(
        (len(words), tensors["network.coef"].shape) == (shape[0], shape),
        "words and weights do not fit",
    )
    _expect(tensors["network.intercept"].shape == shape[1:], "labels and intercepts do not fit")
    return SparseLinear(**common, **reading)._set(
        words, tensors["idf"], tensors["network.coef"], tensors["network.intercept"]
    )


def _load_neural(tensors, header, common) -> NeuralClassifier:
    text = _unpack_words(tensors["vocabulary"])
    tokenizer = (
        Vocabulary(text) if header["tokenizer"] == "Vocabulary" else WordPiece("\n".join(text))
    )
    # Its networks register when it is read; it reads files itself, so not at the top of this one.
    import utils.distillation.students  # noqa: F401

    config = header["config"]
    _expect(isinstance(config, dict), "the network has no configuration")
    numbers = list(config.values()) + list(config.get("encoder", {}).values())
    _expect(all(abs(n) < 1 << 40 for n in numbers if isinstance(n, int)), "a size is out of range")
    deep = max(config.get("layers", 0), config.get("encoder", {}).get("num_hidden_layers", 0))
    _expect(deep <= MAX_LAYERS, f"{deep} layers are more than {MAX_LAYERS}")
    # On the meta device a network has shapes and no memory, so a lying configuration costs nothing.
    with torch.device("meta"):
        network = NETWORKS[header["network"]](**config)
        add_integer_layers(network, header.get("integer_layers", {}))
    state = {
        name.removeprefix("network."): torch.from_numpy(np.array(tensor))
        for name, tensor in tensors.items()
        if name.startswith("network.")
    }
    _expect(_form(state) == _form(network.state_dict()), "weights do not fit the configuration")
    _expect(config["labels"] == len(common["label_names"]), "labels and outputs do not fit")
    if isinstance(tokenizer, Vocabulary):
        _expect(len(tokenizer) == config["vocabulary_size"], "words and embedding rows do not fit")
    network.load_state_dict(state, assign=True)
    return NeuralClassifier(network, tokenizer, **common, length=header["length"])


def _form(state: Mapping[str, torch.Tensor]) -> dict[str, tuple]:
    """Shapes, and types where integers are wanted."""
    return {
        name: (tensor.shape, None if tensor.is_floating_point() else tensor.dtype)
        for name, tensor in state.items()
    }


def size_report(path) -> dict[str, int]:
    """Where a model file's bytes go.

    Returns
    -------
    dict with ``file_bytes``, the length of the file: what the model really costs; ``encoder_bytes``,
    the stored bytes of the network without embedding table and vocabulary: what papers often count;
    ``embedding_bytes``, ``vocabulary_bytes`` and ``other_bytes`` (thresholds, IDF). All but the
    first are before whole-file compression, so they need not add up to it.

    Raises
    ------
    PackingError
        As :func:`load_model`.
    """
    stored, _ = _read_stored(path)
    report = dict.fromkeys(
        ("file_bytes", "encoder_bytes", "embedding_bytes", "vocabulary_bytes", "other_bytes"), 0
    )
    report["file_bytes"] = Path(path).stat().st_size
    for name, array in stored.items():
        if name.startswith(("network.embedding.", "network.encoder.embeddings.word_embeddings.")):
            report["embedding_bytes"] += array.nbytes
        elif name.startswith("network."):
            report["encoder_bytes"] += array.nbytes
        else:
            words = name.partition("|")[0] == "vocabulary"
            report["vocabulary_bytes" if words else "other_bytes"] += array.nbytes
    return report
