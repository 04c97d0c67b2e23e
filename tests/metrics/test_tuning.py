"""Matching of units against enumeration, a linear program and repeated units."""

from itertools import permutations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment, linprog

import consilience as cs


def correlations(X, Y):
    return np.corrcoef(X, Y, rowvar=False)[: X.shape[1], X.shape[1] :]


def arrays(seed, dx, dy, n=30):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, dx))
    return X, X @ rng.standard_normal((dx, dy)) + rng.standard_normal((n, dy))


@pytest.mark.parametrize("seed", range(3))
def test_one_to_one_is_the_best_of_all_pairings(seed):
    X, Y = arrays(seed, 4, 6)
    r = correlations(X, Y)
    best = max(np.mean([r[i, j] for i, j in enumerate(chosen)]) for chosen in permutations(range(6), 4))
    assert cs.unit_matching(X, Y) == pytest.approx(best)
    assert cs.unit_matching(Y, X) == pytest.approx(best)


@pytest.mark.parametrize("widths", [(4, 6), (5, 3), (7, 4)], ids=str)
def test_soft_is_a_linear_program(widths):
    dx, dy = widths
    X, Y = arrays(1, dx, dy)
    rows, columns = np.kron(np.eye(dx), np.ones(dy)), np.kron(np.ones(dx), np.eye(dy))
    shares = np.repeat([1 / dx, 1 / dy], [dx, dy])
    found = linprog(-correlations(X, Y).ravel(), A_eq=np.vstack([rows, columns]), b_eq=shares)
    assert cs.soft_matching(X, Y) == pytest.approx(-found.fun)


def test_soft_is_one_to_one_of_repeated_units():
    X, Y = arrays(2, 4, 6)
    r = correlations(np.repeat(X, 3, axis=1), np.repeat(Y, 2, axis=1))
    assert cs.soft_matching(X, Y) == pytest.approx(r[linear_sum_assignment(-r)].mean())


def test_of_equal_widths_they_are_one():
    X, Y = arrays(3, 9, 9)
    assert cs.soft_matching(X, Y) == pytest.approx(cs.unit_matching(X, Y))


def test_the_soft_matching_distance_is_a_metric():
    rng = np.random.default_rng(4)
    sides = [rng.standard_normal((12, d)) for d in (3, 5, 4, 5)]
    apart = np.array([[np.sqrt(max(2 - 2 * cs.soft_matching(X, Y), 0)) for Y in sides] for X in sides])
    assert np.diag(apart) == pytest.approx(0, abs=1e-6)
    assert apart == pytest.approx(apart.T)
    assert (apart[:, None] <= apart[:, :, None] + apart[None] + 1e-9).all()


def test_sees_axes_and_forgets_their_order():
    X = np.random.default_rng(5).standard_normal((50, 6))
    order = np.random.default_rng(6).permutation(6)
    turn = np.linalg.qr(np.random.default_rng(7).standard_normal((6, 6)))[0]
    for score in (cs.unit_matching, cs.soft_matching):
        assert score(X, 3 * X[:, order] + 1) == pytest.approx(1)
        assert score(X, X @ turn) < 0.9


def test_units_that_do_not_vary_are_left_out():
    X, Y = arrays(8, 5, 5)
    dead = np.hstack([Y, np.ones((30, 2))])
    for score in (cs.unit_matching, cs.soft_matching):
        assert score(X, dead) == pytest.approx(score(X, Y))


def test_refuses_a_transport_that_did_not_end(monkeypatch):
    monkeypatch.setattr("consilience.metrics.tuning.MOST_STEPS", 1)
    with pytest.warns(UserWarning, match="numItermax"), pytest.raises(cs.InputError, match="could not be transported"):
        cs.soft_matching(*arrays(9, 8, 9))
