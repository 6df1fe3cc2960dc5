import pathlib
import zlib

import numpy as np
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from utils.packing import PackingError, Sparse, load_model, read_file, save_model, write_file
from utils.quantization import (
    AffineQuantizer,
    KMeansQuantizer,
    PercentileQuantizer,
    ProductQuantizer,
    VectorQuantizer,
)


def _matrix(shape=(600, 20)):
    return np.random.default_rng(0).laplace(size=shape).astype(np.float32)


def test_a_file_by_hand(tmp_path):
    x = np.array([[1, 2]], np.int16)
    size = write_file(tmp_path / "f", {"x": x}, {"kind": "demo"})
    data = b'SLM\x02[{"kind":"demo"},["raw",[],["i2"],[1,2],"x"]]\n\x01\x00\x02\x00'
    assert (tmp_path / "f").read_bytes() == data + zlib.crc32(data).to_bytes(4, "little")
    assert size == len(data) + 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tensors=st.dictionaries(
        st.text(max_size=9),
        arrays.arrays(
            st.sampled_from(["<f2", "<f4", ">f4", "<f8", "b1", "i1", "<i4", ">i8", "u1", "<u2"]),
            arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
        ),
        max_size=4,
    ),
    header=st.dictionaries(
        st.text(max_size=9), st.none() | st.booleans() | st.integers() | st.text(max_size=9)
    ),
)
def test_arrays_and_header_come_back(tensors, header, tmp_path):
    header["kind"] = "anything"
    write_file(tmp_path / "f", tensors, header)
    back, said = read_file(tmp_path / "f")
    assert said == header and list(back) == list(tensors)
    for name, array in tensors.items():
        assert back[name].dtype == array.dtype.newbyteorder("<")
        np.testing.assert_array_equal(back[name], array)


def test_the_same_model_makes_the_same_file(linear, tmp_path):
    for number in range(8):
        save_model(linear(), tmp_path / str(number), {"network.coef": "sparse"})
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_longer_parts_are_compressed_by_themselves(tmp_path):
    """Letters beside noise cost as many bytes as each of them alone."""
    rng = np.random.default_rng(0)
    noise, letters = (rng.integers(0, n, 5000).astype(np.uint8) for n in (256, 3))
    both = write_file(tmp_path / "f", {"a": noise, "b": letters}, {})
    alone = [write_file(tmp_path / "f", {"a": part}, {}) for part in (noise, letters)]
    assert both < sum(alone)


# --- refused on writing ---------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["y", "x.*", "X", ""])
def test_a_pattern_that_fits_no_tensor_is_refused(pattern, tmp_path):
    tensors = {"x": np.eye(2), "network.z": np.eye(2)}
    with pytest.raises(PackingError, match="fits the pattern '.*'; there are x, network.z") as info:
        write_file(tmp_path / "f", tensors, {}, {"x": "float16", pattern: "float16"})
    assert repr(pattern) in str(info.value)
    assert list(tmp_path.iterdir()) == []


def test_a_pattern_that_fits_no_tensor_of_a_model_is_refused(neural, tmp_path):
    with pytest.raises(PackingError, match="network.embeddings.*network.embedding.weight"):
        save_model(neural(), tmp_path / "m", {"network.embeddings.*": "int8", "*": "float16"})


def test_the_first_pattern_that_fits_wins(tmp_path):
    tensors = {"a": np.full(3, 0.1), "b": np.full(3, 0.1)}
    write_file(tmp_path / "f", tensors, {}, {"a": "raw", "*": "float16"})
    back, _ = read_file(tmp_path / "f")
    assert (back["a"] == 0.1).all() and (back["b"] == np.float16(0.1)).all()


def test_what_a_quantizer_cannot_hold_is_refused_in_words(tmp_path):
    for array, quantizer, message in (
        (_matrix((8,)), ProductQuantizer(2, 4), "x cannot be stored as ProductQuantizer"),
        (np.array([[np.nan]], np.float32), AffineQuantizer(8), "NaN"),
        (np.zeros((0, 3), np.float32), KMeansQuantizer(2), "x cannot be stored as"),
        (np.zeros((900, 900), np.float32), KMeansQuantizer(4, entropy_coding=True), "64 times"),
        (_matrix((20_000, 100)), VectorQuantizer(2, n_iter=1), "64 times"),
        (np.full((2, 2), 1e30, np.float32), "int8", "too large"),
        (np.array(["a"]), "raw", "numbers of the type <U1"),
        (np.array([1j]), "raw", "numbers of the type complex128"),
    ):
        with pytest.raises(PackingError, match=message) as info:
            write_file(tmp_path / "f", {"x": array}, {}, {"x": quantizer})
        assert "\n" not in str(info.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("header", [{"a": {1, 2}}, {"a": np.arange(3)}, {"a": "long " * 250_000}])
def test_a_header_that_reading_would_refuse_is_not_written(header, tmp_path):
    with pytest.raises(PackingError, match="f cannot be written"):
        write_file(tmp_path / "f", {"x": np.eye(2)}, header)


def test_a_failed_write_leaves_the_old_file(packed, neural, monkeypatch):
    before = packed.read_bytes()

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pathlib.Path, "write_bytes", full)
    with pytest.raises(PackingError, match="No space left"):
        save_model(neural(), packed)
    monkeypatch.undo()
    assert packed.read_bytes() == before
    assert [p.name for p in packed.parent.iterdir()] == [packed.name]


