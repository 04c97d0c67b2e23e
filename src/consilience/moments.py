"""Exact moments of a score when the stimuli of one side are reordered at random.

With A and B the two relation matrices, the score of a random order p is T = sum_ij A_ij B_p(i)p(j). Its moments follow
from a few plain sums of products of entries of A, and of B: which, and how, is found in :mod:`consilience.patterns`.

The first moments go back to Mantel (1967) and Siemiatycki (1978). Those used here were derived for this project and
equal the enumeration of all orders (``tests/test_moments.py``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import combinations
from math import perm, prod
from typing import NamedTuple

import numpy as np
from scipy import sparse

from consilience.patterns import connected, patterns

ROWS = 128  # of a matrix, and of its square, that stay in the second cache


class Moments(NamedTuple):
    """Mean, standard deviation, skewness and kurtosis (3 for a normal); None for what was not computed."""

    mean: float
    sd: float
    skew: float | None
    kurtosis: float | None


@dataclass(frozen=True)
class PlainSums:
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

    @cached_property
    def distinct(self):
        """For each power and each of its patterns the sum over *distinct* stimuli: once for all partners.

        It follows from the plain sums of what the pattern becomes when some stimuli coincide.
        """

        def over_distinct(terms):
            return sum(times * prod(self.values.get(part, 0) for part in parts) for parts, times in terms.items())

        return [
            [over_distinct(terms) for _, _, terms in patterns(power, self.directed)]
            for power in range(1, self.power + 1)
        ]


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
        Exact for a graph. O(n³) time for a matrix, one matrix product; O(n k²) for the third power of a graph with
        k edges at each stimulus, more for the fourth where many point at one. Of lower power where the sums of a
        graph would exceed 64 bits.
    """
    return sums_of_graph(A, power) if sparse.issparse(A) else sums_of_matrix(A, power)


def sums_of_matrix(A, power):
    """A few rows at a time, so that A A and the powers of entries are added up while they are in cache."""
    n = len(A)
    mean_entry = A.sum() / (n * (n - 1))
    A = A - mean_entry
    np.fill_diagonal(A, 0)
    r = A.sum(1)
    q, cubes, fourths, triangles, thick, walks, along, thick_along = np.zeros((8, n))  # of each row
    for start in range(0, n, ROWS):
        some = slice(start, start + ROWS)
        P = A[some]
        squares = P * P
        q[some] = squares.sum(1)
        if power > 2:
            two_steps = P @ A
            cubes[some], triangles[some] = np.vecdot(squares, P), np.vecdot(two_steps, P)
            fourths[some], thick[some] = np.vecdot(squares, squares), np.vecdot(two_steps, squares)
            walks[some] = np.vecdot(two_steps, two_steps)
            along[some], thick_along[some] = np.vecdot(P, r), np.vecdot(squares, r)
    values = {
        ((0, 1),): r.sum(),
        ((0, 1), (0, 1)): q.sum(),
        ((0, 1), (0, 2)): r @ r,
        ((0, 1), (0, 1), (0, 1)): cubes.sum(),
        ((0, 1), (0, 1), (0, 2)): q @ r,
        ((0, 1), (0, 2), (0, 3)): r**2 @ r,
        ((0, 1), (0, 2), (1, 2)): triangles.sum(),
        ((0, 1), (0, 2), (1, 3)): along @ r,
        ((0, 1), (0, 1), (0, 1), (0, 1)): fourths.sum(),
        ((0, 1), (0, 1), (0, 1), (0, 2)): cubes @ r,
        ((0, 1), (0, 1), (0, 2), (0, 2)): q @ q,
        ((0, 1), (0, 1), (0, 2), (0, 3)): q @ r**2,
        ((0, 1), (0, 1), (0, 2), (1, 2)): thick.sum(),
        ((0, 1), (0, 1), (0, 2), (1, 3)): thick_along @ r,
        ((0, 1), (0, 1), (0, 2), (2, 3)): q @ along,
        ((0, 1), (0, 2), (0, 3), (0, 4)): r**2 @ r**2,
        ((0, 1), (0, 2), (0, 3), (1, 2)): triangles @ r,
        ((0, 1), (0, 2), (0, 3), (1, 4)): along @ r**2,
        ((0, 1), (0, 2), (1, 3), (2, 3)): walks.sum(),
        ((0, 1), (0, 2), (1, 3), (2, 4)): along @ along,
    }
    return PlainSums(n, False, power, mean_entry, {graph: float(values[graph]) for graph in connected(power, False)})


def sums_of_graph(A, power):
    """In whole numbers."""
    n, A = A.shape[0], A.astype(np.int64)
    while int(A.sum(0).max()) ** (power - 1) * A.nnz >= 2**62:  # a hub that whole numbers could not count
        power -= 1

    @lru_cache(None)
    def entries(forth, back):
        """Products of parallel edges: A_ij^forth A_ji^back."""
        if not back:
            return A.power(forth)
        return entries(back, 0).T.tocsr() if not forth else entries(forth, 0).multiply(entries(0, back)).tocsr()

    @lru_cache(None)
    def row_sums(forth, back):
        return np.asarray(entries(forth, back).sum(1)).ravel()

    @lru_cache(None)
    def two_steps(first, second):
        return entries(*first) @ entries(*second)

    def plain_sum(graph):
        ties = Counter(graph)
        joined = {u: {} for edge in graph for u in edge}
        for u, v in graph:
            joined[u][v], joined[v][u] = (ties[u, v], ties[v, u]), (ties[v, u], ties[u, v])
        weights = {}
        # A vertex that hangs on one other is summed over first, and becomes a weight of that other.
        while leaves := [v for v in joined if len(joined[v]) == 1]:
            leaf = leaves[0]
            (u,) = joined[leaf]
            edge = joined[u].pop(leaf)
            del joined[leaf]
            inside = entries(*edge) @ weights[leaf] if leaf in weights else row_sums(*edge)
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
        one_way = two_steps(joined[i][j], joined[j][k])
        both = one_way.multiply(two_steps(joined[i][l[0]], joined[l[0]][k]) if l else entries(*joined[i][k]))
        for end, axis in ((i, 1), (k, 0)):
            if end in weights:  # at most one vertex of a graph of four edges
                return np.asarray(both.sum(axis)).ravel() @ weights[end]
        return both.sum()

    return PlainSums(n, True, power, 0.0, {graph: int(plain_sum(graph)) for graph in connected(power, True)})


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
    sums = zip(patterns(power, a.directed), a.distinct[power - 1], b.distinct[power - 1], strict=True)
    for (times, m, _), of_a, of_b in sums:
        ways = perm(a.n, m)
        if ways:  # with m > n there is no way to choose m distinct stimuli
            total += number(times * of_a * of_b) / ways
    return total
