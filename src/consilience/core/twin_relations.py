"""Relation sums and graph sums in NumPy and SciPy: a page to be read."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from consilience.core.memory import need
from consilience.core.twin_sums import CHUNK


def relation_sums(Z, W, u, p, e):
    """Sums of A³, A⁴, A (AA), A² (AA) and (AA)², entry by entry over i != j, for a u-centred matrix A.

    With centred rows Z and K = Z Z', A = K + u 1' + 1 u' - D. D is diagonal and holds e, so that A has no diagonal.
    Squared, (A + D)² is a product W W' plus p 1' + 1 p', so A A is that less what D adds to it. A few rows of both at
    a time; see :func:`consilience.core.relation_sums.row_terms`.
    """
    n, sums = len(Z), np.zeros(5)
    step = max(1, CHUNK // n)
    for start in range(0, n, step):
        rows = np.arange(start, min(start + step, n))
        A = Z[rows] @ Z.T + (u[rows, None] + u)
        AA = W[rows] @ W.T + (p[rows, None] + p) - (e[rows, None] + e) * A
        A[rows - start, rows] = AA[rows - start, rows] = 0
        square = A * A
        sums += (square * A).sum(), (square**2).sum(), (A * AA).sum(), (square * AA).sum(), (AA * AA).sum()
    return sums


def graph_sums(indices):
    """For each row of a graph A: sums of A_ij A_ji, of (AA)_ij A_ij and of (AA)_ij A_ji over j."""
    n, k = indices.shape
    need(24 * n * min(n, k * k), f"Without compiled code, the counts in a graph of {n:,} stimuli,")
    starts = np.arange(0, n * k + 1, k)
    A = sparse.csr_array((np.ones(n * k, np.int64), indices.ravel(), starts), shape=(n, n))
    back, two_steps = A.T.tocsr(), A @ A  # up to n k² entries
    common = (A.multiply(back), two_steps.multiply(A), two_steps.multiply(back))
    return [np.asarray(both.sum(1)).ravel() for both in common]
