import fnmatch
from pathlib import Path

import numpy as np
import pytest
import torch
import zstandard
from sklearn.base import clone

import utils
from utils.data import Vocabulary, label_names
from utils.models import GRUNetwork, MeanVectorNetwork
from utils.packing import (
    PackingError,
    load_model,
    read_file,
    save_model,
    size_report,
    write_file,
)
from utils.quantization import (
    IntegerGRU,
    KMeansQuantizer,
    OptimizedProductQuantizer,
    ProductQuantizer,
    quantize_network,
)

READINGS = [{"letters": 3}, {"pairs": True}, {"buckets": 4096}]


@pytest.mark.parametrize("options", [{}, *READINGS, READINGS[0] | READINGS[1] | READINGS[2]])
def test_how_a_model_reads_travels_in_the_file(options, linear, texts, tmp_path):
    model = linear(**options)
    save_model(model, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    assert loaded.words == model.words
    texts = [*texts, "", "words it never saw", "☕"]
    np.testing.assert_allclose(loaded.predict_proba(texts), model.predict_proba(texts), atol=1e-6)


@pytest.mark.parametrize("options", READINGS)
@pytest.mark.parametrize("wrong", [0, -1, "3", 2.0, 1 << 32, [3]])
def test_a_model_that_cannot_read_is_refused(options, wrong, linear, tmp_path):
    (key,) = options
    save_model(linear(**options), tmp_path / "m")
    tensors, header = read_file(tmp_path / "m")
    write_file(tmp_path / "n", tensors, header | {key: wrong})
    with pytest.raises(PackingError, match=f"{key} cannot be"):
        load_model(tmp_path / "n")


def test_a_bucket_that_there_is_not_is_refused(linear, tmp_path):
    model = linear(buckets=4096)
    model.buckets = int(model.words[-1])
    with pytest.raises(PackingError, match="no such bucket"):
        save_model(model, tmp_path / "m")


@pytest.mark.parametrize(
    ("name", "cut", "message"),
    [("idf", np.s_[1:], "idf has the shape"), ("network.coef", np.s_[:, 1:], "coef has the shape"),
     ("thresholds", np.s_[1:], "thresholds has the shape")],
)  # fmt: skip
def test_a_linear_model_that_does_not_fit_its_header_is_not_written(
    name, cut, message, linear, tmp_path
):
    save_model(linear(), tmp_path / "m")
    tensors, header = read_file(tmp_path / "m")
    with pytest.raises(PackingError, match=message):
        write_file(tmp_path / "n", tensors | {name: tensors[name][cut]}, header)
    with pytest.raises(PackingError, match=f"a SparseLinear needs {name}"):
        write_file(tmp_path / "n", {n: t for n, t in tensors.items() if n != name}, header)
    with pytest.raises(PackingError, match="the header of a SparseLinear has no colour"):
        write_file(tmp_path / "n", tensors, header | {"colour": 1})


def test_words_that_are_not_as_many_as_weights_are_refused(linear, tmp_path):
    save_model(linear(), tmp_path / "m")
    tensors, header = read_file(tmp_path / "m")
    tensors["vocabulary"] = tensors["vocabulary"][:3]
    write_file(tmp_path / "n", tensors, header)
    with pytest.raises(PackingError, match="words and weights do not fit"):
        load_model(tmp_path / "n")


@pytest.mark.parametrize("kind", ["linear", GRUNetwork, MeanVectorNetwork])
def test_a_model_comes_back_whole(kind, linear, neural, texts, tmp_path):
    model = linear() if kind == "linear" else neural(kind)
    size = save_model(model, tmp_path / "m.slm")
    loaded = load_model(tmp_path / "m.slm")
    texts = [*texts, "", "words it never saw", "☕"]
    np.testing.assert_allclose(loaded.predict_proba(texts), model.predict_proba(texts), atol=1e-6)
    np.testing.assert_array_equal(loaded.thresholds, model.thresholds)
    assert (loaded.label_names, loaded.taxonomy) == (("joy", "anger"), "ekman")
    assert size == (tmp_path / "m.slm").stat().st_size


def test_the_labels_of_a_taxonomy_are_not_stored(linear, dissect, tmp_path):
    model = linear()
    save_model(model, tmp_path / "own")
    model.label_names = label_names("ekman")[:1] + label_names("ekman")[-1:]
    save_model(model, tmp_path / "some")
    (header, *_), _ = dissect(tmp_path / "some")
    assert header[-1] == ["anger", "neutral"]
    model.taxonomy, model.label_names = "sentiment", label_names("sentiment")
    columns = [0, 1, 0, 1][: len(model.label_names)]
    model.coef, model.intercept = model.coef.toarray()[:, columns], model.intercept[columns]
    model._set(model.words, model.idf, model.coef, model.intercept)
    model.thresholds = model.thresholds[columns]
    save_model(model, tmp_path / "all")
    (header, *_), body = dissect(tmp_path / "all")
    assert header == ["SparseLinear", "sentiment", len(model.words)]
    assert load_model(tmp_path / "all").label_names == label_names("sentiment")


def test_a_taxonomy_that_there_is_not_is_refused_on_writing(linear, tmp_path):
    model = linear()
    model.taxonomy = "moods"
    with pytest.raises(PackingError, match="no taxonomy 'moods'"):
        save_model(model, tmp_path / "m")


def test_something_else_than_a_model_is_refused(tmp_path):
    class Other:
        taxonomy, label_names, thresholds = "ekman", ("joy",), np.zeros(1)

    with pytest.raises(PackingError, match="do not know how to save a Other"):
        save_model(Other(), tmp_path / "m")


def test_report_separates_encoder_embedding_and_words(packed, neural):
    report, model = size_report(packed), neural()
    embedding = model.network.embedding.weight.numel() * 4
    encoder = sum(p.numel() for p in model.network.parameters()) * 4 - embedding
    assert (report["embedding_bytes"], report["encoder_bytes"]) == (embedding, encoder)
    assert report["vocabulary_bytes"] == len("\n".join(model.tokenizer.words).encode())
    assert report["other_bytes"] == 8
    assert report["file_bytes"] == packed.stat().st_size


# --- quantized models -----------------------------------------------------------------------------

QUANTIZED = [
    {"network.*weight*": KMeansQuantizer(4), "network.*": "float16", "vocabulary": "words"},
    {"network.embedding.weight": ProductQuantizer(3, 8, random_state=0), "*": "float16"},
    {"network.embedding.weight": OptimizedProductQuantizer(2, 8, n_iter=2, random_state=0)},
]


@pytest.mark.parametrize("codecs", QUANTIZED, ids=str)
@pytest.mark.parametrize("kind", [GRUNetwork, MeanVectorNetwork])
def test_a_quantized_model_predicts_from_its_file_what_it_did_before(
    kind, codecs, neural, texts, tmp_path
):
    model = neural(kind)
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
    np.testing.assert_array_equal(loaded.predict_proba(texts), model.predict_proba(texts))
    save_model(loaded, tmp_path / "second")
    again = load_model(tmp_path / "second")
    np.testing.assert_array_equal(again.predict_proba(texts), loaded.predict_proba(texts))


@pytest.mark.parametrize("static", [False, True], ids=["dynamic", "static"])
@pytest.mark.parametrize("granularity", ["channel", "tensor"])
@pytest.mark.parametrize(
    "kind",
    [MeanVectorNetwork, GRUNetwork, lambda *a: GRUNetwork(*a, layers=2, bidirectional=False)],
    ids=["mean vectors", "GRU", "two layers"],
)
def test_an_integer_network_computes_the_same_after_loading(
    kind, granularity, static, neural, texts, tmp_path
):
    model = neural(kind)
    sample = torch.from_numpy(model.tokenizer.encode(texts)) if static else None
    model.network = quantize_network(
        model.network, sample=sample, embedding_granularity=granularity
    )
    before = model.predict_proba(texts)
    save_model(model, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict_proba(texts), before)
    assert loaded.network.embedding.weight.dtype == torch.int8
    assert loaded.network.embedding.granularity == granularity
    if kind is GRUNetwork:
        assert isinstance(loaded.network.gru, IntegerGRU)
    save_model(loaded, tmp_path / "again")
    np.testing.assert_array_equal(load_model(tmp_path / "again").predict_proba(texts), before)


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
def test_layers_that_do_not_exist_are_refused(layers, neural, tmp_path):
    model = neural()
    model.network.gru = IntegerGRU(model.network.gru)
    save_model(model, tmp_path / "m")
    tensors, header = read_file(tmp_path / "m")
    write_file(tmp_path / "h", tensors, header | {"integer_layers": layers})
    with pytest.raises(PackingError, match="do not make a model"):
        load_model(tmp_path / "h")


def test_integers_in_place_of_numbers_are_refused(neural, tmp_path):
    model = neural()
    model.network = quantize_network(model.network)
    with pytest.raises(PackingError, match="weights do not fit the configuration"):
        save_model(model, tmp_path / "m", {"network.*": "float16"})


def _with(change):
    def changed(model):
        change(model)
        return model

    return changed


def _fill(value):
    return _with(lambda model: model.network.output.bias.data.fill_(value))


def _set(**attributes):
    return _with(lambda model: [setattr(model, *item) for item in attributes.items()])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_fill(torch.nan), "network.output.bias holds NaN or infinity"),
        (_fill(torch.inf), "network.output.bias holds NaN or infinity"),
        (_set(thresholds=np.array([0.5, np.nan], np.float32)), "thresholds holds NaN"),
        (_set(thresholds=np.array([0.5], np.float32)), "thresholds"),
        (_set(label_names=("joy",)), "thresholds"),
        (_set(label_names=("joy", 7)), "labels are not names"),
        (_set(taxonomy="moods"), "no taxonomy 'moods'"),
        (_set(length=0), "length cannot be 0"),
        (_set(length=1 << 31), "length cannot be 2147483648"),
        (_set(tokenizer=Vocabulary(["a", "b"])), "words and embedding rows do not fit"),
        (
            _with(
                lambda m: setattr(
                    m, "tokenizer", Vocabulary(["two\nlines", *m.tokenizer.words[1:]])
                )
            ),
            "'two.nlines' holds a line break",
        ),
        (_with(lambda m: m.network.config.update(units=4)), "weights do not fit"),
        (_with(lambda m: m.network.config.update(colour=4)), "colour"),
    ],
)
def test_what_would_not_load_is_not_saved_and_leaves_the_old_file(spoil, message, neural, tmp_path):
    save_model(neural(), tmp_path / "m")
    before = (tmp_path / "m").read_bytes()
    with pytest.raises(PackingError, match=message):
        save_model(spoil(neural()), tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize("part", ["idf", "intercept"])
def test_a_linear_model_with_nan_is_not_saved(part, linear, tmp_path):
    model = linear()
    getattr(model, part)[0] = np.nan
    with pytest.raises(PackingError, match=f"{part} holds NaN or infinity"):
        save_model(model, tmp_path / "m")


def test_bfloat16_weights_are_saved(neural, texts, tmp_path):
    model = neural()
    model.network = model.network.bfloat16()
    size = save_model(model, tmp_path / "m")
    model.network = model.network.float()
    loaded = load_model(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict_proba(texts), model.predict_proba(texts))
    assert size == save_model(model, tmp_path / "m")


SHIPPED = sorted((Path(utils.__file__).parents[1] / "course" / "models").glob("*.slm"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_model_saved_again_predicts_exactly_the_same(path, texts, tmp_path, monkeypatch):
    packer = zstandard.ZstdCompressor
    # Packed in haste: what is in the file does not depend on how well it is compressed.
    monkeypatch.setattr(zstandard, "ZstdCompressor", lambda level: packer(level=1))
    model = load_model(path)
    save_model(model, tmp_path / "m")
    again = load_model(tmp_path / "m")
    np.testing.assert_array_equal(again.predict_proba(texts), model.predict_proba(texts))
    np.testing.assert_array_equal(again.thresholds, model.thresholds)
