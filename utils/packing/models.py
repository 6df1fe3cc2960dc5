"""Whole classifiers in one file: raw text in, label probabilities out, nothing else needed.

Source: ours; the format is in :mod:`utils.packing.container`.

What people get wrong: the network in memory is scored, and the file is counted. Codecs change the
weights, so what is scored is the model that was loaded back. And a size in a paper is often the
encoder alone: :func:`size_report` tells it from the embedding and the words.

>>> import tempfile
>>> from pathlib import Path
>>> from utils.data import Vocabulary, label_names
>>> from utils.models import MeanVectorNetwork, NeuralClassifier
>>> from utils.packing import load_model, save_model, size_report
>>> words = Vocabulary(["glad", "sad"])
>>> network = MeanVectorNetwork(len(words), dim=8, hidden=4, labels=7)
>>> model = NeuralClassifier(network, words, "ekman", label_names("ekman"))
>>> with tempfile.TemporaryDirectory() as folder:
...     size = save_model(model, Path(folder) / "model", {"network.*": "float16"})
...     loaded, report = load_model(Path(folder) / "model"), size_report(Path(folder) / "model")
>>> np.allclose(loaded.predict_proba(["glad"]), model.predict_proba(["glad"]), atol=1e-3)
True
>>> report["file_bytes"] == size, report["embedding_bytes"], report["encoder_bytes"]
(True, 64, 142)
"""

import inspect
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from utils.codecs import Codec, expect, pack_words, unpack_words
from utils.data import TAXONOMIES, Vocabulary, label_names
from utils.models import (
    BUCKET,
    NETWORKS,
    NeuralClassifier,
    SparseLinear,
    TextClassifier,
    WordPiece,
)
from utils.packing.container import KINDS, Kind, read_entries, read_file, write_file
from utils.packing.entries import PackingError
from utils.quantization import add_integer_layers, integer_layers

MAX_LAYERS = 64
MAX_LENGTH = 1 << 12  # tokens of a text
# What a SparseLinear makes of a text, in the header if it is not as usual.
READING = {"letters": int, "buckets": int, "pairs": bool}


def _labels(header: dict) -> list[str]:
    """The labels of a header: those of its taxonomy, if it has none of its own."""
    taxonomy = header["taxonomy"]
    expect(taxonomy in TAXONOMIES, f"unknown taxonomy {str(taxonomy)[:60]!r}")
    labels = header.get("labels", list(label_names(taxonomy)))
    expect(
        isinstance(labels, list) and all(isinstance(label, str) for label in labels),
        "labels are not names",
    )
    return labels


def _linear_tensors(header: dict) -> dict[str, tuple | None]:
    words, labels = header["words"], len(_labels(header))
    return {
        "thresholds": (labels,),
        "vocabulary": (words,) if "buckets" in header else None,
        "idf": (words,),
        "network.coef": (words, labels),
        "network.intercept": (labels,),
    }


KINDS["SparseLinear"] = Kind(("taxonomy", "words", *READING, "labels"), _linear_tensors)
KINDS["NeuralClassifier"] = Kind(
    ("taxonomy", "tokenizer", "length", "network", "config", "integer_layers", "labels"),
    lambda header: {"thresholds": (len(_labels(header)),), "vocabulary": None},
)


