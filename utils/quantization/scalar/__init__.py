"""Quantizers that store one number at a time: uniform, percentile and shared grids, powers, trits."""

from utils.quantization.scalar.affine import AffineQuantizer
from utils.quantization.scalar.base import ScalarQuantizer
from utils.quantization.scalar.codebook import (
    CodebookQuantizer,
    KMeansQuantizer,
    PercentileQuantizer,
    bucketize,
)
from utils.quantization.scalar.kmeans import shared_values
from utils.quantization.scalar.powers import (
    PowersOfTwoQuantizer,
    power_levels,
    power_middles,
    power_terms,
)
from utils.quantization.scalar.ternary import TernaryQuantizer

__all__ = [
    "AffineQuantizer",
    "CodebookQuantizer",
    "KMeansQuantizer",
    "PercentileQuantizer",
    "PowersOfTwoQuantizer",
    "ScalarQuantizer",
    "TernaryQuantizer",
    "bucketize",
    "power_levels",
    "power_middles",
    "power_terms",
    "shared_values",
]
