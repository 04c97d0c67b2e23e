"""Where a curve through exact moments may stand for a null, and where random pairings must.

Moments say where the middle of a null lies, how wide it is and how it leans. A tail they only suggest. Three things
were seen to lead a curve astray by more than it promises (:mod:`consilience.curves`): few stimuli, a kurtosis off the
line of gamma curves, and scores that fall into lumps because stimuli are of a few kinds. Each shows beforehand, from
what pairing does not change, so that to choose by it moves no p-value.
"""

from __future__ import annotations

import numpy as np

from consilience.metrics.relation import LinearRelation
from consilience.pairings import permuted_scores, random_orders

FEWEST = 20  # stimuli; with fewer a curve may be off by half at p = .01, and pairings cost next to nothing
GAMMA, PEARSON = 0.1, 1.5  # how far the kurtosis may lie off the gamma line for a curve through three moments, or four
LUMPS = 0.03  # of all pairs of pairings score the same: two classes of 50 have .2, and p = .05 is then up to .07
LUMPS_UP_TO = 2_000  # stimuli; among more, even two classes leave too many scores to lump
TRIALS, SEED = 200, 8_191  # pairings on trial, not those that anybody would take for the null itself


def off_gamma(moments):
    """How far the kurtosis lies off that of a gamma curve of this skewness, or None where it is not known."""
    return None if moments.kurtosis is None else moments.kurtosis - 3 - 1.5 * moments.skew**2


def doubt(a, b, moments):
    """What speaks against a curve through these moments of two relations; None if nothing does."""
    if a.n < FEWEST:
        return f"with {a.n} stimuli, below {FEWEST}, no curve through moments holds"
    delta = off_gamma(moments)
    if delta is not None and not abs(delta) <= PEARSON:
        return f"the kurtosis is {delta:+.2g} off the gamma line, where no curve through moments holds"
    if a.kind != "neighbours" and a.n <= LUMPS_UP_TO and few_kinds(a) and few_kinds(b) and lumps(a, b) > LUMPS:
        return "the stimuli of both sides are of a few kinds, so few scores are possible and no curve holds"
    return None


def few_kinds(relation):
    """Do most stimuli relate to the first one as some other does? Labels and repeated stimuli do."""
    linear = isinstance(relation, LinearRelation)
    row = np.sort((relation.units @ relation.units[0] if linear else relation.matrix[0])[1:])
    return bool((np.diff(row) <= 1e-9 * np.abs(row).max()).mean() > 0.5)


def lumps(a, b):
    """Probability that two random pairings score the same, from a few."""
    scores = permuted_scores([a], [b], random_orders(a.n, TRIALS, SEED)).ravel()
    _, times = np.unique((scores / np.abs(scores).max()).round(9), return_counts=True)
    return float((times * (times - 1)).sum() / (TRIALS * (TRIALS - 1)))
