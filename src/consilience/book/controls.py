"""What a pair of models must beat besides chance: its untrained twins and the trivial baseline.

On real stimuli, pixels and random networks are far above a shuffled pairing too: pictures that look alike stay alike
in them. So agreement that training brought must exceed theirs.
"""

from __future__ import annotations

from consilience.book.claims import above_chance, above_control
from consilience.comparison import Resampled, align

UNTRAINED = ", untrained"


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
        name = case.format(a=a, b=b)
        found = align(space[a][rows], space[b][rows], metric, seed=seed, groups=groups, **options)
        tests.append(above_chance(found, name))
        tests += [above_control(scores, (a, b), pair, words, metric, name) for words, pair in controls(a, b).items()]
    return tests
