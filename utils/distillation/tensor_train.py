"""A matrix as a chain of small tensors, and an embedding table stored so.

Source: Oseledets (2011), "Tensor-train decomposition", SIAM J. Sci. Comput. 33(5); Novikov et al.
(2015), arXiv 1509.06569, for matrices.

What people get wrong: the order of the digits. A core owns a digit of the row and one of the
column; with all digits of the rows first and those of the columns after, it is another train of
other ranks.

>>> from utils.distillation import tensor_train, tt_reconstruct
>>> W = np.kron(np.array([[1.0, 2.0], [0.0, 1.0]]), np.ones((3, 2)))  # one product: rank 1
>>> cores = tensor_train(W, ((2, 3), (2, 2)), ranks=1)
>>> [core.shape for core in cores], np.allclose(tt_reconstruct(cores), W, atol=1e-5)
([(1, 2, 2, 1), (1, 3, 2, 1)], True)
"""

from collections.abc import Sequence
from math import prod

import numpy as np
import torch
from torch import nn


def tensor_train(
    W: np.ndarray,
    shapes: tuple[Sequence[int], Sequence[int]],
    ranks: int | Sequence[int],
) -> list[np.ndarray]:
    """Split a matrix into a tensor train by successive singular value decompositions.

    A row number i is written as digits (i_1, ..., i_K) in the mixed radix of the row shape, a
    column number as (j_1, ..., j_K). Entry W[i, j] is then the product of K small matrices,
    G_1[:, i_1, j_1, :] ... G_K[:, i_K, j_K, :], the first of one row and the last of one column.

    Parameters
    ----------
    W : (m, n)
    shapes : factors of the rows, whose product is at least m (missing rows are zeros), and as many
        factors of the columns, whose product is n
    ranks : largest rank between neighbouring cores: one number, or K - 1 of them

    Returns
    -------
    list of K cores of shape (r_{k-1}, rows_k, columns_k, r_k), float32, with r_0 = r_K = 1.

    Raises
    ------
    ValueError
        If shapes or ranks do not fit the matrix.

    The squared error is at most the sum of what each of the K - 1 decompositions cut off, and the
    result is at most sqrt(K - 1) times as far from W as the best one of these ranks.

    Source: Oseledets (2011), "Tensor-train decomposition", SIAM J. Sci. Comput. 33(5), algorithm 1,
    theorem 2.2 and corollary 2.4; Novikov et al. (2015), arXiv 1509.06569, section 3.1, for matrices.
    """
    W = np.asarray(W, dtype=np.float64)
    if W.ndim != 2:
        raise ValueError(f"a matrix is wanted, got shape {W.shape}")
    rows, columns, ranks = _checked(W.shape, shapes, ranks)
    padded = np.zeros((prod(rows), prod(columns)))
    padded[: len(W)] = W
    # Axes i_1..i_K j_1..j_K in the order i_1 j_1 i_2 j_2 ..., so that core k owns (i_k, j_k).
    order = [axis for k in range(len(rows)) for axis in (k, k + len(rows))]
    rest, cores = padded.reshape(*rows, *columns).transpose(order), []
    left = 1
    for k, rank in enumerate(ranks):
        U, S, Vt = np.linalg.svd(rest.reshape(left * rows[k] * columns[k], -1), full_matrices=False)
        rank = min(rank, len(S))
        cores.append(U[:, :rank].reshape(left, rows[k], columns[k], rank))
        rest, left = S[:rank, None] * Vt[:rank], rank
    cores.append(rest.reshape(left, rows[-1], columns[-1], 1))
    return [core.astype(np.float32) for core in cores]


def tt_reconstruct(cores: Sequence[np.ndarray], rows: int | None = None) -> np.ndarray:
    """Cores back to the matrix (rows, columns); ``rows`` cuts off the zeros that filled it up."""
    product = np.ones((1, 1, 1))
    for core in cores:
        product = np.einsum("ijr,rabs->iajbs", product, core)
        product = product.reshape(
            product.shape[0] * product.shape[1], product.shape[2] * product.shape[3], -1
        )
    return product[:rows, :, 0]


