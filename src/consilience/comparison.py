"""The layers of two models: every pair scored by every metric, with the nulls of each pair and of the search."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from consilience.alignment import calibrated, prepared, varies
from consilience.check import InputError, check_array, check_choice, check_level, check_whole
from consilience.core.each import each
from consilience.files import Representation, matched
from consilience.metrics import CARDS, participation_ratio
from consilience.metrics.once import shared
from consilience.nulls import ENUMERATE_UP_TO, SLACK, has_moments, moment_null, sampled, sums_of, with_exact_mean
from consilience.pairings import permuted_scores, random_orders, scores
from consilience.resampling import Resampled


class Comparison(pd.DataFrame):
    """A tidy table of :func:`compare`, one row for each metric and pair of layers, that can say and draw what it holds.

    A row's columns: metric, layer_a, layer_b, score; null_mean, null_sd, null_skew; z; p; p_max, against the maximum
    over all pairs of the metric; p_all, against the largest z over pairs and metrics; p_fdr, after Benjamini and
    Hochberg over the table; calibrated; low and high, where intervals were asked for; n; width and effective rank of
    both layers; k and k_over_n for neighbours; method; seconds, for all pairs of the metric; from_a and from_b, for
    features: their model and the address of their origin. Its attribute `largest` holds the largest z of each random
    pairing, over all pairs and metrics: the null of the whole search.
    """

    _metadata = ("alpha", "draws", "largest")

    @property
    def _constructor(self):
        return Comparison

    def sentence(self):
        """What stands out, in words."""
        said = []
        for metric, part in self.groupby("metric", sort=False):
            best = part.loc[(part.z * (1 if CARDS[metric].direction == "similarity" else -1)).idxmax()]
            above = int((part.p_max <= self.alpha).sum())
            said.append(
                f"{metric}: {above} of {len(part)} pairs of layers are more alike than chance would make the best pair "
                f"(alpha = {self.alpha:g}); most of all {best.layer_a} and {best.layer_b}: {best.score:.3f}, by chance "
                f"{best.null_mean:.3f} ± {best.null_sd:.3f}, calibrated {best.calibrated:.3f}."
            )
        return "\n".join(said)

    def __repr__(self):
        whole = {"metric", "z", "p_max"} <= set(self.columns) and hasattr(self, "alpha")
        return f"{self.sentence()}\n{super().__repr__()}" if whole else super().__repr__()

    def matrix(self, column="score"):
        """A column of one metric's rows as an array of shape (n_layers_a, n_layers_b)."""
        wide = self.pivot(index="layer_a", columns="layer_b", values=column)
        return wide.loc[self.layer_a.drop_duplicates(), self.layer_b.drop_duplicates()].to_numpy()

    def heatmap(self, column="calibrated", axes=None):
        """Draw layers against layers, a panel for each metric; pairs within chance are hatched (needs seaborn)."""
        from consilience.plots import draw_heatmaps

        return draw_heatmaps(self, column, axes)

    def null(self, axes=None):
        """Draw the scores of all pairs beside what chance gives each, a panel for each metric (needs seaborn)."""
        from consilience.plots import draw_nulls

        return draw_nulls(self, axes)


def compare(
    layers_a,
    layers_b,
    metrics=("cka", "mutual_knn"),
    alpha=0.05,
    draws=200,
    groups=None,
    seed=0,
    exchange="within",
    ci=None,
    **metric_options,
):
    """Every layer of one model against every layer of another, with the null of each pair and of the maximum.

    Searching for the best pair of layers raises the best score even by chance. So each random pairing is applied to
    all pairs of layers at once, and the highest score of each gives the null of the maximum.

    Parameters
    ----------
    layers_a, layers_b : mapping from layer name to array of shape (n_stimuli, n_units)
        For example :class:`consilience.features.Features`, whose rows are matched by the ids of their stimuli. Else the
        same stimuli in the same order.
    metrics : sequence of str
    alpha, groups, seed, exchange
        As in :func:`consilience.align`.
    draws : int
        Random pairings, the same for all pairs of layers and all metrics. A pair's own p comes from exact moments
        where these serve, else from these draws.
    ci : float, optional
        Level of an interval for each score; takes 200 scores more.
    **metric_options
        An option is passed to each metric that knows it.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        As :func:`consilience.align`; if draws are too few for alpha; or if features name different stimuli.

    Notes
    -----
    What belongs to one layer (kernels, neighbours, singular vectors, sums) is computed once, for all pairs, random
    pairings and metrics. Pairings are drawn for all pairs of layers together: with 12 and 24 layers of 1,000 stimuli
    and 200 draws a metric takes seconds. Those that need singular values in each draw take milliseconds a draw and pair
    ("cca", "svcca", "procrustes"; CCA with summary="mean_squared" does not), "pwcca" and "linear_predictivity" more.

    From 500 stimuli on, inner products of relations are drawn in float32, which moves a draw by less than a millionth
    of the null's sd; scores and moments are in float64. O((a + b) n²) memory for a and b layers, and, for singular
    vectors, twice the layers in float64. A metric whose card says that it is not symmetric is computed in one order:
    layers_a first. For the other, change their places; :func:`consilience.atlas` computes both.
    """
    layers_b = in_the_order_of(layers_a, layers_b)
    return compared(layers_a, layers_b, metrics, alpha, draws, groups, seed, exchange, ci, metric_options)


