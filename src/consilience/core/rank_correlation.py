"""Ranks, and the correlations that see nothing else: Spearman's and Kendall's, exact where there are ties."""

from __future__ import annotations

import math

import numpy as np

from consilience.check import InputError, as_numpy, check_choice
from consilience.core import cuda, roads, twin_rank_correlation
from consilience.core.fit import check_threads
from consilience.core.memory import need
from consilience.core.progress import progress

MOST_PLACES = 2**32 - 1  # the pairs of so many can be counted in 64 bits
TERMS = 2**15  # products of at most 48 bits that 64 bits can add up


def ranks(x, *, threads=None):
    """Twice the rank of each number, in whole numbers; equal numbers share the mean of their ranks.

    A mean of whole ranks is a whole or a half. Doubled, all are whole: tied ranks are exactly equal, and sums of
    them are exact in any order.

    Parameters
    ----------
    x : array of shape (m,)
        Finite real numbers, such as an RDM of :func:`consilience.core.dissimilarities`. NumPy, PyTorch, CuPy or
        anything that speaks DLPack; what lies on a CUDA device is copied to main memory and ranked there.
    threads : int, optional
        By default all processors that the process may use. The result does not depend on it.

    Returns
    -------
    int32 array of shape (m,), int64 where 2 m needs it
        From 2, for a lone smallest, to 2 m, for a lone largest.

    Raises
    ------
    InputError
        If x is not one-dimensional, has fewer than two numbers or one that is not finite, or if memory is short.

    Notes
    -----
    A radix sort: O(m) time. Memory: 16 bytes a number besides the result, or 32 if most lie close together and a few
    far off.
    """
    return _ranks(_checked(x, "x"), threads)


def spearman(x, y, *, threads=None):
    r"""Spearman's correlation: Pearson's, of the ranks.

    .. math:: \rho = \frac{\sum_i (r_i - \bar r) (s_i - \bar s)}
              {\sqrt{\sum_i (r_i - \bar r)^2 \sum_i (s_i - \bar s)^2}}

    Parameters
    ----------
    x, y : arrays of shape (m,)
        As in :func:`ranks`; place i of both belongs together. r and s are their ranks.
    threads : int, optional
        As in :func:`ranks`.

    Returns
    -------
    float in [-1, 1]

    Raises
    ------
    InputError
        As :func:`ranks`; also if x and y differ in length, or one is constant, so that it orders nothing.

    Notes
    -----
    Source: Spearman 1904; average ranks for ties. The sums are exact in whole numbers, and rounded once at the end:
    the same bits on every road, for any number of threads, and in whatever order the places come.

    O(m) time. Memory: as :func:`ranks`, and both ranks.
    """
    x, y = _pair(x, y)
    r, s = (_ranks(values, threads) for values in (x, y))
    return _ratio(_sum_of_products(r, s), _sum_of_products(r, r), _sum_of_products(s, s))


def kendall(x, y, variant="a", *, threads=None):
    r"""Kendall's tau: of all pairs of places, how many more lie the same way round in x and y than the other.

    .. math:: \tau_a = \frac{C - D}{m (m - 1) / 2}, \qquad
              \tau_b = \frac{C - D}{\sqrt{(m (m - 1) / 2 - T_x) (m (m - 1) / 2 - T_y)}}

    C pairs are concordant, D discordant; a pair that is tied in x or in y is neither. T counts the tied.

    Parameters
    ----------
    x, y : arrays of shape (m,)
        As in :func:`spearman`.
    variant : {"a", "b"}
        For RDMs "a": it does not reward a model for ties, where "b" and Spearman's do (Nili et al. 2014).
    threads : int, optional
        As in :func:`ranks`.

    Returns
    -------
    float in [-1, 1]
        With ties, tau-a cannot reach 1, not even between x and itself.

    Raises
    ------
    InputError
        As :func:`spearman`; if `variant` is unknown; or with 2^32 places and more.

    Notes
    -----
    Source: Kendall 1938, 1945. With x sorted, the discordant pairs are those of y that are out of order (Knight
    1966). They are counted while y is sorted, digit by digit, exactly.

    O(m log m) time. Memory: 32 to 48 bytes a place.
    """
    check_choice(variant, "variant", ("a", "b"))
    x, y = _pair(x, y)
    m = len(x)
    if m > MOST_PLACES:
        raise InputError(f"x and y have {m:,} numbers; the pairs of at most {MOST_PLACES:,} can be counted.")
    in_x, in_y, in_both, discordant = _count_pairs(x, y, threads)
    pairs = m * (m - 1) // 2
    surplus = pairs - in_x - in_y + in_both - 2 * discordant
    return surplus / pairs if variant == "a" else _ratio(surplus, pairs - in_x, pairs - in_y)


def _checked(x, name):
    """A vector of finite float64, in main memory."""
    x = as_numpy(cuda.to_numpy(x) if cuda.is_on_device(x) else x, name)
    if x.ndim != 1 or len(x) < 2:
        raise InputError(f"{name} has shape {x.shape}; it must be a vector of at least two numbers.")
    if not np.isfinite(x).all():
        raise InputError(f"{name} holds NaN or infinity, first at place {np.argmin(np.isfinite(x))}.")
    return np.ascontiguousarray(x, np.float64)


def _pair(x, y):
    x, y = _checked(x, "x"), _checked(y, "y")
    if len(x) != len(y):
        raise InputError(f"x has {len(x)} numbers and y has {len(y)}; place i of both must belong together.")
    for values, name in ((x, "x"), (y, "y")):
        if (values == values[0]).all():
            raise InputError(f"{name} is constant, so it orders nothing and has no rank correlation.")
    return x, y


def _ranks(x, threads):
    """Ranks by the road of the day."""
    m = len(x)
    need(40 * m, f"The ranks of {m:,} numbers")
    dtype = np.int32 if 2 * m < 2**31 else np.int64
    if roads.road() == "twin":
        return twin_rank_correlation.ranks(x).astype(dtype)
    found = np.empty(m, dtype)
    with progress("ranks") as tell:
        roads.compiled.ranks(x, found, threads=_threads(threads), tell=tell)
    return found


def _count_pairs(x, y, threads):
    """Pairs tied in x, in y, in both, and discordant ones, by the road of the day."""
    need(48 * len(x), f"Kendall's tau of {len(x):,} numbers")
    if roads.road() == "twin":
        return twin_rank_correlation.count_pairs(x, y)
    with progress("Kendall's tau") as tell:
        return roads.compiled.count_pairs(x, y, threads=_threads(threads), tell=tell)


def _threads(threads):
    return roads.thread_count() if threads is None else check_threads(threads)


def _sum_of_products(r, s):
    """The sum of products of two centred doubled ranks, exactly: a whole number of up to 96 bits.

    The mean of doubled ranks is m + 1. One factor is cut after its last 16 bits.
    """
    total, middle = 0, len(r) + 1
    for start in range(0, len(r), TERMS):
        a, b = (part[start : start + TERMS].astype(np.int64) - middle for part in (r, s))
        total += (int(a @ (b >> 16)) << 16) + int(a @ (b & 0xFFFF))
    return total


def _ratio(product, xx, yy):
    """product / sqrt(xx yy) of whole numbers; exactly 1 or -1 where all are equal but for the sign."""
    return max(-1.0, min(1.0, product / (xx if xx == yy else math.sqrt(xx) * math.sqrt(yy))))
