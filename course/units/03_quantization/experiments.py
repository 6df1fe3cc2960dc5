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
    scored,
    ship,
    trained,
)
from course.measuring.results import Experiment
from utils.packing import Sparse
from utils.quantization import (
    AdditiveQuantizer,
    AffineQuantizer,
    KMeansQuantizer,
    LocalSearchQuantizer,
    OptimizedProductQuantizer,
    PercentileQuantizer,
    ProductQuantizer,
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


# --- word vectors, as vectors -------------------------------------------------------------------------


def vector_quantizers(seed: int):
    """Method, setting and quantizer."""
    for K in (256, 4096):
        yield "VQ", f"K={K}", VectorQuantizer(K, random_state=seed)
    for M, K in ((10, 256), (20, 128), (25, 64), (25, 106), (49, 16), (50, 16)):
        yield "PQ", f"M={M}, K={K}", ProductQuantizer(M, K, random_state=seed)
    for M, K in ((10, 256), (20, 128), (25, 64), (43, 16)):
        yield "OPQ", f"M={M}, K={K}", OptimizedProductQuantizer(M, K, random_state=seed)
    for M, K in ((8, 256), (16, 32), (26, 16)):
        yield "additive", f"M={M}, K={K}", AdditiveQuantizer(M, K, random_state=seed)
        yield "local search", f"M={M}, K={K}", LocalSearchQuantizer(M, K, random_state=seed)


def word_vectors(seed: int) -> list[dict]:
    """Model 2's trained word vectors quantized, without training again; all else in float32.

    The relative error is the mean squared error over the mean squared distance from the mean vector.
    """
    model, _ = trained(*MODEL_2, seed)
    X = model.network.embedding.weight.detach().numpy()
    distance = np.square(X - X.mean(axis=0)).mean()
    records = scored(
        model,
        "float32",
        "4 bytes a number",
        seed,
        FLOAT32,
        tune=True,
        nbytes=X.nbytes,
        ratio=1.0,
        relative_error=0.0,
    )
    for method, setting, quantizer in vector_quantizers(seed):
        codes = quantizer.fit_transform(X)
        nbytes = quantizer.nbytes(codes)
        error = np.square(quantizer.inverse_transform(codes) - X).mean() / distance
        records += scored(
            model,
            method,
            setting,
            seed,
            FLOAT32 | {WORD_VECTORS: quantizer},
            tune=True,
            nbytes=nbytes,
            ratio=X.nbytes / nbytes,
            relative_error=float(error),
        )
    return records


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
    Experiment("word vectors", word_vectors),
    Experiment("shipped", shipped),
    Experiment("latency", latency, seeded=False, alone=True, scored=False),
    *RACES,
]
