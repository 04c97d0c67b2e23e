"""How high any model could score, given how much measurements of one brain, or of many, agree among themselves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from consilience.check import InputError, as_numpy, check_choice, check_whole
from consilience.core import ranks
from consilience.metrics.rdms import COMPARISONS, RANKED, compare_rdms


@dataclass(frozen=True)
class NoiseCeiling:
    """Between which scores the best possible model lies.

    Attributes
    ----------
    lower : float
        Mean score of one subject's RDM with the mean of the others.
    upper : float
        The same with the mean of all, the subject among them.
    """

    lower: float
    upper: float


def rdm_noise_ceiling(rdms, compare="spearman"):
    """How well a model's RDM could agree with those of several subjects, at best.

    Parameters
    ----------
    rdms : array of shape (n_subjects, n_stimuli (n_stimuli - 1) / 2)
        One RDM a subject, in the order of :func:`scipy.spatial.distance.pdist`.
    compare : str
        As in :func:`consilience.compare_rdms`. RDMs are ranked, centred, brought to one size, or two of these, as the
        comparison does before they are averaged.

    Returns
    -------
    NoiseCeiling
        A model that scores within it explains all that subjects have in common. No RDM scores above `upper`, except
        that for "kendall" and the whitened comparisons it is an estimate.

    Raises
    ------
    InputError
        If there are fewer than two subjects; or as :func:`consilience.compare_rdms`, for any of them.

    Notes
    -----
    Source: Nili et al. 2014. O(n_subjects) comparisons.
    """
    check_choice(compare, "compare", COMPARISONS)
    rdms = as_numpy(rdms, "rdms")
    if rdms.ndim != 2 or len(rdms) < 2:
        raise InputError(f"rdms has shape {rdms.shape}; it must be (n_subjects, n_pairs), with two subjects at least.")
    for rdm in rdms:
        compare_rdms(rdm, rdm, compare)  # refuses one that cannot be compared
    alike = np.stack([of_one_size(rdm.astype(np.float64), compare) for rdm in rdms])
    whole = alike.sum(0)
    upper = np.mean([compare_rdms(rdm, whole, compare) for rdm in rdms])
    lower = np.mean([compare_rdms(rdm, whole - own, compare) for rdm, own in zip(rdms, alike, strict=True)])
    return NoiseCeiling(float(lower), float(upper))


def of_one_size(rdm, compare):
    """An RDM as it enters the mean of subjects."""
    if compare in (*RANKED, "kendall"):
        return ranks(rdm).astype(np.float64)
    if "cosine" not in compare:
        rdm = rdm - rdm.mean()
    return rdm / np.linalg.norm(rdm)


def split_half_reliability(responses, splits=100, seed=0):
    r"""How well the mean response of each unit would repeat, from halves of its repetitions.

    .. math:: \frac{f r}{1 + (f - 1) r}, \qquad f = \frac{R}{\lfloor R / 2 \rfloor}

    with r the correlation over stimuli of the means of two halves, averaged over ways to split (Spearman-Brown).

    Parameters
    ----------
    responses : array of shape (n_repeats, n_stimuli, n_units)
    splits : int
        Random ways to split; all of them are taken if there are no more. With an odd number of repeats one sits out.
    seed : int

    Returns
    -------
    float64 ndarray of shape (n_units,)
        At most 1; about 0, and negative half of the time, for a unit that does not answer to stimuli. It is the share
        of the variance of the mean response that a model could explain, and its root is the correlation that it could
        reach: :func:`encoding_noise_ceiling`.

    Raises
    ------
    InputError
        If there are fewer than two repeats or three stimuli, if a number is not finite, or if a unit is constant over
        the stimuli in some half.

    Notes
    -----
    Source: Spearman 1910; Brown 1910. O(splits n_repeats n_stimuli n_units) time.
    """
    responses = as_numpy(responses, "responses").astype(np.float64)
    if responses.ndim != 3 or len(responses) < 2 or responses.shape[1] < 3:
        raise InputError(
            f"responses has shape {responses.shape}; it must be (n_repeats, n_stimuli, n_units), with two repeats and "
            "three stimuli at least."
        )
    if not np.isfinite(responses).all():
        raise InputError("responses holds NaN or infinity; remove those stimuli or units.")
    repeats = len(responses)
    found = [halves_agree(responses[list(a)], responses[list(b)]) for a, b in halves(repeats, splits, seed)]
    r, f = np.mean(found, axis=0), repeats / (repeats // 2)
    with np.errstate(divide="ignore"):
        return f * r / (1 + (f - 1) * r)


def encoding_noise_ceiling(responses, splits=100, seed=0):
    """The correlation with the mean response that a perfect encoding model could reach, unit by unit.

    Parameters
    ----------
    responses, splits, seed
        As in :func:`split_half_reliability`.

    Returns
    -------
    float64 ndarray of shape (n_units,)
        The root of the reliability; 0 where that is negative. Divide a correlation by it, but not where it is small.

    Raises
    ------
    InputError
        As :func:`split_half_reliability`.

    Notes
    -----
    Source: Schoppe et al. 2016. The model is taken to be free of noise.
    """
    return np.sqrt(np.maximum(split_half_reliability(responses, splits, seed), 0))


def halves(repeats, splits, seed):
    """Pairs of disjoint halves of the repeats: all of them, or as many random ones as asked."""
    check_whole(splits, "splits", 1)
    check_whole(seed, "seed", 0)
    half = repeats // 2
    if comb(repeats, half) * comb(repeats - half, half) // 2 <= splits:
        for a in combinations(range(repeats), half):
            rest = [r for r in range(repeats) if r not in a]
            yield from ((a, b) for b in combinations(rest, half) if a < b)
        return
    rng = np.random.default_rng(seed)
    for _ in range(splits):
        order = rng.permutation(repeats)
        yield order[:half], order[half : 2 * half]


def halves_agree(a, b):
    """Correlation over stimuli of the means of two halves, unit by unit."""
    a, b = a.mean(0), b.mean(0)
    for half in (a, b):
        constant = np.flatnonzero((half == half[:1]).all(0))
        if len(constant):
            raise InputError(
                f"responses: unit {constant[0]} is the same for every stimulus in half of the repeats ({len(constant)} "
                "such), so it has no correlation. Remove it."
            )
    a, b = a - a.mean(0), b - b.mean(0)
    return (a * b).sum(0) / np.sqrt(np.square(a).sum(0) * np.square(b).sum(0))
