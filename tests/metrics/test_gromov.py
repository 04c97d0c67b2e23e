"""Gromov-Wasserstein against the enumeration of all pairings, and bounds that any answer must keep."""

from itertools import permutations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

import consilience as cs


def distances(X):
    D = squareform(pdist(X))
    return D / np.sqrt((D**2).mean())


def of_all_pairings(X, Y):
    """The distortion of each pairing. One of them is the best transport, since Euclidean distances are conditionally
    negative definite, so that the problem is concave (Maron & Lipman 2018)."""
    A, B = distances(X), distances(Y)
    return [np.sqrt(np.square(A - B[np.ix_(order, order)]).mean()) for order in permutations(range(len(X)))]


@pytest.mark.parametrize("seed", range(6))
def test_lies_between_the_best_of_all_pairings_and_that_of_the_rows(seed):
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((6, 3)), rng.standard_normal((6, 4))
    known = of_all_pairings(X, Y)
    assert min(known) - 1e-9 <= cs.gromov_wasserstein(X, Y) <= known[0] + 1e-9
    assert max(known) < np.sqrt(2)


def test_a_square_and_a_line():
    square, line = np.array([[0.0, 0], [0, 1], [1, 1], [1, 0]]), np.arange(4.0)[:, None]
    assert cs.gromov_wasserstein(square, line) == pytest.approx(min(of_all_pairings(square, line)))


def test_needs_no_pairing():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((12, 2)) * [3, 1]
    turned = 5 * X @ np.linalg.qr(rng.standard_normal((2, 2)))[0] + 1
    assert cs.gromov_wasserstein(X, turned) == pytest.approx(0, abs=1e-6)
    order = rng.permutation(12)
    assert cs.gromov_wasserstein(X, turned[order]) == pytest.approx(0, abs=1e-6)


def test_symmetric_and_zero_only_for_the_same_shape():
    rng = np.random.default_rng(2)
    X, Y = rng.standard_normal((15, 3)), rng.standard_normal((15, 3))
    assert cs.gromov_wasserstein(X, Y) == pytest.approx(cs.gromov_wasserstein(Y, X), abs=1e-3)
    assert cs.gromov_wasserstein(X, Y) > 0.05
