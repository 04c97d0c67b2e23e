"""MKA against its definition with dense matrices and bandwidths found one by one."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.spatial.distance import cdist

import consilience as cs
from consilience.metrics.manifold import manifold


def arrays(seed, n=50):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5)) * np.exp(rng.standard_normal((n, 1)))  # dense here, sparse there
    return X, X @ rng.standard_normal((5, 7)) + rng.standard_normal((n, 7))


def kernel(X, k):
    K = np.eye(len(X))
    for i, row in enumerate(cdist(X, X)):
        near = [j for j in np.argsort(row) if j != i][:k]
        beyond = row[near] - row[near[0]]
        sigma = brentq(lambda s, e=beyond: np.exp(-e / s).sum() - np.log2(k), 1e-6, 1e6, xtol=1e-14)
        K[i, near] = np.exp(-beyond / sigma)
    return K


@pytest.mark.parametrize("k", [3, 8, 15, 49])
def test_is_the_alignment_of_kernels_centred_on_one_side(k):
    X, Y = arrays(k)
    H = np.eye(50) - 1 / 50
    KH, LH = kernel(X, k) @ H, kernel(Y, k) @ H
    expected = np.trace(KH @ LH.T) / np.linalg.norm(KH) / np.linalg.norm(LH)
    assert cs.mka(X, Y, k) == pytest.approx(expected, rel=1e-9)


def test_all_rows_have_one_sum_and_a_tied_place_is_shared():
    X = np.arange(20.0)[:, None]  # most have two fifth neighbours
    with pytest.warns(UserWarning, match="tied"):
        side = manifold(X, 5)
    assert side.kernel.sum(1) == pytest.approx(side.row_sum)
    order = np.random.default_rng(1).permutation(len(X))
    with pytest.warns(UserWarning, match="tied"):
        again = manifold(X[order], 5)
    assert again.kernel.toarray() == pytest.approx(side.kernel.toarray()[np.ix_(order, order)])


def test_what_has_no_bandwidth_is_refused():
    X, Y = arrays(1)
    with pytest.raises(cs.InputError, match="three neighbours"):
        cs.mka(X, Y, 2)
    X[10:18] = X[3]
    with pytest.warns(UserWarning, match="tied"), pytest.raises(cs.InputError, match="equally the nearest"):
        cs.mka(X, Y, 15)