def save_model(model: TextClassifier, path, codecs: Mapping[str, str | Codec] | None = None) -> int:
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
        If the model's kind is unknown, :func:`load_model` would refuse the file, or it cannot be
        written.

    Tensor names start with what they are: ``vocabulary`` (text), ``thresholds``, ``network.`` (the
    encoder; the embedding table is ``network.embedding.weight``).
    """
    if model.taxonomy not in TAXONOMIES:
        raise PackingError(f"there is no taxonomy {model.taxonomy!r}")
    header = {"kind": type(model).__name__, "taxonomy": model.taxonomy}
    if model.label_names != label_names(model.taxonomy):
        header["labels"] = list(model.label_names)
    tensors, words = {"thresholds": model.thresholds}, "raw"
    if isinstance(model, SparseLinear):
        header["words"] = len(model.words)
        header |= {key: getattr(model, key) for key in READING if getattr(model, key)}
        hashed = model.buckets is not None
        words = "gaps" if hashed else "raw"
        tensors |= {
            "vocabulary": np.array(model.words, np.int64) if hashed else pack_words(model.words),
            "idf": model.idf.astype(np.float32),
            "network.coef": model.coef.toarray().astype(np.float32),
            "network.intercept": model.intercept.astype(np.float32),
        }
    elif isinstance(model, NeuralClassifier):
        tokenizer = model.tokenizer
        text = tokenizer.words if isinstance(tokenizer, Vocabulary) else [tokenizer.to_str()]
        for word in text:
            if "\n" in word:
                raise PackingError(f"the word {word[:60]!r} holds a line break")
        tensors["vocabulary"] = pack_words(text)
        header |= {
            "tokenizer": type(model.tokenizer).__name__,
            "length": model.length,
            "network": type(model.network).__name__,
            "config": model.network.config,
        }
        if layers := integer_layers(model.network):
            header["integer_layers"] = layers
        tensors |= {
            # NumPy has no bfloat16, and float32 holds each of its values.
            f"network.{name}": (t.float() if t.dtype == torch.bfloat16 else t)
            .detach()
            .cpu()
            .numpy()
            for name, t in model.network.state_dict().items()
        }
    else:
        raise PackingError(f"do not know how to save a {type(model).__name__}")
    codecs = {"vocabulary": words} | dict(codecs or {})
    return write_file(path, tensors, header, codecs, check=_model)


def load_model(path) -> TextClassifier:
    """Read a classifier written by :func:`save_model`.

    Raises
    ------
    PackingError
        If the file is missing, truncated, corrupted, hostile, or of another format.
    """
    tensors, header = read_file(path)
    try:
        return _model(tensors, header)
    except _NoModelError as error:
        raise PackingError(f"{path} holds {error}, which this course cannot load") from error
    except ValueError as error:
        raise PackingError(f"{path} is damaged: its parts do not make a model ({error})") from error


class _NoModelError(ValueError):
    """A sound file of another kind; the message is what it holds."""


def _model(tensors: dict[str, np.ndarray], header: dict) -> TextClassifier:
    """The model that these parts make, after it has answered.

    Raises
    ------
    ValueError
        If they make none, or one that could not predict.
    """
    load = {"SparseLinear": _load_sparse_linear, "NeuralClassifier": _load_neural}
    for name, tensor in tensors.items():
        finite = not np.issubdtype(tensor.dtype, np.floating) or np.isfinite(tensor).all()
        expect(bool(finite), f"{name} holds NaN or infinity")
    try:
        common = {
            "taxonomy": header["taxonomy"],
            "label_names": _labels(header),
            "thresholds": tensors["thresholds"],
        }
        if str(header["kind"]) not in load:
            raise _NoModelError(f"a {str(header['kind'])[:60]!r}")
        model = load[header["kind"]](tensors, header, common)
        # What no look at single parts shows, such as a tokenizer without its unknown word.
        answered = model.predict_proba(["", "No word: \u2603 0"])
    except (KeyError, IndexError, TypeError, AttributeError, RuntimeError, OverflowError) as error:
        raise ValueError(str(error)) from error
    expect(bool(np.isfinite(answered).all()), "what it predicts is not finite")
    return model


def _load_sparse_linear(tensors, header, common) -> SparseLinear:
    reading = {key: header[key] for key in READING if key in header}
    for key, value in reading.items():
        expect(type(value) is READING[key] and 0 < value < 1 << 32, f"{key} cannot be {value!r}")
    words, shape = tensors["vocabulary"], (len(tensors["idf"]), len(common["label_names"]))
    if "buckets" in reading:
        expect(bool((words < reading["buckets"]).all()), "there is no such bucket")
        words = [BUCKET.format(number) for number in words.tolist()]
    else:
        words = unpack_words(words)
    expect(
        (len(words), tensors["network.coef"].shape) == (shape[0], shape),
        "words and weights do not fit",
    )
    expect(tensors["network.intercept"].shape == shape[1:], "labels and intercepts do not fit")
    return SparseLinear(**common, **reading)._set(
        words, tensors["idf"], tensors["network.coef"], tensors["network.intercept"]
    )


def _load_neural(tensors, header, common) -> NeuralClassifier:
    text = unpack_words(tensors["vocabulary"])
    tokenizer = (
        Vocabulary(text) if header["tokenizer"] == "Vocabulary" else WordPiece("\n".join(text))
    )
    # Their networks register when they are read; they read files themselves, so not at the top.
    import utils.adaptive
    import utils.distillation.students
    import utils.pruning.compressed  # noqa: F401

    config, length = header["config"], header["length"]
    expect(isinstance(config, dict), "the network has no configuration")
    expect(type(length) is int and 0 < length <= MAX_LENGTH, f"the length cannot be {length!r}")
    _expect_sizes(config, NETWORKS[header["network"]])
    of_encoder = config.get("encoder", {}).get("num_hidden_layers", 0)
    deep = max(config.get("layers", 0), config.get("max_steps", 0), of_encoder)
    expect(deep <= MAX_LAYERS, f"{deep} layers are more than {MAX_LAYERS}")
    # On the meta device a network has shapes and no memory, so a lying configuration costs nothing.
    with torch.device("meta"):
        network = NETWORKS[header["network"]](**config)
        add_integer_layers(network, header.get("integer_layers", {}))
    state = {
        name.removeprefix("network."): torch.from_numpy(np.array(tensor))
        for name, tensor in tensors.items()
        if name.startswith("network.")
    }
    expect(_form(state) == _form(network.state_dict()), "weights do not fit the configuration")
    expect(config["labels"] == len(common["label_names"]), "labels and outputs do not fit")
    if isinstance(tokenizer, Vocabulary):
        expect(len(tokenizer) == config["vocabulary_size"], "words and embedding rows do not fit")
    else:
        expect(tokenizer.largest_id < config["encoder"]["vocab_size"], "a word piece has no row")
    network.load_state_dict(state, assign=True)
    return NeuralClassifier(network, tokenizer, **common, length=length)


def _expect_sizes(config: dict, network: type[torch.nn.Module]) -> None:
    """Refuse a value of a configuration that is not of the type that its parameter has."""
    known: dict[str, inspect.Parameter] = {}
    for kind in reversed(network.__mro__):
        known |= inspect.signature(kind.__init__).parameters
    for name, value in config.items():
        wanted, default = known[name].annotation, known[name].default
        if wanted is int:
            fits = type(value) is int and int(default != 0) <= value < 1 << 40
        elif wanted is float:
            fits = type(value) in (int, float) and math.isfinite(value)
        else:
            fits = wanted is not bool or type(value) is bool
        expect(fits, f"{name} cannot be {value!r}")
    for name, value in config.get("encoder", {}).items():
        fits = type(value) is str or (type(value) in (int, float) and 0 < value < 1 << 40)
        expect(fits, f"{name} cannot be {value!r}")


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
    _, entries = read_entries(path)
    report = dict.fromkeys(
        ("file_bytes", "encoder_bytes", "embedding_bytes", "vocabulary_bytes", "other_bytes"), 0
    )
    report["file_bytes"] = Path(path).stat().st_size
    for entry in entries:
        if entry.name.startswith(
            ("network.embedding.", "network.encoder.embeddings.word_embeddings.")
        ):
            report["embedding_bytes"] += entry.nbytes
        elif entry.name.startswith("network."):
            report["encoder_bytes"] += entry.nbytes
        else:
            words = entry.name == "vocabulary"
            report["vocabulary_bytes" if words else "other_bytes"] += entry.nbytes
    return report
