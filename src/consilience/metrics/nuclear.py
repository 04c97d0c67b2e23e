"""Sums of singular values of X'PY for many orders P: what canonical correlations and Procrustes are made of."""

from __future__ import annotations

import numpy as np

from consilience.core.each import each

FEW = 64  # columns; of so few the singular values are had at once, of more from the smaller of M'M and MM'


def nuclear_norms(pairs, orders):
    r"""Nuclear norms :math:`\lVert X^\top P Y \rVert_*` of pairs of arrays, in many orders of the rows of Y.

    Parameters
    ----------
    pairs : list of lists of (X, Y)
        float64 arrays of shape (n_stimuli, n_columns).
    orders : Orders

    Returns
    -------
    ndarray of shape (draws, len(pairs), len(pairs[0]))

    Notes
    -----
    O(n dx dy + min(dx, dy)² max(dx, dy)) time a draw and pair, and that is long: 3 ms for 200 columns each, 60 ms for
    800. From products of columns, where there are many, a singular value that is zero comes out as 1e-8 of the largest.
    """
    second = {id(Y): Y for row in pairs for _, Y in row}

    def in_order(draw):
        (order,) = orders.array(draw, draw + 1)
        moved = {key: Y[order] for key, Y in second.items()}
        return [[nuclear_norm(X.T @ moved[id(Y)]) for X, Y in row] for row in pairs]

    return np.array(each(in_order, range(orders.draws), "permutations"))


def nuclear_norm(M):
    """Sum of the singular values of a matrix."""
    if min(M.shape) <= FEW:
        return np.linalg.svd(M, compute_uv=False).sum()
    squares = np.linalg.eigvalsh(M @ M.T if M.shape[0] <= M.shape[1] else M.T @ M)
    return np.sqrt(np.maximum(squares, 0)).sum()
