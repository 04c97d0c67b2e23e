"""How many stimuli does it take to see an alignment of a given size?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import optimize, stats

from consilience.alignment import prepared
from consilience.check import InputError, check_choice, check_level, check_pair, check_whole
from consilience.metrics import CARDS
from consilience.nulls import null


def stimuli_needed(effect, power=0.8, alpha=0.05):
    """Stimuli at which a score of this size stands out, for debiased CKA and distance correlation.

    Their null has mean 0 and variance 2 / (n (n - 3)) whatever the data, so n follows from the size alone. Scatter is
    taken to be that of the null: for a small effect that is what it is; for a large one n is small anyway.

    Parameters
    ----------
    effect : float in (0, 1)
        The score that one wants to see.
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
        If an argument is not between 0 and 1.
    """
    for value, name in ((effect, "effect"), (power, "power"), (alpha, "alpha")):
        check_level(value, name)
    needed = stats.norm.ppf(power) - stats.norm.ppf(alpha)
    short = optimize.brentq(lambda n: effect - needed * np.sqrt(2 / (n * (n - 3))), 3 + 1e-9, 1e9)
    return max(10, int(np.ceil(short)))


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
