"""Kernel sums in NumPy: a page to be read, in float64 throughout, with a few rows of each matrix at a time."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist

CHUNK = 2**22  # entries of kernel matrices in memory at once: 32 MB


def kernel_sums(X, Y, kernel, spread_x, spread_y, shift):
    """Sums over i != j of K L, K K and L L; row sums of K and of L without their diagonals; and the diagonals.

    See :func:`consilience.core.kernel_sums.kernel_sums`. The spreads are the lengths s of both kernels, the shift a
    constant that is taken from both.
    """
    products, rows, diagonals = layer_sums([X, Y], kernel, [spread_x, spread_y], shift)
    return products[[0, 0, 1], [1, 0, 1]], *rows, *diagonals


def layer_sums(layers, kernel, spreads, shift):
    """The same for any number of kernels: a matrix of the sums of products of each with each; row sums; diagonals."""
    layers = [centred(X, kernel) for X in layers]
    n, count = len(layers[0]), len(layers)
    products, rows, diagonals = np.zeros((count, count)), np.empty((count, n)), np.full((count, n), 1.0 - shift)
    if kernel in ("linear", "cosine"):
        diagonals[:] = [np.square(A).sum(1) for A in layers]
    step = max(1, CHUNK // (n * count))
    for start in range(0, n, step):
        some = np.arange(start, min(start + step, n))
        K = np.stack([kernel_rows(A, some, kernel, s) for A, s in zip(layers, spreads, strict=True)]) - shift
        K[:, some - start, some] = 0
        flat = K.reshape(count, -1)
        products += flat @ flat.T
        rows[:, some] = K.sum(2)
    return products, rows, diagonals


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
