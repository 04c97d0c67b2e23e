"""The participation ratio against closed forms."""

import numpy as np
import pytest

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
