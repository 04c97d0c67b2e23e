"""Which orders count as chance: within groups, of groups, around in time."""

from itertools import permutations

import numpy as np
import pytest

import consilience as cs
from consilience.core import Orders
from consilience.metrics.correlation import directions
from consilience.nulls import sampled
from consilience.pairings import permuted_scores, random_orders, scores


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


# --- many sides in many orders --------------------------------------------------------------------------------------

BATCHES = [
    ("cka", {}),
    ("cka", {"estimator": "biased"}),
    ("rsa", {}),
    ("rsa", {"compare": "kendall"}),
    ("distance_correlation", {}),
    ("mutual_knn", {"k": 3}),
    ("cycle_knn", {"k": 3}),
    ("cknna", {"k": 3}),
    ("cca", {}),
    ("cca", {"summary": "mean_squared"}),
    ("svcca", {"variance": 0.9}),
    ("pwcca", {}),
    ("procrustes", {}),
    ("procrustes", {"score": "distance"}),
]


def two_models(n, widths_a, widths_b, seed=0):
    """Layers of two models that see the same three causes."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, 3))
    return [
        [z @ rng.standard_normal((3, d)) + rng.standard_normal((n, d)) for d in widths]
        for widths in (widths_a, widths_b)
    ]


def sides_and_meeting(metric, options, *models):
    card = cs.catalogue()[metric]
    of_side, of_meeting = card.split(options)
    return *([card.side(X, **of_side) for X in layers] for layers in models), card.meeting(of_meeting)


@pytest.mark.parametrize(("metric", "options"), BATCHES)
def test_a_batch_is_what_each_reordered_array_scores(metric, options):
    a, b = two_models(30, (4, 6), (5, 3, 7))
    of_a, of_b, meet = sides_and_meeting(metric, options, a, b)
    orders = Orders(30, 6, 1)
    score = cs.catalogue()[metric].score
    expected = [[[score(X, Y[order], **options) for Y in b] for X in a] for order in orders]
    np.testing.assert_allclose(permuted_scores(of_a, of_b, orders, meet), expected, rtol=1e-9, atol=1e-12)
    now = [[score(X, Y, **options) for Y in b] for X in a]
    np.testing.assert_allclose(scores(of_a, of_b, meet), now, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("metric", "options"), BATCHES)
@pytest.mark.parametrize("n", [5, 6])
def test_all_orders_of_a_few_stimuli_are_enumerated(metric, options, n):
    X, Y = (layers[0] for layers in two_models(n, [2], [2], seed=n))
    found = cs.align(X, Y, metric, method="enumeration", **options)
    drawn = np.array([found.chance.tail(found.score), found.null_mean, found.null_sd])
    score = cs.catalogue()[metric].score
    every = np.array([score(X, Y[list(order)], **options) for order in permutations(range(n))])
    sign = 1 if cs.catalogue()[metric].direction == "similarity" else -1
    p = (sign * every >= sign * found.score - 1e-6 * every.std()).mean()
    np.testing.assert_allclose(drawn, [p, every.mean(), every.std()], rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore:.*directions meet")
@pytest.mark.parametrize(("metric", "rel"), [("cca", 1e-9), ("procrustes", 1e-7)])
def test_wide_arrays_too(metric, rel):
    """More than 64 columns; and of 139 directions, 100 and 67 must share 28."""
    a, b = two_models(140, (66, 100), (67,))
    of_a, of_b, meet = sides_and_meeting(metric, {}, a, b)
    orders = Orders(140, 2, 1)
    score = cs.catalogue()[metric].score
    expected = [[[score(X, Y[order]) for Y in b] for X in a] for order in orders]
    np.testing.assert_allclose(permuted_scores(of_a, of_b, orders, meet), expected, rtol=rel)


@pytest.mark.parametrize("metric", ["mutual_knn", "cycle_knn", "cknna"])
@pytest.mark.filterwarnings("ignore:.*tied")
def test_shared_places_are_shared_in_a_batch(metric):
    a, b = two_models(24, (4,), (5, 3))
    for X in (*a, *b):
        X[3:9] = X[3]
    of_a, of_b, meet = sides_and_meeting(metric, {"k": 3}, a, b)
    orders = Orders(24, 5, 1)
    score = cs.catalogue()[metric].score
    expected = [[[score(X, Y[order], k=3) for Y in b] for X in a] for order in orders]
    np.testing.assert_allclose(permuted_scores(of_a, of_b, orders, meet), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("metric", ["cka", "hsic", "rsa", "distance_correlation"])
def test_draws_in_float32_move_by_a_millionth_of_their_scatter(metric):
    a, b = two_models(520, (4, 30), (5, 3))
    of_a, of_b, _ = sides_and_meeting(metric, {}, [1e-30 * X for X in a], [1e-30 * Y for Y in b])
    orders = Orders(520, 40, 1)
    drawn = permuted_scores(of_a, of_b, orders)
    exact = np.array([scores(of_a, [side.reordered(order) for side in of_b]) for order in orders])
    assert np.abs(drawn - exact).max() > 0
    assert (np.abs(drawn - exact).max(0) < 1e-6 * exact.std(0)).all()


@pytest.mark.parametrize("metric", ["cka", "rsa", "distance_correlation"])
def test_an_order_that_changes_nothing_is_no_less_alike_in_float32(metric):
    X, Y = (layers[0] for layers in two_models(520, [4], [5]))
    of_x, of_y, meet = sides_and_meeting(metric, {}, [X], [Y])
    same = permuted_scores(of_x, of_y, np.tile(np.arange(520), (99, 1)), meet).ravel()
    assert sampled(same, "permutations", "", 1).tail(cs.catalogue()[metric].score(X, Y)) == 1
