"""What units 03 and 04 measure: models quantized after training, latency, and the races.

No model is trained after it was quantized. Its thresholds are tuned on dev like those of every model
of the course; ``macro_f1_old_thresholds`` of a record is the score with those of the float32 model.
"""

import copy

import numpy as np

from course.measuring.baselines import (
    MODEL_1,
    MODEL_2,
    SPARSE,
    file_path,
    scored,
    ship,
    trained,
)
from course.measuring.pairs import difference_to, on_test
from course.measuring.results import Experiment
from course.measuring.training import data
from utils.codecs import decode, encode
from utils.packing import Sparse
from utils.quantization import (
    AdditiveQuantizer,
    AffineQuantizer,
    KMeansQuantizer,
    LocalSearchQuantizer,
    OptimizedProductQuantizer,
    PercentileQuantizer,
    ProductQuantizer,
    Quantizer,
    VectorQuantizer,
    quantize_network,
)

from .races import RACES, latency

FLOAT32 = {"vocabulary": "words"}  # words are stored alike in all files, so that weights differ
WORD_VECTORS = "network.embedding.weight"

# --- numbers, one at a time --------------------------------------------------------------------------

SCHEMES = {
    "affine, symmetric": lambda bits: AffineQuantizer(bits),
    "affine, asymmetric": lambda bits: AffineQuantizer(bits, symmetric=False),
    "affine, a scale a row": lambda bits: AffineQuantizer(bits, granularity="channel"),
    "affine, clipped at a percentile": lambda bits: AffineQuantizer(bits, calibration="percentile"),
    "affine, clipped for least error": lambda bits: AffineQuantizer(bits, calibration="mse"),
    "percentile grid": lambda bits: PercentileQuantizer(bits),
    "k-means": lambda bits: KMeansQuantizer(bits),
    "k-means, entropy-coded": lambda bits: KMeansQuantizer(bits, entropy_coding=True),
}
BITS = (8, 4, 3, 2)


def quantized_networks(method: str, setting: str):
    """Every scheme on all matrices of a network, with biases in float16."""

    def run(seed: int) -> list[dict]:
        model, _ = trained(method, setting, seed)

        def record(scheme, bits, codecs, model=model):
            name = "float32" if bits == 32 else f"{scheme}, {bits} bits"
            codecs = FLOAT32 | codecs
            return scored(model, method, name, seed, codecs, tune=True, scheme=scheme, bits=bits)

        records = record("float32", 32, {})
        for bits in BITS:
            for scheme, quantizer in SCHEMES.items():
                codecs = {"network.*weight*": quantizer(bits), "network.*": "float16"}
                records += record(scheme, bits, codecs)
        integer = copy.copy(model)
        integer.network = quantize_network(model.network, embedding_granularity="tensor")
        return records + record("integer, weights and activations", 8, {}, integer)

    return Experiment(f"models: {method}", run)


def quantized_linear(seed: int) -> list[dict]:
    """The sparse linear baseline as unit 01 ships it, then with its non-zeros and IDF quantized."""
    model, _ = trained(*SPARSE, seed)
    shipped = {"network.coef": "sparse", "idf": "float16", "network.intercept": "float16"}
    records = scored(model, *SPARSE, seed, shipped, scheme="float16", bits=16)
    for scheme in ("affine, symmetric", "k-means", "k-means, entropy-coded"):
        for bits in (8, 4, 3):
            quantizer = SCHEMES[scheme](bits)
            codecs = {"network.coef": Sparse(quantizer), "idf": quantizer}
            codecs |= {"network.intercept": "float16", "vocabulary": "words"}
            name = f"{SPARSE[1]}, {scheme}, {bits} bits"
            records += scored(
                model, SPARSE[0], name, seed, codecs, tune=True, scheme=scheme, bits=bits
            )
    return records


# --- equal steps, entropy-coded -----------------------------------------------------------------------

