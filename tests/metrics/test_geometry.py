"""Procrustes against SciPy, distance correlation against its definition."""

from itertools import permutations

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import procrustes as scipy_procrustes
from scipy.spatial.distance import cdist

import consilience as cs
from consilience.metrics.geometry import distance_relation


def arrays(seed, n=40, dx=6, dy=6):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, dx))
    return X, X @ rng.standard_normal((dx, dy)) + rng.standard_normal((n, dy))


def test_similarity_is_what_the_best_rotation_reaches():
    X, Y = arrays(0)
    Xc, Yc = ((A - A.mean(0)) / np.linalg.norm(A - A.mean(0)) for A in (X, Y))
    turn, reached = orthogonal_procrustes(Xc, Yc)
    assert cs.procrustes(X, Y, score="distance") == pytest.approx(np.linalg.norm(Xc @ turn - Yc))
    assert np.cos(cs.procrustes(X, Y)) == pytest.approx(reached)


def test_scipys_disparity_also_scales():
    X, Y = arrays(1)
    assert np.sin(cs.procrustes(X, Y)) ** 2 == pytest.approx(scipy_procrustes(X, Y)[2])


@pytest.mark.parametrize(("dx", "dy"), [(3, 9), (100, 5), (70, 90)])
def test_the_narrower_is_padded_with_zeros(dx, dy):
    X, Y = arrays(2, dx=dx, dy=dy)
    wide = max(dx, dy)
    padded = [np.pad(A - A.mean(0), ((0, 0), (0, wide - A.shape[1]))) for A in (X, Y)]
    reached = orthogonal_procrustes(*(A / np.linalg.norm(A) for A in padded))[1]
    assert np.cos(cs.procrustes(X, Y)) == pytest.approx(reached)


@pytest.mark.parametrize("score", ["angle", "distance"])
def test_is_a_metric(score):
    rng = np.random.default_rng(3)
    X, Y, Z = (rng.standard_normal((30, d)) for d in (4, 6, 5))
    assert cs.procrustes(X, Y, score=score) == pytest.approx(cs.procrustes(Y, X, score=score))
    assert cs.procrustes(X, Z, score=score) <= cs.procrustes(X, Y, score=score) + cs.procrustes(Y, Z, score=score)


def distance_covariance_by_tuples(D, E):
    """The U-statistic of the distance covariance, term by term over distinct stimuli."""
    n = len(D)
    two = np.mean([D[i, j] * E[i, j] for i, j in permutations(range(n), 2)])
    three = np.mean([D[i, j] * E[i, k] for i, j, k in permutations(range(n), 3)])
    four = np.mean([D[i, j] * E[k, l] for i, j, k, l in permutations(range(n), 4)])
    return two + four - 2 * three


@pytest.mark.parametrize("n", [4, 5, 8])
def test_debiased_distance_correlation_is_the_u_statistic(n):
    X, Y = arrays(n, n=n, dx=2, dy=3)
    D, E = cdist(X, X), cdist(Y, Y)
    covariance = distance_covariance_by_tuples
    expected = covariance(D, E) / np.sqrt(covariance(D, D) * covariance(E, E))
    assert cs.distance_correlation(X, Y) == pytest.approx(expected, rel=1e-9)


def test_biased_distance_correlation_is_the_definition_of_2007():
    X, Y = arrays(4, n=12)

    def centred(D):
        return D - D.mean(0)[None] - D.mean(1)[:, None] + D.mean()

    A, B = centred(cdist(X, X)), centred(cdist(Y, Y))
    root = np.sqrt((A * B).mean() / np.sqrt((A * A).mean() * (B * B).mean()))
    assert cs.distance_correlation(X, Y, estimator="biased", squared=False) == pytest.approx(root)
    assert cs.distance_correlation(X, Y, estimator="biased") == pytest.approx(root**2)
    with pytest.raises(cs.InputError, match="may be negative"):
        cs.distance_correlation(X, Y, squared=False)


def test_distances_among_equally_far_stimuli_are_refused():
    with pytest.raises(cs.InputError, match="equally far"):
        distance_relation(np.eye(20))


def test_sees_a_dependence_that_has_no_direction():
    rng = np.random.default_rng(5)
    X = rng.uniform(-1, 1, (300, 1))
    assert cs.distance_correlation(X, X**2) > 0.1
    assert abs(cs.cka(X, X**2)) < 0.05
