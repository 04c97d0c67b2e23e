"""Exact moments against the enumeration of all n! orders, and the curves against a great many random orders."""

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from consilience.core import graph_sums, relation_sums
from consilience.curves import Lattice, PearsonFour, PearsonThree
from consilience.metrics.kernel import u_centre
from consilience.moments import Moments, centred_moments, centred_sums, graph_moments, graph_patterns


def moments_by_enumeration(A, B):
    n = len(A)
    T = np.array([(A * B[np.ix_(p, p)]).sum() for p in map(list, permutations(range(n)))])
    centred = T - T.mean()
    sd = np.sqrt((centred**2).mean())
    return T.mean(), sd, (centred**3).mean() / sd**3, (centred**4).mean() / sd**4


def random_graph(rng, n, k):
    """The graph as a matrix, and the neighbours of each row."""
    indices = np.stack([rng.choice(np.delete(np.arange(n), i), k, replace=False) for i in range(n)])
    graph = np.zeros((n, n))
    np.put_along_axis(graph, indices, 1, axis=1)
    return graph, indices


@pytest.mark.parametrize("n", [4, 5, 6, 7])
def test_moments_of_u_centred_matrices_equal_enumeration(n):
    rng = np.random.default_rng(n)
    A, B = (u_centre(np.cov(rng.standard_exponential((n, 3)))) for _ in range(2))
    found = centred_moments(centred_sums(A), centred_sums(B), n)
    expected = moments_by_enumeration(A, B)
    np.testing.assert_allclose(found[1:], expected[1:], rtol=1e-9, atol=1e-9)
    assert abs(expected[0]) < 1e-12 * np.linalg.norm(A) * np.linalg.norm(B)


def test_moments_of_linear_kernels_equal_enumeration_without_their_matrices():
    rng = np.random.default_rng(6)
    X, Y = rng.standard_exponential((6, 4)), rng.standard_exponential((6, 9))
    found = centred_moments(relation_sums(X), relation_sums(Y, "cosine"), 6)
    Y /= np.linalg.norm(Y, axis=1, keepdims=True)
    A, B = (u_centre(Z @ Z.T) for Z in (X, Y))
    expected = moments_by_enumeration(A / np.linalg.norm(A), B / np.linalg.norm(B))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


# The edges of each pattern, in the order of the sums; two numbers are the stimuli that an edge joins.
SECOND = "01,01 01,10 01,02 10,20 01,20 01,23"
THIRD = (
    "01,01,01 01,01,10 01,01,02 01,01,20 01,01,12 01,01,21 01,10,02 01,10,20 01,12,20 01,12,02 01,02,03 01,02,30 "
    "01,20,30 10,20,30 01,03,12 01,03,21 01,30,12 01,30,21 01,01,23 01,10,23 01,02,34 10,20,34 01,20,34 01,23,45"
)


@pytest.mark.parametrize(("n", "k"), [(6, 1), (6, 2), (7, 3), (7, 6)])
def test_patterns_of_a_graph_equal_sums_over_different_stimuli(n, k):
    graph, indices = random_graph(np.random.default_rng(n + k), n, k)

    def over_different_stimuli(pattern):
        edges = [(int(i), int(j)) for i, j in pattern.split(",")]
        stimuli = np.array(list(permutations(range(n), 1 + max(max(edge) for edge in edges))))
        return np.prod([graph[stimuli[:, i], stimuli[:, j]] for i, j in edges], axis=0).sum()

    for sums, patterns in zip(graph_patterns(graph_sums(indices)), (SECOND, THIRD), strict=True):
        assert sums == tuple(over_different_stimuli(pattern) for pattern in patterns.split())


@pytest.mark.parametrize(("n", "k"), [(4, 1), (5, 2), (6, 1), (6, 3), (7, 2)])
def test_moments_of_neighbour_graphs_equal_enumeration(n, k):
    rng = np.random.default_rng(10 * n + k)
    (A, near_a), (B, near_b) = random_graph(rng, n, k), random_graph(rng, n, k)
    found = graph_moments(graph_sums(near_a), graph_sums(near_b))
    np.testing.assert_allclose(found[:3], moments_by_enumeration(A, B)[:3], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("level", [0.05, 0.01])
@pytest.mark.parametrize("shape", [0.5, 2.0, 20.0])
def test_both_pearson_curves_reproduce_a_gamma(shape, level):
    gamma = stats.gamma(shape)
    mean, variance, skew, excess = (float(x) for x in gamma.stats("mvsk"))
    moments = Moments(mean, variance**0.5, skew, 3 + excess)
    x = gamma.isf(level)
    for curve in (PearsonThree(moments), PearsonFour(moments)):
        assert curve.tail(x) == pytest.approx(level, rel=0.02)
        assert curve.quantile(1 - level) == pytest.approx(x, rel=0.01)


@pytest.mark.parametrize("freedom", [12, 30])
def test_the_four_moment_curve_reproduces_a_t_distribution(freedom):
    t = stats.t(freedom)
    curve = PearsonFour(Moments(0, float(t.std()), 0.0, 3 + float(t.stats("k"))))
    for level in (0.05, 0.01, 0.001):
        assert curve.tail(t.isf(level)) == pytest.approx(level, rel=0.03)


def test_the_lattice_reproduces_counts_of_singles_and_pairs():
    singles, pairs = 0.7, 0.4
    k1, k2, k3 = singles + 2 * pairs, singles + 4 * pairs, singles + 8 * pairs
    lattice = Lattice(Moments(k1, k2**0.5, k3 / k2**1.5, None))
    one, two = stats.poisson(singles), stats.poisson(pairs)
    for t in range(8):
        below = sum(one.pmf(i) * two.pmf(j) for i in range(t) for j in range(t) if i + 2 * j < t)
        assert lattice.tail(t) == pytest.approx(1 - below, abs=1e-9)
