"""At which scale do two models agree? Mutual k-NN above chance, as the neighbourhood widens or the gallery grows."""

from __future__ import annotations

import numpy as np

from consilience.alignment import align
from consilience.book.controls import controls
from consilience.metrics import mutual_knn


def above_chance_level(X, Y, galleries, k):
    """(score - chance) / (1 - chance), the mean over galleries of one size.

    Parameters
    ----------
    X, Y : arrays of shape (n_stimuli, n_units)
    galleries : sequence of array of int
        Rows of each gallery; all equally many.
    k : int

    Returns
    -------
    float
        0 at chance, 1 where all neighbours are shared.
    """
    chance = k / (len(galleries[0]) - 1)
    return (np.mean([mutual_knn(X[rows], Y[rows], k=k) for rows in galleries]) - chance) / (1 - chance)


def random_galleries(n, size, count, seed=0):
    """`count` random sets of `size` of n stimuli; the one set of all where size is n."""
    rng = np.random.default_rng(seed)
    return [np.arange(n)] if size == n else [rng.choice(n, size, replace=False) for _ in range(count)]


def scale(space, pairs, x, xlabel, cases):
    """One panel of :func:`consilience.book.figures.curves`: pairs as lines, the first pair untrained as controls.

    Parameters
    ----------
    space : mapping from name to array of shape (n_stimuli, n_units)
    pairs : sequence of (name, name)
    x : sequence of float
    xlabel : str
    cases : sequence of (galleries, k), one for each of x
    """
    empty = {words: pair for words, (kind, pair) in controls(*pairs[0]).items() if "untrained" in kind}

    def line(a, b):
        return [above_chance_level(space[a], space[b], *case) for case in cases]

    def spread(galleries, k):
        X, Y = (space[name][galleries[0]] for name in pairs[0])
        found = align(X, Y, "mutual_knn", method="moments", k=k)
        return 2 * found.null_sd / (1 - found.null_mean)

    band = np.array([spread(*case) for case in cases])
    return {
        "x": x,
        "xlabel": xlabel,
        "lines": {f"{a} and {b}": line(a, b) for a, b in pairs},
        "controls": {words: line(*pair) for words, pair in empty.items()},
        "null": (-band, band),
    }
