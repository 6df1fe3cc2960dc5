import json
import struct
import tracemalloc

import numpy as np
import pytest
import torch
import zstandard
from safetensors.numpy import save as save_safetensors

from utils import packing
from utils.data import Vocabulary
from utils.models import GRUNetwork, MeanVectorNetwork, NeuralClassifier, SparseLinear
from utils.packing import (
    CODECS,
    PackingError,
    codec,
    load_model,
    read_file,
    read_word_vectors,
    save_model,
    size_report,
    write_file,
    write_word_vectors,
)

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


def _neural(kind=GRUNetwork):
    torch.manual_seed(0)
    vocabulary = Vocabulary.from_texts([*TEXTS, "naïve café ☕"], min_count=1)
    return NeuralClassifier(kind(len(vocabulary), 6, 5, 2), vocabulary, "ekman", NAMES, [0.3, 0.7])


def _sparse():
    return SparseLinear("ekman", NAMES, C=5.0).fit(TEXTS, LABELS).tune(TEXTS, LABELS)


@pytest.fixture
def packed(tmp_path):
    path = tmp_path / "model.slm"
    save_model(_neural(), path)
    return path


@pytest.mark.parametrize("make", [_sparse, _neural, lambda: _neural(MeanVectorNetwork)])
def test_a_model_comes_back_whole(make, tmp_path):
    model = make()
    size = save_model(model, tmp_path / "m.slm")
    loaded = load_model(tmp_path / "m.slm")
    texts = [*TEXTS, "", "words it never saw", "☕"]
    np.testing.assert_allclose(loaded.predict_proba(texts), model.predict_proba(texts), atol=1e-6)
    np.testing.assert_array_equal(loaded.thresholds, model.thresholds)
    assert (loaded.label_names, loaded.taxonomy) == (NAMES, "ekman")
    assert size == (tmp_path / "m.slm").stat().st_size


def test_the_file_alone_is_enough_in_a_fresh_process(packed, tmp_path):
    import subprocess
    import sys

    code = (
        "from utils.packing import load_model; import sys, json;"
        "print(json.dumps(load_model(sys.argv[1]).predict_proba(['a lovely day']).tolist()))"
    )
    moved = packed.rename(tmp_path / "alone.bin")
    done = subprocess.run(
        [sys.executable, "-c", code, moved], capture_output=True, text=True, check=True
    )
    np.testing.assert_allclose(
        json.loads(done.stdout), _neural().predict_proba(["a lovely day"]), atol=1e-6
    )


@pytest.mark.parametrize(
    "name, tolerance", [("raw", 0), ("float16", 1e-3), ("int8", 2e-2), ("sparse", 1e-3)]
)
def test_codecs_return_what_they_took_within_their_precision(name, tolerance, tmp_path):
    array = np.random.default_rng(0).normal(size=(13, 7)).astype(np.float32)
    array[::2] = 0
    write_file(tmp_path / "f", {"x": array}, {}, {"x": name})
    back = read_file(tmp_path / "f")[0]["x"]
    np.testing.assert_allclose(back, array, atol=tolerance * np.abs(array).max())
    assert back.dtype == np.float32
    if name != "int8":
        assert ((back == 0) == (array == 0)).all()


def test_int8_error_stays_below_half_a_step():
    array = np.random.default_rng(0).normal(size=(500, 20)).astype(np.float32) * np.logspace(
        -3, 3, 20
    )
    parts = CODECS["int8"].encode(array)
    error = np.abs(CODECS["int8"].decode(parts, array.shape) - array)
    assert (error <= parts["scale"].astype(np.float32) / 2 + 1e-6).all()
    zeros = CODECS["int8"].decode(CODECS["int8"].encode(np.zeros((3, 2), np.float32)), (3, 2))
    assert (zeros == 0).all()


@pytest.mark.parametrize("name", ["float16", "int8"])
def test_values_too_large_for_a_codec_are_refused_not_made_infinite(name, tmp_path):
    with pytest.raises(PackingError, match="x cannot be stored as"):
        write_file(tmp_path / "f", {"x": np.full((2, 2), 1e30, np.float32)}, {}, {"x": name})
    assert list(tmp_path.iterdir()) == []


def test_a_new_codec_is_one_small_class(tmp_path):
    @codec
    class Negated:
        name = "negated"

        def encode(self, array):
            return {"": -array}

        def decode(self, parts, shape):
            return -parts[""].reshape(shape)

    try:
        write_file(tmp_path / "f", {"x": np.arange(6.0)}, {}, {"x": "negated"})
        assert read_file(tmp_path / "f")[0]["x"].tolist() == [0, 1, 2, 3, 4, 5]
    finally:
        del CODECS["negated"]
    with pytest.raises(PackingError, match="cannot be decoded"):
        read_file(tmp_path / "f")


def test_report_separates_encoder_embedding_and_words(packed):
    report, model = size_report(packed), _neural()
    embedding = model.network.embedding.weight.numel() * 4
    encoder = sum(p.numel() for p in model.network.parameters()) * 4 - embedding
    assert (report["embedding_bytes"], report["encoder_bytes"]) == (embedding, encoder)
    assert report["vocabulary_bytes"] == len("\n".join(model.tokenizer.words).encode())
    assert report["file_bytes"] == packed.stat().st_size


@pytest.mark.parametrize("keep", [0, 1, 3, 4, 20, 200, -1])
def test_every_truncation_is_one_clear_error(packed, keep):
    packed.write_bytes(packed.read_bytes()[:keep])
    with pytest.raises(PackingError, match="truncated|damaged"):
        load_model(packed)


