"""Quantizers that store one number at a time: affine grids, percentile grids, weight sharing."""

from utils.quantization.scalar.affine import AffineQuantizer
from utils.quantization.scalar.base import ScalarQuantizer
from utils.quantization.scalar.codebook import (
    CodebookQuantizer,
    KMeansQuantizer,
    PercentileQuantizer,
    bucketize,
)
from utils.quantization.scalar.kmeans import shared_values

__all__ = [
    "AffineQuantizer",
    "CodebookQuantizer",
    "KMeansQuantizer",
    "PercentileQuantizer",
    "ScalarQuantizer",
    "bucketize",
    "shared_values",
]
