"""Low-rank layers: a matrix as the product of a tall one and a wide one."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import embedding

PAD = 0


def truncated_svd(W: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """The best approximation of a matrix by a product A @ B of that rank.

    Parameters
    ----------
    W : (m, n)
    rank : 1 to min(m, n)

    Returns
    -------
    A (m, rank) and B (rank, n), float32. With the singular value decomposition W = U S V^T, A is
    U sqrt(S) and B is sqrt(S) V^T, cut after ``rank`` columns and rows, so that both factors have
    the same scale. No other A and B of that rank come closer: the squared error is the sum of the
    squared singular values that were cut off.

    Raises
    ------
    ValueError
        If W is no matrix, or the rank is out of range.

    Source: Eckart and Young (1936), "The approximation of one matrix by another of lower rank".

    What people get wrong: half the rank is not half the bytes. The factors of a square matrix are
    as large as itself at half its rank already.

    >>> from utils.distillation import truncated_svd
    >>> A, B = truncated_svd(np.array([[2.0, 0.0], [0.0, 1.0]]), rank=1)
    >>> np.allclose(A @ B, [[2, 0], [0, 0]], atol=1e-6), A.shape, B.shape
    (True, (2, 1), (1, 2))
    """
    W = np.asarray(W, dtype=np.float64)
    _check_rank(W.shape, rank)
    U, S, Vt = np.linalg.svd(W, full_matrices=False)
    root = np.sqrt(S[:rank])
    return (U[:, :rank] * root).astype(np.float32), (root[:, None] * Vt[:rank]).astype(np.float32)


def rank_for_energy(W: np.ndarray, energy: float) -> int:
    """The smallest rank that keeps this share of the sum of squared singular values; at least 1."""
    if not 0 <= energy <= 1:
        raise ValueError(f"energy must lie between 0 and 1, got {energy}")
    return _rank_for_energy(np.linalg.svd(np.asarray(W, np.float64), compute_uv=False), energy)


def _rank_for_energy(singular_values: np.ndarray, energy: float) -> int:
    kept = np.cumsum(singular_values**2)
    return min(int(np.searchsorted(kept, energy * kept[-1])) + 1, len(kept))


def rank_for_bytes(shape: tuple[int, int], budget: int, bytes_per_value: float = 4) -> int:
    """The largest rank whose two factors fit into a number of bytes.

    Parameters
    ----------
    shape : (m, n) of the matrix
    budget : bytes for the rank * (m + n) values of both factors
    bytes_per_value : 4 for float32, 2 for float16, 0.5 for 4 bits

    Returns
    -------
    int, at most min(m, n). Factors are smaller than the matrix below the rank m n / (m + n).

    Raises
    ------
    ValueError
        If not even rank 1 fits.

    Source: the count of the values in both factors, rank * (m + n).

    What people get wrong: rounding up. The rank above would miss the budget.

    >>> from utils.distillation import rank_for_bytes
    >>> rank_for_bytes((100, 50), budget=2000)  # 600 bytes each
    3
    """
    m, n = shape
    rank = min(int(budget // ((m + n) * bytes_per_value)), m, n)
    if rank < 1:
        raise ValueError(
            f"rank 1 of a {m} by {n} matrix needs {(m + n) * bytes_per_value:,.0f} bytes, "
            f"more than {budget:,}"
        )
    return rank


def _check_rank(shape: tuple[int, ...], rank: int) -> None:
    if len(shape) != 2:
        raise ValueError(f"a matrix is wanted, got shape {shape}")
    if not 1 <= rank <= min(shape):
        raise ValueError(f"the rank of a {shape[0]} by {shape[1]} matrix is 1 to {min(shape)}")


class FactorizedLinear(nn.Module):
    """``nn.Linear`` whose weight is up @ down: in_features to rank to out_features.

    The factors are applied one after the other, rank * (in + out) multiplications instead of
    in * out; their product is never formed.

    Parameters
    ----------
    in_features, out_features, bias : as in ``nn.Linear``
    rank : 1 to min(in_features, out_features)

    Source: Sainath et al. (2013), "Low-rank matrix factorization for deep neural network training
    with high-dimensional output targets", ICASSP.

    What people get wrong: the product of the factors is formed before it is applied. That takes all
    the time and memory of the dense layer.

    >>> from utils.distillation import FactorizedLinear
    >>> layer = FactorizedLinear.from_dense(torch.nn.Linear(40, 30), rank=5)
    >>> sum(p.numel() for p in layer.parameters()), layer(torch.ones(2, 40)).shape
    (380, torch.Size([2, 30]))
    """

    def __init__(self, in_features: int, out_features: int, rank: int, bias: bool = True):
        super().__init__()
        _check_rank((out_features, in_features), rank)
        self.config = dict(in_features=in_features, out_features=out_features, rank=rank, bias=bias)
        self.down = nn.Linear(in_features, rank, bias=False)
        self.up = nn.Linear(rank, out_features, bias)

    @classmethod
    def from_dense(cls, linear: nn.Linear, rank: int) -> "FactorizedLinear":
        """The nearest one to a dense layer, see :func:`truncated_svd`."""
        layer = cls(linear.in_features, linear.out_features, rank, linear.bias is not None)
        with torch.no_grad():
            A, B = truncated_svd(linear.weight.cpu().numpy(), rank)
            layer.up.weight.copy_(torch.from_numpy(A))
            layer.down.weight.copy_(torch.from_numpy(B))
            if linear.bias is not None:
                layer.up.bias.copy_(linear.bias)
        return layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.up(self.down(x))

    def dense(self) -> torch.Tensor:
        """The product of the factors, (out_features, in_features), for comparison."""
        return self.up.weight @ self.down.weight


class FactorizedEmbedding(nn.Module):
    """An embedding table as (words x rank) times (rank x d): short vectors, projected to d.

    Parameters
    ----------
    vocabulary_size, dim : rows and columns of the table
    rank : length of the stored vectors

    The stored vectors are ``weight``, so that ``fit`` treats them as word vectors.

    Source: Lan et al. (2020), ALBERT, arXiv 1909.11942, section 3.1.

    What people get wrong: the bytes. The projection is stored, too, and of a small vocabulary it
    is a good part.

    >>> from utils.distillation import FactorizedEmbedding
    >>> layer = FactorizedEmbedding(vocabulary_size=100, dim=20, rank=4)
    >>> sum(p.numel() for p in layer.parameters()), layer(torch.tensor([[1, 2, 0]])).shape
    (480, torch.Size([1, 3, 20]))
    """

    def __init__(self, vocabulary_size: int, dim: int, rank: int):
        super().__init__()
        _check_rank((vocabulary_size, dim), rank)
        self.config = dict(vocabulary_size=vocabulary_size, dim=dim, rank=rank)
        self.weight = nn.Parameter(torch.randn(vocabulary_size, rank))
        self.projection = nn.Linear(rank, dim, bias=False)

    @classmethod
    def from_dense(cls, table: nn.Embedding, rank: int) -> "FactorizedEmbedding":
        """The nearest one to an embedding table, see :func:`truncated_svd`."""
        layer = cls(table.num_embeddings, table.embedding_dim, rank)
        with torch.no_grad():
            A, B = truncated_svd(table.weight.cpu().numpy(), rank)
            layer.weight.copy_(torch.from_numpy(A))
            layer.projection.weight.copy_(torch.from_numpy(B.T))
        return layer

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Ids of any shape (...) to vectors (..., dim)."""
        return self.projection(embedding(ids, self.weight, padding_idx=PAD))

    def dense(self) -> torch.Tensor:
        """The whole table, (vocabulary_size, dim), for comparison."""
        return self.projection(self.weight)
