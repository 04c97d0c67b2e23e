"""Power: what is promised is seen, and noise is not."""

import numpy as np
import pytest

import consilience as cs


def weakly_alike(n, shared, seed, d=20):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, d))
    return tuple(shared * z + rng.standard_normal((n, d)) for _ in range(2))


def test_the_promised_number_of_stimuli_shows_the_effect_as_often_as_promised():
    shared = 0.5
    large = [cs.cka(*weakly_alike(4000, shared, seed)) for seed in range(3)]
    n = cs.stimuli_needed(np.mean(large), power=0.8)
    hits = [cs.align(*weakly_alike(n, shared, seed)).p <= 0.05 for seed in range(150)]
    assert np.mean(hits) == pytest.approx(0.8, abs=0.12)


def test_a_smaller_effect_needs_more_stimuli_about_in_proportion():
    few, many = cs.stimuli_needed(0.1), cs.stimuli_needed(0.01)
    assert many == pytest.approx(10 * few, rel=0.1)
    assert cs.stimuli_needed(0.9) == 10
    with pytest.raises(cs.InputError, match="effect"):
        cs.stimuli_needed(1.5)


@pytest.mark.parametrize("metric", ["cka", "mutual_knn"])
def test_power_grows_with_stimuli_and_noise_keeps_the_level(metric):
    options = {"k": 3} if metric == "mutual_knn" else {}
    X, Y = weakly_alike(300, 0.7, 0)
    curve = cs.power_curve(X, Y, [12, 100], metric, draws=60, **options)
    assert curve.power[1] > curve.power[0] + 0.1
    assert ((curve.low <= curve.power) & (curve.power <= curve.high)).all()
    noise = np.random.default_rng(1).standard_normal(Y.shape)
    assert cs.power_curve(X, noise, [40], metric, draws=100, **options).low[0] <= 0.05


def test_refuses_sizes_that_cannot_be_drawn():
    X, Y = weakly_alike(30, 1, 0)
    with pytest.raises(cs.InputError, match="ns is"):
        cs.power_curve(X, Y, [5])
