"""Layers that compute with integers: int8 times int8, added up in int32, scaled once at the end."""

from utils.quantization.integer.layers import IntegerEmbedding, IntegerGRU, IntegerLinear
from utils.quantization.integer.network import (
    add_integer_layers,
    integer_layers,
    quantize_network,
)
from utils.quantization.integer.products import (
    Codes,
    dynamic_quantize,
    integer_matmul,
    integer_product,
    simulated_product,
    static_quantize,
)

__all__ = [
    "Codes",
    "IntegerEmbedding",
    "IntegerGRU",
    "IntegerLinear",
    "add_integer_layers",
    "dynamic_quantize",
    "integer_layers",
    "integer_matmul",
    "integer_product",
    "quantize_network",
    "simulated_product",
    "static_quantize",
]
