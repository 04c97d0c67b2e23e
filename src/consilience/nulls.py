"""What a score would be by chance: the one place where chance is computed.

Chance means that the stimuli of one side are paired with the other side at random. The distribution of the score
over all such pairings is its null. It is had in one of three ways:

- *moments*: exact mean, spread, skewness and, for u-centred matrices, kurtosis; a curve through them gives the tail;
- *permutations*: a sample of random pairings, also within groups of stimuli that may be exchanged;
- *enumeration*: all n! pairings, when there are few stimuli.

``auto`` takes moments where a curve through them was seen to hold, and says which way it took and why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import pandas as pd
from scipy import sparse, stats

from consilience.check import InputError, check_choice, check_level, check_whole
from consilience.core import graph_sums
from consilience.curves import Lattice, PearsonFour, PearsonThree
from consilience.metrics.relation import LinearRelation, u_centre
from consilience.moments import centred_moments, centred_sums, graph_moments

METHODS = ("auto", "moments", "permutations", "enumeration")
EXACT_KINDS = ("u-centred", "neighbours")
ENUMERATE_UP_TO = 7  # 7! = 5,040 orders
SMALLEST_P = 1e-4  # below this no curve through moments was checked, so no smaller p is reported from one
CUBE_UP_TO = 5_000  # a product of stored matrices of this size takes minutes; beyond, their shape comes from a subset
LATTICE_UP_TO = 3


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
        ``tail(score)``: probability of a score at least as high.
    quantile : callable
        ``quantile(level)``: the score that chance exceeds with probability at most 1 - level.
    """

    mean: float
    sd: float
    skew: float
    method: str
    why: str
    tail: Callable[[float], float]
    quantile: Callable[[float], float]


def null(a, b, method="auto", draws=999, seed=0, groups=None):
    """The null of ``product(a, b)``.

    Parameters
    ----------
    a, b : Relation
        Of the same n stimuli.
    method : {"auto", "moments", "permutations", "enumeration"}
    draws : int
        Number of random pairings, where permutations are taken.
    seed : int
    groups : array of shape (n_stimuli,), optional
        Stimuli are exchanged only within their group (class, speaker, run); then permutations are taken.

    Returns
    -------
    Null

    Raises
    ------
    InputError
        If the method cannot serve these relations; the message says which can.
    """
    check_choice(method, "method", METHODS)
    groups = check_groups(groups, a.n)
    exact = a.kind in EXACT_KINDS and b.kind == a.kind and groups is None
    if method == "auto":
        return automatic(a, b, exact, draws, seed, groups)
    if method == "moments":
        if not exact:
            raise InputError(
                "method 'moments' needs unrestricted pairings of untied, debiased relations; here "
                f"{kinds(a, b, groups)}. Use method='permutations'."
            )
        found, doubt = moment_null(a, b)
        return found if not doubt else Null(**{**vars(found), "why": f"as asked, although {doubt}"})
    if method == "enumeration":
        if groups is not None or a.n > 9:
            raise InputError(f"method 'enumeration' serves at most 9 stimuli without groups; here n = {a.n}.")
        return enumeration_null(a, b, "as asked")
    return permutation_null(a, b, draws, seed, groups, "as asked")


def automatic(a, b, exact, draws, seed, groups):
    if groups is None and a.n <= ENUMERATE_UP_TO:
        return enumeration_null(a, b, f"there are only {a.n} stimuli")
    if not exact:
        return permutation_null(a, b, draws, seed, groups, kinds(a, b, groups))
    found, doubt = moment_null(a, b)
    return permutation_null(a, b, draws, seed, None, doubt) if doubt else found


def kinds(a, b, groups):
    if groups is not None:
        return f"within {len(np.unique(groups))} groups"
    return f"no closed form for {a.kind if a.kind not in EXACT_KINDS else b.kind} relations"


# --- from moments ---------------------------------------------------------------------------------------------------


def moment_null(a, b):
    """(Null from exact moments, what speaks against trusting its tail or None)."""
    return graph_null(a, b) if a.kind == "neighbours" else centred_null(a, b)


