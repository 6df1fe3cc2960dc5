import json
import zlib

import numpy as np
import pytest
import torch
import zstandard

from utils.data import Vocabulary
from utils.models import GRUNetwork, NeuralClassifier, SparseLinear
from utils.packing import save_model

TEXTS = [
    "what a lovely day",
    "this is awful",
    "lovely lovely garden",
    "awful traffic",
    "a day",
    "the rain",
] * 5
LABELS = np.array([[1, 0], [0, 1], [1, 0], [0, 1], [0, 0], [0, 0]] * 5)
NAMES = ("joy", "anger")


@pytest.fixture
def texts():
    return TEXTS


@pytest.fixture
def neural():
    """Makes a small network with random weights."""

    def make(kind=GRUNetwork):
        torch.manual_seed(0)
        vocabulary = Vocabulary.from_texts([*TEXTS, "naïve café ☕"], min_count=1)
        network = kind(len(vocabulary), 6, 5, 2)
        return NeuralClassifier(network, vocabulary, "ekman", NAMES, [0.3, 0.7])

    return make


@pytest.fixture
def linear():
    """Makes a small fitted linear model."""

    def make(**options):
        model = SparseLinear("ekman", NAMES, C=5.0, **options)
        return model.fit(TEXTS, LABELS).tune(TEXTS, LABELS)

    return make


@pytest.fixture
def packed(tmp_path, neural):
    """The file of a network."""
    path = tmp_path / "model.slm"
    save_model(neural(), path)
    return path


@pytest.fixture
def unpack():
    """From the path of a file to its bytes before compression, by zstandard alone."""

    def make(path):
        data = path.read_bytes()
        if data[:4] == b"\x28\xb5\x2f\xfd":
            data = zstandard.ZstdDecompressor().decompress(data)
        return data

    return make


@pytest.fixture
def dissect(unpack):
    """From the path of a file of version 2 to its line of JSON, decoded, and the parts."""

    def make(path):
        line, _, rest = unpack(path)[4:].partition(b"\n")
        return json.loads(line), rest[:-4]

    return make


@pytest.fixture
def forge(tmp_path):
    """Writes a file of version 2 with any line of JSON and any parts, and a checksum that is right."""

    def make(line, parts=b"", magic=b"SLM\x02"):
        line = line if isinstance(line, bytes) else json.dumps(line).encode()
        data = magic + line + b"\n" + parts
        path = tmp_path / "forged"
        path.write_bytes(data + zlib.crc32(data).to_bytes(4, "little"))
        return path

    return make
