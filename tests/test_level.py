"""Independent sets are found alike as often as the level says: the first thing to ask of a p-value.

Counts of rejections are held against exact binomial intervals of 99.9 %, from below as well: a test that never rejects
keeps its level too.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import consilience as cs
from consilience.core import Orders
from consilience.metrics import CARDS
from consilience.nulls import moment_null, null
from consilience.trust import few_kinds, lumps

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import level


@pytest.mark.filterwarnings("ignore:.*tied:UserWarning")
@pytest.mark.parametrize("metric", level.METRICS)
@pytest.mark.parametrize("world", level.WORLDS)
def test_auto_keeps_its_level(world, metric):
    found = level.rejections(world, metric, n=40, sets=20, pairings=2_000, nulls=2)
    for method, (_, pairings, *alike) in found.items():
        for at, count in zip(level.LEVELS, alike, strict=True):
            low, high = level.interval(world, metric, method, pairings, at)
            assert low <= count <= high, (method, at)


def grouped(rng):
    """Eight speakers of six words: both sides know the speaker, each in its own way, and nothing else."""
    speaker = np.repeat(np.arange(8), 6)
    return (*(4 * rng.standard_normal((8, 5))[speaker] + rng.standard_normal((48, 5)) for _ in range(2)), speaker)


def films(rng):
    """Eight films of six frames each, which change slowly: films are exchangeable, frames are not."""
    film = np.repeat(np.arange(8), 6)
    return (*(np.cumsum(rng.standard_normal((8, 6, 4)), 1).reshape(48, 4) for _ in range(2)), film)


def slow(rng):
    """Series that drift, without beginning or end."""
    gain = np.exp(-(np.arange(31) ** 2) / 30)[:, None]
    return (*(np.fft.irfft(np.fft.rfft(rng.standard_normal((60, 2)), axis=0) * gain, axis=0) for _ in range(2)), None)


def heavy(rng):
    return (*rng.standard_t(1, (2, 30, 4)), None)


def tied(rng):
    """Each stimulus three times, on both sides, in another order."""
    return (*(np.repeat(rng.standard_normal((10, 4)), 3, 0)[rng.permutation(30)] for _ in range(2)), None)


RESTRICTED = {
    "within groups": (grouped, "within"),
    "of groups": (films, "groups"),
    "around in time": (slow, "shift"),
    "heavy tails": (heavy, "within"),
    "repeated stimuli": (tied, "within"),
}
TESTS = 250
DRAWS = 99


@pytest.mark.filterwarnings("ignore:.*tied:UserWarning")
@pytest.mark.parametrize("metric", ["cka", "mutual_knn", "rsa", "procrustes"])
@pytest.mark.parametrize("world", RESTRICTED)
def test_pairings_keep_their_level_exactly(world, metric):
    """New sets for each test, the whole way through the nulls of `align`."""
    draw, exchange = RESTRICTED[world]
    card, options, p = CARDS[metric], {"k": 4} if metric == "mutual_knn" else {}, []
    for seed in range(TESTS):
        X, Y, groups = draw(np.random.default_rng([seed, 1]))
        a, b = card.side(X, **options), card.side(Y, **options)
        chance = null(a, b, "permutations", DRAWS, seed, groups, exchange, card.meet, card.direction)
        p.append(chance.tail(card.meet(a, b)))
    rejected = int((np.array(p) <= 0.05).sum())
    low, high = stats.binom(TESTS, 0.05).interval(0.999)
    coarse = exchange == "shift" or metric == "mutual_knn"  # few shifts, and whole numbers: the level is met from below
    assert (1 if coarse else low) <= rejected <= high
    assert int((np.array(p) <= 0.01).sum()) <= stats.binom.isf(0.0005, TESTS, 0.01)


@pytest.mark.parametrize("exchange", ["within", "groups"])
def test_stimuli_that_belong_together_are_found_alike_when_nothing_says_so(exchange):
    """Why groups are asked for: the same sets without them reject nearly always."""
    draw = grouped if exchange == "within" else films
    p = [cs.align(*draw(np.random.default_rng(seed))[:2], "cka").p for seed in range(40)]
    assert np.mean(np.array(p) <= 0.05) > 0.3


# --- where a curve may be trusted -----------------------------------------------------------------------------------


def exact_size(n, at):
    """Two sets of two equal classes have one number between them, which is hypergeometric. Size of the curve's test."""
    both = np.arange(n // 2 + 1)
    labels = np.repeat([0, 1], n // 2)
    a = CARDS["cka"].side(np.eye(2)[labels])
    chance = moment_null(a, a)[0]
    moved = [np.r_[np.zeros(t), np.ones(n // 2), np.zeros(n // 2 - t)].astype(int) for t in both]
    scores = np.array([CARDS["cka"].meet(a, CARDS["cka"].side(np.eye(2)[order])) for order in moved])
    share = stats.hypergeom(n, n // 2, n // 2).pmf(both)
    return float(share[[chance.tail(score) <= at for score in scores]].sum())


def test_two_classes_on_both_sides_would_break_the_level_of_a_curve_and_are_shuffled():
    assert exact_size(20, 0.01) > 0.02
    assert exact_size(100, 0.05) > 0.065
    labels = np.eye(2)[np.repeat([0, 1], 50)]
    found = cs.align(labels, labels[np.random.default_rng(0).permutation(100)])
    assert found.method == "permutations"
    assert "few kinds" in found.why
    assert cs.align(labels, np.random.default_rng(1).standard_normal((100, 3))).method == "moments"


def test_lumps_are_the_chance_that_two_pairings_agree():
    labels = np.eye(2)[np.repeat([0, 1], 50)]
    a = CARDS["cka"].side(labels)
    shares = stats.hypergeom(100, 50, 50).pmf(np.arange(51))
    folded = shares[:25] + shares[:25:-1]  # a score does not tell a table from its mirror image
    assert lumps(a, a) == pytest.approx((folded**2).sum() + shares[25] ** 2, abs=0.05)
    assert few_kinds(a)
    assert not few_kinds(CARDS["cka"].side(np.random.default_rng(2).standard_normal((100, 3))))


@pytest.mark.parametrize("metric", ["cka", "rsa", "distance_correlation", "mutual_knn"])
def test_few_stimuli_are_shuffled(metric):
    X, Y = np.random.default_rng(3).standard_normal((2, 19, 3))
    options = {"k": 2} if metric == "mutual_knn" else {}
    assert cs.align(X, Y, metric, **options).method == "permutations"
    asked = cs.align(X, Y, metric, "moments", **options)
    assert asked.method == "moments"
    assert "although with 19 stimuli" in asked.why


def test_what_decides_does_not_depend_on_who_is_paired_with_whom():
    """Else the choice of the method would move p-values."""
    rng = np.random.default_rng(4)
    for world in level.WORLDS.values():
        X, Y = world(40, rng), world(40, rng)
        a, b = CARDS["cka"].side(X), CARDS["cka"].side(Y)
        methods = {null(a, b.reordered(order), draws=99).method for order in Orders(40, 5, 0)}
        assert len(methods) == 1


def test_orders_are_uniform():
    """All 24 orders of four stimuli come equally often."""
    orders = [tuple(order) for order in Orders(4, 24_000, 5)]
    _, times = np.unique(orders, axis=0, return_counts=True)
    assert len(times) == 24
    assert stats.chisquare(times).pvalue > 1e-4
