"""Distances of second moments against closed forms, matrix square roots, and what a metric must do."""

import numpy as np
import pytest
from scipy.linalg import logm, null_space, orthogonal_procrustes, sqrtm

import consilience as cs
from consilience.metrics.riemann import second_moment


def arrays(seed, n=15, d=(4, 6, 5)):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((n, units)) for units in d]


@pytest.mark.parametrize("shrinkage", [0.01, 0.1, 0.9])
def test_is_the_norm_of_a_matrix_logarithm_among_contrasts(shrinkage):
    X, Y, _ = arrays(0)
    contrasts = null_space(np.ones((1, 15))).T

    def moment(A):
        G = contrasts @ A @ A.T @ contrasts.T
        return (1 - shrinkage) * G * 14 / np.trace(G) + shrinkage * np.eye(14)

    root = np.linalg.inv(sqrtm(moment(X)))
    expected = np.linalg.norm(logm(root @ moment(Y) @ root))
    assert cs.riemannian(X, Y, shrinkage) == pytest.approx(expected)


def test_of_axes_that_agree_it_is_the_distance_of_log_variances():
    """Two units on orthogonal axes over the stimuli: both Gram matrices have the same eigenvectors."""
    axes = null_space(np.ones((1, 6)))[:, :2]
    a, b, g = np.array([3.0, 1.0]), np.array([1.0, 2.0]), 0.2
    X, Y = axes * np.sqrt(a), axes * np.sqrt(b)
    log_ratio = np.log(((1 - g) * 5 * a / a.sum() + g) / ((1 - g) * 5 * b / b.sum() + g))
    assert cs.riemannian(X, Y, g) == pytest.approx(np.linalg.norm(log_ratio))


@pytest.mark.parametrize("score", [cs.riemannian, cs.bures])
def test_is_a_metric(score):
    X, Y, Z = arrays(1)
    assert score(X, X) == pytest.approx(0, abs=1e-6)
    assert score(X, Y) == pytest.approx(score(Y, X))
    assert score(X, Z) <= score(X, Y) + score(Y, Z)


def test_a_second_moment_has_no_eigenvalue_below_its_shrinkage():
    values = np.linalg.eigvalsh(second_moment(arrays(2)[0], 0.3).matrix)
    assert values[0] == pytest.approx(0.3)
    assert values.sum() == pytest.approx(15)


def test_bures_is_its_formula_by_matrix_square_roots():
    X, Y, _ = arrays(3)
    K, L = ((A - A.mean(0)) @ (A - A.mean(0)).T / 15 for A in (X, Y))
    root = np.real(sqrtm(K + 1e-12 * np.eye(15)))
    expected = np.trace(K) + np.trace(L) - 2 * np.trace(np.real(sqrtm(root @ L @ root + 1e-12 * np.eye(15))))
    assert cs.bures(X, Y) ** 2 == pytest.approx(expected, rel=1e-4)


def test_bures_is_what_the_best_rotation_leaves():
    X, Y = (A - A.mean(0) for A in arrays(4, n=12, d=(5, 5)))
    turn, _ = orthogonal_procrustes(X, Y)
    assert cs.bures(X, Y) == pytest.approx(np.linalg.norm(X @ turn - Y) / 12**0.5)


def test_bures_at_unit_size_is_procrustes():
    X, Y = ((A - A.mean(0)) / np.linalg.norm(A - A.mean(0)) for A in arrays(5, n=12, d=(40, 3)))
    assert 12**0.5 * cs.bures(X, Y) == pytest.approx(cs.procrustes(X, Y, score="distance"))


@pytest.mark.parametrize("shrinkage", [0, 1, -0.1, "little"])
def test_shrinkage_lies_between_0_and_1(shrinkage):
    X, Y, _ = arrays(6)
    with pytest.raises(cs.InputError, match="shrinkage"):
        cs.riemannian(X, Y, shrinkage)
