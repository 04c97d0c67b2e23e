"""How many stimuli does it take to see an alignment of a given size?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import optimize, stats

from consilience.alignment import prepared
from consilience.check import InputError, check_array, check_choice, check_level, check_pair, check_whole
from consilience.metrics import CARDS
from consilience.nulls import null, sums_of

MANY = 300  # directions; more of them change the number by less than a per cent
PAIR, SQUARE = ((0, 1), (0, 1)), ((0, 1), (0, 2), (1, 3), (2, 3))  # the graphs of sum A_ij² and of tr A⁴


def stimuli_needed(effect, directions, power=0.8, alpha=0.05):
    r"""Stimuli at which a score of this size stands out, for debiased CKA and distance correlation.

    .. math:: n \approx \frac{\lambda}{r s}, \qquad P\left( \chi^2_{r^2}(\lambda) > q \right) = \text{power}, \quad
              P\left( \chi^2_{r^2} > q \right) = \alpha

    with s the effect and r the directions: the score is a sum of r² squared correlations, of which r carry the effect.

    Parameters
    ----------
    effect : float in (0, 1)
        The score that one wants to see.
    directions : float, at least 1
        How many directions decide the score, see :func:`deciding_directions`; of two representations the geometric
        mean. With few of them null and score scatter more and lean to the right: an effect of .05 takes 76 stimuli
        with 30 directions, and 121 with two.
    power : float in (0, 1)
        Probability of seeing it.
    alpha : float in (0, 1)
        Level of the test.

    Returns
    -------
    int
        At least 10.

    Raises
    ------
    InputError
        If `directions` is below 1, or another argument not between 0 and 1.

    Notes
    -----
    Exact for the null of directions that are equally strong, up to terms of 1/n; else an approximation by the number
    of such directions. For many it becomes what a normal curve of variance 2 / (n (n - 3)) gives.
    """
    for value, name in ((effect, "effect"), (power, "power"), (alpha, "alpha")):
        check_level(value, name)
    if not isinstance(directions, int | float | np.number) or not directions >= 1:
        raise InputError(f"directions is {directions!r}; it must be a number, at least 1.")
    r = min(float(directions), MANY)
    q = stats.chi2.isf(alpha, r**2)
    noncentral = optimize.brentq(lambda x: stats.ncx2.sf(q, r**2, x) - power, 1e-9, 1e9) if power > alpha else 0.0
    needed = noncentral / (r * effect)  # the root of n (n - 3)
    return max(10, int(np.ceil(1.5 + np.sqrt(needed**2 + 2.25))))


def deciding_directions(X, metric="cka", **metric_options):
    r"""How many directions decide a score of debiased CKA or distance correlation.

    .. math:: r = \frac{\left( \sum_i \lambda_i^2 \right)^2}{\sum_i \lambda_i^4}

    with λ the eigenvalues of the centred relation matrix. It weighs strong directions more than
    :func:`consilience.participation_ratio` does, for a score does.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units)
    metric : {"cka", "distance_correlation"}
    **metric_options
        Passed to the metric.

    Returns
    -------
    float in [1, n_stimuli - 1]
        The number of units, if all vary alike and stimuli are many; below it, if they are few.

    Raises
    ------
    InputError
        As the metric does; or if the score is another.
    """
    card = CARDS[check_choice(metric, "metric", ("cka", "distance_correlation"))]
    side = card.side(check_array(X), **prepared(card, metric_options)[0])
    if getattr(side, "kind", "") != "u-centred":
        raise InputError("Directions are counted of debiased scores; leave estimator as it is.")
    sums = sums_of(side).values
    return float(sums[PAIR] ** 2 / sums[SQUARE])


def power_curve(X, Y, ns=None, metric="cka", alpha=0.05, draws=100, seed=0, pairings=199, **metric_options):
    """Share of random subsets of the stimuli in which two representations are found alike.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        The pair whose alignment one would like to see with fewer stimuli, a pilot, or a simulation.
    ns : sequence of int, optional
        Sizes of the subsets; by default six, evenly in their logarithm, from 10 to half of the stimuli.
    metric : str
        See :func:`consilience.catalogue`.
    alpha : float
    draws : int
        Subsets of each size, without repeats within one.
    seed : int
    pairings : int
        Random pairings for a null that has no closed form.
    **metric_options

    Returns
    -------
    pandas.DataFrame
        Columns n, power, low, high (a 95 % interval of the share, Wilson's), score (mean over subsets).

    Raises
    ------
    InputError
        As :func:`consilience.align`; or if a size is below 10 or above the number of stimuli.
    """
    X, Y = check_pair(X, Y)
    card = CARDS[check_choice(metric, "metric", tuple(CARDS))]
    check_level(alpha, "alpha")
    check_whole(draws, "draws", 10)
    of_side, meet = prepared(card, metric_options)
    if ns is None:
        ns = np.unique(np.geomspace(10, max(10, len(X) // 2), 6).round().astype(int)).tolist()
    if not len(ns) or min(ns) < 10 or max(ns) > len(X):
        raise InputError(f"ns is {list(ns)}; choose sizes from 10 to the {len(X)} stimuli there are.")
    rng, rows = np.random.default_rng(seed), []
    for n in ns:
        hits, scores = 0, []
        for draw in range(draws):
            some = np.sort(rng.choice(len(X), n, replace=False))
            a, b = card.side(X[some], **of_side), card.side(Y[some], **of_side)
            chance = null(a, b, "auto", pairings, draw, meet=meet, direction=card.direction)
            scores.append(meet(a, b))
            hits += chance.tail(scores[-1]) <= alpha
        low, high = stats.binomtest(int(hits), draws).proportion_ci(0.95, "wilson")
        rows.append({"n": n, "power": hits / draws, "low": low, "high": high, "score": np.mean(scores)})
    return pd.DataFrame(rows)
