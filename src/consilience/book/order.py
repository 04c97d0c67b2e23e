"""Do the layers of two models correspond in order of depth? One number, its null, its controls."""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

from consilience.book.claims import Evidence, scale_of
from consilience.book.controls import UNTRAINED
from consilience.comparison import in_proportion, layer_scores
from consilience.nulls import Jackknife


def order(scores):
    """Rank correlation of a layer's depth with the depth of its best match; the mean of both directions.

    Parameters
    ----------
    scores : array of shape (n_layers_a, n_layers_b)

    Returns
    -------
    float in [-1, 1]
        1 where every deeper layer matches a deeper layer; 0 is taken where all layers match the same one.
    """

    def one_way(matches):
        return spearmanr(np.arange(len(matches)), matches)[0] if len(set(matches)) > 1 else 0.0

    return (one_way(scores.argmax(1)) + one_way(scores.argmax(0))) / 2


def order_evidence(models, pairs, metric, draws=40, shuffles=999, seed=0, level=0.99, **options):
    """Evidence that layers correspond in order: against shuffled stimuli, and against either model untrained.

    Parameters
    ----------
    models : mapping from name to :class:`consilience.features.Features`
        With the untrained twins under name + ", untrained".
    pairs : sequence of (name, name)
    metric : str
    draws : int
        Subsets of stimuli for the intervals.
    shuffles : int
    seed : int
    level : float
    **options
        Of the metric.
    """
    tests = []
    for a, b in pairs:
        case, n = f"{a} and {b}", len(next(iter(models[a].values())))
        scores, chance = layer_scores(models[a], models[b], metric, shuffles, seed=seed, **options)
        value = float(order(scores))
        p = (1 + sum(order(shuffled) >= value for shuffled in chance)) / (1 + shuffles)
        tests.append(Evidence(case, "chance", value, None, None, p, bool(p <= 0.001), scale_of(metric)))
        controls = {f"{a} untrained": (a + UNTRAINED, b), f"{b} untrained": (a, b + UNTRAINED)}
        kinds = [(a, b), *controls.values()]
        needed = dict.fromkeys(name for pair in kinds for name in pair)

        def orders_of(rows, kinds=kinds, needed=needed, n=n):
            fewer = in_proportion(metric, options, len(rows) / n)
            some = {name: {layer: X[rows] for layer, X in models[name].items()} for name in needed}
            return [order(layer_scores(some[first], some[second], metric, **fewer)[0]) for first, second in kinds]

        jackknife = Jackknife(orders_of, n, draws, seed)
        for i, words in enumerate(controls, start=1):
            weights = np.eye(len(kinds))[0] - np.eye(len(kinds))[i]
            value, low, high = jackknife.interval(weights, level)
            tests.append(Evidence(case, words, value, low, high, None, bool(low > 0), scale_of(metric)))
    return tests
