"""Files of version 1: all that were ever shipped, and what a reader of them refuses."""

import json
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import zstandard
from safetensors.numpy import save

import utils
from utils.codecs import CODECS, Sparse, encode, pack_words
from utils.data import label_names
from utils.embeddings import read_word_vectors
from utils.packing import PackingError, load_model, read_file, version1
from utils.quantization import (
    AdditiveQuantizer,
    AffineQuantizer,
    KMeansQuantizer,
    LocalSearchQuantizer,
    OptimizedProductQuantizer,
    PercentileQuantizer,
    ProductQuantizer,
    VectorQuantizer,
)

MODELS = Path(utils.__file__).parents[1] / "course" / "models"
OPTIONS = {"n_iter": 1, "random_state": 0}
CHOSEN = [
    "raw",
    "float16",
    "int8",
    "sparse",
    AffineQuantizer(5),
    AffineQuantizer(3, symmetric=False, granularity="channel", entropy_coding=True),
    PercentileQuantizer(4),
    KMeansQuantizer(3, entropy_coding=True),
    VectorQuantizer(9, **OPTIONS),
    ProductQuantizer(3, 8, **OPTIONS),
    OptimizedProductQuantizer(3, 8, **OPTIONS),
    AdditiveQuantizer(2, 8, **OPTIONS),
    LocalSearchQuantizer(2, 8, **OPTIONS),
    Sparse(KMeansQuantizer(2)),
    Sparse(AffineQuantizer(4, symmetric=False)),
]


def _write(path, arrays, layout, version=1, **header):
    header = {"format": "small-language-model", "version": version, "layout": layout} | header
    text = json.dumps(header)
    crc = version1.checksum(text, arrays)
    path.write_bytes(save(arrays, {"": text, "crc32": crc}))
    return path


def _as_version1(name, config, parts, shape):
    """Stored arrays and layout entry of a tensor "x", as version 1 named and described them."""
    if name == "sparse":
        (inner, inner_config), (mask, *values) = config, parts
        arrays, entry = _as_version1(inner, inner_config, values, [None])
        entry[1] = [int(np.unpackbits(mask).sum())]
        return arrays | {"x|mask": mask}, [name, shape, *([] if inner == "float16" else [entry])]
    kind = CODECS[name]
    if not hasattr(kind, "decode_params"):
        names = {"int8": ["", "scale"], "words": ["", "shared"]}.get(name, [""])
        entry = [name, shape]
    else:
        names = ["", *kind.decode_arrays]
        entry = [name, shape, dict(zip(kind.decode_params, config, strict=True))]
    keys = [f"x|{part}" if part else "x" for part in names]
    return dict(zip(keys, parts, strict=False)), entry


@pytest.mark.parametrize("chosen", CHOSEN, ids=str)
def test_every_codec_of_version_1_is_read(chosen, tmp_path):
    array = np.random.default_rng(0).laplace(size=(40, 6)).astype(np.float32)
    array[::3] = 0
    name, config, parts = encode(chosen, array)
    arrays, entry = _as_version1(name, config, parts, list(array.shape))
    path = _write(tmp_path / "f", arrays, {"x": entry}, kind="demo")
    tensors, header = read_file(path)
    expected = CODECS[name].decode(config, parts, array.shape)
    np.testing.assert_array_equal(tensors["x"], expected)
    assert header == {"kind": "demo"}


@pytest.mark.parametrize(
    ("name", "array"),
    [("words", pack_words(["a", "ab", "☕"])), ("gaps", np.array([3, 9, 700], np.int64))],
)
def test_lists_of_version_1_are_read(name, array, tmp_path):
    arrays, entry = _as_version1(*encode(name, array), list(array.shape))
    tensors, _ = read_file(_write(tmp_path / "f", arrays, {"x": entry}))
    np.testing.assert_array_equal(tensors["x"], array)


def test_the_options_of_version_1_have_names_and_no_order(tmp_path):
    name, config, parts = encode(KMeansQuantizer(2), np.arange(4.0))
    arrays, entry = _as_version1(name, config, parts, [4])
    entry[2] = dict(reversed(entry[2].items()))
    tensors, _ = read_file(_write(tmp_path / "f", arrays, {"x": entry}))
    assert tensors["x"].tolist() == [0, 1, 2, 3]


