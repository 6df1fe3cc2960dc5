"""Files that lie: each costs one sentence and no memory."""

import struct
import tracemalloc

import numpy as np
import pytest
import zstandard

from utils.codecs import pack_words
from utils.models import MeanVectorNetwork, NeuralClassifier, TransformerNetwork, WordPiece
from utils.packing import PackingError, Sparse, load_model, read_file, save_model, write_file
from utils.quantization import (
    AffineQuantizer,
    KMeansQuantizer,
    LocalSearchQuantizer,
    OptimizedProductQuantizer,
    PercentileQuantizer,
    ProductQuantizer,
)


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


def test_a_safetensors_header_that_claims_gigabytes_is_refused(tmp_path):
    (tmp_path / "m").write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    assert _peak_of_refusal(tmp_path / "m", "not a model file") < 5e6


# Codec, configuration, parts and shape, and what is stored: all of them lie about sizes.
LIES = [
    (["sparse", ["float16", []], [8, ["f2", 0]], [100_000, 100_000]], bytes(8), "too large for 8"),
    (["raw", [], [["f4", 1 << 40]], [1 << 40]], bytes(8), "parts are missing"),
    (["raw", [], [1 << 60], [1 << 60]], bytes(8), "parts are missing"),
    (["raw", [], [["f4", 1 << 40, 1 << 40, 0]], [0]], b"", "not a model file"),
    (["VectorQuantizer", [2], [8, ["f4", 2, 1000]], [100_000_000, 1000]], bytes(8008), "too large"),
    (["KMeansQuantizer", [12, True], [2048, ["f4", 2]], [30_000]], bytes(2056), "decoded"),
    (["words", [], [999, 1000], [255_998]], b"\n" * 999 + b"\xff" * 1000, "too large|do not fit"),
    (["int8", [], [["i1", 1000, 1], ["f2", 1000]], [1000, 1000]], bytes(3000), "too large|fit"),
]


@pytest.mark.parametrize(("entry", "stored", "message"), LIES)
def test_an_entry_that_lies_about_sizes_costs_no_memory(entry, stored, message, forge):
    assert _peak_of_refusal(forge([{}, [*entry, "x"]], stored), message) < 5e6


def test_a_header_without_end_is_refused(forge):
    for line in (b"[" * 100_000, b"[{}," + b"[" * 500_000, b" " * (1 << 20) + b"[{}]"):
        assert _peak_of_refusal(forge(line), "not a model file") < 2e7


GOOD = ["raw", [], [2], [2], "x"]


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (b"", b""),
        (b"{}", b""),
        (b"[]", b""),
        (b"7", b""),
        (b"[{}", b""),
        ([[]], b""),
        (["x"], b""),
        ([["Popen"]], b""),
        ([[["SparseLinear"]]], b""),
        ([None, GOOD], b"ab"),
        ([{}, GOOD], b""),
        ([{}, GOOD], b"a"),
        ([{}, GOOD], b"abc"),
        ([{}, GOOD, GOOD], b"abab"),
        ([{}, 7], b""),
        ([{}, []], b""),
        ([{}, ["raw", [], [2]]], b"ab"),
        ([{}, ["raw", [], [2], [2]]], b"ab"),
        ([{}, ["raw", [], [2], [2], 7]], b"ab"),
        ([{}, ["raw", [], [2], [2], "x", "y"]], b"ab"),
        ([{}, ["raw", [], 2, [2], "x"]], b"ab"),
        ([{}, ["raw", [], [-2], [2], "x"]], b"ab"),
        ([{}, ["raw", [], [2.0], [2], "x"]], b"ab"),
        ([{}, ["raw", [], [True], [1], "x"]], b"a"),
        ([{}, ["raw", [], [None], [2], "x"]], b"ab"),
        ([{}, ["raw", [], ["O"], [2], "x"]], b"ab"),
        ([{}, ["raw", [], ["f3"], [2], "x"]], b"ab"),
        ([{}, ["raw", [], [["u1", "2"]], [2], "x"]], b"ab"),
        ([{}, ["raw", [], [["u1", -1, -2]], [2], "x"]], b"ab"),
        ([{}, ["raw", [], ["u1"], 2, "x"]], b"ab"),
        ([{}, ["raw", [], [["u1", *[1] * 90]], [1] * 90, "x"]], b"a"),
        ([["SparseLinear"]], b""),
        ([["SparseLinear", "ekman"]], b""),
        ([["SparseLinear", "ekman", 0]], b""),
        ([["SparseLinear", "ekman", 0, 1, 2, True, ["a"], 9]], b""),
        ([["NeuralClassifier", "moods"]], b""),
    ],
)
def test_a_line_that_makes_no_sense_is_refused(line, parts, forge):
    with pytest.raises(PackingError, match="not a model file of this course"):
        read_file(forge(line, parts))


