"""Format version 1, which the course reads and no longer writes: a safetensors file.

Its metadata is a JSON text with the header and a layout: for each tensor the codec, the shape, and
options by name. The parts of a tensor are arrays called ``tensor|part``, or ``tensor`` alone.
"""

import json
import struct
import zlib
from collections.abc import Mapping

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from utils.codecs import CODECS, expect
from utils.packing.entries import Entry

FORMAT = "small-language-model"


def parse(data: bytes) -> tuple[dict, list[Entry]]:
    """Header and entries of a file of version 1.

    Raises
    ------
    ValueError
        If the file is none, or is truncated or damaged.
    """
    try:
        arrays = load(data)
        (length,) = struct.unpack_from("<Q", data)
        texts = json.loads(data[8 : 8 + length])["__metadata__"]
        expect(texts["crc32"] == checksum(texts[""], arrays), "wrong checksum")
        header = json.loads(texts[""])
        expect(header.pop("format") == FORMAT, "another format")
        layout, version = header.pop("layout"), header.pop("version")
        expect(version == 1, f"version {version}")
        return header, [_entry(name, *how, arrays=arrays) for name, how in layout.items()]
    except (
        SafetensorError,
        AttributeError,
        KeyError,
        TypeError,
        RecursionError,
        struct.error,
    ) as error:
        raise ValueError(str(error)) from error


def checksum(text: str, stored: Mapping[str, np.ndarray]) -> str:
    """CRC-32 of all that a file says: damage done by accident never passes for a model."""
    crc = zlib.crc32(text.encode())
    for name in sorted(stored):
        crc = zlib.crc32(f"{name} {stored[name].dtype} {stored[name].shape}".encode(), crc)
        crc = zlib.crc32(stored[name].tobytes(), crc)
    return f"{crc:08x}"


def _entry(name: str, codec: str, shape: list, *more, arrays: Mapping[str, np.ndarray]) -> Entry:
    parts = {
        stored.partition("|")[2]: array
        for stored, array in arrays.items()
        if stored.partition("|")[0] == name
    }
    # The mask of the non-zeros, then the main part, whose name is empty, then all others.
    order = sorted(parts, key=lambda part: (part != "mask", part))
    parts = [parts[part] for part in order]
    if codec != "sparse":
        return Entry(name, codec, _config(codec, *more), parts, shape)
    if not more:  # half precision
        return Entry(name, codec, ["float16", []], parts, shape)
    ((inner, (count,), *options),) = more
    expect(type(count) is int and inner != codec, "the non-zeros are no list")
    return Entry(name, codec, [inner, _config(inner, *options)], parts, shape)


def _config(codec: str, options: dict | None = None) -> list:
    """The values of the options in the order of today's configurations."""
    if options is None:
        return []
    names = CODECS[codec].decode_params
    expect(set(options) == set(names), f"{codec} has the options {', '.join(names)}")
    return [options[name] for name in names]