def in_the_order_of(layers_a, layers_b):
    """`layers_b` with its rows in the order of `layers_a`, where both are features that name their stimuli."""
    if None in (getattr(layers, "ids", None) for layers in (layers_a, layers_b)):
        return layers_b
    a, b = (
        Representation(dict(layers), np.array(layers.ids), name)
        for name, layers in (("layers_a", layers_a), ("layers_b", layers_b))
    )
    same = matched(a, b)[1]
    return layers_b if same is b else replace(layers_b, arrays=same.layers, ids=layers_a.ids)


def compared(layers_a, layers_b, metrics, alpha, draws, groups, seed, exchange, ci, metric_options, turned=False):
    """What :func:`compare` says; `turned`, under the random pairings of the same models in the other order."""
    metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    cards = [CARDS[check_choice(metric, "metric", tuple(CARDS))] for metric in metrics]
    check_known(cards, metric_options)
    a, b = checked(layers_a, "layers_a"), checked(layers_b, "layers_b")
    n = len(next(iter(a.values())))
    for name, X in b.items():
        if len(X) != n:
            raise InputError(f"layers_b[{name!r}] has {len(X)} stimuli (rows), layers_a has {n}.")
    if metric_options.get("labels") is not None:  # then things are exchanged, not stimuli
        without = [card.name for card in cards if "labels" not in card.side_options]
        if without:
            raise InputError(f"labels mean nothing to {', '.join(without)}; compare them apart.")
        n = len(np.unique(metric_options["labels"]))
    check_level(alpha, "alpha")
    if check_whole(draws, "draws", 19) < 1 / alpha - 1:
        raise InputError(f"draws is {draws}; alpha = {alpha:g} needs at least {int(np.ceil(1 / alpha - 1))} pairings.")
    orders = random_orders(n, draws, seed, groups, exchange)
    if turned:  # a with b reordered is b with a reordered back
        orders = np.argsort(orders if isinstance(orders, np.ndarray) else orders.array(), axis=1)
    restricted = groups is not None or exchange != "within"

    parts, largest = [], np.full(draws, -np.inf)
    ranks = [each(participation_ratio, list(layers.values()), "effective ranks") for layers in (a, b)]
    own = [{key: v for key, v in metric_options.items() if key in (*c.side_options, *c.meet_options)} for c in cards]
    with shared():
        for card, options in zip(cards, own, strict=True):
            part, highest_z = scored(card, a, b, ranks, orders, restricted, alpha, options, groups, seed)
            parts.append(part)
            largest = np.maximum(largest, highest_z)
    if ci is not None:
        for part, card, options in zip(parts, cards, own, strict=True):
            add_intervals(part, card, a, b, ci, seed, options)
    table = pd.concat(parts, ignore_index=True)
    sign = np.array([1 if CARDS[metric].direction == "similarity" else -1 for metric in table.metric])
    table.insert(
        table.columns.get_loc("p_max") + 1,
        "p_all",
        [(1 + (largest >= z - SLACK).sum()) / (draws + 1) for z in sign * table.z],
    )
    table.insert(table.columns.get_loc("p_all") + 1, "p_fdr", stats.false_discovery_control(table.p))
    for side, layers in (("from_a", layers_a), ("from_b", layers_b)):
        if hasattr(layers, "origin"):
            table[side] = layers.origin.label
    table = Comparison(table)
    table.alpha, table.draws, table.largest = alpha, draws, largest
    return table