def test_a_path_that_is_no_file_is_named(tmp_path, neural):
    with pytest.raises(PackingError, match="nowhere.slm"):
        load_model(tmp_path / "nowhere.slm")
    with pytest.raises(PackingError):
        load_model(tmp_path)
    with pytest.raises(PackingError, match="cannot write"):
        save_model(neural(), tmp_path / "no such folder" / "m.slm")


# --- damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [0, 1, 3, 4, 8, 20, 200, -1])
@pytest.mark.parametrize("compressed", [True, False])
def test_every_truncation_is_one_clear_error(packed, unpack, keep, compressed):
    data = packed.read_bytes() if compressed else unpack(packed)
    packed.write_bytes(data[:keep])
    with pytest.raises(PackingError, match="truncated or damaged"):
        load_model(packed)


@pytest.mark.parametrize("compressed", [True, False])
def test_every_flipped_bit_is_noticed(packed, unpack, compressed):
    data = packed.read_bytes() if compressed else unpack(packed)
    rng = np.random.default_rng(0)
    for position in [*range(12), *rng.integers(0, len(data), 150)]:
        broken = bytearray(data)
        broken[position] ^= 1 << rng.integers(8)
        packed.write_bytes(broken)
        with pytest.raises(PackingError, match="model.slm"):
            load_model(packed)


def test_trailing_bytes_are_refused(packed):
    packed.write_bytes(packed.read_bytes() + b"more")
    with pytest.raises(PackingError):
        load_model(packed)


def test_a_later_version_is_named(forge):
    with pytest.raises(PackingError, match="format version 3; this course reads 1 to 2"):
        read_file(forge([{}], magic=b"SLM\x03"))


def test_highly_compressible_tensors_survive_their_own_bomb_check(tmp_path):
    write_file(tmp_path / "f", {"x": np.zeros((3000, 300), np.float32)}, {})
    assert read_file(tmp_path / "f")[0]["x"].shape == (3000, 300)


def test_codes_are_packed_to_the_bit(tmp_path, dissect):
    array = np.random.default_rng(0).uniform(-1, 1, size=(3001, 7)).astype(np.float32)
    for bits in (2, 3, 4, 6):
        write_file(tmp_path / "f", {"x": array}, {}, {"x": PercentileQuantizer(bits)})
        (_, entry), _ = dissect(tmp_path / "f")
        codes = -(-array.size * bits // 8)
        assert entry[:3] == ["PercentileQuantizer", [bits, False], [codes, ["f4", 2**bits]]]


def test_each_tensor_gets_a_copy_of_an_unfitted_quantizer(tmp_path):
    tensors = {"a": np.array([0.0, 1.0], np.float32), "b": np.array([[5.0], [9.0]], np.float32)}
    write_file(tmp_path / "f", tensors, {}, {"*": KMeansQuantizer(1)})
    for name, array in read_file(tmp_path / "f")[0].items():
        np.testing.assert_array_equal(array, tensors[name])


def test_a_quantized_tensor_takes_its_codes_and_little_more(tmp_path):
    array = _matrix()
    array[array < 0.5] = 0
    values = array[array != 0]
    for quantizer in (KMeansQuantizer(4), AffineQuantizer(8, entropy_coding=True)):
        fitted = quantizer.fit(values)
        size = write_file(tmp_path / "f", {"x": array}, {}, {"x": Sparse(quantizer)})
        assert size <= array.size / 8 + fitted.nbytes(fitted.transform(values)) + 200


def test_zstandard_alone_unpacks_every_file(packed, tmp_path):
    data = packed.read_bytes()
    assert zstandard.get_frame_parameters(data).dict_id == 0
    assert zstandard.ZstdDecompressor().decompress(data)[:4] == b"SLM\x02"