def _checked(shape, shapes, ranks) -> tuple[list[int], list[int], list[int]]:
    rows, columns = map(list, shapes)
    if not 1 < len(rows) == len(columns) or min(rows + columns) < 1:
        raise ValueError(f"as many factors of rows as of columns, at least 2, not {shapes}")
    if prod(rows) < shape[0] or prod(columns) != shape[1]:
        raise ValueError(
            f"factors {rows} and {columns} give {prod(rows)} by {prod(columns)}, "
            f"which does not hold a {shape[0]} by {shape[1]} matrix"
        )
    ranks = [ranks] * (len(rows) - 1) if isinstance(ranks, int) else list(ranks)
    if len(ranks) != len(rows) - 1 or min(ranks) < 1:
        raise ValueError(f"{len(rows)} cores have {len(rows) - 1} ranks of at least 1, not {ranks}")
    return rows, columns, ranks


class TensorTrainEmbedding(nn.Module):
    """An embedding table stored as a tensor train; only the rows asked for are ever computed.

    Parameters
    ----------
    vocabulary_size, dim : rows and columns of the table
    shapes, ranks : as in :func:`tensor_train`, such as ((20, 20, 25), (4, 5, 5)) and 16

    Source: Hrinchuk et al. (2020), "Tensorized embedding layers", arXiv 1901.10787, section 3.

    What people get wrong: the start. An entry is a sum of products, so cores drawn with the
    variance of a table give entries of quite another size; here theirs is 1, as in
    ``nn.Embedding``.

    >>> from utils.distillation import TensorTrainEmbedding
    >>> layer = TensorTrainEmbedding(1000, 20, shapes=((10, 100), (4, 5)), ranks=3)
    >>> sum(p.numel() for p in layer.parameters()), layer(torch.tensor([[7, 999]])).shape
    (1620, torch.Size([1, 2, 20]))
    """

    def __init__(
        self,
        vocabulary_size: int,
        dim: int,
        shapes: tuple[Sequence[int], Sequence[int]],
        ranks: int | Sequence[int],
    ):
        super().__init__()
        self.rows, self.columns, ranks = _checked((vocabulary_size, dim), shapes, ranks)
        self.config = dict(
            vocabulary_size=vocabulary_size,
            dim=dim,
            shapes=[self.rows, self.columns],
            ranks=ranks,
        )
        # An entry is a sum of prod(ranks) products of K numbers; its variance is to be 1, as in
        # nn.Embedding.
        scale = prod(ranks) ** (-0.5 / len(self.rows))
        edges = [1, *ranks, 1]
        self.cores = nn.ParameterList(
            scale * torch.randn(edges[k], self.rows[k], self.columns[k], edges[k + 1])
            for k in range(len(self.rows))
        )

    @classmethod
    def from_dense(cls, table: nn.Embedding, shapes, ranks) -> "TensorTrainEmbedding":
        """The decomposition of an embedding table by :func:`tensor_train`."""
        cores = tensor_train(table.weight.detach().cpu().numpy(), shapes, ranks)
        rows, dim = table.weight.shape
        layer = cls(rows, dim, shapes, [core.shape[3] for core in cores[:-1]])
        with torch.no_grad():
            for parameter, core in zip(layer.cores, cores, strict=True):
                parameter.copy_(torch.from_numpy(core))
        return layer

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Ids of any shape (...) to vectors (..., dim)."""
        unique, inverse = ids.unique(return_inverse=True)
        if len(unique) and not 0 <= unique[0] <= unique[-1] < self.config["vocabulary_size"]:
            raise IndexError(f"ids go from 0 to {self.config['vocabulary_size'] - 1}")
        vectors = self.cores[0].new_ones(len(unique), 1, 1)  # (words, columns so far, rank)
        for core, digits in zip(self.cores, torch.unravel_index(unique, self.rows), strict=True):
            slices = core[:, digits].permute(1, 0, 2, 3)  # (words, rank, columns, next rank)
            vectors = (vectors @ slices.flatten(2)).reshape(len(unique), -1, core.shape[3])
        return vectors[..., 0][inverse]

    def macs(self, output: torch.Tensor) -> int:
        """Multiply-accumulates of the products of the cores; a repeated word counts again."""
        columns, macs = 1, 0  # columns of the table that are there so far
        for core in self.cores:
            rank, _, more, next_rank = core.shape
            macs += columns * rank * more * next_rank
            columns *= more
        return output.numel() // columns * macs

    def dense(self) -> torch.Tensor:
        """The whole table, (vocabulary_size, dim), for comparison."""
        return self(torch.arange(self.config["vocabulary_size"], device=self.cores[0].device))
