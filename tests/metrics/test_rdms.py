"""RSA against SciPy's distances and correlations; comparators against their definitions."""

from itertools import permutations, product

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import kendalltau, pearsonr, spearmanr

import consilience as cs
from consilience.metrics.rdms import rdm_relation


def arrays(seed, n=40, dx=6, dy=6):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, dx))
    return X, X @ rng.standard_normal((dx, dy)) + rng.standard_normal((n, dy))


@pytest.mark.parametrize("dissimilarity", ["correlation", "cosine", "euclidean", "squared_euclidean"])
@pytest.mark.parametrize("compare", ["spearman", "pearson", "cosine", "kendall"])
def test_rsa_compares_scipys_distances(dissimilarity, compare):
    X, Y = arrays(20, dx=7, dy=9)
    d, e = (pdist(A, dissimilarity.replace("squared_euclidean", "sqeuclidean")) for A in (X, Y))
    expected = {
        "spearman": lambda: spearmanr(d, e)[0],
        "pearson": lambda: pearsonr(d, e)[0],
        "cosine": lambda: d @ e / np.linalg.norm(d) / np.linalg.norm(e),
        "kendall": lambda: kendalltau(d, e)[0],  # without ties, tau-a is tau-b
    }[compare]()
    assert cs.rsa(X, Y, dissimilarity, compare) == pytest.approx(expected)


def test_tied_dissimilarities_share_their_ranks():
    rng = np.random.default_rng(21)
    X, Y = np.eye(5)[rng.integers(0, 5, 40)], rng.standard_normal((40, 6))
    assert cs.rsa(X, Y, "euclidean") == pytest.approx(spearmanr(pdist(X), pdist(Y))[0])


def test_rdms_that_do_not_vary_are_refused():
    with pytest.raises(cs.InputError, match="equally dissimilar"):
        cs.rsa(np.eye(10), np.random.default_rng(0).standard_normal((10, 3)), "euclidean")


def rankings(values):
    """Every way to rank numbers of which some tie."""
    groups = [np.flatnonzero(values == value) for value in np.unique(values)]
    for ways in product(*(permutations(range(len(group))) for group in groups)):
        ranks, first = np.empty(len(values)), 0
        for group, way in zip(groups, ways, strict=True):
            ranks[group] = first + np.array(way)
            first += len(group)
        yield ranks


def test_rho_a_is_the_mean_over_all_ways_to_break_ties():
    d, e = np.array([1, 1, 2, 3, 2, 1]), np.array([0.3, 0.1, 0.1, 0.7, 0.9, 0.2])
    expected = np.mean([np.corrcoef(r, s)[0, 1] for r in rankings(d) for s in rankings(e)])
    assert cs.compare_rdms(d, e, "rho_a") == pytest.approx(expected)


def test_without_ties_rho_a_is_spearmans():
    X, Y = arrays(22)
    assert cs.rsa(X, Y, "euclidean", "rho_a") == pytest.approx(cs.rsa(X, Y, "euclidean"))


def whitened_by_its_covariance(d, e, n):
    """Pairs of stimuli that share one of them covary: their covariance, written out and inverted."""
    first, second = np.triu_indices(n, 1)
    contrasts = np.eye(n)[first] - np.eye(n)[second]
    V = (contrasts @ contrasts.T) ** 2
    return d @ np.linalg.solve(V, e) / np.sqrt(d @ np.linalg.solve(V, d) * (e @ np.linalg.solve(V, e)))


@pytest.mark.parametrize("dissimilarity", ["squared_euclidean", "correlation"])
def test_whitened_comparisons_undo_the_covariance_of_dissimilarities(dissimilarity):
    X, Y = arrays(23, n=12, dx=7)
    d, e = (pdist(A, dissimilarity.replace("squared_euclidean", "sqeuclidean")) for A in (X, Y))
    assert cs.rsa(X, Y, dissimilarity, "whitened_cosine") == pytest.approx(whitened_by_its_covariance(d, e, 12))
    expected = whitened_by_its_covariance(d - d.mean(), e - e.mean(), 12)
    assert cs.rsa(X, Y, dissimilarity, "whitened_pearson") == pytest.approx(expected)


def test_whitened_cosine_of_squared_distances_is_biased_linear_cka():
    X, Y = arrays(24)
    assert cs.rsa(X, Y, "squared_euclidean", "whitened_cosine") == pytest.approx(cs.cka(X, Y, estimator="biased"))


@pytest.mark.parametrize("compare", ["spearman", "pearson", "cosine", "kendall", "rho_a", "whitened_cosine"])
def test_given_rdms_are_compared_as_those_that_are_computed(compare):
    X, Y = arrays(25)
    found = cs.compare_rdms(pdist(X, "correlation"), pdist(Y, "correlation"), compare)
    assert found == pytest.approx(cs.rsa(X, Y, compare=compare))


def test_rho_a_has_the_moments_of_all_pairings():
    rng = np.random.default_rng(26)
    X, Y = rng.integers(0, 2, (7, 3)), rng.standard_normal((7, 4))
    options = {"dissimilarity": "squared_euclidean", "compare": "rho_a"}
    assert rdm_relation(X, **options).kind == "symmetric"
    exact, all_of_them = (cs.align(X, Y, "rsa", method=m, **options) for m in ("moments", "enumeration"))
    assert exact.null_mean == pytest.approx(all_of_them.null_mean, abs=1e-12)
    assert exact.null_sd == pytest.approx(all_of_them.null_sd)


@pytest.mark.parametrize(
    ("d", "match"),
    [
        (np.ones((3, 3)), "d has shape"),
        (np.arange(7.0), "d has shape"),
        (np.array([1, 2, 3, np.nan, 5, 6]), "NaN"),
        (np.arange(10.0), "10 pairs of stimuli and e has 6"),
        (np.ones(6), "equally dissimilar"),
    ],
)
def test_what_is_no_rdm_is_refused(d, match):
    with pytest.raises(cs.InputError, match=match):
        cs.compare_rdms(d, np.arange(6.0))
