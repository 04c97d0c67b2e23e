"""Retrieval of held-out pairs, both ways and for several k, beside what wrong pairs to learn from would give."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from consilience.check import InputError, check_pair, check_whole
from consilience.core import Orders
from consilience.core.each import libraries
from consilience.core.progress import progress
from consilience.metrics.matching import held_out, hits, points, way
from consilience.nulls import sampled
from consilience.pairings import check_groups

DIRECTIONS = ("X to Y", "Y to X")


class Retrieval(pd.DataFrame):
    """A table of :func:`retrieval`: one row for each direction and k."""

    @property
    def _constructor(self):
        return Retrieval

    def sentence(self):
        """What is found, in words."""
        said = []
        for (direction, through), part in self.groupby(["direction", "through"], sort=False):
            rows = (
                f"R@{row.k} {row.score:.1%} (chance {row.chance:.1%}; from wrong pairs {row.null_mean:.1%} ± "
                f"{row.null_sd:.1%}, p = {row.p:.3g})"
                for row in part.itertuples()
            )
            gallery, n = part.iloc[0][["gallery", "n"]]
            said.append(
                f"{direction} through {through}, {n} stimuli, {gallery:.0f} held out at a time: {', '.join(rows)}."
            )
        return "\n".join(said)


def retrieval(X, Y, k=(1, 5, 10), through="anchors", folds=5, groups=None, seed=0, draws=99):
    """Is the mate of a held-out stimulus found, and would it be if the pairs to learn from were wrong?

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus: they are mates.
    k : int or sequence of int
    through, folds, groups, seed
        As in :func:`consilience.recall`.
    draws : int, at least 19
        Shuffles of the pairs learned from, in each fold. With groups, whole groups change places, so that what the
        stimuli of one group have in common is kept.

    Returns
    -------
    Retrieval
        A table with a row for each direction and k. Columns: direction, k, score (R@k), chance (k over the number
        held out), null_mean and null_sd (R@k learned from shuffled pairs), p (add-one, upper tail), gallery (mean
        number held out), n, through.

    Raises
    ------
    InputError
        As :func:`consilience.recall`.

    Notes
    -----
    The p-value of each row is its own; none is corrected for the number of rows. A shuffle decomposes nothing again:
    it costs O(n² d / folds), and O(d³) more for "orthogonal".
    """
    X, Y = check_pair(X, Y)
    check_whole(draws, "draws", 19)
    ks, groups = check_places(k), check_groups(groups, len(X))
    a, b = points(X, "X"), points(Y, "Y")
    divisions = held_out(a.n, ks, folds, groups, seed)
    ways = {through: lambda train, test: way(a, b, train, test, through)}
    return tried(ways, divisions, ks, draws, groups, seed, "retrieval")


def check_places(k):
    """One number of places, or several, as a list."""
    ks = [k] if np.ndim(k) == 0 else list(k)
    if not ks:
        raise InputError("k is empty; give at least one number of places, for example k=(1, 5, 10).")
    return ks


def tried(ways, divisions, ks, draws, groups, seed, doing):
    """The table of some ways, learned from the pairs as they are and from the same shuffles of them.

    Parameters
    ----------
    ways : dict of str to callable
        Name -> from (train, test), row numbers, to a way (see :mod:`consilience.metrics.maps`).
    divisions : list of (train, test)
    doing : str
        Shown before the bar.
    """
    galleries = np.array([len(test) for _, test in divisions])
    n, runs = galleries.sum(), len(divisions) * len(ways) * (draws + 1)
    found = {name: np.zeros((draws + 1, len(DIRECTIONS), len(ks))) for name in ways}  # as paired, then shuffled
    with libraries().limit(limits=1, user_api="blas"), progress(doing) as tell:  # many small maps: see core.each
        done = 0
        for fold, (train, test) in enumerate(divisions):
            inside = None if groups is None else groups[train]
            for name, prepare in ways.items():
                prepared = prepare(train, test)
                shuffles = shuffled_pairs(len(train), draws, seed + fold, inside)
                for draw, order in enumerate([np.arange(len(train)), *shuffles]):
                    found[name][draw] += hits(prepared.similarities(order), ks)
                    done += 1
                    if tell:
                        tell(done / runs)
    rows = []
    for name, counts in found.items():
        for (i, direction), (j, k) in product(enumerate(DIRECTIONS), enumerate(ks)):
            score, *by_chance = counts[:, i, j] / n
            chance = sampled(np.array(by_chance), "permutations", f"{draws} shuffles of the pairs learned from", 1)
            rows.append(
                {
                    "direction": direction,
                    "k": k,
                    "score": score,
                    "chance": float(k * len(galleries) / n),
                    "null_mean": chance.mean,
                    "null_sd": chance.sd,
                    "p": chance.tail(score),
                    "gallery": float(np.square(galleries).sum() / n),
                    "n": n,
                    "through": name,
                }
            )
    return Retrieval(rows)


def shuffled_pairs(n, draws, seed, groups=None):
    """Orders of the stimuli of one side; with groups, their stimuli stay together and in their order."""
    if groups is None:
        yield from Orders(n, draws, seed)
        return
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    together = np.concatenate(members)
    for order in Orders(len(members), draws, seed):
        moved = np.empty(n, int)
        moved[together] = np.concatenate([members[group] for group in order])
        yield moved