@pytest.mark.parametrize(
    ("entry", "parts"),
    [
        (["pickle", [], [2], [2]], b"ab"),
        ([["raw"], [], [2], [2]], b"ab"),
        ([None, [], [2], [2]], b"ab"),
        (["raw", [], [2], [-2]], b"ab"),
        (["raw", [], [2], [2.0]], b"ab"),
        (["raw", [], [2], "x"], b"ab"),
        (["raw", [], [2], 2], b"ab"),
        (["raw", [], [2], [3]], b"ab"),
        (["raw", [], [], [0]], b""),
        (["sparse", None, [1, 0], [1]], b"a"),
        (["sparse", ["sparse", []], [1, 0], [1]], b"a"),
        (["KMeansQuantizer", None, [1, ["f4", 1]], [1]], bytes(5)),
        (["KMeansQuantizer", [4], [1, ["f4", 1]], [1]], bytes(5)),
        (["KMeansQuantizer", [4, False, 1], [1, ["f4", 1]], [1]], bytes(5)),
        (["KMeansQuantizer", [4, False], [1], [1]], bytes(1)),
        (["KMeansQuantizer", [4, False], [1, ["f4", 1], 1], [1]], bytes(6)),
        (["Quantizer", [], [1], [1]], bytes(1)),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(entry, parts, forge):
    with pytest.raises(PackingError, match="tensor 'x' cannot be decoded"):
        read_file(forge([{}, [*entry, "x"]], parts))


@pytest.mark.parametrize(
    "quantizer",
    [
        AffineQuantizer(7, entropy_coding=True),
        AffineQuantizer(4, symmetric=False, granularity="channel", entropy_coding=True),
        AffineQuantizer(step=0.2, entropy_coding=True),
        PercentileQuantizer(3, entropy_coding=True),
        KMeansQuantizer(9),
        KMeansQuantizer(4, entropy_coding=True),
        ProductQuantizer(3, 16),
        OptimizedProductQuantizer(3, 16, n_iter=1),
        LocalSearchQuantizer(2, 4, n_iter=1),
        Sparse(KMeansQuantizer(3)),
        Sparse(AffineQuantizer(4, entropy_coding=True)),
        Sparse(AffineQuantizer(step=0.2, entropy_coding=True)),
    ],
    ids=str,
)
def test_parts_that_do_not_fit_together_are_refused(quantizer, tmp_path, dissect, forge):
    array = np.random.default_rng(0).laplace(size=(40, 6)).astype(np.float32)
    write_file(tmp_path / "f", {"x": array}, {}, {"x": quantizer})
    (header, (codec, config, specs, shape, name)), body = dissect(tmp_path / "f")
    specs = [["u1", spec] if isinstance(spec, int) else spec for spec in specs]
    lengths = [int(np.prod(dims)) * np.dtype(kind).itemsize for kind, *dims in specs]
    pieces = np.split(np.frombuffer(body, np.uint8), np.cumsum(lengths)[:-1])
    good = [
        p.view(f"<{kind}").reshape(dims) for p, (kind, *dims) in zip(pieces, specs, strict=True)
    ]

    def forged(parts=good, codec=codec, config=config, shape=shape):
        specs = [[part.dtype.str[1:], *part.shape] for part in parts]
        stored = b"".join(part.tobytes() for part in parts)
        return forge([header, [codec, config, specs, shape, name]], stored)

    def refused(**changes):
        with pytest.raises(PackingError, match="cannot be decoded"):
            read_file(forged(**changes))

    read_file(forged())
    for i, part in enumerate(good):

        def replaced(new, i=i):
            return [*good[:i], *new, *good[i + 1 :]]

        refused(parts=replaced([]))
        if len(part) > 1:
            refused(parts=replaced([part[:-1]]))
        refused(parts=replaced([part.reshape(-1)[:0]]))
        refused(parts=replaced([part.astype(np.float64)]))
    refused(shape=[40, 7])
    refused(shape=[-40, 6])
    refused(shape=[1 << 40, 1 << 40])
    refused(codec="NoSuchQuantizer")
    refused(codec="Quantizer")
    options = config[1] if codec == "sparse" else config
    kind = type(getattr(quantizer, "values", quantizer))
    names = kind.decode_params + kind.later_params[: len(options) - len(kind.decode_params)]
    for i, (option, value) in enumerate(zip(names, options, strict=True)):
        for wrong in (None, "x", [], -1, 1 << 40):
            if type(value) is not bool and option != "axis":  # of these, any truth value will do
                changed = [*options[:i], wrong, *options[i + 1 :]]
                refused(config=[config[0], changed] if codec == "sparse" else changed)


def _neural_line(config, name="GRUNetwork", labels=("joy", "anger"), taxonomy="ekman"):
    return [
        ["NeuralClassifier", taxonomy, "Vocabulary", 27, name, config, None, list(labels)],
        ["raw", [], ["f4"]],
        ["raw", [], [3], [3]],
        ["raw", [], [["f4", 4, 2]], [4, 2], "network.embedding.weight"],
    ]


def test_a_configuration_that_lies_about_sizes_costs_no_memory(packed, forge):
    load_model(packed)  # the first load imports modules, which is memory of another kind
    parts = bytes(8) + b"a\nb" + bytes(32)
    config = {"vocabulary_size": 4, "dim": 1 << 20, "units": 1 << 15, "labels": 2}
    assert _peak_of_refusal(forge(_neural_line(config), parts), "do not make a model") < 5e6
    deep = forge(_neural_line(config | {"layers": 10**6}), parts)
    assert _peak_of_refusal(deep, "layers are more than") < 5e6
    sizes = {"vocabulary_size": 4, "dim": 2, "hidden": 2, "labels": 2, "max_steps": 10**6}
    deep = forge(_neural_line(sizes, "SpatialACTNetwork"), parts)
    assert _peak_of_refusal(deep, "layers are more than") < 5e6
    no_heads = sizes | {"max_steps": 2, "heads": 0}
    with pytest.raises(PackingError, match="heads"):
        load_model(forge(_neural_line(no_heads, "UniversalTransformerNetwork"), parts))
    for changes in ({"config": 7}, {"config": config, "name": "Popen"}):
        with pytest.raises(PackingError, match="do not make a model"):
            load_model(forge(_neural_line(**changes), parts))


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        *(("length", value) for value in (-1, 0, None, 1 << 31, True, 2.5, "27")),
        *(("dropout", value) for value in (float("nan"), float("inf"), -0.5, 1.5, True, "x", None)),
        *(("layers", value) for value in (True, 0, -1, 1.0, None)),
        *(("vocabulary_size", value) for value in (0, -4, 1 << 41, "4", None)),
        *(("units", value) for value in (0, -5, 5.0, True)),
        ("bidirectional", 1),
        ("colour", 1),
    ],
)
def test_a_field_of_no_sense_is_refused_on_loading(field, wrong, packed, tmp_path):
    tensors, header = read_file(packed)
    if field == "length":
        header["length"] = wrong
    else:
        header["config"][field] = wrong
    write_file(tmp_path / "hostile", tensors, header)
    with pytest.raises(PackingError, match="do not make a model"):
        load_model(tmp_path / "hostile")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused_wherever_they_stand(value, packed, linear, tmp_path):
    save_model(linear(), tmp_path / "linear")
    for path in (packed, tmp_path / "linear"):
        tensors, header = read_file(path)
        for name, array in tensors.items():
            if array.dtype.kind == "f":
                spoiled = array.copy()
                spoiled.flat[-1] = value
                write_file(tmp_path / "hostile", tensors | {name: spoiled}, header)
                with pytest.raises(PackingError, match=f"{name} holds NaN or infinity"):
                    load_model(tmp_path / "hostile")


