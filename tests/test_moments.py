"""Exact moments against the enumeration of all n! orders, and the curves against a great many random orders."""

from itertools import permutations

import numpy as np
import pytest
from scipy import sparse, stats
from scipy.spatial.distance import squareform

from consilience.core import graph_sums, relation_sums
from consilience.curves import Lattice, PearsonFour, PearsonThree
from consilience.metrics.kernel import u_centre
from consilience.moments import Moments, moments, plain_sums, sums_of_centred, sums_of_counts


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


def random_matrix(rng, n, kind):
    """A relation matrix of a kind: rows that sum to zero, ranks of distances with and without ties, or just skewed."""
    if kind == "u-centred":
        return u_centre(np.cov(rng.standard_exponential((n, 3))))
    upper = rng.standard_exponential(n * (n - 1) // 2) ** 2
    if kind == "ranks":
        upper = stats.rankdata(upper)
    if kind == "tied ranks":
        upper = stats.rankdata(rng.integers(0, 3, len(upper)))
    return squareform(upper + 100)


@pytest.mark.parametrize("kind", ["u-centred", "ranks", "tied ranks", "skewed"])
@pytest.mark.parametrize("n", [4, 5, 6, 7])
def test_four_moments_of_symmetric_matrices_equal_enumeration(n, kind):
    rng = np.random.default_rng(n)
    A, B = (random_matrix(rng, n, kind) for _ in range(2))
    found, expected = moments(plain_sums(A), plain_sums(B)), moments_by_enumeration(A, B)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.linalg.norm(A) * np.linalg.norm(B))


@pytest.mark.parametrize(("n", "k"), [(4, 1), (5, 2), (6, 1), (6, 3), (7, 2)])
def test_four_moments_of_neighbour_graphs_equal_enumeration(n, k):
    rng = np.random.default_rng(10 * n + k)
    A, B = random_graph(rng, n, k), random_graph(rng, n, k)
    found = moments(*(plain_sums(sparse.csr_array(M)) for M in (A, B)))
    np.testing.assert_allclose(found, moments_by_enumeration(A, B), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n", [5, 30])
def test_fewer_moments_are_the_same_moments(n):
    rng = np.random.default_rng(n)
    graphs = [sparse.csr_array(random_graph(rng, n, 2)) for _ in range(2)]
    three, four = (moments(*(plain_sums(graph, power) for graph in graphs)) for power in (3, 4))
    assert three == four._replace(kurtosis=None)


@pytest.mark.parametrize(("n", "k"), [(5, 2), (30, 1), (60, 7)])
def test_counts_of_the_core_are_the_plain_sums_of_a_graph(n, k):
    graph = sparse.csr_array(random_graph(np.random.default_rng(n), n, k))
    counted = sums_of_counts(graph_sums(graph.indices.reshape(n, k)))
    assert counted.values == plain_sums(graph, power=3).values


@pytest.mark.parametrize(("n", "d"), [(5, 2), (40, 6), (20, 50)])
def test_relation_sums_of_the_core_are_the_plain_sums_of_a_matrix(n, d):
    X = np.random.default_rng(n).standard_exponential((n, d))
    centred = X - X.mean(0)
    A = u_centre(centred @ centred.T)
    found, expected = sums_of_centred(relation_sums(X), n), plain_sums(A / np.linalg.norm(A))
    for graph, value in expected.values.items():
        assert found.values.get(graph, 0) == pytest.approx(value, rel=1e-8, abs=1e-8)


def test_the_variance_of_u_centred_matrices_is_known_whatever_they_are():
    rng = np.random.default_rng(0)
    for n in (20, 50):
        A, B = (random_matrix(rng, n, "u-centred") for _ in range(2))
        variance = 2 * np.square(A).sum() * np.square(B).sum() / (n * (n - 3))
        assert moments(plain_sums(A), plain_sums(B)).sd ** 2 == pytest.approx(variance)


@pytest.mark.parametrize("n", [8, 25])
def test_moments_agree_with_random_orders(n):
    rng = np.random.default_rng(n)
    A, B = random_matrix(rng, n, "skewed"), random_matrix(rng, n, "ranks")
    orders = [rng.permutation(n) for _ in range(20_000)]
    T = np.array([(A * B[np.ix_(p, p)]).sum() for p in orders])
    found = moments(plain_sums(A), plain_sums(B))
    assert found.mean == pytest.approx(T.mean(), abs=5 * T.std() / len(T) ** 0.5)
    assert found.sd == pytest.approx(T.std(), rel=0.03)
    assert found.skew == pytest.approx(stats.skew(T), abs=0.1)
    assert found.kurtosis == pytest.approx(stats.kurtosis(T, fisher=False), abs=0.4)


def test_a_hub_that_whole_numbers_cannot_count_lowers_the_power():
    n = 200_000
    to_hub = sparse.csr_array((np.ones(n - 1), (np.arange(1, n), np.zeros(n - 1, int))), (n, n))
    assert plain_sums(to_hub).power < 4


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
