"""The null of a score: its level, its agreement between methods, and what it refuses."""

from functools import partial

import numpy as np
import pytest
from scipy import stats

import consilience as cs
from consilience import InputError
from consilience.metrics.kernel import kernel_relation
from consilience.metrics.neighborhood import neighbor_relation
from consilience.metrics.relation import Relation, product
from consilience.nulls import null
from consilience.pairings import permuted_scores


def sets(seed, n=60, dx=8, dy=12):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, dx)), rng.standard_normal((n, dy))


@pytest.mark.parametrize("relation", [kernel_relation, neighbor_relation])
def test_moments_and_permutations_tell_the_same_story(relation):
    a, b = map(relation, sets(0))
    exact = null(a, b, "moments")
    drawn = null(a, b, "permutations", draws=4000)
    assert exact.mean == pytest.approx(drawn.mean, abs=4 * drawn.sd / 4000**0.5)
    assert exact.sd == pytest.approx(drawn.sd, rel=0.05)
    assert exact.skew == pytest.approx(drawn.skew, abs=0.2)
    for level in (0.9, 0.95, 0.99):
        assert drawn.tail(exact.quantile(level)) == pytest.approx(1 - level, rel=0.4)


def test_debiased_cka_varies_as_two_over_n_times_n_minus_three_whatever_the_data():
    for seed, n in ((0, 20), (1, 50)):
        X, Y = sets(seed, n)
        assert null(kernel_relation(X**3), kernel_relation(Y), "moments").sd ** 2 == pytest.approx(2 / (n * (n - 3)))


@pytest.mark.parametrize("relation", [kernel_relation, neighbor_relation])
def test_independent_sets_are_rejected_at_the_stated_level(relation):
    p = []
    for seed in range(300):
        a, b = map(relation, sets(seed, n=40))
        p.append(null(a, b, "moments").tail(product(a, b)))
    rejected = sum(x <= 0.05 for x in p)
    low, high = stats.binom(300, 0.05).interval(0.999)
    assert rejected <= high
    assert rejected >= (low if relation is kernel_relation else 1)  # whole numbers keep the level from above


def test_few_stimuli_are_enumerated_and_p_is_the_exact_share():
    X, Y = sets(3, n=5)
    a, b = kernel_relation(X), kernel_relation(Y)
    found = null(a, b)
    assert found.method == "enumeration"
    assert found.tail(product(a, a) + 1) == 0
    assert null(a, a).tail(product(a, a)) == pytest.approx(1 / 120)
    assert found.mean == pytest.approx(0, abs=1e-12)


def test_a_shared_grouping_is_no_alignment_within_groups():
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(4), 20)
    centres = 8 * rng.standard_normal((4, 6))
    a, b = (kernel_relation(centres[groups] + rng.standard_normal((80, 6))) for _ in range(2))
    score = product(a, b)
    assert null(a, b).tail(score) <= 1e-3
    assert null(a, b, groups=groups, draws=499).tail(score) > 0.01


def test_outliers_in_both_sets_send_auto_to_permutations():
    X, Y = sets(5, n=50)
    X[0] *= 60
    Y[0] *= 60
    found = null(kernel_relation(X), kernel_relation(Y))
    assert found.method == "permutations"
    assert "kurtosis" in found.why


def test_beyond_a_size_the_shape_comes_from_a_subset_and_the_spread_stays_exact(monkeypatch):
    X, Y = sets(7, n=120)
    a, b = kernel_relation(X, "rbf"), kernel_relation(Y, "rbf")
    whole = null(a, b, "moments")
    monkeypatch.setattr("consilience.nulls.CUBE_UP_TO", 80)
    found = null(a, b, "moments")
    assert found.sd == pytest.approx(whole.sd)
    assert found.skew == pytest.approx(whole.skew, abs=0.1)
    assert "80 of 120" in found.why