def test_weights_whose_sum_is_no_number_are_refused(neural, tmp_path):
    save_model(neural(MeanVectorNetwork), tmp_path / "m")
    tensors, header = read_file(tmp_path / "m")
    name = "network.embedding.weight"
    tensors[name] = np.full_like(tensors[name], 3e38)
    write_file(tmp_path / "hostile", tensors, header)
    with pytest.raises(PackingError, match="what it predicts is not finite"):
        load_model(tmp_path / "hostile")


def _pieces(tokens, unknown="[UNK]"):
    tokenizers = pytest.importorskip("tokenizers")
    ids = {token: i for i, token in enumerate(tokens)}
    model = tokenizers.models.WordPiece(ids, unk_token=unknown)
    return tokenizers.Tokenizer(model).to_str()


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["[PAD]", "glad"], "no tokenizer: .*UNK"),
        (["[PAD]", "[UNK]", *"abcdefgh"], "a word piece has no row"),
    ],
)
def test_a_tokenizer_that_does_not_fit_is_refused(tokens, message, tmp_path):
    pytest.importorskip("transformers")
    sizes = dict(hidden_size=4, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    network = TransformerNetwork(dict(vocab_size=9, **sizes), labels=2)
    good = WordPiece(_pieces(["[PAD]", "[UNK]", "glad"]))
    save_model(NeuralClassifier(network, good, "ekman", ("joy", "anger")), tmp_path / "m")
    tensors, header = read_file(tmp_path / "m")
    tensors["vocabulary"] = pack_words([_pieces(tokens)])
    write_file(tmp_path / "hostile", tensors, header)
    with pytest.raises(PackingError, match=message):
        load_model(tmp_path / "hostile")


def test_a_compressed_file_that_does_not_say_its_size_gets_its_own_reason(packed, unpack, tmp_path):
    packer = zstandard.ZstdCompressor(write_content_size=False)
    (tmp_path / "m").write_bytes(packer.compress(unpack(packed)))
    with pytest.raises(PackingError, match="does not say how long it is unpacked"):
        load_model(tmp_path / "m")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"kind": "Popen", "taxonomy": "ekman", "labels": ["a", "b"]}, "cannot load"),
        ({"kind": "WordVectors", "taxonomy": "ekman"}, "cannot load"),
        ({"taxonomy": "ekman"}, "do not make a model"),
        ({"kind": "Popen"}, "do not make a model"),
        ({"kind": "Popen", "taxonomy": "moods"}, "unknown taxonomy"),
        ({"kind": "Popen", "taxonomy": ["ekman"]}, "unknown taxonomy"),
        ({"kind": "Popen", "taxonomy": "ekman", "labels": 7}, "labels are not names"),
        ({"kind": "Popen", "taxonomy": "ekman", "labels": ["a", 7]}, "labels are not names"),
    ],
)
def test_a_file_that_holds_no_model_is_refused_in_words(header, message, forge):
    path = forge([header, ["raw", [], [["f4", 2]], [2], "thresholds"]], bytes(8))
    with pytest.raises(PackingError, match=message):
        load_model(path)