@pytest.mark.parametrize("compressed", [True, False])
def test_every_flipped_bit_is_noticed(packed, compressed, tmp_path):
    data = packed.read_bytes()
    if not compressed:
        data = zstandard.ZstdDecompressor().decompress(data)
    rng = np.random.default_rng(0)
    for position in rng.integers(0, len(data), 150):
        broken = bytearray(data)
        broken[position] ^= 1 << rng.integers(8)
        packed.write_bytes(broken)
        with pytest.raises(PackingError, match="model.slm"):
            load_model(packed)


def test_trailing_bytes_are_refused(packed):
    packed.write_bytes(packed.read_bytes() + b"more")
    with pytest.raises(PackingError):
        load_model(packed)


def test_a_path_that_is_no_file_is_named(tmp_path):
    with pytest.raises(PackingError, match="nowhere.slm"):
        load_model(tmp_path / "nowhere.slm")
    with pytest.raises(PackingError):
        load_model(tmp_path)
    with pytest.raises(PackingError, match="cannot write"):
        save_model(_neural(), tmp_path / "no such folder" / "m.slm")


def _hostile(path, arrays, **changes):
    metadata = {
        "format": "small-language-model",
        "version": 1,
        "layout": {n: ["raw", list(a.shape)] for n, a in arrays.items()},
    } | changes
    text = json.dumps(metadata)
    path.write_bytes(save_safetensors(arrays, {"": text, "crc32": packing._checksum(text, arrays)}))
    return path


def _peak_of_refusal(path, match):
    tracemalloc.start()
    try:
        with pytest.raises(PackingError, match=match):
            load_model(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_compression_bomb_is_refused_before_it_unpacks(tmp_path):
    path = tmp_path / "bomb.slm"
    path.write_bytes(zstandard.ZstdCompressor(level=3).compress(bytes(300_000_000)))
    assert _peak_of_refusal(path, "refused") < 5e6


def test_a_shape_far_larger_than_its_bytes_is_refused(tmp_path):
    arrays = {
        "thresholds": np.zeros(2, np.float32),
        "w|mask": np.zeros(8, np.uint8),
        "w": np.zeros(0, np.float16),
    }
    path = _hostile(tmp_path / "m", arrays, layout={"w": ["sparse", [100_000, 100_000]]})
    assert _peak_of_refusal(path, "too large for 8 stored bytes") < 5e6


def test_a_configuration_that_lies_about_sizes_costs_no_memory(packed, tmp_path):
    load_model(packed)  # the first load imports modules, which is memory of another kind
    arrays = {
        "thresholds": np.zeros(2, np.float32),
        "vocabulary": np.frombuffer(b"a\nb", np.uint8),
        "network.embedding.weight": np.zeros((4, 2), np.float32),
    }
    lie = {
        "kind": "NeuralClassifier",
        "taxonomy": "ekman",
        "labels": list(NAMES),
        "tokenizer": "Vocabulary",
        "network": "GRUNetwork",
        "length": 27,
        "config": {"vocabulary_size": 4, "dim": 1 << 20, "units": 1 << 15, "labels": 2},
    }
    assert _peak_of_refusal(_hostile(tmp_path / "m", arrays, **lie), "do not make a model") < 5e6
    deep = lie | {"config": lie["config"] | {"layers": 10**6}}
    assert _peak_of_refusal(_hostile(tmp_path / "m", arrays, **deep), "layers are more than") < 5e6


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"version": 2}, "format version 2"),
        ({"format": "other"}, "not a model file"),
        ({"layout": []}, "not a model file"),
        ({"layout": {"thresholds": ["pickle", [2]]}}, "cannot be decoded"),
        ({"layout": {"thresholds": ["raw", [-2]]}}, "cannot be decoded"),
        ({"kind": "Popen", "taxonomy": "ekman", "labels": ["a", "b"]}, "cannot load"),
        ({"kind": "SparseLinear", "taxonomy": "moods", "labels": ["a", "b"]}, "unknown taxonomy"),
        ({"kind": "SparseLinear", "taxonomy": "ekman", "labels": 7}, "labels are not names"),
    ],
)
def test_hostile_headers_are_refused_in_words(tmp_path, changes, message):
    path = _hostile(tmp_path / "m", {"thresholds": np.zeros(2, np.float32)}, **changes)
    with pytest.raises(PackingError, match=message):
        load_model(path)


def test_a_safetensors_header_that_claims_gigabytes_is_refused(tmp_path):
    (tmp_path / "m").write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    assert _peak_of_refusal(tmp_path / "m", "not a model file") < 5e6


def test_a_failed_write_leaves_the_old_file(packed, monkeypatch):
    import pathlib

    before = packed.read_bytes()

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pathlib.Path, "write_bytes", full)
    with pytest.raises(PackingError, match="No space left"):
        save_model(_neural(), packed)
    monkeypatch.undo()
    assert packed.read_bytes() == before
    assert [p.name for p in packed.parent.iterdir()] == [packed.name]


def test_highly_compressible_tensors_survive_their_own_bomb_check(tmp_path):
    write_file(tmp_path / "f", {"x": np.zeros((3000, 300), np.float32)}, {})
    assert read_file(tmp_path / "f")[0]["x"].shape == (3000, 300)


def test_word_vectors_come_back(tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    write_word_vectors(tmp_path / "v", ["a", "b'c", "☕"], values)
    words, back = read_word_vectors(tmp_path / "v")
    assert words == ["a", "b'c", "☕"]
    np.testing.assert_allclose(back, values, atol=0.02)
    save_model(_neural(), tmp_path / "m")
    with pytest.raises(PackingError, match="no word vectors"):
        read_word_vectors(tmp_path / "m")
