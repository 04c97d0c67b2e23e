"""Canonical correlations against the eigenvalue problem that defines them, closed forms, and their warnings."""

import warnings

import numpy as np
import pytest
from scipy.linalg import eigh, inv, sqrtm
from sklearn.decomposition import PCA

import consilience as cs
from consilience.metrics.correlation import correlations, directions


def arrays(seed, n=60, dx=5, dy=8):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, dx)) * np.arange(1, dx + 1)
    return X, X @ rng.standard_normal((dx, dy)) + 3 * rng.standard_normal((n, dy))


def by_eigenvalues(X, Y):
    """Squared canonical correlations solve Sxy Syy^-1 Syx v = rho² Sxx v."""
    X, Y = X - X.mean(0), Y - Y.mean(0)
    squared = eigh(X.T @ Y @ inv(Y.T @ Y) @ Y.T @ X, X.T @ X, eigvals_only=True)[::-1]
    return np.sqrt(np.clip(squared, 0, 1))[: min(X.shape[1], Y.shape[1])]


@pytest.mark.parametrize(("dx", "dy"), [(1, 1), (5, 8), (8, 5), (20, 3)])
def test_canonical_correlations_solve_the_eigenvalue_problem(dx, dy):
    X, Y = arrays(1, dx=dx, dy=dy)
    rho = by_eigenvalues(X, Y)
    np.testing.assert_allclose(correlations(directions(X), directions(Y))[0], rho, atol=1e-9)
    assert cs.cca(X, Y) == pytest.approx(rho.mean())
    assert cs.cca(X, Y, summary="mean_squared") == pytest.approx((rho**2).mean())


def test_one_unit_each_is_the_absolute_correlation():
    X, Y = arrays(2, dx=1, dy=1)
    expected = abs(np.corrcoef(X.ravel(), Y.ravel())[0, 1])
    for score in (cs.cca, cs.svcca, cs.pwcca):
        assert score(X, Y) == pytest.approx(expected)


@pytest.mark.parametrize("variance", [0.5, 0.9, 0.99])
def test_svcca_is_cca_of_principal_components(variance):
    X, Y = arrays(3, dx=12, dy=15)
    parts = [PCA(variance, svd_solver="full").fit_transform(A) for A in (X, Y)]
    assert cs.svcca(X, Y, variance) == pytest.approx(by_eigenvalues(*parts).mean())


def test_svcca_serves_more_units_than_stimuli_and_cca_refuses():
    X, Y = arrays(4, n=20, dx=50, dy=6)
    with pytest.raises(cs.InputError, match="X has 50 units for 20 stimuli"):
        cs.cca(X, Y)
    with pytest.warns(UserWarning, match="whatever the data"):
        assert 0 < cs.svcca(X, Y) <= 1


def test_crowded_directions_are_one_by_construction_and_it_says_so():
    rng = np.random.default_rng(5)
    X, Y = rng.standard_normal((30, 20)), rng.standard_normal((30, 19))
    with pytest.warns(UserWarning, match="20 and 19 directions meet in 30 stimuli"):
        cs.cca(X, Y)
    assert (correlations(directions(X), directions(Y))[0] > 1 - 1e-9).sum() == 20 + 19 - 29


@pytest.mark.parametrize(("n", "d", "expected"), [(256, 32, 0.302), (256, 128, 0.636)])
def test_noise_scores_what_its_width_says(n, d, expected):
    rng = np.random.default_rng(6)
    X, Y = rng.standard_normal((2, n, d))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert cs.cca(X, Y) == pytest.approx(expected, abs=0.015)


def pwcca_by_whitening(X, Y, weights):
    """The three definitions, step by step as they were published, from symmetric whitening."""
    X, Y = X - X.mean(0), Y - Y.mean(0)
    white_x, white_y = (np.real(inv(sqrtm(A.T @ A))) for A in (X, Y))
    left, rho, _ = np.linalg.svd(white_x @ X.T @ Y @ white_y, full_matrices=False)
    variates = X @ white_x @ left
    if weights == "unwhitened":
        variates = np.linalg.qr(X @ left)[0]
    alpha = np.abs(variates).sum(0) if weights == "variates" else np.abs(variates.T @ X).sum(1)
    return (alpha * rho).sum() / alpha.sum()


@pytest.mark.parametrize("weights", ["morcos", "unwhitened", "variates"])
@pytest.mark.parametrize(("dx", "dy"), [(5, 8), (8, 5)])
def test_pwcca_by_its_three_definitions(weights, dx, dy):
    X, Y = arrays(7, dx=dx, dy=dy)
    assert cs.pwcca(X, Y, weights) == pytest.approx(pwcca_by_whitening(X, Y, weights))


def test_the_three_definitions_tell_strong_shared_directions_from_weak_ones_differently():
    rng = np.random.default_rng(8)
    shared = rng.standard_normal((500, 5))
    X, Y = (
        np.hstack([10 * shared, rng.standard_normal((500, 95))]) @ np.linalg.qr(rng.standard_normal((100, 100)))[0]
        for _ in range(2)
    )
    morcos, unwhitened, variates = (cs.pwcca(X, Y, weights) for weights in ("morcos", "unwhitened", "variates"))
    assert variates == pytest.approx(cs.cca(X, Y), abs=0.01)
    assert morcos > variates + 0.1
    assert unwhitened > variates + 0.1


def test_units_that_repeat_others_change_nothing():
    X, Y = arrays(9)
    doubled = np.hstack([X, X[:, :2], np.ones((len(X), 1))])
    assert cs.cca(doubled, Y) == pytest.approx(cs.cca(X, Y))
