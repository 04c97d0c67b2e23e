"""Exact moments of a score when the stimuli of one side are reordered at random.

With A and B the two relation matrices, the score of a random order p is T = sum_ij A_ij B_p(i)p(j). Its moments follow
from a few plain sums of products of entries of A, and of B: which, and how, is found in :mod:`consilience.patterns`.

The first moments go back to Mantel (1967) and Siemiatycki (1978). Those used here were derived for this project and
equal the enumeration of all orders (``tests/test_moments.py``).
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from math import perm, prod
from typing import NamedTuple

import numpy as np
from scipy import sparse

from consilience.patterns import connected, patterns


class Moments(NamedTuple):
    """Mean, standard deviation, skewness and kurtosis (3 for a normal); None for what was not computed."""

    mean: float
    sd: float
    skew: float | None
    kurtosis: float | None


class PlainSums(NamedTuple):
    """What one relation contributes to the moments.

    Attributes
    ----------
    n : int
        Stimuli.
    directed : bool
    power : int
        The highest moment that the sums serve.
    mean_entry : float
        Subtracted from all entries off the diagonal beforehand, so that no digit is lost to it; 0 for whole numbers.
    values : dict
        For each connected graph of up to `power` edges the sum, over all ways to put stimuli at its vertices, of the
        product of the entries at its edges. What is missing is zero.
    """

    n: int
    directed: bool
    power: int
    mean_entry: float
    values: dict


# --- sums of one relation -------------------------------------------------------------------------------------------


def plain_sums(A, power=4):
    """:class:`PlainSums` of a relation matrix with a zero diagonal.

    Parameters
    ----------
    A : ndarray of shape (n_stimuli, n_stimuli), symmetric; or csr_array of whole numbers, a directed graph
    power : int, at most 4

    Returns
    -------
    PlainSums
        Exact for a graph. O(n³) time for a matrix, a few matrix products; O(n k²) for the third power of a graph with
        k edges at each stimulus, more for the fourth where many point at one. Of lower power where the sums of a
        graph would exceed 64 bits.
    """
    directed = sparse.issparse(A)
    n = A.shape[0]
    if directed:
        A, mean_entry = A.astype(np.int64), 0.0
        while int(A.sum(0).max()) ** (power - 1) * A.nnz >= 2**62:  # a hub that whole numbers could not count
            power -= 1
    else:
        mean_entry = A.sum() / (n * (n - 1))
        A = A - mean_entry
        np.fill_diagonal(A, 0)
    times = (lambda P, Q: P.multiply(Q)) if directed else np.multiply

    @lru_cache(None)
    def entries(forth, back):
        """Products of parallel edges: A_ij^forth A_ji^back."""
        if not back:
            return A if forth == 1 else A.power(forth) if directed else A**forth
        return entries(back, 0).T.tocsr() if not forth else times(entries(forth, 0), entries(0, back)).tocsr()

    @lru_cache(None)
    def two_steps(first, second):
        return entries(*first) @ entries(*second)

    def plain_sum(graph):
        ties = Counter(graph)
        joined = {u: {} for edge in graph for u in edge}
        for u, v in graph:
            forth, back = (ties[u, v], ties[v, u]) if directed else (ties[u, v] + ties[v, u], 0)
            joined[u][v], joined[v][u] = (forth, back), (back, forth) if directed else (forth, 0)
        weights = {}
        # A vertex that hangs on one other is summed over first, and becomes a weight of that other.
        while leaves := [v for v in joined if len(joined[v]) == 1]:
            leaf = leaves[0]
            (u,) = joined[leaf]
            reach = entries(*joined[u].pop(leaf))
            del joined[leaf]
            inside = reach @ weights[leaf] if leaf in weights else np.asarray(reach.sum(1)).ravel()
            weights[u] = weights[u] * inside if u in weights else inside
            if not joined[u]:
                return weights[u].sum()
        return closed_sum(joined, weights)

    def closed_sum(joined, weights):
        """A triangle or a square is two ways from i to k. Each goes through a vertex with few edges into it: many may
        point at one stimulus, but only k leave it."""

        def crowd(middle):
            return sum(joined[v][m][0] for m in middle for v in joined[m])

        ends = [(i, k) for i, k in combinations(joined, 2) if len(joined) == 3 or k not in joined[i]]
        middles = {pair: sorted(set(joined) - set(pair)) for pair in ends}
        i, k = min(ends, key=lambda pair: (not weights.keys() & set(pair), crowd(middles[pair])))
        j, *l = middles[i, k]
        both = times(
            two_steps(joined[i][j], joined[j][k]),
            two_steps(joined[i][l[0]], joined[l[0]][k]) if l else entries(*joined[i][k]),
        )
        for end, axis in ((i, 1), (k, 0)):
            if end in weights:  # at most one vertex of a graph of four edges
                return np.asarray(both.sum(axis)).ravel() @ weights[end]
        return both.sum()

    number = int if directed else float
    return PlainSums(n, directed, power, mean_entry, {g: number(plain_sum(g)) for g in connected(power, directed)})


def sums_of_centred(sums, n):
    """:class:`PlainSums` of a u-centred matrix from its :class:`consilience.core.CentredSums`: all others are zero."""
    steps = {
        ((0, 1), (0, 1)): sums.square,
        ((0, 1), (0, 1), (0, 1)): sums.cube,
        ((0, 1), (0, 2), (1, 2)): sums.trace,
        ((0, 1),) * 4: sums.fourth[0],
        ((0, 1), (0, 1), (0, 2), (0, 2)): sums.fourth[1],
        ((0, 1), (0, 1), (0, 2), (1, 2)): sums.fourth[2],
        ((0, 1), (0, 2), (1, 3), (2, 3)): sums.fourth[3],
    }
    return PlainSums(n, False, 4, 0.0, {graph: float(value) for graph, value in steps.items()})


def sums_of_counts(counts):
    """:class:`PlainSums` of a graph of neighbours, to the third power, from its :class:`consilience.core.GraphSums`.

    k edges leave every stimulus, so an edge that leads out of a graph to a vertex of its own is a factor k.
    """
    k, edges, mutual = counts.k, counts.n * counts.k, counts.mutual
    values = {
        ((0, 1),): edges,
        ((0, 1), (0, 1)): edges,
        ((0, 1), (0, 2)): k * edges,
        ((0, 1), (1, 0)): mutual,
        ((0, 1), (1, 2)): k * edges,
        ((0, 1), (2, 1)): counts.squares,
        ((0, 1), (0, 1), (0, 1)): edges,
        ((0, 1), (0, 1), (0, 2)): k * edges,
        ((0, 1), (0, 1), (1, 0)): mutual,
        ((0, 1), (0, 1), (1, 2)): k * edges,
        ((0, 1), (0, 1), (2, 0)): k * edges,
        ((0, 1), (0, 1), (2, 1)): counts.squares,
        ((0, 1), (0, 2), (0, 3)): k**2 * edges,
        ((0, 1), (0, 2), (1, 0)): k * mutual,
        ((0, 1), (0, 2), (1, 2)): counts.transitive,
        ((0, 1), (0, 2), (1, 3)): k**2 * edges,
        ((0, 1), (0, 2), (3, 0)): k**2 * edges,
        ((0, 1), (0, 2), (3, 1)): k * counts.squares,
        ((0, 1), (1, 0), (2, 0)): counts.mutual_into,
        ((0, 1), (1, 2), (2, 0)): counts.cyclic,
        ((0, 1), (1, 2), (2, 3)): k**2 * edges,
        ((0, 1), (1, 2), (3, 1)): k * counts.squares,
        ((0, 1), (1, 2), (3, 2)): counts.along,
        ((0, 1), (2, 1), (3, 1)): counts.cubes,
    }
    return PlainSums(counts.n, True, 3, 0.0, values)


# --- moments of two -------------------------------------------------------------------------------------------------


def moments(a, b):
    """Moments of T for two relations of the same stimuli, given their :class:`PlainSums`.

    Returns
    -------
    Moments
        Exact; for graphs in whole numbers and fractions throughout. For u-centred matrices the variance comes out as
        2 |A|² |B|² / (n (n - 3)), whatever else they are.
    """
    n, number = a.n, Fraction if a.directed else float
    mean, second, *higher = (mean_power(a, b, power, number) for power in range(1, min(a.power, b.power) + 1))
    variance = float(second - mean**2)
    shifted = float(mean) + float(n * (n - 1) * a.mean_entry * b.mean_entry)
    if not variance > 0:
        return Moments(shifted, 0.0, 0.0, None)
    third = [float(m3 - 3 * mean * second + 2 * mean**3) for m3 in higher[:1]]
    fourth = [float(m4 - 4 * mean * higher[0] + 6 * mean**2 * second - 3 * mean**4) for m4 in higher[1:]]
    shape = [m / variance ** (1.5 + 0.5 * i) for i, m in enumerate(third + fourth)]
    return Moments(shifted, variance**0.5, *shape, *[None] * (2 - len(shape)))


def mean_power(a, b, power, number):
    """Mean of T^power over all orders."""
    total = number(0)
    for times, m, terms in patterns(power, a.directed):
        ways = perm(a.n, m)
        if ways:  # with m > n there is no way to choose m distinct stimuli
            total += number(times * over_distinct(a, terms) * over_distinct(b, terms)) / ways
    return total


def over_distinct(sums, terms):
    """The sum over distinct stimuli, from the plain sums of what the pattern becomes when some coincide."""
    return sum(times * prod(sums.values.get(part, 0) for part in parts) for parts, times in terms.items())