def scored(card, layers_a, layers_b, ranks, orders, restricted, alpha, options, groups, seed):
    """All pairs by one metric: their rows, and the largest z of each draw."""
    began = time.perf_counter()
    of_side, meet = prepared(card, options, groups, seed)
    a, b = (each(partial(card.side, **of_side), list(layers.values()), card.title) for layers in (layers_a, layers_b))
    n = a[0].n
    observed = scores(a, b, meet)
    drawn = permuted_scores(a, b, orders, meet)
    sign = 1 if card.direction == "similarity" else -1
    highest = (sign * drawn).max((1, 2))
    exact = not restricted and n > ENUMERATE_UP_TO and all(map(has_moments, (*a, *b))) and a[0].kind == b[0].kind
    sums = [each(sums_of, sides, "moments") if exact else [None] * len(sides) for sides in (a, b)]
    rows, largest = [], np.full(len(drawn), -np.inf)
    for i, (name_a, X) in enumerate(layers_a.items()):
        for j, (name_b, Y) in enumerate(layers_b.items()):
            score = observed[i, j]
            chance, doubt = moment_null(a[i], b[j], (sums[0][i], sums[1][j])) if exact else (None, None)
            if not exact or doubt:
                chance = sampled(drawn[:, i, j], "permutations", doubt or "", 1, card.direction)
                chance = chance if restricted else with_exact_mean(chance, a[i], b[j])
            if not varies(chance, score):
                raise InputError(
                    f"{card.name}: a score is the same however stimuli are paired; choose a smaller k, if it has one."
                )
            largest = np.maximum(largest, sign * (drawn[:, i, j] - chance.mean) / chance.sd)
            rows.append(
                {
                    "metric": card.name,
                    "layer_a": name_a,
                    "layer_b": name_b,
                    "score": score,
                    "null_mean": chance.mean,
                    "null_sd": chance.sd,
                    "null_skew": chance.skew,
                    "z": (score - chance.mean) / chance.sd,
                    "p": chance.tail(score),
                    "p_max": (1 + (highest >= sign * score - SLACK * chance.sd).sum()) / (len(drawn) + 1),
                    "calibrated": calibrated(score, chance.quantile(1 - alpha), card.best),
                    "n": n,
                    "width_a": X.shape[1],
                    "width_b": Y.shape[1],
                    "rank_a": ranks[0][i],
                    "rank_b": ranks[1][j],
                    "method": chance.method,
                }
            )
    table = pd.DataFrame(rows)
    if "k" in card.side_options:
        k = options.get("k", card.default("k"))
        table.insert(table.columns.get_loc("method"), "k", k)
        table.insert(table.columns.get_loc("method"), "k_over_n", k / n)
    table["seconds"] = time.perf_counter() - began
    return table, largest


def add_intervals(part, card, layers_a, layers_b, level, seed, options):
    """Columns low and high: a delete-d jackknife over stimuli, the same subsets for all pairs."""
    named = {**{("a", name): X for name, X in layers_a.items()}, **{("b", name): X for name, X in layers_b.items()}}
    pairs = [(("a", row.layer_a), ("b", row.layer_b)) for row in part.itertuples()]
    found = Resampled(named, pairs, card.name, seed=seed, **options)
    ends = np.array([found.interval(*pair, level) for pair in pairs])
    part.insert(part.columns.get_loc("score") + 1, "low", ends[:, 0])
    part.insert(part.columns.get_loc("score") + 2, "high", ends[:, 1])


def checked(layers, name):
    """A mapping from names to arrays of equally many rows."""
    if not isinstance(layers, Mapping) or not layers:
        raise InputError(f"{name} must be a mapping from layer names to arrays, with at least one layer.")
    arrays = {layer: check_array(layers[layer], f"{name}[{layer!r}]") for layer in layers}
    n = len(next(iter(arrays.values())))
    for layer, X in arrays.items():
        if len(X) != n:
            raise InputError(f"{name}[{layer!r}] has {len(X)} stimuli (rows), the first layer of {name} has {n}.")
    return arrays


def check_known(cards, options):
    """Options that at least one of the metrics knows; a misspelt one must not pass in silence."""
    for name in options:
        if not any(name in (*card.side_options, *card.meet_options) for card in cards):
            known = "; ".join(f"{c.name}: {', '.join((*c.side_options, *c.meet_options)) or 'none'}" for c in cards)
            raise InputError(f"There is no option {name!r}. The options are {known}.")
