"""What a pair of models must beat besides chance: its untrained twins and the trivial baselines.

On real stimuli, pixels and random networks are far above a shuffled pairing too: pictures that look alike stay alike
in them. So agreement that training brought must exceed theirs. Words have a spelling and sounds a length and a colour,
which are to them what pixels are to pictures.
"""

from __future__ import annotations

import numpy as np

from consilience.alignment import align
from consilience.book.claims import above_chance, above_control
from consilience.resampling import Resampled

UNTRAINED = ", untrained"
PIXELS = ("pixels",)


def controls(a, b, baselines=None):
    """The control pairs of a pair of models.

    Parameters
    ----------
    a, b : str
    baselines : mapping from model to sequence of str, optional
        What is trivial to see in the stimuli of each model, such as pixels or spelling; pixels, if not given. Each
        takes the place of its model, and all of `a` meet all of `b` where the two do not share theirs.

    Returns
    -------
    dict from words to (kind, (name, name))
        Kinds: "one untrained", "both untrained", "baseline", "both baselines".
    """
    of_a, of_b = ((baselines or {}).get(name, PIXELS) for name in (a, b))
    found = {
        f"{a} untrained": ("one untrained", (a + UNTRAINED, b)),
        f"{b} untrained": ("one untrained", (a, b + UNTRAINED)),
        "both untrained": ("both untrained", (a + UNTRAINED, b + UNTRAINED)),
        **{f"{trivial} and {a}": ("baseline", (a, trivial)) for trivial in of_b},
        **{f"{trivial} and {b}": ("baseline", (trivial, b)) for trivial in of_a},
    }
    if set(of_a) != set(of_b):
        found |= {f"{x} and {y}": ("both baselines", (x, y)) for x in of_a for y in of_b}
    return found


def resample(space, pairs, metric, baselines=None, **options):
    """Scores of all pairs and all their controls on the same subsets of stimuli: a :class:`Resampled`.

    Parameters
    ----------
    space : mapping from name to array of shape (n_stimuli, n_units)
        With the models of `pairs`, their untrained twins (name + ", untrained") and their baselines.
    pairs : sequence of (name, name)
    metric : str
    baselines : mapping from model to sequence of str, optional
        As in :func:`controls`.
    **options
        Of :class:`Resampled` and of the metric.
    """
    wanted = list(pairs)
    for a, b in pairs:
        wanted += [pair for _, pair in controls(a, b, baselines).values()]
    return Resampled(space, wanted, metric, **options)


def evidence(
    space,
    pairs,
    metric,
    case="{a} and {b}",
    draws=100,
    seed=0,
    groups=None,
    galleries=None,
    baselines=None,
    **options,
):
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
    baselines : mapping from model to sequence of str, optional
        As in :func:`controls`.
    **options
        Of the metric.
    """
    scores = resample(space, pairs, metric, baselines, draws=draws, seed=seed, galleries=galleries, **options)
    rows = slice(None) if galleries is None else galleries[0]
    tests = []
    for a, b in pairs:
        name, pair_in_words = case.format(a=a, b=b), "" if "{a}" in case else f"{a} and {b}: "
        found = align(space[a][rows], space[b][rows], metric, seed=seed, groups=groups, **options)
        tests.append(above_chance(found, name, pair_in_words))
        tests += [
            above_control(scores, (a, b), pair, pair_in_words + words, metric, name)
            for words, (_, pair) in controls(a, b, baselines).items()
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


def rungs(space, pairs, metric, easy=(), draws=100, seed=0, baselines=None, **options):
    """What :func:`consilience.book.figures.ladder` draws: each pair with its interval, its null and its controls.

    Parameters
    ----------
    space, pairs, metric, draws, seed, **options
        As in :func:`evidence`.
    easy : sequence of (name, name)
        Pairs for comparison, without controls of their own.
    baselines : mapping from model to sequence of str, optional
        As in :func:`controls`.

    Returns
    -------
    list of dict
        label, score, low, high, null (two standard deviations to either side), controls (list of (kind, score)).
    """
    scores = resample(space, pairs, metric, baselines, draws=draws, seed=seed, **options)
    easy_scores = Resampled(space, easy, metric, draws=draws, seed=seed, **options) if easy else None
    shuffled = np.random.default_rng(seed).permutation(len(space[pairs[0][0]]))
    found = []
    for a, b in [*pairs, *easy]:
        chance = align(space[a], space[b], metric, **options)
        marks = [("shuffled", align(space[a], space[b][shuffled], metric, **options).score)]
        if (a, b) in pairs:
            marks += [(kind, scores.scores[pair]) for kind, pair in controls(a, b, baselines).values()]
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
