"""The made world shares what it is asked to share, and nothing else."""

import numpy as np
import pytest

import consilience as cs
from consilience.book import measured, world


def test_shapes_and_the_same_world_for_the_same_seed():
    X, Y = world(20, (3, 5), shared=2, seed=4)
    assert X.shape == (20, 3) and Y.shape == (20, 5)
    again = world(20, (3, 5), shared=2, seed=4)
    assert np.array_equal(X, again[0]) and np.array_equal(Y, again[1])


@pytest.mark.parametrize("knobs", [{}, {"private": 3}])
def test_nothing_is_shared_unless_asked_for(knobs):
    p = [cs.align(*world(60, 20, seed=seed, **knobs), method="permutations", draws=99).p for seed in range(40)]
    assert 0.2 < np.mean(p) < 0.8 and np.mean(np.array(p) <= 0.05) < 0.2


def test_shared_directions_alone_are_the_same_up_to_a_linear_map():
    X, Y = world(50, 8, shared=8, noise=0)
    assert cs.svcca(X, Y, variance=0.999999) == pytest.approx(1)
    assert cs.cca(X, world(50, 8, shared=8, noise=0, seed=1)[0]) < 0.8


def test_kinds_are_shared_and_their_insides_are_not():
    X, Y = world(200, 40, kinds=4)
    assert cs.align(X, Y, "mutual_knn").p < 0.001
    near = cs.neighbors(X, k=20)[0]
    ones = np.r_[0, near[0]]  # of one kind, fifty strong
    assert cs.align(X[ones], Y[ones], "mutual_knn", k=5).p > 0.01


def test_the_slope_lowers_the_effective_rank_and_knobs_move_units_by_what_they_say():
    ranks = [cs.participation_ratio(world(100, 50, private=50, slope=slope, noise=0)[0]) for slope in (0, 1, 2)]
    assert ranks[0] > 2 * ranks[1] > 4 * ranks[2]
    assert np.std(world(4000, 300, private=1, private_sd=3, noise=0)[0]) == pytest.approx(3, rel=0.1)
    assert np.std(world(4000, 50, noise=2)[0]) == pytest.approx(2, rel=0.05)


def test_measured_passes_only_if_its_interval_lies_where_it_should():
    values = np.random.default_rng(0).normal(1, 0.1, 20)
    inside = measured("case", "nothing", "cka", values, above=0.5, below=1.5)
    assert inside.passed and inside.low < values.mean() < inside.high and inside.scale == "global"
    assert not measured("case", "nothing", "mutual_knn", values, above=0.99).passed
    assert not measured("case", "nothing", "mutual_knn", values, below=1.01).passed
