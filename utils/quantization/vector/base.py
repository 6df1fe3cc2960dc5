"""What the quantizers of vectors share: codes of shape (n, M), and table look-ups."""

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from utils.quantization.base import Quantizer, as_kind_of, check_option, to_numpy


class VectorQuantizerBase(Quantizer):
    """What the quantizers of vectors share: codes of shape (n, M), and table look-ups."""

    @property
    def _code_bits(self) -> int:
        return max(1, int(self.n_codes - 1).bit_length())

    @property
    def _limits(self) -> tuple[int, int]:
        return 0, self._layout[1] - 1

    def _codes_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(shape) != 2 or shape[1] != self.n_features_in_:
            raise ValueError(f"vectors of {self.n_features_in_} numbers cannot have shape {shape}")
        return (shape[0], self._layout[0])

    def inner_products(self, queries: Any, codes: Any) -> Any:
        """(q, n) inner products of `queries` (q, d) with the vectors behind `codes` (n, M).

        Nothing is decoded: a table holds the products of each query with every codeword, and each
        code costs one look-up and one addition (Jegou et al., TPAMI 2011, section III).
        """
        values, codes = self._checked_queries(queries), self._validated_codes(to_numpy(codes))
        return as_kind_of(queries, look_up(self._product_tables(values), codes))

    def squared_distances(self, queries: Any, codes: Any) -> Any:
        """(q, n) squared Euclidean distances, from tables as well."""
        values, codes = self._checked_queries(queries), self._validated_codes(to_numpy(codes))
        return as_kind_of(queries, self._squared_distances(values, codes))

    def _checked_queries(self, queries: Any) -> np.ndarray:
        check_is_fitted(self)
        return self._validated(queries, reset=False)

    def _validated_codes(self, codes: Any) -> np.ndarray:
        codes, (n_books, _) = super()._validated_codes(codes), self._layout
        if codes.ndim != 2 or codes.shape[1] != n_books:
            raise ValueError(f"codes must have the shape (n, {n_books}), got {codes.shape}")
        return codes

    def _check_params(self) -> None:
        check_option("n_codes", self.n_codes, 1, 65536)
        check_option("n_iter", self.n_iter, 0, 100_000)


def look_up(tables: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Sum over m of tables[:, m, codes[:, m]]: (q, M, K) tables, (n, M) codes, (q, n) result."""
    total = np.zeros((len(tables), len(codes)), np.float32)
    for m in range(tables.shape[1]):
        total += tables[:, m, codes[:, m]]
    return total
