"""CKA from a sample of units: its parts against all samples and against the population they are drawn from."""

from itertools import combinations, permutations

import numpy as np
import pytest

import consilience as cs
from consilience.metrics.unit_sampling import population_relation


def u_statistic(K, L):
    """HSIC as a mean over distinct stimuli, term by term, times n (n - 3)."""
    n = len(K)
    two = np.mean([K[i, j] * L[i, j] for i, j in permutations(range(n), 2)])
    three = np.mean([K[i, j] * L[i, k] for i, j, k in permutations(range(n), 3)])
    four = np.mean([K[i, j] * L[k, m] for i, j, k, m in permutations(range(n), 4)])
    return n * (n - 3) * (two + four - 2 * three)


def kernels(X):
    return [np.outer(x, x) for x in (X - X.mean(0)).T]


def common(X):
    """What different units have in common, two by two."""
    each = kernels(X)
    return np.mean([u_statistic(K, L) for K, L in permutations(each, 2)])


def test_is_a_ratio_of_means_over_different_units_and_different_stimuli():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((7, 2)) @ rng.standard_normal((2, 4)) + 0.1 * rng.standard_normal((7, 4))
    Y = rng.standard_normal((7, 3)) + X[:, :1]
    both = np.mean([u_statistic(K, L) for K in kernels(X) for L in kernels(Y)])
    assert cs.unit_sampled_cka(X, Y) == pytest.approx(both / np.sqrt(common(X) * common(Y)))


def test_every_sample_of_units_is_right_on_average():
    rng = np.random.default_rng(1)
    X = np.outer(rng.standard_normal(6), rng.uniform(1, 2, 6)) + 0.1 * rng.standard_normal((6, 6))

    def scale(A):
        """What the relation divides by, from the relation itself."""
        A = A - A.mean(0)
        K = A @ A.T / A.shape[1]
        return u_statistic(K, K) / np.square(population_relation(A).matrix).sum()

    samples = [scale(X[:, list(units)]) for units in combinations(range(6), 3)]
    assert np.mean(samples) == pytest.approx(common(X))


def test_two_samples_of_one_population_are_one_population():
    """Units are random mixtures of a latent code, so that CKA of all of them is CKA of the code."""
    rng = np.random.default_rng(2)
    Z = rng.standard_normal((60, 8)) / np.arange(1, 9) ** 0.5
    corrected, plain = [], []
    for _ in range(200):
        X, Y = Z @ rng.standard_normal((8, 60)), Z @ rng.standard_normal((8, 90))
        corrected.append(cs.unit_sampled_cka(X, Y))
        plain.append(cs.cka(X, Y))
    assert np.mean(corrected) == pytest.approx(1, abs=0.02)
    assert np.mean(plain) < 0.96


def test_it_has_the_moments_of_all_pairings():
    rng = np.random.default_rng(3)
    X, Y = (rng.standard_normal((7, 2)) @ rng.standard_normal((2, 6)) for _ in range(2))
    exact, all_of_them = (cs.align(X, Y, "unit_sampled_cka", method=m) for m in ("moments", "enumeration"))
    assert all_of_them.null_mean == pytest.approx(0, abs=1e-12)
    assert exact.null_sd == pytest.approx(all_of_them.null_sd)
    assert exact.null_skew == pytest.approx(all_of_them.null_skew)


def test_units_that_have_nothing_in_common_say_nothing_of_others():
    X = np.linalg.qr(np.random.default_rng(4).standard_normal((20, 8)))[0]
    Y = np.random.default_rng(5).standard_normal((20, 3))
    with pytest.raises(cs.InputError, match="nothing in common"):
        cs.unit_sampled_cka(X - X.mean(0), Y)
    with pytest.raises(cs.InputError, match="one unit"):
        cs.unit_sampled_cka(Y[:, :1], Y)
