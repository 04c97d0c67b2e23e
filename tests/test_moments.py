"""Exact moments against the enumeration of all n! orders, and the curves against a great many random orders."""

from itertools import permutations

import numpy as np
import pytest
from scipy import sparse, stats

from consilience.curves import Lattice, PearsonFour, PearsonThree
from consilience.metrics.kernel import u_centre
from consilience.moments import Moments, centred_moments, centred_sums, graph_moments, graph_sums


def moments_by_enumeration(A, B):
    n = len(A)
    T = np.array([(A * B[np.ix_(p, p)]).sum() for p in map(list, permutations(range(n)))])
    centred = T - T.mean()
    sd = np.sqrt((centred**2).mean())
    return T.mean(), sd, (centred**3).mean() / sd**3, (centred**4).mean() / sd**4


def random_graph(rng, n, k):
    graph = np.zeros((n, n))
    for i in range(n):
        graph[i, rng.choice(np.delete(np.arange(n), i), k, replace=False)] = 1
    return graph


@pytest.mark.parametrize("n", [4, 5, 6, 7])
def test_moments_of_u_centred_matrices_equal_enumeration(n):
    rng = np.random.default_rng(n)
    A, B = (u_centre(np.cov(rng.standard_exponential((n, 3)))) for _ in range(2))
    found = centred_moments(centred_sums(A), centred_sums(B), n)
    expected = moments_by_enumeration(A, B)
    np.testing.assert_allclose(found[1:], expected[1:], rtol=1e-9, atol=1e-9)
    assert abs(expected[0]) < 1e-12 * np.linalg.norm(A) * np.linalg.norm(B)


@pytest.mark.parametrize(("n", "k"), [(4, 1), (5, 2), (6, 1), (6, 3), (7, 2)])
def test_moments_of_neighbour_graphs_equal_enumeration(n, k):
    rng = np.random.default_rng(10 * n + k)
    A, B = random_graph(rng, n, k), random_graph(rng, n, k)
    found = graph_moments(*(graph_sums(sparse.csr_array(M), k) for M in (A, B)), n, k)
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
