"""Two representations, or the layers of two models: scores beside their nulls, in results that explain themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from consilience.check import InputError, check_array, check_choice, check_level, check_pair, check_whole
from consilience.metrics import CARDS, product
from consilience.nulls import Jackknife, check_groups, null, orders, permuted_products


@dataclass(frozen=True)
class Alignment:
    """How alike two representations are, and how alike they would look by chance.

    Attributes
    ----------
    metric : str
    score : float
    null_mean, null_sd, null_skew : float
        The score when stimuli are paired at random.
    z : float
        (score - null_mean) / null_sd. No p-value is made from it: nulls are skewed.
    p : float
        Probability of a score at least as high by chance. From moments it is never below 1e-4: read "at most".
    calibrated : float
        max((score - tau) / (1 - tau), 0), tau the upper `alpha` quantile of the null (Groeger et al. 2026): 0 where
        chance reaches, 1 for identical relations.
    ci : tuple of two floats, or None
        Interval of the score, where asked for: how far it would move with other stimuli of the same kind.
    ci_level : float or None
    n : int
        Stimuli.
    method : str
        How the null was had: "moments", "permutations" or "enumeration".
    why : str
    alpha : float
    options : dict
        Of the metric.
    """

    metric: str
    score: float
    null_mean: float
    null_sd: float
    null_skew: float
    z: float
    p: float
    calibrated: float
    ci: tuple[float, float] | None
    ci_level: float | None
    n: int
    method: str
    why: str
    alpha: float
    options: dict

    def __str__(self):
        p = "p <= 0.0001" if self.p <= 1e-4 else f"p = {self.p:.4f}".rstrip("0").rstrip(".")
        options = "".join(f", {key}={value!r}" for key, value in self.options.items())
        interval = f"   {100 * self.ci_level:g} % interval: {self.ci[0]:.3f} to {self.ci[1]:.3f}" if self.ci else ""
        verdict = "above chance" if self.p <= self.alpha else "not above chance"
        return "\n".join(
            [
                f"{CARDS[self.metric].title}   ({self.metric}{options}; n = {self.n} stimuli)",
                f"  score       {self.score: .3f}{interval}",
                f"  by chance   {self.null_mean: .3f}, give or take {self.null_sd:.3f}",
                f"  {verdict} at alpha = {self.alpha:g}: {p}, z = {self.z:.1f}",
                f"  calibrated  {self.calibrated: .3f}   (0 = no more than chance, 1 = the same relations)",
                f"  null        {self.method}: {self.why}",
            ]
        )

    __repr__ = __str__


def align(X, Y, metric="cka", method="auto", alpha=0.05, ci=None, groups=None, seed=0, draws=999, **metric_options):
    """Score two representations of the same stimuli, with the null of that score.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
    metric : {"cka", "mutual_knn"}
        See :func:`consilience.catalogue`.
    method : {"auto", "moments", "permutations", "enumeration"}
        How the null is had; "auto" decides, and the result says why.
    alpha : float
        Level of the test and of the calibrated score.
    ci : float, optional
        Level of the interval (for example 0.95), by a delete-d jackknife over stimuli; takes 200 scores more.
    groups : array of shape (n_stimuli,), optional
        Stimuli are exchanged only within their group (class, speaker, run).
    seed : int
    draws : int
        Number of random pairings where permutations are taken.
    **metric_options
        Passed to the metric, for example ``k=10`` or ``kernel="rbf"``.

    Returns
    -------
    Alignment

    Raises
    ------
    InputError
        As the metric does; or if an argument is out of its range.
    """
    X, Y = check_pair(X, Y)
    card = CARDS[check_choice(metric, "metric", tuple(CARDS))]
    check_level(alpha, "alpha")
    if ci is not None:
        check_level(ci, "ci")
    check_whole(seed, "seed", 0)
    check_options([card], metric_options)
    a, b = card.relation(X, **metric_options), card.relation(Y, **metric_options)
    score = product(a, b)
    chance = null(a, b, method, draws, seed, groups)
    if not chance.sd > 1e-12:
        raise InputError(
            f"The score is {score:.3g} however stimuli are paired, so it says nothing. Choose a smaller k."
        )
    tau = chance.quantile(1 - alpha)
    interval = None
    if ci is not None:
        interval = Resampled({"X": X, "Y": Y}, [("X", "Y")], metric, seed=seed, **metric_options).interval("X", "Y", ci)
    return Alignment(
        metric=metric,
        score=score,
        null_mean=chance.mean,
        null_sd=chance.sd,
        null_skew=chance.skew,
        z=float((score - chance.mean) / chance.sd),
        p=chance.tail(score),
        calibrated=float(max((score - tau) / (1 - tau), 0.0)) if tau < 1 else 0.0,
        ci=interval,
        ci_level=ci,
        n=len(X),
        method=chance.method,
        why=chance.why,
        alpha=alpha,
        options=metric_options,
    )


def compare(
    layers_a, layers_b, metrics=("cka", "mutual_knn"), alpha=0.05, draws=200, groups=None, seed=0, **metric_options
):
    """Every layer of one model against every layer of another, with the null of each pair and of the maximum.

    Searching for the best pair of layers raises the best score even by chance. So each random pairing is applied to
    all pairs of layers at once, and the highest score of each gives the null of the maximum.

    Parameters
    ----------
    layers_a, layers_b : mapping from layer name to array of shape (n_stimuli, n_units)
        For example :class:`consilience.features.Features`. The same stimuli in the same order.
    metrics : sequence of str
    alpha, groups, seed
        As in :func:`align`.
    draws : int
        Random pairings, the same for all pairs of layers.
    **metric_options
        An option is passed to each metric that knows it.

    Returns
    -------
    pandas.DataFrame
        One row for each metric and pair of layers: metric, layer_a, layer_b, score, null_mean, null_sd, z, p,
        calibrated, p_max (against the null of the maximum over all pairs), n.
    """
    metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    check_options([CARDS[check_choice(metric, "metric", tuple(CARDS))] for metric in metrics], metric_options)
    for name, layers in (("layers_a", layers_a), ("layers_b", layers_b)):
        if not isinstance(layers, Mapping) or not layers:
            raise InputError(f"{name} must be a mapping from layer names to arrays, with at least one layer.")
    check_level(alpha, "alpha")
    if check_whole(draws, "draws", 19) < 1 / alpha - 1:
        raise InputError(f"draws is {draws}; alpha = {alpha:g} needs at least {int(np.ceil(1 / alpha - 1))} pairings.")
    rows = []
    for metric in metrics:
        scores, chance = layer_scores(layers_a, layers_b, metric, draws, groups, seed, **metric_options)
        tau = np.sort(np.concatenate([chance, scores[None]]), 0)[int(np.ceil((1 - alpha) * (draws + 1))) - 1]
        if not chance.std(0).min() > 1e-12:
            raise InputError(f"{metric}: a score is the same however stimuli are paired, so it says nothing. Reduce k.")
        highest = chance.max((1, 2))
        for i, name_a in enumerate(layers_a):
            for j, name_b in enumerate(layers_b):
                score, by_chance = scores[i, j], chance[:, i, j]
                rows.append(
                    {
                        "metric": metric,
                        "layer_a": name_a,
                        "layer_b": name_b,
                        "score": score,
                        "null_mean": by_chance.mean(),
                        "null_sd": by_chance.std(),
                        "z": (score - by_chance.mean()) / by_chance.std(),
                        "p": (1 + (by_chance >= score).sum()) / (draws + 1),
                        "calibrated": max((score - tau[i, j]) / (1 - tau[i, j]), 0.0),
                        "p_max": (1 + (highest >= score).sum()) / (draws + 1),
                        "n": len(layers_a[name_a]),
                    }
                )
    return pd.DataFrame(rows)


def layer_matrix(table, column="score"):
    """A table of :func:`compare` for one metric as an array of shape (n_layers_a, n_layers_b)."""
    wide = table.pivot(index="layer_a", columns="layer_b", values=column)
    return wide.loc[table.layer_a.drop_duplicates(), table.layer_b.drop_duplicates()].to_numpy()


def layer_scores(layers_a, layers_b, metric, draws, groups, seed, **metric_options):
    """Scores of all pairs of layers as one matrix, and as many again under each random pairing.

    Parameters
    ----------
    As :func:`compare`, for one metric.

    Returns
    -------
    scores : ndarray of shape (n_layers_a, n_layers_b)
    chance : ndarray of shape (draws, n_layers_a, n_layers_b)
        Each random pairing is the same for all pairs of layers.
    """
    card = CARDS[metric]
    options = known_options(card, metric_options)
    n = len(next(iter(layers_a.values())))
    a = [card.relation(checked(layers_a, name, n, "layers_a"), **options) for name in layers_a]
    b = [card.relation(checked(layers_b, name, n, "layers_b"), **options) for name in layers_b]
    (scores,) = permuted_products(a, b, [np.arange(n)])
    return scores, permuted_products(a, b, orders(n, draws, seed, check_groups(groups, n)))


class Resampled:
    """Scores of several pairs on the same subsets of stimuli, so that their differences have honest intervals.

    Parameters
    ----------
    representations : mapping from name to array of shape (n_stimuli, n_units)
    pairs : sequence of (name, name)
    metric : {"cka", "mutual_knn"}
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
        check_options([card], metric_options)
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
        whole = {name: card.relation(X, **metric_options) for name, X in arrays.items()}

        def scores_within(gallery, rows):
            some = np.intersect1d(gallery, rows, assume_unique=True)
            share = len(some) / len(gallery)
            part = {name: on_subset(card, whole[name], arrays[name], some, share, metric_options) for name in names}
            return [product(part[first], part[second]) for first, second in pairs]

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
    """The relation of some of the stimuli: cut out of the whole and centred again, or, for neighbours, sought anew.

    Neighbours are kept in proportion to the share of the gallery, so that how fine an agreement is asked for stays
    the same.
    """
    if whole.kind == "u-centred":
        return whole.part(rows)
    if "k" in known_options(card, {"k": None}):
        options = {**options, "k": max(1, round(options.get("k", 10) * share))}
    return card.relation(X[rows], **options)


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


def check_options(cards, options):
    """Options that at least one of the metrics knows; a misspelt one must not pass in silence."""
    for name in options:
        if not any(known_options(card, {name: None}) for card in cards):
            known = "; ".join(f"{card.name}: {', '.join(known_names(card))}" for card in cards)
            raise InputError(f"There is no option {name!r}. The options are {known}.")


def checked(layers, name, n, argument):
    X = check_array(layers[name], f"{argument}[{name!r}]")
    if len(X) != n:
        raise InputError(f"{argument}[{name!r}] has {len(X)} stimuli (rows), the first layer of layers_a has {n}.")
    return X


def known_options(card, options):
    return {key: value for key, value in options.items() if key in known_names(card)}


def known_names(card):
    code = card.relation.__code__
    return code.co_varnames[1 : code.co_argcount]
