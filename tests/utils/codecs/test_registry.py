import json

import numpy as np
import pytest

from utils import quantization
from utils.codecs import CODECS, Float16, Sparse, codec, decode, encode
from utils.packing import PackingError, read_file, write_file
from utils.quantization import KMeansQuantizer, Quantizer


@pytest.fixture
def registered():
    """What is registered in a test is forgotten after it."""
    before = dict(CODECS)
    yield
    CODECS.clear()
    CODECS.update(before)


class Passing:
    """Stores the array and returns it as it came; a base for codecs with one mistake each."""

    def encode(self, array):
        return [], [array]

    @classmethod
    def decode(cls, config, parts, shape):
        return parts[0]


def test_a_new_codec_is_one_small_class(registered, tmp_path):
    @codec
    class Negated(Passing):
        name = "negated"

        def encode(self, array):
            return [-1], [-array]

        @classmethod
        def decode(cls, config, parts, shape):
            return config[0] * parts[0]

    write_file(tmp_path / "f", {"x": np.arange(6.0)}, {}, {"x": "negated"})
    assert read_file(tmp_path / "f")[0]["x"].tolist() == [0, 1, 2, 3, 4, 5]
    del CODECS["negated"]
    with pytest.raises(PackingError, match="'x' cannot be decoded .*no codec is called 'negated'"):
        read_file(tmp_path / "f")


def test_a_codec_without_a_name_is_called_as_its_class(registered):
    @codec
    class Doubled(Passing):
        pass

    assert CODECS["Doubled"] is Doubled and Doubled.name == "Doubled"

    @codec
    class Tripled(Doubled):  # the name of another class is not inherited
        pass

    assert CODECS["Tripled"] is Tripled and CODECS["Doubled"] is Doubled


def test_a_name_is_taken_once(registered):
    with pytest.raises(
        ValueError, match="utils.codecs.basic.Float16 is the codec 'float16' already"
    ):

        @codec
        class Half(Passing):
            name = "float16"

    assert CODECS["float16"] is Float16


def test_a_class_may_be_defined_anew(registered):
    for _ in range(2):  # as when a notebook's cell runs twice

        @codec
        class Again(Passing):
            pass

    assert CODECS["Again"] is Again


class Mine(KMeansQuantizer):
    """A student's own quantizer, which is not registered."""


class Halved(Float16):
    """A codec that inherits the name of another."""


@pytest.mark.parametrize(
    "unknown",
    [Mine(2), Halved(), Sparse(Mine(2)), Sparse(Halved()), Passing()],
    ids=lambda codec: type(codec).__name__,
)
def test_what_reading_would_not_know_is_not_written(unknown, tmp_path):
    with pytest.raises(PackingError, match="x cannot be stored .*reading would not know .*codec"):
        write_file(tmp_path / "f", {"x": np.eye(3)}, {}, {"x": unknown})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["nonsense", "Quantizer", "", "Raw"])
def test_a_name_that_nothing_has_is_refused(name):
    with pytest.raises(ValueError, match="no codec is called .*; there are .*float16"):
        encode(name, np.zeros(3))


@pytest.mark.parametrize("shape", [(), (0,), (6,), (2, 3), (1, 2, 3)])
def test_a_codec_that_loses_the_shape_is_refused_on_writing(registered, shape):
    @codec
    class Flat(Passing):
        def encode(self, array):
            return [], [np.append(array.ravel(), 0)]

    with pytest.raises(ValueError, match="and loses it"):
        encode(Flat(), np.zeros(shape))


def test_a_codec_that_loses_the_shape_is_refused_on_reading():
    for name, parts in (("raw", [np.zeros((3, 2))]), ("float16", [np.zeros(6, np.float16)])):
        with pytest.raises(ValueError, match="and loses it"):
            decode(name, [], parts, (2, 3))


def test_a_configuration_is_what_json_can_hold(registered):
    @codec
    class Odd(Passing):
        def encode(self, array):
            return [np.arange(3)], [array]

    with pytest.raises(ValueError, match="is not JSON"):
        encode(Odd(), np.zeros(3))


def test_decoding_sees_what_json_makes_of_a_configuration(registered):
    seen = []

    @codec
    class Pairs(Passing):
        def encode(self, array):
            return [(1, 2)], [array]

        @classmethod
        def decode(cls, config, parts, shape):
            seen.append(config)
            return parts[0]

    assert encode(Pairs(), np.zeros(3))[1] == [[1, 2]] == seen[0]


@pytest.mark.parametrize("shape", [(-1,), (2.0,), ("2",), (True,), (None,), (2, -3)])
def test_a_shape_is_whole_numbers(shape):
    with pytest.raises(ValueError, match="is no shape"):
        decode("raw", [], [np.zeros(2)], shape)


@pytest.mark.parametrize("shape", [(1 << 40, 1 << 40), (1000,), (1 << 62, 1 << 62, 0, 1)])
def test_no_more_than_a_multiple_of_the_stored_bytes_is_made(shape):
    with pytest.raises(ValueError, match="too large for 8 stored bytes|loses it"):
        decode("raw", [], [np.zeros(1)], shape)


class Escaping(KMeansQuantizer):
    """A quantizer with a mistake: its codes leave the codebook."""

    def _encode(self, X):
        return super()._encode(X) + np.uint8(1)


def test_codes_out_of_range_are_refused_on_writing(registered, tmp_path):
    codec(Escaping)
    with pytest.raises(PackingError, match=r"codes must lie in 0\.\.2, got 1\.\.3"):
        write_file(tmp_path / "f", {"x": np.arange(3.0)}, {}, {"x": Escaping(2)})
    assert list(tmp_path.iterdir()) == []


def test_codes_out_of_range_are_refused_on_reading():
    name, config, (packed, codebook) = encode(KMeansQuantizer(2), np.arange(4.0))
    with pytest.raises(ValueError, match=r"codes must lie in 0\.\.2, got 0\.\.3"):
        decode(name, config, [packed, codebook[:3]], (4,))


def test_every_quantizer_is_a_codec():
    exported = [getattr(quantization, name) for name in quantization.__all__]
    kinds = [kind for kind in exported if isinstance(kind, type) and issubclass(kind, Quantizer)]
    kinds.remove(Quantizer)
    assert kinds and all(CODECS[kind.__name__] is kind for kind in kinds)


def test_a_configuration_holds_plain_values():
    for bits in (3, np.int64(3)):
        _, config, _ = encode(KMeansQuantizer(bits), np.arange(9.0))
        assert json.dumps(config) == "[3, false]"