STEPPED = "uniform, entropy-coded"


def stepped(step: float) -> AffineQuantizer:
    """Marks so many standard deviations of a matrix apart, none of its weights clipped."""
    return AffineQuantizer(step=step, entropy_coding=True)


# About as much error as k-means of so many bits.
STEPS = {1.35: 2, 1.0: None, 0.75: 3, 0.4: 4}


def with_difference(record: dict, to: str, said: dict, control: tuple[str, str]) -> dict:
    """A record on test with its paired difference of macro-F1 from a control, on the same comments."""
    one, other = said[record["method"], record["setting"]], said[control]
    return record | difference_to(to, data("test").labels, one, other)


def stepped_networks(method: str, setting: str):
    """Every matrix of a network on a grid of equal steps, with biases in float16.

    Beside them the same network in float32 and by entropy-coded k-means, with which a step of about the
    same error is compared on the same comments.
    """

    def run(seed: int) -> list[dict]:
        model, _ = trained(method, setting, seed)
        choices = {"float32": ({"scheme": "float32"}, {})}
        for bits in (4, 3, 2):
            kmeans = KMeansQuantizer(bits, entropy_coding=True)
            fields = {"scheme": "k-means, entropy-coded", "bits": bits}
            choices[_kmeans(bits)] = fields, {"network.*weight*": kmeans, "network.*": "float16"}
        for step in STEPS:
            codecs = {"network.*weight*": stepped(step), "network.*": "float16"}
            choices[f"{STEPPED}, step {step:g}"] = {"scheme": STEPPED, "step": step}, codecs
        records, said = [], {}
        for name, (fields, codecs) in choices.items():
            for record in scored(model, method, name, seed, FLOAT32 | codecs, tune=True, **fields):
                if record["split"] == "test":
                    said[method, name] = on_test(file_path(method, name, seed))
                    record = with_difference(record, "float32", said, (method, "float32"))
                    if bits := STEPS.get(record.get("step")):
                        kmeans = (method, _kmeans(bits))
                        record = with_difference(record, "kmeans", said, kmeans)
                        record["kmeans_bits"] = bits
                records.append(record)
        return records

    return Experiment(f"steps: {method}", run)


def _kmeans(bits: int) -> str:
    return f"k-means, entropy-coded, {bits} bits"


# --- word vectors, as vectors -------------------------------------------------------------------------

FLOAT32_VECTORS = ("float32", "4 bytes a number")
PQ_BY_ERROR = ("PQ", "M=49, K=16")  # what others are compared with, comment by comment


def vector_codecs(seed: int):
    """Method, setting and codec."""
    yield "int8", "a scale a column, as shipped", "int8"
    for M, K in ((99, 4), (100, 8)):  # chunks of one number: the best grids
        yield "one number at a time", f"M={M}, K={K}", ProductQuantizer(M, K, random_state=seed)
    yield "VQ", "K=256", VectorQuantizer(256, random_state=seed)
    for M, K in ((10, 256), (25, 64), (25, 106), (49, 16)):
        yield "PQ", f"M={M}, K={K}", ProductQuantizer(M, K, random_state=seed)
    for M, K in ((10, 256), (25, 64), (43, 16)):
        yield "OPQ", f"M={M}, K={K}", OptimizedProductQuantizer(M, K, random_state=seed)
    for step in (1.15, 0.75):  # codes of no fixed length from here on
        yield STEPPED, f"step {step:g}", stepped(step)
    for bits in (2, 3):
        yield "k-means, entropy-coded", f"{bits} bits", KMeansQuantizer(bits, entropy_coding=True)


def sums_of_codewords(seed: int):
    """The most codebooks of 32 codewords that fit a sixteenth of float32."""
    yield "additive", "M=15, K=32", AdditiveQuantizer(15, 32, random_state=seed)
    yield "local search", "M=15, K=32", LocalSearchQuantizer(15, 32, random_state=seed)


