"""Kernel sums in NumPy: a page to be read, in float64 throughout, with a few rows of each matrix at a time."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist

CHUNK = 2**22  # entries of a kernel matrix in memory at once: 32 MB


def kernel_sums(X, Y, kernel, spread_x, spread_y, shift):
    """Sums over i != j of K L, K K and L L; row sums of K and of L without their diagonals; and the diagonals.

    See :func:`consilience.core.kernel_sums.kernel_sums`. The spreads are the lengths s of both kernels, the shift a
    constant that is taken from both.
    """
    A, B = centred(X, kernel), centred(Y, kernel)
    n = len(A)
    products, k_rows, l_rows = np.zeros(3), np.empty(n), np.empty(n)
    k_diagonal, l_diagonal = (
        np.square(Z).sum(1) if kernel in ("linear", "cosine") else np.full(n, 1 - shift) for Z in (A, B)
    )
    step = max(1, CHUNK // n)
    for start in range(0, n, step):
        rows = np.arange(start, min(start + step, n))
        K = kernel_rows(A, rows, kernel, spread_x) - shift
        L = kernel_rows(B, rows, kernel, spread_y) - shift
        K[rows - start, rows] = L[rows - start, rows] = 0
        products += (K * L).sum(), (K * K).sum(), (L * L).sum()
        k_rows[rows], l_rows[rows] = K.sum(1), L.sum(1)
    return products, k_rows, l_rows, k_diagonal, l_diagonal


def kernel_rows(A, rows, kernel, spread):
    """Some rows of the kernel matrix of prepared rows: shape (len(rows), n)."""
    products = A[rows] @ A.T
    if kernel in ("linear", "cosine"):
        return products
    lengths = np.square(A).sum(1)
    squared = np.maximum(lengths[rows, None] + lengths - 2 * products, 0) / spread**2
    return np.exp(-squared / 2) if kernel == "rbf" else np.exp(-np.sqrt(squared))


def centred(X, kernel):
    """X in float64, each unit's mean removed: first of all, so that a large mean costs no digits.

    For the kernel "cosine" each row is brought to length one before that. Products are then divided by their mean
    diagonal ("linear", "cosine"); where only distances matter the rows stay as long as they are.
    """
    X = X.astype(np.float64)
    if kernel == "cosine":
        X /= np.linalg.norm(X, axis=1, keepdims=True)
    X -= X.mean(0)
    return X / np.sqrt(np.square(X).sum(1).mean()) if kernel in ("linear", "cosine") else X


def median_distance(X):
    """The median distance between two rows, by all pairs."""
    return float(np.median(pdist(X.astype(np.float64))))
