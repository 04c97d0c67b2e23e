"""What each representation brings to a score: a matrix that says how its stimuli relate to one another.

Debiased CKA and mutual k-NN are one statistic, the inner product of two such matrices. That is why one page of
formulas (:mod:`consilience.nulls`) serves both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class Relation:
    """The relation matrix of one representation, scaled so that a score is ``product(a, b)``.

    Attributes
    ----------
    matrix : ndarray or scipy.sparse.csr_array, shape (n_stimuli, n_stimuli)
    kind : {"u-centred", "symmetric", "neighbours", "shared neighbours", "centred"}
        "u-centred": symmetric, zero diagonal, rows sum to zero. "symmetric": with a zero diagonal, whatever its rows
        sum to. "neighbours": a 0/1 graph divided by a constant, every row with k ones. "shared neighbours": the same,
        but a tied k-th place is shared. "centred": symmetric with a diagonal. The first three have exact moments.
    scale : float
        The constant that the 0/1 graph was divided by; 1 otherwise.
    """

    matrix: np.ndarray | sparse.csr_array
    kind: str
    scale: float = 1.0

    @property
    def n(self):
        """Number of stimuli."""
        return self.matrix.shape[0]

    def ones(self):
        """A graph of k nearest neighbours in whole numbers, before it was scaled."""
        return self.matrix.astype(bool).astype(np.int64)

    def reordered(self, order):
        """The same, its stimuli in another order."""
        return replace(self, matrix=self.matrix[order][:, order])


def product(a, b):
    """Inner product of two relations: sum over i, j of ``a[i, j] * b[i, j]``. O(n²), or O(n k) for neighbours."""
    if sparse.issparse(a.matrix):
        return min(float(a.matrix.multiply(b.matrix).sum()), 1.0)  # a shared graph may sum to 1 and a rounding
    return float(np.einsum("ij,ij->", a.matrix, b.matrix))


def u_centre(K):
    """K with a zero diagonal and rows that sum to zero (Székely & Rizzo 2014): its inner products are unbiased."""
    n = len(K)
    K = K - np.diag(np.diag(K))
    row = K.sum(1) / (n - 2)
    K = K - row - row[:, None] + row.sum() / (n - 1)
    np.fill_diagonal(K, 0)
    return K