def centred_null(a, b):
    """Null of two u-centred matrices. The kurtosis says which curve holds, or that none does."""
    n, note = a.n, ""
    if n <= CUBE_UP_TO or (isinstance(a, LinearRelation) and isinstance(b, LinearRelation)):
        moments = centred_moments(sums_of(a), sums_of(b), n)
    else:
        some = np.sort(np.random.default_rng(0).choice(n, CUBE_UP_TO, replace=False))
        subset = (u_centre(r.matrix[some][:, some]) for r in (a, b))
        moments = centred_moments(*(centred_sums(A / np.linalg.norm(A)) for A in subset), CUBE_UP_TO)
        moments = moments._replace(sd=float(np.sqrt(2 / (n * (n - 3)))))
        note = f"; skewness and kurtosis from {CUBE_UP_TO} of {n} stimuli"
    delta = moments.kurtosis - 3 - 1.5 * moments.skew**2
    four = 0.1 < abs(delta) <= 1.5
    curve, name = (PearsonFour(moments), "four") if four else (PearsonThree(moments), "three")
    doubt = None
    if not abs(delta) <= 1.5:
        doubt = f"the kurtosis is {delta:+.2g} off the gamma line, where no curve through moments holds"
    exact = "" if note else "exact "
    why = f"Pearson curve through {name} {exact}moments (kurtosis {delta:+.2f} off the gamma line){note}"
    found = Null(
        moments.mean,
        moments.sd,
        moments.skew,
        "moments",
        why,
        lambda score: max(curve.tail(score), SMALLEST_P),
        curve.quantile,
    )
    return found, doubt


def sums_of(relation):
    """What a u-centred relation contributes to the moments: without its matrix where it is linear."""
    return relation.sums() if isinstance(relation, LinearRelation) else centred_sums(relation.matrix)


