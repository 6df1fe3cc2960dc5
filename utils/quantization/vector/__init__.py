"""Quantizers that store whole vectors as indices: k-means, product and additive quantization.

Beside the quantizers stand the steps that they are made of: the nearest codeword, Lloyd's step,
sums of codewords and searches for the best one, look-ups in place of products.

Source: Lloyd, IEEE Trans. Information Theory 28(2), 1982 (`lloyd_step`); Jegou, Douze and Schmid,
TPAMI 33(1), 2011, section III (`look_up`); the searches name their own.

What people get wrong: all differences at once. (n, K, d) numbers fit no memory, and ||x - c||^2
needs only the products x.c and ||c||^2.

>>> from utils.quantization.vector import lloyd_step, nearest
>>> X = np.array([[0, 0], [0, 2], [9, 9]], np.float32)
>>> codebook = np.array([[0, 0], [8, 8]], np.float32)
>>> codes = nearest(X, codebook)
>>> codes.tolist(), lloyd_step(X, codebook, codes).tolist()
([0, 0, 1], [[0.0, 1.0], [9.0, 9.0]])
"""

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
