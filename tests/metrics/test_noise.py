"""Distances in units of noise against SciPy's Mahalanobis distance, their definition run by run, and their mean."""

from itertools import permutations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

import consilience as cs


def covariance_of(d, seed=0):
    A = np.random.default_rng(seed).standard_normal((d, 3 * d))
    return A @ A.T / (3 * d)


def test_euclidean_distances_of_normalized_units_are_mahalanobis():
    X, S = np.random.default_rng(1).standard_normal((12, 5)), covariance_of(5)
    assert pdist(cs.noise_normalized(X, S)) == pytest.approx(pdist(X, "mahalanobis", VI=np.linalg.inv(S)))


@pytest.mark.parametrize("normalized", [False, True])
def test_crossnobis_is_the_mean_over_pairs_of_runs(normalized):
    runs = np.random.default_rng(2).standard_normal((4, 6, 5))
    S = covariance_of(5) if normalized else None
    P = np.linalg.inv(S) if normalized else np.eye(5)
    expected = [
        np.mean([(a[i] - a[j]) @ P @ (b[i] - b[j]) for a, b in permutations(runs, 2)])
        for i in range(6)
        for j in range(i + 1, 6)
    ]
    assert cs.crossnobis(runs, S) == pytest.approx(np.array(expected))


def test_of_a_measurement_that_repeats_exactly_it_is_the_squared_distance():
    X = np.random.default_rng(3).standard_normal((8, 4)) + 100
    assert cs.crossnobis(np.stack([X] * 3)) == pytest.approx(pdist(X, "sqeuclidean"))


def test_noise_adds_nothing_on_average():
    rng = np.random.default_rng(4)
    X = 0.5 * rng.standard_normal((5, 6))
    true = pdist(X, "sqeuclidean")
    found = np.array([cs.crossnobis(X + rng.standard_normal((3, 5, 6))) for _ in range(3000)])
    within = 5 * found.std(0) / 3000**0.5
    assert (abs(found.mean(0) - true) < within).all()
    assert (pdist(X + rng.standard_normal((5, 6)), "sqeuclidean").mean()) > true.mean() + 5  # the plain one: 2 d above


@pytest.mark.parametrize(
    ("covariance", "match"),
    [
        (np.eye(4), r"must be \(5, 5\)"),
        (np.triu(np.ones((5, 5))), "not symmetric"),
        (np.ones((5, 5)), "no inverse"),
        (np.diag([1, 1, 1, 1, -1.0]), "no inverse"),
        (np.full((5, 5), np.nan), "finite"),
    ],
)
def test_a_covariance_that_cannot_be_one_is_refused(covariance, match):
    with pytest.raises(cs.InputError, match=match):
        cs.noise_normalized(np.random.default_rng(0).standard_normal((9, 5)), covariance)


@pytest.mark.parametrize("shape", [(6, 5), (1, 6, 5), (3, 3, 5)])
def test_runs_that_cannot_be_crossed_are_refused(shape):
    with pytest.raises(cs.InputError, match="n_runs, n_stimuli, n_units"):
        cs.crossnobis(np.random.default_rng(0).standard_normal(shape))
