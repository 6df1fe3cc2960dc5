import fnmatch
import json
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save as save_safetensors
from sklearn.base import clone

from utils import packing
from utils.data import Vocabulary
from utils.models import GRUNetwork, MeanVectorNetwork, NeuralClassifier, SparseLinear
from utils.packing import (
    CODECS,
    QUANTIZERS,
    PackingError,
    Sparse,
    codec,
    load_model,
    read_file,
    save_model,
    size_report,
    write_file,
)
from utils.quantization import (
    AdditiveQuantizer,
    AffineQuantizer,
    IntegerGRU,
    KMeansQuantizer,
    LocalSearchQuantizer,
    OptimizedProductQuantizer,
    PercentileQuantizer,
    ProductQuantizer,
    VectorQuantizer,
    quantize_network,
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


READINGS = [{"letters": 3}, {"pairs": True}, {"buckets": 4096}]


@pytest.mark.parametrize("options", [*READINGS, READINGS[0] | READINGS[1] | READINGS[2]])
def test_how_a_model_reads_travels_in_the_file(options, tmp_path):
    model = SparseLinear("ekman", NAMES, C=5.0, **options).fit(TEXTS, LABELS)
    save_model(model, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    assert loaded.words == model.words
    texts = [*TEXTS, "", "words it never saw", "☕"]
    np.testing.assert_allclose(loaded.predict_proba(texts), model.predict_proba(texts), atol=1e-6)


@pytest.mark.parametrize("options", READINGS)
@pytest.mark.parametrize("wrong", [0, -1, "3", 2.0, 1 << 32, None, [3]])
def test_a_model_that_cannot_read_is_refused(options, wrong, tmp_path):
    (key,) = options
    save_model(SparseLinear("ekman", NAMES, C=5.0, **options).fit(TEXTS, LABELS), tmp_path / "m")
    tensors, header = read_file(tmp_path / "m")
    header = {k: v for k, v in header.items() if k not in ("layout", "format", "version")}
    write_file(tmp_path / "n", tensors, header | {key: wrong})
    with pytest.raises(PackingError, match=f"{key} cannot be"):
        load_model(tmp_path / "n")


def test_a_bucket_that_there_is_not_is_refused(tmp_path):
    model = SparseLinear("ekman", NAMES, C=5.0, buckets=4096).fit(TEXTS, LABELS)
    model.buckets = int(model.words[-1])
    save_model(model, tmp_path / "m")
    with pytest.raises(PackingError, match="no such bucket"):
        load_model(tmp_path / "m")


@pytest.mark.parametrize(
    ("numbers", "stored"),
    [([], []), ([0], [0]), ([0, 1, 2], [0, 0, 0]), ([254, 255, 511], [254, 0, 255, 0]),
     ([255], [255, 0]), ([1000], [255, 255, 255, 235])],
)  # fmt: skip
def test_gaps_by_hand(numbers, stored):
    parts = packing.Gaps().encode(np.array(numbers, np.int64))
    assert parts[""].tolist() == stored
    assert packing.Gaps().decode(parts, (len(numbers),)).tolist() == numbers


@settings(deadline=None)
@given(st.sets(st.integers(0, 100_000)))
def test_rising_numbers_come_back_from_their_gaps(numbers):
    array = np.array(sorted(numbers), np.int64)
    parts = packing.Gaps().encode(array)
    assert parts[""].nbytes <= len(array) + max(numbers, default=0) // 255
    np.testing.assert_array_equal(packing.Gaps().decode(parts, array.shape), array)


@pytest.mark.parametrize(
    "array",
    [np.array([2, 1]), np.array([1, 1]), np.array([-1]), np.array([0.5]), np.ones((2, 2), int)],
)
def test_gaps_want_rising_whole_numbers(array, tmp_path):
    with pytest.raises(PackingError, match="cannot be stored as gaps"):
        write_file(tmp_path / "m", {"a": array}, {}, {"a": "gaps"})


@pytest.mark.parametrize(("stored", "shape"), [([255], (0,)), ([1, 255], (1,)), ([1, 2], (3,))])
def test_damaged_gaps_are_noticed(stored, shape):
    with pytest.raises(ValueError, match="cut off|do not fit"):
        packing.Gaps().decode({"": np.array(stored, np.uint8)}, shape)


def test_a_tiny_file_does_without_the_usual_words_of_a_header(tmp_path):
    model = SparseLinear("ekman", NAMES, C=5.0, buckets=4096).fit(TEXTS, LABELS)
    size = save_model(model, tmp_path / "m")
    plain = zstandard.ZstdCompressor(level=19).compress(_unpacked(tmp_path / "m"))
    assert size < packing.TINY_FILE and size < len(plain) - 200
    # One that was written without them, as all once were, is read alike.
    (tmp_path / "old").write_bytes(plain)
    assert load_model(tmp_path / "old").words == model.words


def test_a_longer_file_is_plain_zstandard(packed):
    data = packed.read_bytes()
    assert len(data) >= packing.TINY_FILE and data[:4] == b"\x28\xb5\x2f\xfd"
    assert zstandard.ZstdDecompressor().decompress(data) == _unpacked(packed)


def _unpacked(path):
    return packing._decompress(path.read_bytes(), path)


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


def test_the_same_model_makes_the_same_file(tmp_path):
    for number in range(8):
        save_model(_sparse(), tmp_path / str(number), {"network.coef": "sparse"})
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


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


# --- quantizers as codecs -------------------------------------------------------------------------

SCALAR = [
    *[AffineQuantizer(bits) for bits in (2, 5, 8, 12)],
    AffineQuantizer(4, symmetric=False),
    AffineQuantizer(6, granularity="channel"),
    AffineQuantizer(3, symmetric=False, granularity="channel", axis=1, calibration="mse"),
    AffineQuantizer(7, entropy_coding=True),
    AffineQuantizer(4, symmetric=False, granularity="channel", entropy_coding=True),
    PercentileQuantizer(4),
    PercentileQuantizer(3, entropy_coding=True),
    *[KMeansQuantizer(bits) for bits in (1, 4, 9)],
    KMeansQuantizer(4, entropy_coding=True),
]
VECTOR = [
    VectorQuantizer(50, random_state=0),
    ProductQuantizer(5, 20, random_state=0),
    OptimizedProductQuantizer(3, 16, n_iter=2, random_state=0),
    AdditiveQuantizer(2, 8, n_iter=2, random_state=0),
    LocalSearchQuantizer(3, 16, n_iter=2, random_state=0),
]
each_quantizer = pytest.mark.parametrize("quantizer", [*SCALAR, *VECTOR], ids=str)


def _matrix(shape=(600, 20)):
    return np.random.default_rng(0).laplace(size=shape).astype(np.float32)


@each_quantizer
def test_a_quantizer_is_a_codec(quantizer, tmp_path):
    array = _matrix()
    fitted = clone(quantizer).fit(array)
    codes = fitted.transform(array)
    size = write_file(tmp_path / "f", {"x": array}, {}, {"x": quantizer})
    back = read_file(tmp_path / "f")[0]["x"]
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, fitted.inverse_transform(codes))
    assert size <= fitted.nbytes(codes) + 700  # names, shapes and options
    assert not hasattr(quantizer, quantizer._decode_arrays[0])  # the caller's stays unfitted


def test_every_quantizer_of_the_package_is_tested_here():
    assert {type(quantizer).__name__ for quantizer in [*SCALAR, *VECTOR]} == set(QUANTIZERS)


def test_codes_are_packed_to_the_bit(tmp_path):
    array = np.random.default_rng(0).uniform(-1, 1, size=(3001, 7)).astype(np.float32)
    for bits in (2, 3, 4, 6):
        write_file(tmp_path / "f", {"x": array}, {}, {"x": PercentileQuantizer(bits)})
        stored, _ = packing._read_stored(tmp_path / "f")
        assert stored["x"].nbytes == -(-array.size * bits // 8)


def test_a_fitted_quantizer_is_used_as_it_is(tmp_path):
    grid = KMeansQuantizer(1).fit(np.array([-1.0, 1.0]))
    write_file(tmp_path / "f", {"x": _matrix((5, 3))}, {}, {"x": grid})
    assert set(read_file(tmp_path / "f")[0]["x"].ravel().tolist()) == {-1.0, 1.0}


def test_each_tensor_gets_a_copy_of_an_unfitted_quantizer(tmp_path):
    tensors = {"a": np.array([0.0, 1.0], np.float32), "b": np.array([[5.0], [9.0]], np.float32)}
    write_file(tmp_path / "f", tensors, {}, {"*": KMeansQuantizer(1)})
    for name, array in read_file(tmp_path / "f")[0].items():
        np.testing.assert_array_equal(array, tensors[name])


def test_what_a_quantizer_cannot_hold_is_refused_in_words(tmp_path):
    for array, quantizer, message in (
        (_matrix((8,)), ProductQuantizer(2, 4), "x cannot be stored as ProductQuantizer"),
        (np.array([[np.nan]], np.float32), AffineQuantizer(8), "NaN"),
        (np.zeros((0, 3), np.float32), KMeansQuantizer(2), "x cannot be stored as"),
        (np.zeros((900, 900), np.float32), KMeansQuantizer(4, entropy_coding=True), "64 times"),
        (_matrix((20_000, 100)), VectorQuantizer(2, n_iter=1), "64 times"),
    ):
        with pytest.raises(PackingError, match=message):
            write_file(tmp_path / "f", {"x": array}, {}, {"x": quantizer})
    assert list(tmp_path.iterdir()) == []


def _stored(quantizer, tmp_path):
    """Parts and layout entry of a matrix that a quantizer holds."""
    write_file(tmp_path / "f", {"x": _matrix((40, 6))}, {}, {"x": quantizer})
    stored, metadata = packing._read_stored(tmp_path / "f")
    return {name: array.copy() for name, array in stored.items()}, metadata["layout"]["x"]


@pytest.mark.parametrize(
    "quantizer",
    [
        *SCALAR[-6:],
        ProductQuantizer(3, 16),
        OptimizedProductQuantizer(3, 16, n_iter=1),
        LocalSearchQuantizer(2, 4, n_iter=1),
        Sparse(KMeansQuantizer(3)),
        Sparse(AffineQuantizer(4, entropy_coding=True)),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(quantizer, tmp_path):
    good, entry = _stored(quantizer, tmp_path)
    read_file(_hostile(tmp_path / "m", good, layout={"x": entry}))

    def refused(parts, entry):
        with pytest.raises(PackingError, match="cannot be decoded"):
            read_file(_hostile(tmp_path / "m", parts, layout={"x": entry}))

    for name in good:
        refused({other: array for other, array in good.items() if other != name}, entry)
        if len(good[name]) > 1:
            refused(good | {name: good[name][:-1]}, entry)
        refused(good | {name: good[name].reshape(-1)[:0]}, entry)
        refused(good | {name: good[name].astype(np.float64)}, entry)
    refused(good, [entry[0], [40, 7], *entry[2:]])
    refused(good, [entry[0], [-40, 6], *entry[2:]])
    refused(good, [entry[0], [1 << 40, 1 << 40], *entry[2:]])
    refused(good, ["NoSuchQuantizer", *entry[1:]])
    refused(good, ["Quantizer", *entry[1:]])
    options = entry[2] if isinstance(entry[2], dict) else entry[2][2]
    for name, value in options.items():
        for wrong in (None, "x", [], -1, 1 << 40):
            if type(value) is not bool and name != "axis":  # of these, any truth value will do
                changed = options | {name: wrong}
                changed = changed if isinstance(entry[2], dict) else [*entry[2][:2], changed]
                refused(good, [*entry[:2], changed])


def test_a_lying_quantizer_costs_no_memory(tmp_path):
    few = {"x": np.zeros(8, np.uint8), "x|codebook_": np.zeros((2, 1000), np.float32)}
    rows = ["VectorQuantizer", [100_000_000, 1000], {"n_codes": 2}]
    assert _peak_of_refusal(_hostile(tmp_path / "m", few, layout={"x": rows}), "too large") < 5e6
    stream = {"x": np.zeros(2048, np.uint8), "x|codebook_": np.zeros(2, np.float32)}
    entropy = ["KMeansQuantizer", [30_000], {"bits": 12, "entropy_coding": True}]
    assert (
        _peak_of_refusal(_hostile(tmp_path / "m", stream, layout={"x": entropy}), "decoded") < 5e6
    )
    words = {"x": np.frombuffer(b"\n" * 999, np.uint8), "x|shared": np.full(1000, 255, np.uint8)}
    text = ["words", [1000 * 255 + 999 - 1]]
    path = _hostile(tmp_path / "m", words, layout={"x": text})
    assert _peak_of_refusal(path, "too large|do not fit") < 5e6


def test_nested_sparse_tensors_are_refused(tmp_path):
    good, entry = _stored(Sparse(KMeansQuantizer(2)), tmp_path)
    for _ in range(50):
        entry = ["sparse", [40, 6], entry]
    with pytest.raises(PackingError, match="cannot be decoded"):
        read_file(_hostile(tmp_path / "m", good, layout={"x": entry}))


@pytest.mark.parametrize("quantizer", [KMeansQuantizer(4), AffineQuantizer(8, entropy_coding=True)])
def test_sparse_keeps_zeros_and_quantizes_the_rest(quantizer, tmp_path):
    array = _matrix((200, 7))
    array[array < 0.5] = 0
    values = array[array != 0]
    size = write_file(tmp_path / "f", {"x": array}, {}, {"x": Sparse(quantizer)})
    back = read_file(tmp_path / "f")[0]["x"]
    fitted = clone(quantizer).fit(values)
    codes = fitted.transform(values)
    np.testing.assert_array_equal(back[array != 0], fitted.inverse_transform(codes))
    assert not back[array == 0].any()
    assert size <= array.size / 8 + fitted.nbytes(codes) + 700


@pytest.mark.parametrize("words", [[], ["a"], ["a", "ab", "abc", "b"], ["é", "è", "☕", "z" * 600]])
def test_front_coded_words_come_back(words, tmp_path):
    array = packing._pack_words(words)
    write_file(tmp_path / "f", {"x": array}, {}, {"x": "words"})
    assert packing._unpack_words(read_file(tmp_path / "f")[0]["x"]) == words


def test_front_coding_makes_alphabetical_words_smaller(tmp_path):
    array = packing._pack_words([f"word{n:04}" for n in range(2000)])
    parts = CODECS["words"].encode(array)
    assert sum(part.nbytes for part in parts.values()) < array.nbytes / 2


# --- quantized models -----------------------------------------------------------------------------

QUANTIZED = [
    {"network.*weight*": KMeansQuantizer(4), "network.*": "float16", "vocabulary": "words"},
    {"network.embedding.weight": ProductQuantizer(3, 8, random_state=0), "*": "float16"},
    {"network.embedding.weight": OptimizedProductQuantizer(2, 8, n_iter=2, random_state=0)},
]


@pytest.mark.parametrize("codecs", QUANTIZED, ids=str)
@pytest.mark.parametrize("kind", [GRUNetwork, MeanVectorNetwork])
def test_a_quantized_model_predicts_from_its_file_what_it_did_before(kind, codecs, tmp_path):
    model = _neural(kind)
    save_model(model, tmp_path / "first", codecs)
    with torch.no_grad():  # what the quantizers make of the weights, without any file
        for name, tensor in model.network.named_parameters():
            chosen = next(
                (c for pattern, c in codecs.items() if fnmatch.fnmatch(f"network.{name}", pattern)),
                None,
            )
            if chosen == "float16":
                tensor.copy_(tensor.half().float())
            elif chosen is not None:
                quantizer = clone(chosen).fit(tensor)
                tensor.copy_(quantizer.inverse_transform(quantizer.transform(tensor)))
    loaded = load_model(tmp_path / "first")
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), model.predict_proba(TEXTS))
    save_model(loaded, tmp_path / "second")
    again = load_model(tmp_path / "second")
    np.testing.assert_array_equal(again.predict_proba(TEXTS), loaded.predict_proba(TEXTS))


@pytest.mark.parametrize("static", [False, True], ids=["dynamic", "static"])
@pytest.mark.parametrize("granularity", ["channel", "tensor"])
@pytest.mark.parametrize(
    "kind",
    [MeanVectorNetwork, GRUNetwork, lambda *a: GRUNetwork(*a, layers=2, bidirectional=False)],
    ids=["mean vectors", "GRU", "two layers"],
)
def test_an_integer_network_computes_the_same_after_loading(kind, granularity, static, tmp_path):
    model = _neural(kind)
    sample = torch.from_numpy(model.tokenizer.encode(TEXTS)) if static else None
    model.network = quantize_network(
        model.network, sample=sample, embedding_granularity=granularity
    )
    before = model.predict_proba(TEXTS)
    save_model(model, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), before)
    assert loaded.network.embedding.weight.dtype == torch.int8
    assert loaded.network.embedding.granularity == granularity
    if kind is GRUNetwork:
        assert isinstance(loaded.network.gru, IntegerGRU)
    np.testing.assert_array_equal(_resaved(loaded, tmp_path).predict_proba(TEXTS), before)


def _resaved(model, tmp_path):
    save_model(model, tmp_path / "again")
    return load_model(tmp_path / "again")


@pytest.mark.parametrize(
    "layers",
    [
        {"nowhere": {"bits": 8}},
        {"": {"bits": 8}},
        {"dropout": {"bits": 8}},
        {"gru": {"bits": 99}},
        {"gru": {"bits": "8"}},
        {"gru": {"bytes": 1}},
        {"gru": 8},
        {"embedding": {"granularity": "channel"}},
        ["gru"],
    ],
    ids=str,
)
def test_layers_that_do_not_exist_are_refused(layers, tmp_path):
    model = _neural()
    model.network.gru = IntegerGRU(model.network.gru)
    save_model(model, tmp_path / "m")
    stored, metadata = packing._read_stored(tmp_path / "m")
    arrays = {name: array.copy() for name, array in stored.items()}
    with pytest.raises(PackingError, match="do not make a model"):
        load_model(_hostile(tmp_path / "h", arrays, **(metadata | {"integer_layers": layers})))


def test_integers_in_place_of_numbers_are_refused(tmp_path):
    model = _neural()
    model.network = quantize_network(model.network)
    save_model(model, tmp_path / "m", {"network.*": "float16"})
    with pytest.raises(PackingError, match="weights do not fit the configuration"):
        load_model(tmp_path / "m")


@pytest.mark.parametrize("name", ["sparse-linear.slm", "model-2-quantized.slm"])
def test_a_shipped_model_saved_again_predicts_exactly_the_same(name, tmp_path):
    model = load_model(Path(__file__).parents[2] / "course" / "models" / name)
    save_model(model, tmp_path / "m")
    again = load_model(tmp_path / "m")
    np.testing.assert_array_equal(again.predict_proba(TEXTS), model.predict_proba(TEXTS))
    np.testing.assert_array_equal(again.thresholds, model.thresholds)
