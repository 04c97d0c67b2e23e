"""Exact moments of a score when the stimuli of one side are reordered at random.

With A and B the two relation matrices, the score of a random order p is T = sum_ij A_ij B_p(i)p(j). A power of T is
a sum over the ways in which its edges can share stimuli; for each way the mean over all n! orders is the product of
two sums, one over A and one over B, divided by a falling factorial of n. The tables below list those ways.

The first moments go back to Mantel (1967) and Siemiatycki (1978). The closed forms used here were derived for this
project and equal the enumeration of all orders (``tests/test_moments.py``).
"""

from __future__ import annotations

from fractions import Fraction
from math import perm
from typing import NamedTuple

import numpy as np

from consilience.core import CentredSums


class Moments(NamedTuple):
    """Mean, standard deviation, skewness and kurtosis (3 for a normal; None where it is not computed)."""

    mean: float
    sd: float
    skew: float
    kurtosis: float | None


# --- symmetric, zero diagonal, rows that sum to zero: debiased CKA, distance correlation ---------------------------

# Fourth power: multiplicity, number m of distinct stimuli, and the sum over distinct stimuli as coefficients of
# (sum A^4, sum q_i^2, sum A^2*(AA), |AA|^2, Q^2), where q_i = sum_j A_ij^2 and Q = sum q_i.
FOURTH = np.array(
    [
        (8, 2, 1, 0, 0, 0, 0),
        (64, 3, -1, 0, 0, 0, 0),
        (48, 3, -1, 1, 0, 0, 0),
        (96, 3, 0, 0, 1, 0, 0),
        (16, 4, 2, 0, 0, 0, 0),
        (96, 4, 2, -1, 0, 0, 0),
        (96, 4, 1, 0, -1, 0, 0),
        (192, 4, 1, -1, -1, 0, 0),
        (12, 4, 2, -4, 0, 0, 1),
        (192, 4, 0, 0, -2, 0, 0),
        (48, 4, 1, -2, 0, 1, 0),
        (96, 5, -4, 2, 2, 0, 0),
        (48, 5, -4, 6, 2, 0, -1),
        (16, 5, -6, 3, 0, 0, 0),
        (192, 5, -2, 1, 4, 0, 0),
        (32, 5, 0, 0, 6, 0, 0),
        (192, 5, -2, 3, 3, -1, 0),
        (12, 6, 16, -16, -8, 0, 2),
        (32, 6, 12, -6, -12, 0, 0),
        (96, 6, 8, -8, -14, 2, 0),
        (48, 6, 10, -13, -12, 2, 1),
        (24, 7, -48, 48, 64, -8, -2),
        (1, 8, 288, -288, -384, 48, 12),
    ],
    dtype=float,
)


def centred_sums(A):
    """:class:`consilience.core.CentredSums` of any u-centred matrix, shape (n_stimuli, n_stimuli).

    O(n³): one matrix product. Of a linear or cosine kernel, :func:`consilience.core.relation_sums` has them without
    the matrix.
    """
    square, AA = A * A, A @ A
    q = square.sum(1)
    fourth = np.array([(square**2).sum(), q @ q, (square * AA).sum(), (AA * AA).sum(), q.sum() ** 2])
    return CentredSums(float(q.sum()), float((square * A).sum()), float((AA * A).sum()), fourth)


def centred_moments(a, b, n):
    """Moments of T for two u-centred matrices of n stimuli, given their :class:`CentredSums`.

    The variance is 2 Q_A Q_B / (n (n - 3)) whatever the data, so debiased CKA has variance 2 / (n (n - 3)).
    """
    mean_square = 2 * a.square * b.square / (n * (n - 3))
    third = sum(
        times * x * y / perm(n, m)
        for times, m, x, y in (
            (4, 2, a.cube, b.cube),
            (24, 3, a.cube, b.cube),
            (8, 3, a.trace, b.trace),
            (56, 4, a.cube, b.cube),
            (24, 4, a.cube - a.trace, b.cube - b.trace),
            (12, 5, 2 * a.trace - 4 * a.cube, 2 * b.trace - 4 * b.cube),
            (1, 6, 16 * a.cube - 8 * a.trace, 16 * b.cube - 8 * b.trace),
        )
        if perm(n, m)  # with m > n there is no way to choose m distinct stimuli
    )
    of_a, of_b = FOURTH[:, 2:] @ a.fourth, FOURTH[:, 2:] @ b.fourth
    ways = np.array([perm(n, int(m)) for m in FOURTH[:, 1]], dtype=float)
    possible = ways > 0
    fourth = (FOURTH[:, 0] * of_a * of_b)[possible] @ (1 / ways[possible])
    sd = np.sqrt(mean_square)
    return Moments(0.0, float(sd), float(third / sd**3), float(fourth / sd**4))


