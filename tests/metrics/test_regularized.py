"""Regularised CCA against a generalised eigenvalue problem, and at both ends: canonical correlation, Procrustes."""

import numpy as np
import pytest
from scipy.linalg import eigh

import consilience as cs


def arrays(seed, n=40, dx=5, dy=5):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, dx))
    return X, X @ rng.standard_normal((dx, dy)) + rng.standard_normal((n, dy))


def canonical_ridge(X, Y, ridge):
    """Sum of canonical correlations by the eigenvalue problem of both covariances, as textbooks write it."""
    dx = X.shape[1]
    joint = np.cov(np.hstack([X, Y]).T)
    S, T = joint[:dx, :dx], joint[dx:, dx:]
    own = np.zeros_like(joint)
    own[:dx, :dx] = S + ridge * np.linalg.eigvalsh(S)[-1] * np.eye(dx)
    own[dx:, dx:] = T + ridge * np.linalg.eigvalsh(T)[-1] * np.eye(len(T))
    across = joint.copy()
    across[:dx, :dx], across[dx:, dx:] = 0, 0
    values = eigh(across, own, eigvals_only=True)
    return values[values > 0].sum()


@pytest.mark.parametrize("ridge", [1e-3, 0.1, 2.0])
@pytest.mark.parametrize("dy", [3, 8, 60])
def test_is_the_canonical_ridge_over_what_each_side_has_with_itself(ridge, dy):
    X, Y = arrays(0, dy=dy)
    xy, xx, yy = (canonical_ridge(A, B, ridge) for A, B in ((X, Y), (X, X), (Y, Y)))
    assert cs.regularized_cca(X, Y, ridge) == pytest.approx(xy / np.sqrt(xx * yy))


def test_without_a_ridge_it_is_canonical_correlation():
    X, Y = arrays(1)
    assert cs.regularized_cca(X, Y, 1e-12) == pytest.approx(cs.cca(X, Y))


def test_under_a_great_ridge_it_is_procrustes():
    X, Y = arrays(2, dy=70)
    assert cs.regularized_cca(X, Y, 1e6) == pytest.approx(np.cos(cs.procrustes(X, Y)), rel=1e-5)


def test_more_units_than_stimuli_do_not_make_all_alike():
    rng = np.random.default_rng(3)
    X, Y = rng.standard_normal((30, 50)) / np.arange(1, 51), rng.standard_normal((30, 60)) / np.arange(1, 61)
    assert cs.regularized_cca(X, Y, 0.1) < 0.75
    with pytest.raises(cs.InputError):
        cs.cca(X, Y)


@pytest.mark.parametrize("ridge", [0, -1, np.inf, np.nan, "small", True])
def test_a_ridge_that_is_none_is_refused(ridge):
    X, Y = arrays(4)
    with pytest.raises(cs.InputError, match="ridge"):
        cs.regularized_cca(X, Y, ridge)
