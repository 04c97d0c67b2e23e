"""Who belongs to whom, all at once: held-out stimuli matched one to one, given pairs that are known."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment, quadratic_assignment

from consilience.check import check_choice, check_pair
from consilience.metrics.card import Card
from consilience.metrics.maps import WAYS
from consilience.metrics.matching import held_out, points, way

THROUGH = ("qap", *WAYS)


def seeded_matching(X, Y, through="qap", folds=5, groups=None, seed=0):
    r"""Share of held-out stimuli that are matched rightly, one to one, when all other pairs are known (the seeds).

    .. math:: \hat P = \arg\max_P \operatorname{tr}\left( K P L P^\top \right)

    with K and L the centred products of all stimuli, and P a permutation that keeps the seeds.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus: they are mates.
    through : {"qap", "local_cka", "anchors", "indra", "linear", "orthogonal"}
        "qap" seeks the quadratic assignment above, from the one through "local_cka" onwards. The others assign so that
        the sum of what :func:`consilience.recall` compares is largest.
    folds, groups, seed
        As in :func:`consilience.recall`.

    Returns
    -------
    float in [0, 1]
        A similarity. By chance 1 over the number of stimuli held out.

    Raises
    ------
    InputError
        As :func:`consilience.recall`.

    Notes
    -----
    Source: Maniparambil et al. 2024; quadratic assignment by FAQ (Vogelstein et al. 2015), scipy's, which ends in a
    local maximum. Held-out stimuli are shuffled first, so that ties are not broken in favour of the truth. O(folds n²
    (n + d)) time a step, O(n²) memory.
    """
    X, Y = check_pair(X, Y)
    return rightly_matched(points(X, "X"), points(Y, "Y"), through, folds, groups, seed)


def rightly_matched(a, b, through="qap", folds=5, groups=None, seed=0):
    """The score of two prepared sides."""
    check_choice(through, "through", THROUGH)
    rng, right = np.random.default_rng(seed), 0
    for train, test in held_out(a.n, [1], folds, groups, seed):
        hidden = rng.permutation(len(test))
        table = way(a, b, train, test, "local_cka" if through == "qap" else through).similarities(np.arange(len(train)))
        chosen = linear_sum_assignment((table[0] + table[1].T)[:, hidden], maximize=True)[1]
        if through == "qap":
            rows, columns = np.concatenate([train, test]), np.concatenate([train, test[hidden]])
            chosen = quadratic(products(a.units[rows]), products(b.units[columns]), len(train), chosen)
        right += (hidden[chosen] == np.arange(len(test))).sum()
    return float(right / a.n)


def products(X):
    """Centred products of stimuli, at unit norm."""
    X = X - X.mean(0)
    K = X @ X.T
    return K / np.linalg.norm(K)


def quadratic(K, L, seeds, start):
    """Who is matched with whom beyond the first `seeds`, from `start` to the nearest quadratic assignment."""
    known = np.repeat(np.arange(seeds)[:, None], 2, axis=1)
    options = {"maximize": True, "partial_match": known, "P0": np.eye(len(start))[start]}
    options["rng"] = np.random.default_rng(0)  # draws nothing, since the start is given
    return quadratic_assignment(K, L, options=options).col_ind[seeds:] - seeds


CARDS = (
    Card(
        name="seeded_matching",
        title="Seeded matching of held-out stimuli",
        formula=r"\hat P = \arg\max_P \operatorname{tr}\left( K P L P^\top \right), \quad P \text{ keeps the seeds}",
        source="maniparambil2024,vogelstein2015",
        value_range="0 to 1; 1 over the number of stimuli held out for unrelated representations",
        direction="similarity",
        scale="global",
        invariances=("rotation and reflection", "scale", "translation"),
        not_invariant=("other linear maps", "order of the stimuli"),
        null="mean 1 over the number held out; by permutations",
        cost="O(folds n² (n + d)) time for each of some tens of steps, O(n²) memory; each permutation costs as much "
        "again",
        misleads="That each has one mate, and that it is there, is told beforehand: easier than retrieval, where both "
        "must be found out. One wrong match makes another. It belongs to one number of stimuli held out and one of "
        "seeds.",
        score=seeded_matching,
        side=points,
        meet=rightly_matched,
        does_not_find=("layers",),
    ),
)
