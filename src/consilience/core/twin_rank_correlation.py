"""Ranks and counts of pairs in NumPy: the same whole numbers as the compiled core."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata


def ranks(x):
    """Twice the average ranks, as int64."""
    return (2 * rankdata(x)).astype(np.int64)


def count_pairs(x, y):
    """How many pairs of places are tied in x, in y, in both, and how many are discordant."""
    x, y = (np.unique(values, return_inverse=True)[1].astype(np.int64) for values in (x, y))
    order = np.lexsort((y, x))
    both = x * (y.max() + 1) + y
    return *map(tied, (x, y, both)), inversions(y[order])


def tied(values):
    """Pairs of equal values."""
    sizes = np.unique(values, return_counts=True)[1]
    return int((sizes * (sizes - 1) // 2).sum())


def inversions(values):
    """Pairs of whole numbers, none negative, of which the larger comes first.

    Two numbers differ first in one of their bits. For each bit, from the highest: among those that are equal above
    it, and still in their order, count the ones that come before each zero.
    """
    total = 0
    for bit in range(int(values.max()).bit_length())[::-1]:
        above = values >> (bit + 1)
        values = values[np.argsort(above, kind="stable")]
        above, is_one = values >> (bit + 1), values >> bit & 1
        ones_before = np.cumsum(is_one) - is_one
        ones_before -= ones_before[np.searchsorted(above, above)]  # only those of the same group
        total += int(ones_before[is_one == 0].sum())
    return total
