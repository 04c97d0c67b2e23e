"""Noise ceilings against their definition, the best possible RDM, and noise whose size is known."""

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import pearsonr, spearmanr, zscore

import consilience as cs


def subjects(seed=0, n=5, pairs=45):
    rng = np.random.default_rng(seed)
    return rng.random(pairs) + rng.uniform(0.1, 0.6, (n, 1)) * rng.random((n, pairs))


@pytest.mark.parametrize(
    ("compare", "correlation", "prepared"),
    [("pearson", pearsonr, lambda d: zscore(d, axis=1)), ("spearman", spearmanr, lambda d: d.argsort(1).argsort(1))],
)
def test_is_one_subject_against_the_others_and_against_all(compare, correlation, prepared):
    rdms = subjects()
    alike = prepared(rdms)
    found = cs.rdm_noise_ceiling(rdms, compare)
    assert found.upper == pytest.approx(np.mean([correlation(d, alike.mean(0))[0] for d in rdms]))
    others = [correlation(d, np.delete(alike, s, axis=0).mean(0))[0] for s, d in enumerate(rdms)]
    assert found.lower == pytest.approx(np.mean(others))


@pytest.mark.parametrize("compare", ["pearson", "cosine"])
def test_no_rdm_scores_above_the_upper_end(compare):
    rdms = subjects(1, pairs=10)

    def loss(d):
        return -np.mean([cs.compare_rdms(d, rdm, compare) for rdm in rdms])

    best = minimize(loss, rdms.mean(0), tol=1e-10)
    assert cs.rdm_noise_ceiling(rdms, compare).upper == pytest.approx(-best.fun, rel=1e-5)


@pytest.mark.parametrize("compare", ["spearman", "cosine", "kendall", "rho_a", "whitened_cosine", "whitened_pearson"])
def test_the_truth_lies_between_both_ends(compare):
    rng = np.random.default_rng(2)
    truth = rng.random(190)
    rdms = truth + 0.2 * rng.standard_normal((6, 190))
    found = cs.rdm_noise_ceiling(rdms, compare)
    score = np.mean([cs.compare_rdms(truth, rdm, compare) for rdm in rdms])
    assert found.lower < score < found.upper


def test_subjects_who_agree_have_a_ceiling_of_one():
    found = cs.rdm_noise_ceiling(np.stack([subjects()[0]] * 3))
    assert (found.lower, found.upper) == (pytest.approx(1), pytest.approx(1))


@pytest.mark.parametrize("rdms", [np.ones((3, 45)), subjects(n=1), subjects()[:, :44], np.full((2, 45), np.nan)])
def test_rdms_that_have_no_ceiling_are_refused(rdms):
    with pytest.raises(cs.InputError):
        cs.rdm_noise_ceiling(rdms)


def measured(repeats, noise, seed=3, stimuli=400, units=60):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((stimuli, units)) + noise * rng.standard_normal((repeats, stimuli, units))


@pytest.mark.parametrize("repeats", [2, 3, 4, 7])
@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_reliability_is_the_share_of_signal_in_the_mean(repeats, noise):
    true = 1 / (1 + noise**2 / repeats)
    found = cs.split_half_reliability(measured(repeats, noise), splits=20)
    assert found.mean() == pytest.approx(true, abs=0.03)


def test_a_perfect_model_reaches_the_ceiling():
    signal = np.random.default_rng(4).standard_normal((400, 60))
    responses = signal + np.random.default_rng(5).standard_normal((4, 400, 60))
    reached = [pearsonr(signal[:, u], responses.mean(0)[:, u])[0] for u in range(60)]
    assert cs.encoding_noise_ceiling(responses).mean() == pytest.approx(np.mean(reached), abs=0.01)


def test_few_repeats_are_split_in_all_ways():
    responses = measured(4, 1.0, stimuli=30, units=2)
    r = [
        pearsonr(responses[list(a)].mean(0)[:, 0], np.delete(responses, a, axis=0).mean(0)[:, 0])[0]
        for a in combinations(range(4), 2)
    ]
    expected = 2 * np.mean(r) / (1 + np.mean(r))
    assert cs.split_half_reliability(responses)[0] == pytest.approx(expected)
    assert cs.split_half_reliability(responses, seed=9) == pytest.approx(cs.split_half_reliability(responses))


def test_a_unit_that_does_not_answer_has_no_ceiling():
    noise = np.random.default_rng(6).standard_normal((6, 50, 80))
    found = cs.split_half_reliability(noise, splits=30)
    assert abs(np.median(found)) < 0.15
    assert (cs.encoding_noise_ceiling(noise, splits=30) == 0).any()


@pytest.mark.parametrize(
    ("responses", "match"),
    [
        (np.zeros((4, 5, 2)), "unit 0 is the same"),
        (np.ones((1, 5, 2)), "two repeats"),
        (np.ones((5, 2)), "n_repeats"),
        (np.full((3, 5, 2), np.nan), "NaN"),
    ],
)
def test_responses_that_have_no_reliability_are_refused(responses, match):
    with pytest.raises(cs.InputError, match=match):
        cs.split_half_reliability(responses)
