"""Power: what is promised is seen, and noise is not."""

import numpy as np
import pytest
from scipy import stats

import consilience as cs


def weakly_alike(n, shared, seed, d=20, fall=0.0):
    """Two noisy views of d causes, whose strengths fall as a power of their rank, as those of real layers do."""
    rng = np.random.default_rng(seed)
    strength = np.arange(1.0, d + 1) ** -fall
    z = rng.standard_normal((n, d)) * strength
    return tuple(shared * z + rng.standard_normal((n, d)) * strength for _ in range(2))


@pytest.mark.parametrize(
    ("metric", "d", "fall", "power", "alpha"),
    [
        ("cka", 20, 0.0, 0.8, 0.05),
        ("cka", 1, 0.0, 0.8, 0.05),
        ("cka", 30, 1.0, 0.8, 0.05),
        ("cka", 30, 1.0, 0.9, 0.01),
        ("distance_correlation", 20, 0.5, 0.9, 0.01),
    ],
)
def test_the_promised_number_of_stimuli_shows_the_effect_as_often_as_promised(metric, d, fall, power, alpha):
    score = cs.catalogue()[metric].score
    large = weakly_alike(1500, 0.8, 1, d, fall)
    directions = np.sqrt(np.prod([cs.deciding_directions(A, metric) for A in large]))
    effect = np.mean([score(*weakly_alike(1500, 0.8, seed, d, fall)) for seed in range(4)])
    n = cs.stimuli_needed(effect, directions, power, alpha)
    p = [cs.align(*weakly_alike(n, 0.8, seed, d, fall), metric, "moments").p for seed in range(100)]
    assert np.mean(np.array(p) <= alpha) == pytest.approx(power, abs=0.13)  # three errors of a share of 100


def test_many_directions_are_the_normal_curve_of_the_known_variance():
    for effect, power, alpha in ((0.02, 0.8, 0.05), (0.1, 0.95, 0.01)):
        n = cs.stimuli_needed(effect, 1e6, power, alpha)
        z = stats.norm.ppf(power) - stats.norm.ppf(alpha)
        assert effect == pytest.approx(z * np.sqrt(2 / (n * (n - 3))), rel=0.03)


def test_fewer_directions_and_smaller_effects_need_more_stimuli():
    assert (cs.stimuli_needed(0.05, 30), cs.stimuli_needed(0.05, 2)) == (76, 121)  # as the docstring says
    few, many = cs.stimuli_needed(0.1, 20), cs.stimuli_needed(0.01, 20)
    assert many == pytest.approx(10 * few, rel=0.1)
    assert cs.stimuli_needed(0.9, 20) == 10
    with pytest.raises(cs.InputError, match="effect"):
        cs.stimuli_needed(1.5, 20)
    with pytest.raises(cs.InputError, match="directions"):
        cs.stimuli_needed(0.1, 0)


def test_directions_are_counted_by_the_eigenvalues_of_the_relation():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((500, 4)) * [4, 2, 1, 1]
    values = np.linalg.eigvalsh(np.cov(X.T))
    assert cs.deciding_directions(X) == pytest.approx((values**2).sum() ** 2 / (values**4).sum(), rel=0.02)
    assert cs.deciding_directions(rng.standard_normal((3000, 10))) == pytest.approx(10, rel=0.05)
    assert cs.deciding_directions(X[:, :1]) == pytest.approx(1, abs=0.05)
    with pytest.raises(cs.InputError, match="metric"):
        cs.deciding_directions(X, "rsa")
    with pytest.raises(cs.InputError, match="debiased"):
        cs.deciding_directions(X, estimator="biased")


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
