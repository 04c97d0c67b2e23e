"""The scale of agreement: a score for each k, beside its null."""

import numpy as np
import pytest

import consilience as cs


def test_each_k_is_mutual_knn_with_its_null():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 5))
    Y = X @ rng.standard_normal((5, 7)) + rng.standard_normal((60, 7))
    table = cs.scale_of_agreement(X, Y, ks=[1, 5, 20])
    for row in table.itertuples():
        assert row.score == pytest.approx(cs.mutual_knn(X, Y, k=row.k))
        alignment = cs.align(X, Y, "mutual_knn", k=row.k)
        assert (row.p, row.null_mean) == pytest.approx((alignment.p, alignment.null_mean))
        assert row.k_over_n == row.k / 60
    default = cs.scale_of_agreement(X, Y).k
    assert (default.iloc[0], default.iloc[-1]) == (1, 30)
    assert (default.diff()[1:] > 0).all()


def test_agreement_in_the_large_alone_shows_at_large_k():
    rng = np.random.default_rng(1)
    kinds = np.repeat(np.arange(4), 30)
    X, Y = (6 * rng.standard_normal((4, 8))[kinds] + rng.standard_normal((120, 8)) for _ in range(2))
    table = cs.scale_of_agreement(X, Y, ks=[2, 29], draws=199)
    assert table.calibrated.iloc[0] < 0.3
    assert table.calibrated.iloc[1] > 0.5


def test_refuses_k_at_which_every_score_is_one():
    X = np.random.default_rng(2).standard_normal((12, 3))
    with pytest.raises(cs.InputError, match="every score is 1"):
        cs.scale_of_agreement(X, X, ks=[3, 11])