def graph_null(a, b):
    """Null of two k-nearest-neighbour graphs: a score is a count over n k, so its tail begins half a count below."""
    n, edges = a.n, a.scale * b.scale
    ka, kb = (round(r.scale**2 / n) for r in (a, b))
    if ka != kb:
        raise InputError(f"The two graphs have {ka} and {kb} neighbours; take the same k on both sides.")
    if ka == n - 1:
        raise InputError(f"With k = {ka} all {n} stimuli are neighbours, and every score is 1; choose a smaller k.")
    near = [r.matrix.indices.reshape(n, ka) for r in (a, b)]
    moments = graph_moments(*map(graph_sums, near))
    hub = min(int(np.bincount(indices.ravel()).max()) for indices in near)
    doubt = None
    if hub > max(10 * ka, n // 10):
        doubt = f"both graphs have a hub (a stimulus among the {ka} nearest of {hub} others or more)"
    lattice = Lattice(moments) if ka <= LATTICE_UP_TO else None
    if lattice and lattice.valid:
        why = "whole-number distribution through three exact moments"
        tail, quantile = (lambda score: lattice.tail(round(score * edges))), lattice.quantile
    else:
        why = "Pearson curve through three exact moments, continuity corrected"
        curve = PearsonThree(moments)
        tail = lambda score: curve.tail(round(score * edges) - 0.5)  # noqa: E731
        quantile = lambda level: np.ceil(curve.quantile(level) - 0.5)  # noqa: E731
    found = Null(
        moments.mean / edges,
        moments.sd / edges,
        moments.skew,
        "moments",
        why,
        lambda score: max(tail(score), SMALLEST_P),
        lambda level: float(quantile(level)) / edges,
    )
    return found, doubt


# --- from pairings --------------------------------------------------------------------------------------------------


def orders(n, draws, seed=0, groups=None):
    """`draws` random orders of n stimuli, one at a time; within groups where these are given."""
    rng = np.random.default_rng(seed)
    members = [np.arange(n)] if groups is None else [np.flatnonzero(groups == g) for g in np.unique(groups)]
    for _ in range(draws):
        order = np.arange(n)
        for group in members:
            order[group] = rng.permutation(group)
        yield order


def permuted_products(a, b, all_orders):
    """Scores of every relation of `a` with every relation of `b`, for each order of the stimuli of `b`.

    The order is the same for all pairs, so the maximum over pairs has its null in the maximum of each draw.

    Parameters
    ----------
    a, b : sequence of Relation
        All of the same stimuli and of one kind.
    all_orders : iterable of array of shape (n_stimuli,)

    Returns
    -------
    ndarray of shape (draws, len(a), len(b))
    """
    graphs = sparse.issparse(a[0].matrix)
    return np.stack(list((graph_products if graphs else dense_products)(a, b, all_orders)))


def dense_products(a, b, all_orders):
    """Symmetric matrices: what is above the diagonal counts twice, and one matrix product serves all pairs."""
    rows, columns = np.triu_indices(a[0].n)
    twice = np.where(rows == columns, 1.0, 2.0)
    fixed = np.stack([r.matrix[rows, columns] * twice for r in a])
    moving = np.stack([r.matrix.ravel() for r in b])
    for order in all_orders:
        yield fixed @ moving[:, order[rows] * len(order) + order[columns]].T


def graph_products(a, b, all_orders):
    """Sparse graphs: each edge of `b` gets a new place, and one sparse product serves all pairs."""
    n = a[0].n
    fixed = sparse.vstack([r.matrix.reshape(1, -1) for r in a]).T.tocsr()
    edges = [r.matrix.tocoo() for r in b]
    start, end = (np.concatenate([getattr(e, part) for e in edges]).astype(np.int64) for part in ("row", "col"))
    weight, stops = np.concatenate([e.data for e in edges]), np.cumsum([0, *(e.nnz for e in edges)])
    for order in all_orders:
        place = np.argsort(order)
        moved = sparse.csr_array((weight, place[start] * n + place[end], stops), shape=(len(b), n * n))
        yield (moved @ fixed).toarray().T


def permutation_null(a, b, draws=999, seed=0, groups=None, why=""):
    """Null from random pairings; p is (1 + number at least as high) / (1 + draws)."""
    check_whole(draws, "draws", 99)
    values = permuted_products([a], [b], orders(a.n, draws, seed, groups)).ravel()
    return sampled(values, "permutations", f"{draws} random pairings ({why})", 1)


def enumeration_null(a, b, why):
    """Null from all n! pairings; p is the exact share that is at least as high."""
    values = permuted_products([a], [b], (np.array(p) for p in permutations(range(a.n)))).ravel()
    return sampled(values, "enumeration", f"all {len(values)} pairings ({why})", 0)


def sampled(values, method, why, observed):
    """Null of given scores; `observed` is 1 where the observed pairing is counted among them (the add-one rule)."""
    values = np.sort(values)
    slack = 1e-9 * max(float(np.abs(values).max()), 1e-300)  # equal scores, summed in another order, are equal

    def tail(score):
        return float((len(values) - np.searchsorted(values, score - slack) + observed) / (len(values) + observed))

    def quantile(level):
        rank = int(np.ceil(level * (len(values) + observed)))
        return float(values[min(rank, len(values)) - 1])

    sd = float(values.std())
    skew = float(stats.skew(values)) if sd > slack else 0.0
    return Null(float(values.mean()), sd, skew, method, why, tail, quantile)


def check_groups(groups, n):
    if groups is None:
        return None
    groups = np.asarray(groups)
    if pd.isna(groups).any():
        raise InputError("groups holds missing labels; label every stimulus, or remove those without.")
    if groups.shape != (n,):
        raise InputError(f"groups has shape {groups.shape}; give one label for each of the {n} stimuli.")
    if len(np.unique(groups)) == n:
        raise InputError("groups puts every stimulus into a group of its own, so nothing can be exchanged.")
    return groups


# --- other stimuli of the same kind ---------------------------------------------------------------------------------


class Jackknife:
    """How much statistics would vary over other stimuli of the same kind: a delete-d jackknife.

    The statistics are taken on `draws` random subsets of four fifths of the stimuli, without repeats (a bootstrap's
    repeats break neighbours and kernels); all of them on the same subsets, so that differences are paired.

    Parameters
    ----------
    statistic : callable
        ``statistic(rows) -> sequence of float``, rows the sorted indices of the stimuli to use.
    n : int
        Stimuli.
    draws : int
    seed : int

    Attributes
    ----------
    values : ndarray of shape (n_statistics,)
        On all stimuli; the centre of every interval.
    draws : ndarray of shape (draws, n_statistics)

    Notes
    -----
    Variance: (n - d) / d times the variance over subsets (Shao & Wu 1989).
    """

    KEPT = 0.8

    FEWEST = 10  # stimuli; with fewer, the subsets say nothing of other stimuli

    def __init__(self, statistic, n, draws=200, seed=0):
        if n < self.FEWEST:
            raise InputError(f"An interval needs at least {self.FEWEST} stimuli; here n = {n}. Ask for none (ci=None).")
        check_whole(draws, "draws", 20)
        size = round(self.KEPT * n)
        rng = np.random.default_rng(seed)
        self.values = np.asarray(statistic(np.arange(n)), dtype=float)
        subsets = (np.sort(rng.choice(n, size, replace=False)) for _ in range(draws))
        self.draws = np.array([statistic(rows) for rows in subsets], dtype=float)
        self.spread = size / (n - size)

    def interval(self, weights, level=0.95):
        """A weighted sum of the statistics and its interval: (value, low, high)."""
        check_level(level, "level")
        value = float(self.values @ weights)
        width = stats.norm.ppf((1 + level) / 2) * np.sqrt(self.spread * (self.draws @ weights).var())
        return value, float(value - width), float(value + width)