OLDER = {"model-1", "model-2", "model-2-quantized", "sparse-linear"}


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.slm")), ids=lambda path: path.stem)
def test_every_shipped_model_is_read_and_plain_zstandard_unpacks_it(path, unpack):
    model = load_model(path)
    assert model.label_names == label_names(model.taxonomy)
    assert model.predict_proba(["what a lovely day"]).shape == (1, len(model.label_names))
    data = unpack(path)  # no dictionary, nothing that the reader alone would have
    if path.stem in OLDER:
        (length,) = struct.unpack_from("<Q", data)
        assert json.loads(json.loads(data[8 : 8 + length])["__metadata__"][""])["version"] == 1
    else:
        assert data[:4] == b"SLM\x02"


def test_word_vectors_and_teachers_are_read(unpack):
    assets = Path(utils.__file__).parent / "assets"
    words, values = read_word_vectors(assets / "word_vectors.bin")
    assert len(words) == len(values) and values.dtype == np.float32
    teachers = sorted((assets / "teachers").glob("*.bin"))
    assert teachers
    for path in [*teachers, assets / "word_vectors.bin"]:
        tensors, header = read_file(path)
        assert header["kind"] in ("TeacherLogits", "WordVectors") and tensors
        unpack(path)


def test_a_file_compressed_with_a_dictionary_is_refused_in_words(tmp_path):
    arrays, entry = _as_version1(*encode("raw", np.arange(3, dtype=np.uint8)), [3])
    path = _write(tmp_path / "f", arrays, {"x": entry})
    data = path.read_bytes()
    for kind in (zstandard.DICT_TYPE_RAWCONTENT, zstandard.DICT_TYPE_AUTO):
        words = zstandard.ZstdCompressionDict(data, dict_type=kind)
        path.write_bytes(zstandard.ZstdCompressor(dict_data=words).compress(data))
        with pytest.raises(PackingError, match="compressed with a dictionary: save such a model"):
            read_file(path)


def test_another_version_is_refused(tmp_path):
    arrays, entry = _as_version1(*encode("raw", np.arange(3, dtype=np.uint8)), [3])
    with pytest.raises(PackingError, match="version 7"):
        read_file(_write(tmp_path / "f", arrays, {"x": entry}, version=7))


SEVEN = {"x": np.zeros(7, np.uint8)}


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ([], "not a model file"),
        ({"x": []}, "not a model file"),
        ({"x": ["KMeansQuantizer", [7], {"bits": 2}]}, "has the options bits, entropy_coding"),
        ({"x": ["NoSuchQuantizer", [7], {}]}, "not a model file"),
        ({"x": ["raw", [7], {"bits": 2}]}, "not a model file"),
        ({"x": ["sparse", [7], ["sparse", [7]]]}, "non-zeros are no list"),
        ({"x": ["sparse", [7], ["KMeansQuantizer", [-1, 2], {}]]}, "not a model file"),
        ({"x": ["sparse", [7], 8]}, "not a model file"),
        ({"x": ["pickle", [7]]}, "cannot be decoded"),
        ({"x": ["raw", [-7]]}, "cannot be decoded"),
        ({"x": ["raw", 7]}, "cannot be decoded"),
        ({"x": ["raw", [8]]}, "cannot be decoded"),
        ({"y": ["raw", [7]]}, "cannot be decoded"),
        ({"x": ["float16", [7]]}, "cannot be decoded"),
    ],
)
def test_a_layout_that_makes_no_sense_is_refused(layout, message, tmp_path):
    with pytest.raises(PackingError, match=message):
        read_file(_write(tmp_path / "f", SEVEN, layout))


def test_a_shape_far_larger_than_its_bytes_costs_no_memory(tmp_path):
    arrays = {"w|mask": np.zeros(8, np.uint8), "w": np.zeros(0, np.float16)}
    path = _write(tmp_path / "m", arrays, {"w": ["sparse", [100_000, 100_000]]})
    tracemalloc.start()
    with pytest.raises(PackingError, match="too large for 8 stored bytes"):
        read_file(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6
