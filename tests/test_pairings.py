"""Which orders count as chance: within groups, of groups, around in time."""

from itertools import permutations

import numpy as np
import pytest

import consilience as cs
from consilience.metrics.correlation import directions
from consilience.pairings import permuted_scores, random_orders


def rows(orders):
    return np.array([np.asarray(order) for order in orders])


def test_within_groups_nobody_leaves_his_own():
    groups = np.repeat(list("abc"), 5)[np.random.default_rng(0).permutation(15)]
    for order in random_orders(15, 30, groups=groups):
        assert (groups[order] == groups).all()
        assert sorted(order) == list(range(15))


def test_whole_groups_move_with_their_stimuli_in_order():
    groups = np.array([7, 3, 7, 3, 5, 5])
    found = {tuple(order) for order in rows(random_orders(6, 400, groups=groups, exchange="groups"))}
    members = {7: [0, 2], 3: [1, 3], 5: [4, 5]}
    expected = set()
    for arranged in permutations(members):
        order = np.empty(6, int)
        for place, group in zip(sorted(members), arranged, strict=True):
            order[members[place]] = members[group]
        expected.add(tuple(order))
    assert found == expected


def test_shifts_keep_what_follows_what():
    found = rows(random_orders(9, 300, exchange="shift"))
    assert {tuple(order) for order in found} == {tuple(np.roll(np.arange(9), -step)) for step in range(9)}
    runs = np.repeat([0, 1], [4, 5])
    for order in rows(random_orders(9, 50, groups=runs, exchange="shift")):
        assert (runs[order] == runs).all()
        for run in (0, 1):
            assert (np.diff(order[runs == run]) % (runs == run).sum() == 1).all()


@pytest.mark.parametrize("labels", [np.repeat([0, 1], [4, 8]), np.zeros(12, int)])
def test_groups_of_different_size_cannot_be_exchanged(labels):
    with pytest.raises(cs.InputError, match="equal size"):
        random_orders(12, 10, groups=labels, exchange="groups")


def test_series_that_drift_are_not_alike_by_drifting():
    """Two independent slow series without beginning: shuffling finds them alike far too often, shifting does not."""
    hits = {"within": 0, "shift": 0}
    slowly = np.exp(-(np.arange(61) ** 2) / 8)[:, None]
    for seed in range(40):
        rng = np.random.default_rng(seed)
        X, Y = (np.fft.irfft(np.fft.rfft(rng.standard_normal((120, 2)), axis=0) * slowly, axis=0) for _ in range(2))
        for exchange in hits:
            found = cs.align(X, Y, method="permutations", draws=99, exchange=exchange, seed=seed)
            hits[exchange] += found.p <= 0.05
    assert hits["within"] >= 15
    assert hits["shift"] <= 7  # the 0.999 quantile of a binomial with 40 tries at 0.05


def test_sides_that_are_no_relations_meet_under_the_same_orders():
    rng = np.random.default_rng(1)
    X, Y = rng.standard_normal((30, 3)), rng.standard_normal((30, 4))
    orders = random_orders(30, 5, seed=2)
    card = cs.catalogue()["cca"]
    found = permuted_scores([directions(X)], [directions(Y)], orders, card.meet).ravel()
    np.testing.assert_allclose(found, [cs.cca(X, Y[order]) for order in orders])
