"""How far a score would move with other stimuli of the same kind: subsets of stimuli, and intervals from them."""

from __future__ import annotations

import numpy as np
from scipy import stats

from consilience.check import InputError, check_array, check_choice, check_level, check_whole
from consilience.metrics import CARDS
from consilience.metrics.relation import RELATIONS


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


class Resampled:
    """Scores of several pairs on the same subsets of stimuli, so that their differences have honest intervals.

    Parameters
    ----------
    representations : mapping from name to array of shape (n_stimuli, n_units)
    pairs : sequence of (name, name)
    metric : str
        See :func:`consilience.catalogue`.
    draws : int
        Subsets of stimuli; see :class:`consilience.nulls.Jackknife`.
    seed : int
    galleries : sequence of array of int, optional
        Score within each of these sets of rows and take the mean; by default all rows are one gallery.
    **metric_options
        Of one gallery. On a subset of it, k is reduced in proportion.

    Attributes
    ----------
    scores : dict from pair to float
        On all stimuli.
    """

    def __init__(self, representations, pairs, metric="cka", draws=200, seed=0, galleries=None, **metric_options):
        card = CARDS[check_choice(metric, "metric", tuple(CARDS))]
        of_side, of_meeting = card.split(metric_options)
        pairs = list(dict.fromkeys(pairs))
        names = list(dict.fromkeys(name for pair in pairs for name in pair))
        unknown = [name for name in names if name not in representations]
        if unknown or not pairs:
            raise InputError(f"pairs names {unknown or 'nothing'}; there are {', '.join(representations)}.")
        arrays = {name: check_array(representations[name], name) for name in names}
        n = len(arrays[names[0]])
        if len({len(X) for X in arrays.values()}) > 1:
            raise InputError("The representations differ in their number of stimuli; all must have the same rows.")

        galleries = [np.arange(n)] if galleries is None else [check_gallery(rows, n) for rows in galleries]
        whole = {name: card.side(X, **of_side) for name, X in arrays.items()}

        def scores_within(gallery, rows):
            some = np.intersect1d(gallery, rows, assume_unique=True)
            share = len(some) / len(gallery)
            part = {name: on_subset(card, whole[name], arrays[name], some, share, of_side) for name in names}
            return [card.meet(part[first], part[second], **of_meeting) for first, second in pairs]

        def score_all(rows):
            return np.mean([scores_within(gallery, rows) for gallery in galleries], axis=0)

        self.jackknife = Jackknife(score_all, n, draws, seed)
        self.place = {pair: i for i, pair in enumerate(pairs)}
        self.scores = {pair: float(self.jackknife.values[i]) for pair, i in self.place.items()}

    def interval(self, first, second, level=0.95):
        """Interval of one pair's score: (low, high)."""
        return self.jackknife.interval(self.weights((first, second)), level)[1:]

    def difference(self, pair, control, level=0.95):
        """How much more alike `pair` is than `control`: (difference, low, high)."""
        return self.jackknife.interval(self.weights(pair) - self.weights(control), level)

    def weights(self, pair):
        if pair not in self.place:
            raise InputError(f"{pair} was not scored; there are {', '.join(map(str, self.place))}.")
        return (np.arange(len(self.place)) == self.place[pair]).astype(float)


def on_subset(card, whole, X, rows, share, options):
    """The side of some of the stimuli: cut out of the whole and centred again, or, for neighbours, sought anew.

    Neighbours are kept in proportion to the share of the gallery, so that how fine an agreement is asked for stays
    the same.
    """
    if isinstance(whole, RELATIONS) and whole.kind == "u-centred":
        return whole.part(rows)
    if "k" in card.side_options:
        options = {**options, "k": max(1, round(options.get("k", card.default("k")) * share))}
    if options.get("labels") is not None:
        options = {**options, "labels": np.asarray(options["labels"])[rows]}
    return card.side(X[rows], **options)


def check_gallery(rows, n):
    """Rows of one gallery: at least ten different whole numbers below n."""
    rows = np.asarray(rows)
    if rows.dtype.kind not in "iu" or rows.ndim != 1 or len(rows) < Jackknife.FEWEST:
        raise InputError(
            f"A gallery is a list of at least {Jackknife.FEWEST} row numbers; got shape {rows.shape}, {rows.dtype}."
        )
    if len(np.unique(rows)) < len(rows) or rows.min() < 0 or rows.max() >= n:
        raise InputError(f"A gallery names rows twice, or rows outside 0 to {n - 1}.")
    return rows
