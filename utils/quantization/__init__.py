"""From float32 to few bits: numbers as indices, vectors as indices, layers in integer arithmetic.

Every quantizer is a scikit-learn transformer: ``fit(X)``, ``transform(X)`` to integer codes,
``inverse_transform(codes)`` to values, ``nbytes(codes)`` for all that decoding needs.
"""

from utils.quantization.aware import QuantizationAware
from utils.quantization.base import Quantizer
from utils.quantization.entropy import (
    entropy,
    pack_bits,
    pack_trits,
    rans_decode,
    rans_encode,
    unpack_bits,
    unpack_trits,
)
from utils.quantization.integer import (
    IntegerEmbedding,
    IntegerGRU,
    IntegerLinear,
    add_integer_layers,
    dynamic_quantize,
    integer_layers,
    integer_matmul,
    quantize_network,
)
from utils.quantization.scalar import (
    AffineQuantizer,
    KMeansQuantizer,
    PercentileQuantizer,
    PowersOfTwoQuantizer,
    TernaryQuantizer,
)
from utils.quantization.vector import (
    AdditiveQuantizer,
    LocalSearchQuantizer,
    OptimizedProductQuantizer,
    ProductQuantizer,
    VectorQuantizer,
    procrustes,
)

__all__ = [
    "AdditiveQuantizer",
    "AffineQuantizer",
    "IntegerEmbedding",
    "IntegerGRU",
    "IntegerLinear",
    "KMeansQuantizer",
    "LocalSearchQuantizer",
    "OptimizedProductQuantizer",
    "PercentileQuantizer",
    "PowersOfTwoQuantizer",
    "ProductQuantizer",
    "QuantizationAware",
    "Quantizer",
    "TernaryQuantizer",
    "VectorQuantizer",
    "add_integer_layers",
    "dynamic_quantize",
    "entropy",
    "integer_layers",
    "integer_matmul",
    "pack_bits",
    "pack_trits",
    "procrustes",
    "quantize_network",
    "rans_decode",
    "rans_encode",
    "unpack_bits",
    "unpack_trits",
]
