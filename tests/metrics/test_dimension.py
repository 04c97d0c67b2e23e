"""The participation ratio against closed forms, TwoNN against a line fit and surfaces of known dimension."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.linear_model import LinearRegression

import consilience as cs


def test_counts_equal_directions():
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 4)).reshape(4, -1).T  # four uncorrelated units of equal variance
    assert cs.participation_ratio(signs) == pytest.approx(4)
    assert cs.participation_ratio(signs * [3, 1, 0, 0]) == pytest.approx((9 + 1) ** 2 / (81 + 1))
    assert cs.participation_ratio(signs[:, :1] * np.ones(7)) == pytest.approx(1)


@pytest.mark.parametrize(("n", "d"), [(30, 200), (200, 30)])
def test_both_sides_of_the_covariance_agree(n, d):
    X = np.random.default_rng(0).standard_normal((n, d)) * np.linspace(1, 4, d)
    values = np.linalg.eigvalsh(np.cov(X.T))
    assert cs.participation_ratio(X) == pytest.approx(values.sum() ** 2 / (values**2).sum())


def ratios(X):
    distances = np.sort(cdist(X, X), axis=1)
    return np.sort(distances[:, 2] / distances[:, 1])


@pytest.mark.parametrize("fraction", [0.5, 0.9])
def test_two_nn_is_a_line_through_the_origin(fraction):
    X = np.random.default_rng(10).standard_normal((60, 4))
    kept = int(60 * fraction)
    x, y = np.log(ratios(X)[:kept]), -np.log(1 - np.arange(1, kept + 1) / 60)
    slope = LinearRegression(fit_intercept=False).fit(x[:, None], y).coef_[0]
    assert cs.two_nn(X, fraction) == pytest.approx(slope)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_two_nn_finds_the_dimension_of_a_curved_surface(d):
    rng = np.random.default_rng(d)
    angles = 2 * np.pi * rng.random((3000, d))  # a torus, without edges, in 2 d units, turned into 20
    X = np.hstack([np.cos(angles), np.sin(angles)]) @ np.linalg.qr(rng.standard_normal((20, 20)))[0][: 2 * d]
    assert cs.two_nn(X) == pytest.approx(d, rel=0.1)
    assert cs.participation_ratio(X) == pytest.approx(2 * d, rel=0.1)


def test_two_nn_does_not_see_size_or_place():
    X = np.random.default_rng(11).standard_normal((80, 3))
    assert cs.two_nn(7 * X + 3) == pytest.approx(cs.two_nn(X))


def test_two_nn_needs_distances_with_a_ratio():
    X = np.random.default_rng(12).standard_normal((20, 3))
    X[5] = X[4]
    with pytest.raises(cs.InputError, match="Stimulus 4 is repeated"):
        cs.two_nn(X)
    with pytest.raises(cs.InputError, match="grid"):
        cs.two_nn(np.eye(8))
    for fraction in (0, 1.1, True, "most"):
        with pytest.raises(cs.InputError, match="fraction"):
            cs.two_nn(X, fraction)
