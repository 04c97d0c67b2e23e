"""The tests that other libraries wrote for themselves, run with our functions in place of theirs."""

import unittest

import dcor
import numpy as np
import pytest
from dcor.tests import test_dcor
from scipy.spatial.distance import squareform
from skbio.stats.distance.tests import test_mantel

import consilience as cs
from consilience.metrics.geometry import distance_relation
from consilience.metrics.rdms import relation_of, rsa_of
from consilience.metrics.relation import product
from consilience.nulls import null


def run(case, name):
    """One of their tests; it fails here as it would there."""
    result = unittest.TestResult()
    case(name).run(result)
    assert result.testsRun == 1
    assert not result.skipped
    assert result.wasSuccessful(), (result.failures + result.errors)[0][1]


class Counted:
    """A function in place of another, which remembers whether anybody called it."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *arguments, **keywords):
        self.calls += 1
        return self.function(*arguments, **keywords)


def columns(*arrays):
    return [np.asarray(A, float).reshape(len(A), -1) for A in arrays]


def debiased(X, Y, **how):
    """Their options say how to compute, not what."""
    return cs.distance_correlation(*columns(X, Y))


def biased(X, Y, **how):
    """Of three stimuli too, which our public face refuses; and 0 of a constant, as they have it."""
    X, Y = columns(X, Y)
    if len(X) > 3:
        return cs.distance_correlation(X, Y, "biased")
    if min(np.ptp(A, axis=0).max() for A in (X, Y)) == 0:
        return 0.0
    X, Y = (np.vstack([A, A]) for A in (X, Y))  # each stimulus twice: the biased form does not see it
    return product(distance_relation(X, "biased"), distance_relation(Y, "biased"))


@pytest.mark.parametrize(
    ("name", "theirs", "ours"),
    [
        ("test_distance_correlation_multivariate", "distance_correlation_sqr", biased),
        ("test_distance_correlation_vector", "distance_correlation_sqr", biased),
        ("test_distance_correlation_comparison", "distance_correlation_sqr", biased),
        ("test_distance_correlation_comparison", "u_distance_correlation_sqr", debiased),
        ("test_u_distance_correlation_vector", "u_distance_correlation_sqr", debiased),
    ],
)
def test_of_dcor(name, theirs, ours, monkeypatch):
    counted = Counted(ours)
    monkeypatch.setattr(dcor, theirs, counted)
    run(test_dcor.TestDistanceCorrelation, name)
    assert counted.calls


def our_mantel(x, y, method="pearson", permutations=999, alternative="two-sided", seed=0):
    """scikit-bio's signature over our relations. Left out are its tests of what p is under its own random numbers."""
    compare = "kendall" if method == "kendalltau" else method
    condensed = [squareform(np.asarray(getattr(A, "data", A), float), checks=False) for A in (x, y)]
    a, b = (relation_of(values, compare) for values in condensed)
    score = rsa_of(a, b)
    if not permutations:
        return score, np.nan, a.n
    chance = null(a, b, "permutations", permutations, seed, meet=rsa_of)
    upper, lower = chance.tail(score), null(a, b, "permutations", permutations, seed, meet=rsa_of, direction="distance")
    p = {"greater": upper, "less": lower.tail(score), "two-sided": min(1, 2 * min(upper, lower.tail(score)))}
    return score, p[alternative], a.n


@pytest.mark.parametrize(
    "name",
    [
        "test_statistic_same_across_alternatives_and_permutations",
        "test_comparing_same_matrices",
        "test_negative_correlation",
        "test_zero_permutations",
        "test_vegan_example",
    ],
)
def test_of_scikit_bio(name, monkeypatch):
    counted = Counted(our_mantel)
    monkeypatch.setattr(test_mantel, "mantel", counted)
    run(test_mantel.MantelTests, name)
    assert counted.calls
