"""The two estimators of HSIC, from sums over kernel matrices: of one pair of kernels, or of many at once."""

from __future__ import annotations

import numpy as np


def unbiased(n, products, k, l):
    r"""The U-statistic of Song et al. 2012, whose mean is zero where X and Y are independent.

    .. math:: \frac{1}{n(n-3)} \left[ \sum_{i \ne j} K_{ij} L_{ij} + \frac{K_{\cdot\cdot} L_{\cdot\cdot}}
              {(n-1)(n-2)} - \frac{2}{n-2} \sum_i K_{i\cdot} L_{i\cdot} \right]

    Parameters
    ----------
    n : int
        Stimuli, at least four.
    products : float, or array of any shape
        Sum of K_ij L_ij over i != j, for each pair of kernels.
    k, l : arrays of shape (..., n)
        Sums of each row of K and of L over j != i; together they broadcast to the shape of `products`.
    """
    whole = products + k.sum(-1) * l.sum(-1) / ((n - 1) * (n - 2)) - 2 * _inner(k, l) / (n - 2)
    return whole / (n * (n - 3))


def biased(n, products, k, l, k_diagonal, l_diagonal):
    """The V-statistic of Gretton et al. 2005, with both matrices' diagonals: tr(K H L H) / (n - 1)².

    Parameters as of :func:`unbiased`; the diagonals have the shapes of `k` and `l`.
    """
    products = products + _inner(k_diagonal, l_diagonal)
    k, l = k + k_diagonal, l + l_diagonal
    whole = products - 2 * _inner(k, l) / n + k.sum(-1) * l.sum(-1) / n**2
    return whole / (n - 1) ** 2


def _inner(k, l):
    return np.einsum("...i,...i", k, l)
