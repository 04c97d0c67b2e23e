"""Gromov-Wasserstein against the enumeration of all pairings, and bounds that any answer must keep."""

from itertools import permutations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

import consilience as cs


def distances(X):
    D = squareform(pdist(X))
    return D / np.sqrt((D**2).mean())


@pytest.mark.parametrize("seed", range(6))
def test_lies_between_what_no_transport_can_beat_and_the_pairing_of_the_rows(seed):
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((6, 3)), rng.standard_normal((6, 4))
    A, B = distances(X), distances(Y)
    found = cs.gromov_wasserstein(X, Y)
    pairings = [np.sqrt(np.square(A - B[np.ix_(order, order)]).mean()) for order in permutations(range(6))]
    assert found <= pairings[0] + 1e-9
    # all distances sorted: what two clouds of such distances cannot go below, whoever is paired (Mémoli 2011)
    assert found >= np.sqrt(np.square(np.sort(A.ravel()) - np.sort(B.ravel())).mean()) - 1e-9
    assert found < np.sqrt(2)


def test_needs_no_pairing():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((12, 2)) * [3, 1]
    turned = 5 * X @ np.linalg.qr(rng.standard_normal((2, 2)))[0] + 1
    assert cs.gromov_wasserstein(X, turned) == pytest.approx(0, abs=1e-6)
    order = rng.permutation(12)
    assert cs.gromov_wasserstein(X, turned[order]) == pytest.approx(0, abs=1e-6)


def test_two_shapes_known_in_closed_form():
    """A square against four points on a line, by hand: all 24 pairings, since the best transport is one of them."""
    X = np.array([[0.0, 0], [0, 1], [1, 1], [1, 0]])
    Y = np.arange(4.0)[:, None]
    A, B = distances(X), distances(Y)
    best = min(np.sqrt(np.square(A - B[np.ix_(order, order)]).mean()) for order in permutations(range(4)))
    assert cs.gromov_wasserstein(X, Y) <= best + 1e-9


def test_symmetric_and_zero_only_for_the_same_shape():
    rng = np.random.default_rng(2)
    X, Y = rng.standard_normal((15, 3)), rng.standard_normal((15, 3))
    assert cs.gromov_wasserstein(X, Y) == pytest.approx(cs.gromov_wasserstein(Y, X), abs=1e-3)
    assert cs.gromov_wasserstein(X, Y) > 0.05