def quantized_vectors(choices, seed: int) -> list[dict]:
    """Model 2's trained word vectors quantized, without training again; all else in float32.

    The relative error is the mean squared error over the mean squared distance from the mean vector.
    Records on test have the paired differences of macro-F1 from float32 and from
    :data:`PQ_BY_ERROR` on the same comments, with their 95% intervals.
    """
    model, _ = trained(*MODEL_2, seed)
    X = model.network.embedding.weight.detach().numpy()
    distance = np.square(X - X.mean(axis=0)).mean()
    records, said = [], {}
    for method, setting, chosen in choices:
        if isinstance(chosen, Quantizer):
            chosen.fit(X)  # once, and not whenever a file is written
        name, config, parts = encode(chosen, X)
        nbytes = sum(part.nbytes for part in parts)
        error = np.square(decode(name, config, parts, X.shape) - X).mean() / distance
        records += scored(
            model,
            method,
            setting,
            seed,
            FLOAT32 | {WORD_VECTORS: chosen},
            tune=True,
            nbytes=nbytes,
            ratio=X.nbytes / nbytes,
            relative_error=float(error),
        )
        said[method, setting] = on_test(file_path(method, setting, seed))
    tests = [record for record in records if record["split"] == "test"]
    for to, control in (("float32", FLOAT32_VECTORS), ("pq", PQ_BY_ERROR)):
        tests = [with_difference(record, to, said, control) for record in tests]
    return [record for record in records if record["split"] != "test"] + tests


def word_vectors(seed: int) -> list[dict]:
    return quantized_vectors([(*FLOAT32_VECTORS, "raw"), *vector_codecs(seed)], seed)


def sums(seed: int) -> list[dict]:
    """Beside what they are compared with, whose records are those of :func:`word_vectors`."""
    compared = [choice for choice in vector_codecs(seed) if choice[:2] == PQ_BY_ERROR]
    choices = [(*FLOAT32_VECTORS, "raw"), *compared, *sums_of_codewords(seed)]
    records = quantized_vectors(choices, seed)
    return [r for r in records if (r["method"], r["setting"]) not in (FLOAT32_VECTORS, PQ_BY_ERROR)]


# --- the model we ship --------------------------------------------------------------------------------


CANDIDATES = {
    "PQ": lambda seed: ProductQuantizer(49, 16, random_state=seed),
    "OPQ": lambda seed: OptimizedProductQuantizer(43, 16, random_state=seed),
}


def shipped(seed: int) -> list[dict]:
    """Model 2 with its word vectors as vectors, and all other matrices by 4-bit k-means."""
    model, _ = trained(*MODEL_2, seed)
    records = []
    for method, quantizer in CANDIDATES.items():
        codecs = {
            WORD_VECTORS: quantizer(seed),
            "network.*weight*": KMeansQuantizer(4),
            "network.*": "float16",
        }
        setting = f"{method} word vectors, 4-bit k-means"
        records += scored(model, MODEL_2[0], setting, seed, FLOAT32 | codecs, tune=True)
    return records


def finish(records: list[dict]) -> None:
    """Ship the candidate and seed with the best macro-F1 on dev."""
    candidates = [r for r in records if r["experiment"] == "shipped" and r["split"] == "dev"]
    if candidates:  # else another experiment was run
        ship(max(candidates, key=lambda r: r["macro_f1"]), "model-2-quantized.slm")


EXPERIMENTS = [
    Experiment("models: sparse linear", quantized_linear, seeded=False),
    quantized_networks(*MODEL_1),
    quantized_networks(*MODEL_2),
    stepped_networks(*MODEL_2),
    Experiment("word vectors", word_vectors),
    Experiment("sums of codewords", sums, seeded=False),  # which take far longer to encode
    Experiment("shipped", shipped),
    Experiment("latency", latency, seeded=False, alone=True, scored=False),
    *RACES,
]
