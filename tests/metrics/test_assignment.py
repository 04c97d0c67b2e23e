"""Seeded matching against the enumeration of all matchings, and what ties and order must not give away."""

from itertools import permutations

import numpy as np
import pytest

import consilience as cs
from consilience.metrics.assignment import THROUGH, products, quadratic


def arrays(seed, n=40, noise=0.5):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 8))
    return X, X @ np.linalg.qr(rng.standard_normal((8, 8)))[0] + noise * rng.standard_normal((n, 8))


@pytest.mark.parametrize("seed", range(5))
def test_from_the_best_of_all_matchings_none_is_better(seed):
    X, Y = arrays(seed, n=16)
    K, L = products(X), products(Y)
    value = {
        order: np.vdot(K, L[np.ix_(whole, whole)])
        for order in permutations(range(6))
        for whole in [[*range(10), *(10 + np.array(order))]]
    }
    best = max(value, key=value.get)
    assert tuple(quadratic(K, L, 10, np.array(best))) == best
    assert value[tuple(quadratic(K, L, 10, np.arange(6)[::-1]))] >= value[tuple(range(6)[::-1])]


@pytest.mark.parametrize("through", THROUGH)
def test_stimuli_whose_relations_agree_are_matched(through):
    assert cs.seeded_matching(*arrays(0, noise=0.01), through) == 1
    rng = np.random.default_rng(1)
    found = [cs.seeded_matching(*rng.standard_normal((2, 40, 6)), through) for _ in range(10)]
    assert np.mean(found) == pytest.approx(1 / 8, abs=0.07)


def test_seeks_further_than_the_nearest():
    """The quadratic assignment uses what held-out stimuli say of one another, local CKA the seeds alone."""
    worlds = [arrays(seed, n=20) for seed in range(20)]
    found = [[cs.seeded_matching(*world, through, folds=2) for through in ("qap", "local_cka")] for world in worlds]
    assert np.subtract(*np.mean(found, 0)) > 0.02


@pytest.mark.parametrize("through", THROUGH)
def test_ties_do_not_go_to_the_truth(through):
    rng = np.random.default_rng(2)
    X, Y = np.repeat(rng.standard_normal((8, 5)), 5, axis=0), rng.standard_normal((40, 6))
    found = [cs.seeded_matching(X, rng.permutation(Y), through, seed=seed) for seed in range(10)]
    assert np.mean(found) < 0.25


def test_refuses():
    with pytest.raises(cs.InputError, match="through is 'guess'; choose one of 'qap'"):
        cs.seeded_matching(*arrays(3), through="guess")
    with pytest.raises(cs.InputError, match="at least 5 different ones"):
        cs.seeded_matching(*arrays(3), groups=np.repeat([0, 1], 20))
