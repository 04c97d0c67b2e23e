"""Information imbalance by its definition, and where it must be 0, 1 or one-sided."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import consilience as cs


def by_definition(X, Y, k, metric):
    n, total = len(X), 0
    near, far = cdist(X, X, metric), cdist(Y, Y, metric)
    for i in range(n):
        others = [j for j in range(n) if j != i]
        ranked = sorted(others, key=lambda j: far[i, j])
        nearest = sorted(others, key=lambda j: near[i, j])[:k]
        total += sum(ranked.index(j) + 1 for j in nearest)
    return 2 * total / (n**2 * k)


@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_is_its_definition(k, distance):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((25, 4))
    Y = X @ rng.standard_normal((4, 5)) + rng.standard_normal((25, 5))
    assert cs.information_imbalance(X, Y, k, distance) == pytest.approx(by_definition(X, Y, k, distance))


def test_is_least_for_the_same_and_one_by_chance():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((30, 5))
    assert cs.information_imbalance(X, X, k=3) == pytest.approx(4 / 30)
    found = cs.align(X, rng.standard_normal((30, 5)), "information_imbalance")
    assert found.null_mean == pytest.approx(1, abs=5 * found.null_sd / np.sqrt(999))
    assert np.isnan(found.calibrated)


def test_what_holds_more_tells_of_what_holds_less():
    X = np.random.default_rng(2).standard_normal((300, 2)) * [1, 0.9]
    assert cs.information_imbalance(X, X[:, :1]) < 0.3 < 0.45 < cs.information_imbalance(X[:, :1], X)


def test_ties_share_neighbours_and_ranks():
    X = np.array([[0.0], [1], [-1], [5]])
    Y = np.array([[0.0], [2], [3], [-2]])
    # of 0: 1 and 2 tie; in Y 1 and 3 tie for ranks 1 and 2, and 2 is third; of 1: 0, ranked 2nd; of 2: 0, 2nd; of 3: 1
    assert cs.information_imbalance(X, Y) == pytest.approx(2 / 16 * ((1.5 + 3) / 2 + 2 + 2 + 2))


def test_refuses():
    X = np.random.default_rng(3).standard_normal((6, 2))
    with pytest.raises(cs.InputError, match="k is 6"):
        cs.information_imbalance(X, X, k=6)
    with pytest.raises(cs.InputError, match="distance is 'dot'"):
        cs.information_imbalance(X, X, distance="dot")