@pytest.mark.parametrize("kernel", ["linear", "cosine"])
@pytest.mark.parametrize("n", [60, 20])  # the matrix is larger, or smaller, than the units
def test_linear_relations_are_their_matrices(n, kernel, monkeypatch):
    a, b = (kernel_relation(A, kernel) for A in sets(7, n))
    stored = [Relation(relation.matrix, relation.kind) for relation in (a, b)]
    monkeypatch.setattr("consilience.nulls.CUBE_UP_TO", n)
    expected = null(*stored, "moments")
    monkeypatch.setattr("consilience.nulls.CUBE_UP_TO", 4)  # which does not bind them
    found = null(a, b, "moments")
    assert found.skew == pytest.approx(expected.skew, rel=1e-10)
    assert found.why == expected.why
    assert product(a, b) == pytest.approx(product(*stored), rel=1e-10)
    assert product(a, a) == pytest.approx(1)


def test_large_graphs_have_three_moments_of_the_core(monkeypatch):
    a, b = map(neighbor_relation, sets(8, n=80))
    four = null(a, b, "moments")
    monkeypatch.setattr("consilience.nulls.MOST_STEPS", 10)
    three = null(a, b, "moments")
    assert (three.mean, three.sd, three.skew) == pytest.approx((four.mean, four.sd, four.skew))
    assert "three exact moments" in three.why


def test_a_few_pairings_say_nothing_of_what_chance_rarely_exceeds():
    """With 99 pairings p is never below .01; a calibrated score above 0 at .001 would contradict it."""
    a, _ = map(kernel_relation, sets(9))
    few = null(a, a, "permutations", 99)
    assert few.quantile(0.99) == pytest.approx(few.mean, abs=10 * few.sd)
    with pytest.raises(InputError, match="at least 999"):
        few.quantile(0.999)


def test_products_of_stacks_equal_products_one_by_one():
    biased = partial(kernel_relation, estimator="biased")
    for relation in (kernel_relation, biased, neighbor_relation):
        X, Y = sets(6, n=30)
        a, b = [relation(X), relation(X[:, :3])], [relation(Y), relation(Y[:, :5]), relation(X)]
        order = np.random.default_rng(0).permutation(30)
        stacked = permuted_scores(a, b, [order])[0]
        expected = [[product(first, second.reordered(order)) for second in b] for first in a]
        np.testing.assert_allclose(stacked, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"method": "guess"}, "method"),
        ({"method": "permutations", "draws": 10}, "draws"),
        ({"groups": np.arange(60)}, "groups"),
        ({"groups": np.zeros(3)}, "groups"),
        ({"method": "moments", "groups": np.repeat([0, 1], 30)}, "permutations"),
        ({"method": "enumeration"}, "enumeration"),
    ],
)
def test_refuses(arguments, words):
    a, b = map(kernel_relation, sets(0))
    with pytest.raises(InputError, match=words):
        null(a, b, **arguments)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_the_mean_of_biased_cka_is_that_of_all_pairings(kernel):
    rng = np.random.default_rng(21)
    X, Y = rng.standard_normal((7, 2)), rng.standard_normal((7, 4))
    options = {"estimator": "biased", "kernel": kernel}
    every, drawn = (cs.align(X, Y, "cka", method, draws=99, **options) for method in ("enumeration", "permutations"))
    assert drawn.null_mean == pytest.approx(every.null_mean, rel=1e-10)
    assert "the mean is exact" in drawn.why


def test_the_mean_of_biased_linear_cka_is_had_from_participation_ratios():
    rng = np.random.default_rng(22)
    X, Y = rng.standard_normal((14, 2)), rng.standard_normal((14, 4))
    mean = np.sqrt(cs.participation_ratio(X) * cs.participation_ratio(Y)) / 13
    table = cs.compare({"x": X}, {"y": Y}, "cka", draws=99, estimator="biased")
    assert table.null_mean.item() == pytest.approx(mean, rel=1e-10)
    assert cs.align(X, Y, estimator="biased").null_mean == pytest.approx(mean, rel=1e-10)
    halves = cs.align(X, Y, estimator="biased", groups=np.repeat([0, 1], 7))
    assert "exact" not in halves.why
