"""Quantizers that store whole vectors as indices: k-means, product and additive quantization."""

from utils.quantization.vector.additive import AdditiveQuantizer, LocalSearchQuantizer
from utils.quantization.vector.base import VectorQuantizerBase, look_up
from utils.quantization.vector.kmeans import kmeans, lloyd_step, nearest
from utils.quantization.vector.product import (
    OptimizedProductQuantizer,
    ProductQuantizer,
    VectorQuantizer,
    balanced_rotation,
    procrustes,
)
from utils.quantization.vector.sums import (
    beam_search,
    coordinate_descent,
    greedy_codes,
    least_squares_codebooks,
    sum_of_codewords,
)

__all__ = [
    "AdditiveQuantizer",
    "LocalSearchQuantizer",
    "OptimizedProductQuantizer",
    "ProductQuantizer",
    "VectorQuantizer",
    "VectorQuantizerBase",
    "balanced_rotation",
    "beam_search",
    "coordinate_descent",
    "greedy_codes",
    "kmeans",
    "least_squares_codebooks",
    "lloyd_step",
    "look_up",
    "nearest",
    "procrustes",
    "sum_of_codewords",
]
