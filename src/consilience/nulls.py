"""What a score would be by chance: the one place where chance is computed.

Chance means that the stimuli of one side are paired with the other side at random. The distribution of the score
over all such pairings is its null. It is had in one of three ways:

- *moments*: exact mean, spread, skewness and kurtosis; a curve through them gives the tail;
- *permutations*: a sample of random pairings, also of those alone that groups or time allow;
- *enumeration*: all n! pairings, when there are few stimuli.

``auto`` takes moments where a curve through them may be trusted (:mod:`consilience.trust`), and says which way it
took and why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
from scipy import stats

from consilience.check import InputError, check_choice, check_whole
from consilience.core import graph_sums
from consilience.curves import Lattice, PearsonFour, PearsonThree
from consilience.metrics.relation import RELATIONS, LinearRelation, product, u_centre
from consilience.moments import moments, plain_sums, sums_of_centred, sums_of_counts
from consilience.pairings import permuted_scores, random_orders
from consilience.trust import GAMMA, PEARSON, doubt, off_gamma

METHODS = ("auto", "moments", "permutations", "enumeration")
EXACT_KINDS = ("u-centred", "symmetric", "neighbours")
ENUMERATE_UP_TO = 7  # 7! = 5,040 orders
SMALLEST_P = 1e-4  # below this no curve through moments was checked, so no smaller p is reported from one
CUBE_UP_TO = 5_000  # a product of stored matrices of this size takes minutes; beyond, their shape comes from a subset
LATTICE_UP_TO = 3
SMALL = 2_000  # a product of two stored matrices of this size takes less than a second
MOST_STEPS = 2e7  # two steps along a graph: so many take a second; beyond, three moments of graphs without the fourth
SLACK = 1e-5  # of a null's sd: equal scores, summed in another order or in float32, are equal


@dataclass(frozen=True)
class Null:
    """The distribution of a score under random pairing.

    Attributes
    ----------
    mean, sd, skew : float
    method : {"moments", "permutations", "enumeration"}
    why : str
        What decided for the method, and how it was carried out.
    tail : callable
        ``tail(score)``: probability of a score at least as alike: as high, or, of a distance, as low.
    quantile : callable
        ``quantile(level)``: the score that chance exceeds with probability at most 1 - level; of a distance, the one
        that it stays below.
    """

    mean: float
    sd: float
    skew: float
    method: str
    why: str
    tail: Callable[[float], float]
    quantile: Callable[[float], float]


def null(
    a,
    b,
    method="auto",
    draws=999,
    seed=0,
    groups=None,
    exchange="within",
    meet=product,
    direction="similarity",
    sums=None,
):
    """The null of the score of two sides.

    Parameters
    ----------
    a, b : Relation, or other sides (see :class:`consilience.metrics.Card`)
        Of the same n stimuli.
    method : {"auto", "moments", "permutations", "enumeration"}
    draws : int
        Number of random pairings, where permutations are taken.
    seed : int
    groups, exchange
        Which stimuli may be exchanged: see :func:`consilience.pairings.random_orders`. With either, permutations are
        taken.
    meet : callable
        ``meet(a, b) -> float``, for sides that are not relations.
    direction : {"similarity", "distance"}
    sums : pair of PlainSums, optional
        Of a and of b, where somebody has them already.

    Returns
    -------
    Null

    Raises
    ------
    InputError
        If the method cannot serve these sides; the message says which can.
    """
    check_choice(method, "method", METHODS)
    restricted = groups is not None or exchange != "within"
    exact = not restricted and has_moments(a) and has_moments(b) and a.kind == b.kind

    def drawn(why):
        check_whole(draws, "draws", 99)
        values = permuted_scores([a], [b], random_orders(a.n, draws, seed, groups, exchange), meet).ravel()
        found = sampled(values, "permutations", f"{draws} random pairings ({why})", 1, direction)
        return found if restricted else with_exact_mean(found, a, b)

    def enumerated(why):
        values = permuted_scores([a], [b], np.array(list(permutations(range(a.n)))), meet).ravel()
        return sampled(values, "enumeration", f"all {len(values)} pairings ({why})", 0, direction)

    if method == "permutations":
        return drawn("as asked")
    if method == "enumeration":
        if restricted or a.n > 9:
            raise InputError(f"method 'enumeration' serves at most 9 stimuli without groups; here n = {a.n}.")
        return enumerated("as asked")
    if method == "auto" and not restricted and a.n <= ENUMERATE_UP_TO:
        return enumerated(f"there are only {a.n} stimuli")
    if not exact:
        why = no_closed_form(a, b, groups, exchange)
        if method == "auto":
            return drawn(why)
        raise InputError(
            "method 'moments' needs unrestricted pairings of untied relations that are inner products; here "
            f"{why}. Use method='permutations'."
        )
    found, against = moment_null(a, b, sums)
    if not against:
        return found
    return drawn(against) if method == "auto" else replace(found, why=f"as asked, although {against}")


def has_moments(side):
    """Is the score an inner product of two relations whose moments are known?"""
    return isinstance(side, RELATIONS) and side.kind in EXACT_KINDS


def no_closed_form(a, b, groups, exchange):
    if exchange == "shift":
        return "shifts in time"
    if groups is not None:
        return f"{'within' if exchange == 'within' else 'of'} {len(np.unique(groups))} groups"
    kinds = {side.kind for side in (a, b) if isinstance(side, RELATIONS) and not has_moments(side)}
    return f"no closed form for {kinds.pop()} relations" if kinds else "this score has no closed form"


# --- from moments ---------------------------------------------------------------------------------------------------


def moment_null(a, b, sums=None):
    """(Null from exact moments, what speaks against trusting its tail or None)."""
    if a.kind == "neighbours":
        check_graphs(a, b)
    subset, note = a.n > CUBE_UP_TO and not (is_cheap(a) and is_cheap(b)), ""
    if subset:
        found = subset_moments(a, b)
        note = f"; skewness and kurtosis from {CUBE_UP_TO} of {a.n} stimuli"
    else:
        found = moments(*(sums or (sums_of(a), sums_of(b))))
    delta = off_gamma(found)
    four = delta is not None and GAMMA < abs(delta) <= PEARSON
    off = "" if delta is None else f" (kurtosis {round(delta, 2) + 0.0:+.2f} off the gamma line)"
    why = f"Pearson curve through {'four' if four else 'three'} {'' if subset else 'exact '}moments{off}{note}"
    scale = a.scale * b.scale
    if a.kind == "neighbours":
        tail, quantile, why = count_curve(found, four, why, round(a.scale**2 / a.n))
    else:
        curve = (PearsonFour if four else PearsonThree)(found)
        tail, quantile = curve.tail, curve.quantile
    return (
        Null(
            found.mean / scale,
            found.sd / scale,
            found.skew,
            "moments",
            why,
            lambda score: max(tail(score * scale), SMALLEST_P),
            lambda level: float(quantile(level)) / scale,
        ),
        doubt(a, b, found),
    )


def count_curve(found, four, why, k):
    """Tail and quantile of a whole number: its tail begins half a count below, and a small one has a lattice."""
    lattice = Lattice(found) if k <= LATTICE_UP_TO else None
    if lattice and lattice.valid:
        why = "whole-number distribution through three exact moments"
        return lambda count: lattice.tail(round(count)), lattice.quantile, why
    curve = (PearsonFour if four else PearsonThree)(found)
    tail = lambda count: curve.tail(round(count) - 0.5)  # noqa: E731
    return tail, lambda level: np.ceil(curve.quantile(level) - 0.5), f"{why}, continuity corrected"


def sums_of(relation):
    """What a relation contributes to the moments of its scores."""
    if isinstance(relation, LinearRelation) and not (relation.is_stored and relation.n <= SMALL):
        return sums_of_centred(relation.sums(), relation.n)
    if relation.kind != "neighbours":
        return plain_sums(relation.matrix)
    k = round(relation.scale**2 / relation.n)
    if relation.n * k**2 > MOST_STEPS:
        return sums_of_counts(graph_sums(relation.matrix.indices.reshape(relation.n, k)))
    return plain_sums(relation.ones())


def is_cheap(relation):
    """Are its sums had without a product of n x n matrices?"""
    return relation.kind == "neighbours" or isinstance(relation, LinearRelation)


def subset_moments(a, b):
    """Skewness and kurtosis from a fixed random subset of stimuli; mean and spread from all."""
    some = np.sort(np.random.default_rng(0).choice(a.n, CUBE_UP_TO, replace=False))
    parts = [r.matrix[np.ix_(some, some)] for r in (a, b)]
    if a.kind == "u-centred":
        parts = [u_centre(part) for part in parts]
    shape = moments(*(plain_sums(part / np.linalg.norm(part)) for part in parts))
    whole = moments(*(plain_sums(r.matrix, power=2) for r in (a, b)))
    return shape._replace(mean=whole.mean, sd=whole.sd)


def check_graphs(a, b):
    ka, kb = (round(r.scale**2 / r.n) for r in (a, b))
    if ka != kb:
        raise InputError(f"The two graphs have {ka} and {kb} neighbours; take the same k on both sides.")
    if ka == a.n - 1:
        raise InputError(f"With k = {ka} all {a.n} stimuli are neighbours, and every score is 1; choose a smaller k.")


# --- from pairings --------------------------------------------------------------------------------------------------


def sampled(values, method, why, observed, direction="similarity"):
    """Null of given scores; `observed` is 1 where the observed pairing is counted among them (the add-one rule)."""
    sign = 1 if direction == "similarity" else -1
    ordered = np.sort(sign * values)
    rounding, sd = 1e-7 * max(float(np.abs(values).max()), 1e-300), float(values.std())
    slack = max(rounding, SLACK * sd)
    many = len(values) + observed

    def tail(score):
        return float((len(values) - np.searchsorted(ordered, sign * score - slack) + observed) / many)

    def quantile(level):
        place = int(np.ceil(level * many - 1e-9))
        if place > len(values):
            raise InputError(
                f"{len(values)} random pairings say nothing of what chance exceeds with probability {1 - level:.3g}. "
                f"Draw at least {int(np.ceil(1 / (1 - level) - 1e-6)) - 1}, or choose a larger alpha."
            )
        return sign * float(ordered[place - 1])

    skew = float(stats.skew(values)) if sd > rounding else 0.0
    return Null(float(values.mean()), sd, skew, method, why, tail, quantile)


def with_exact_mean(found, a, b):
    """The same null, its mean in closed form for matrices with a diagonal whose rows sum to zero: biased CKA.

    All pairings together turn such a matrix into a multiple of I - 1 1' / n that has its trace, so the mean is
    tr A tr B / (n - 1). For linear kernels at unit norm the trace is the root of the participation ratio.
    """
    if not all(isinstance(side, RELATIONS) and side.kind == "centred" for side in (a, b)):
        return found
    mean = float(np.trace(a.matrix) * np.trace(b.matrix) / (a.n - 1))
    return replace(found, mean=mean, why=f"{found.why}; the mean is exact")
