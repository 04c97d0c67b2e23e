"""What a pair of models must beat besides chance: its untrained twins and the trivial baseline.

On real stimuli, pixels and random networks are far above a shuffled pairing too: pictures that look alike stay alike
in them. So agreement that training brought must exceed theirs.
"""

from __future__ import annotations

import numpy as np

from consilience.alignment import align
from consilience.book.claims import above_chance, above_control
from consilience.resampling import Resampled

UNTRAINED = ", untrained"
KINDS = ("one untrained", "one untrained", "both untrained", "pixels", "pixels")  # of the controls, in their order


def controls(a, b, baseline="pixels"):
    """The control pairs of a pair of models: a dict from words to (name, name)."""
    return {
        f"{a} untrained": (a + UNTRAINED, b),
        f"{b} untrained": (a, b + UNTRAINED),
        "both untrained": (a + UNTRAINED, b + UNTRAINED),
        f"{baseline} and {a}": (baseline, a),
        f"{baseline} and {b}": (baseline, b),
    }


def resample(space, pairs, metric, **options):
    """Scores of all pairs and all their controls on the same subsets of stimuli: a :class:`Resampled`.

    Parameters
    ----------
    space : mapping from name to array of shape (n_stimuli, n_units)
        With the models of `pairs`, their untrained twins (name + ", untrained") and "pixels".
    pairs : sequence of (name, name)
    metric : str
    **options
        Of :class:`Resampled` and of the metric.
    """
    wanted = dict.fromkeys(pair for a, b in pairs for pair in [(a, b), *controls(a, b).values()])
    return Resampled(space, list(wanted), metric, **options)


def evidence(space, pairs, metric, case="{a} and {b}", draws=100, seed=0, groups=None, galleries=None, **options):
    """One :class:`Evidence` for each pair against chance and against each of its controls.

    Parameters
    ----------
    space, pairs, metric
        As in :func:`resample`.
    case : str
        What is tested; ``{a}`` and ``{b}`` in it become the two models.
    draws : int
        Subsets of stimuli for the intervals.
    seed : int
    groups : array of shape (n_stimuli,), optional
        The null exchanges stimuli only within their group.
    galleries : sequence of array of int, optional
        Score within each of these sets of stimuli and take the mean; the null is that of the first.
    **options
        Of the metric.
    """
    scores = resample(space, pairs, metric, draws=draws, seed=seed, galleries=galleries, **options)
    rows = slice(None) if galleries is None else galleries[0]
    tests = []
    for a, b in pairs:
        name, pair_in_words = case.format(a=a, b=b), "" if "{a}" in case else f"{a} and {b}: "
        found = align(space[a][rows], space[b][rows], metric, seed=seed, groups=groups, **options)
        tests.append(above_chance(found, name, pair_in_words))
        tests += [
            above_control(scores, (a, b), pair, pair_in_words + words, metric, name)
            for words, pair in controls(a, b).items()
        ]
    return tests


def excess(space, other, pairs, metric, words, draws=100, seed=0, **options):
    """Evidence that each pair is more alike in `space` than the same pair is in `other`, for example at other layers.

    Parameters
    ----------
    space, other : mapping from name to array of shape (n_stimuli, n_units)
        The same models and stimuli.
    pairs, metric, draws, seed, **options
        As in :func:`evidence`.
    words : str
        What `other` is.
    """
    both = space | {f"{name} ({words})": X for name, X in other.items()}
    elsewhere = {(a, b): (f"{a} ({words})", f"{b} ({words})") for a, b in pairs}
    scores = Resampled(both, [*pairs, *elsewhere.values()], metric, draws=draws, seed=seed, **options)
    return [above_control(scores, (a, b), elsewhere[a, b], words, metric, f"{a} and {b}") for a, b in pairs]


def rungs(space, pairs, metric, easy=(), draws=100, seed=0, **options):
    """What :func:`consilience.book.figures.ladder` draws: each pair with its interval, its null and its controls.

    Parameters
    ----------
    space, pairs, metric, draws, seed, **options
        As in :func:`evidence`.
    easy : sequence of (name, name)
        Pairs for comparison, without controls of their own.

    Returns
    -------
    list of dict
        label, score, low, high, null (two standard deviations to either side), controls (list of (kind, score)).
    """
    scores = resample(space, pairs, metric, draws=draws, seed=seed, **options)
    easy_scores = Resampled(space, easy, metric, draws=draws, seed=seed, **options) if easy else None
    shuffled = np.random.default_rng(seed).permutation(len(space[pairs[0][0]]))
    found = []
    for a, b in [*pairs, *easy]:
        chance = align(space[a], space[b], metric, **options)
        marks = [("shuffled", align(space[a], space[b][shuffled], metric, **options).score)]
        if (a, b) in pairs:
            values = [scores.scores[pair] for pair in controls(a, b).values()]
            marks += zip(KINDS, values, strict=True)
        low, high = (scores if (a, b) in pairs else easy_scores).interval(a, b)
        found.append(
            {
                "label": f"{a}\n{b}",
                "score": chance.score,
                "low": low,
                "high": high,
                "null": (chance.null_mean - 2 * chance.null_sd, chance.null_mean + 2 * chance.null_sd),
                "controls": marks,
            }
        )
    return found