# --- directed 0/1 graphs in which every stimulus points at k others: mutual k-NN ------------------------------------

SECOND_TIMES, SECOND_STIMULI = (1, 1, 1, 1, 2, 1), (2, 2, 3, 3, 3, 4)
THIRD_TIMES = (1, 3, 3, 3, 3, 3, 6, 6, 2, 6, 1, 3, 3, 1, 6, 6, 6, 6, 3, 3, 3, 3, 6, 1)
THIRD_STIMULI = (2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 6)


def graph_patterns(sums):
    """The 6 second-order and 24 third-order sums of a k-nearest-neighbour graph, all whole numbers.

    Parameters
    ----------
    sums : consilience.core.GraphSums

    Returns
    -------
    (second, third) : tuples of int
        Each sum runs over distinct stimuli; the names in the code draw the edges (o: out of, i: into the middle).
    """
    n, k, M, c2, c3, mc, X, transitive, cyclic = sums
    S = n * k  # edges
    RR, CC, RC = S * (k - 1), c2 - S, k * S - M
    to, ti, ho, hi, mo, mi = S * (k - 1), k * S - M, k * S - M, c2 - S, (k - 1) * M, mc - M
    s30, s21 = S * (k - 1) * (k - 2), k * k * S - ti - 2 * mo - M
    s12, s03 = k * c2 - ho - 2 * mi - M, c3 - 3 * hi - S
    poo, poi = k * k * S - ho - mo - M - transitive, k * c2 - hi - to - S - transitive
    pio, pii = k * k * S - mo - mi - M - cyclic, X - mi - ti - M - transitive
    d1, d2 = S * S - to - ti - ho - hi - S - M, M * S - 2 * mo - 2 * mi - 2 * M
    err = RR * S - s30 - s21 - 2 * (poo + poi + to + mo + transitive)
    ecc = CC * S - s12 - s03 - 2 * (poi + pii + mi + hi + transitive)
    erc = RC * S - s21 - s12 - 2 * pio - pii - poo - ti - mi - mo - ho - cyclic - transitive
    third = [S, M, to, ti, ho, hi, mo, mi, cyclic, transitive, s30, s21, s12, s03]
    third += [poo, poi, pio, pii, d1, d2, err, ecc, erc]
    third.append(S**3 - sum(times * x for times, x in zip(THIRD_TIMES, third, strict=False)))
    return (S, M, RR, CC, RC, S * S - S - M - RR - CC - 2 * RC), tuple(third)


def graph_moments(a, b):
    """Moments of the overlap count T of two k-nearest-neighbour graphs, given their `consilience.core.GraphSums`.

    Exact: whole numbers and fractions throughout. Mutual k-NN is T / (n k); the mean of T is n k² / (n - 1).
    """
    n, k = a.n, a.k

    def mean_power(times, stimuli, x, y):
        terms = zip(times, stimuli, x, y, strict=True)
        return sum(Fraction(t * u * v, perm(n, m)) for t, m, u, v in terms if perm(n, m))

    (a2, a3), (b2, b3) = graph_patterns(a), graph_patterns(b)
    mean = Fraction(n * k * k, n - 1)
    second = mean_power(SECOND_TIMES, SECOND_STIMULI, a2, b2)
    third = mean_power(THIRD_TIMES, THIRD_STIMULI, a3, b3)
    variance = second - mean**2
    sd = float(variance) ** 0.5
    skew = float(third - 3 * mean * second + 2 * mean**3) / sd**3 if sd > 0 else 0.0
    return Moments(float(mean), sd, skew, None)
