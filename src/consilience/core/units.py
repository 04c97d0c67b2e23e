"""Sums over linear kernels from their units: X'Y, n_units_x by n_units_y, where that is less work than n by n."""

from __future__ import annotations

import numpy as np

from consilience.core.kernel_sums import KernelSums
from consilience.core.twin_sums import centred


def units_are_cheaper(n, widths_a, widths_b=()):
    """Are all X'Y fewer multiplications than the upper halves of all XX'?

    Parameters
    ----------
    n : int
        Stimuli.
    widths_a, widths_b : sequences of int
        Units of each layer. Each of a meets each of b and itself, each of b itself; where there is no b, each of a
        meets each.
    """
    a, b, own = sum(widths_a), sum(widths_b), sum(d * d for d in (*widths_a, *widths_b))
    across = a * b if b else (a * a - own) / 2
    return across + own < n * (a + b) / 2


def sums_of_units(X, Y, kernel):
    """What :func:`consilience.core.kernel_sums` returns for "linear" or "cosine", in float64 and in O(n dx dy) time."""
    A, B = centred(X, kernel), centred(Y, kernel)
    a, b = squares(A), squares(B)
    products = (product_of_units(*pair) for pair in ((A, B, a, b), (A, A, a, a), (B, B, b, b)))
    return KernelSums(len(A), *products, -a, -b, a, b)


def squares(A):
    """The diagonal of AA'. Rows of the whole matrix of centred A sum to zero; without the diagonal, to minus that."""
    return np.square(A).sum(1)


def product_of_units(A, B, a, b):
    """Sum over i != j of (AA')_ij (BB')_ij; a and b are the diagonals."""
    return float(np.square(A.T @ B).sum() - a @ b)
