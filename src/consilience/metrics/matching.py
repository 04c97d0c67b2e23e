"""Is the mate of a stimulus found among stimuli held out, through anchors or through a map that was learned?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from consilience.check import InputError, check_array, check_choice, check_pair, check_whole
from consilience.metrics.card import Card
from consilience.metrics.maps import WAYS
from consilience.metrics.prediction import divided

ROUNDING = 1e-10  # cosines that differ by less are tied: repeated stimuli, multiplied in another order


@dataclass(frozen=True)
class Points:
    """One representation as it is.

    Attributes
    ----------
    units : float64 ndarray of shape (n_stimuli, n_units)
        At most 1 in size.
    """

    units: np.ndarray

    @property
    def n(self):
        """Number of stimuli."""
        return len(self.units)

    def reordered(self, order):
        """The same, its stimuli in another order."""
        return replace(self, units=self.units[order])


def recall(X, Y, k=1, through="anchors", folds=5, groups=None, seed=0):
    r"""How often the mate of a held-out stimulus is among the k most similar of all held-out stimuli (R@k).

    .. math:: R@k = \frac{1}{2n} \sum_i \left[ \operatorname{rank}(y_i \mid x_i) \le k \right]
              + \left[ \operatorname{rank}(x_i \mid y_i) \le k \right]

    with :math:`\operatorname{rank}(y_i \mid x_i)` the place of the mate when all held-out y are sorted by how similar
    they are to what comes of :math:`x_i`.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus: they are mates.
    k : int
    through : {"anchors", "indra", "linear", "orthogonal", "local_cka"}
        What brings the two together, learned from the stimuli not held out. "anchors": cosines to them, "indra": angles
        to them, both without training; "linear": a ridge regression each way; "orthogonal": a rotation; "local_cka":
        how much alike, by linear CKA, the two representations are when the two that are compared are added.
    folds : int
        Parts into which the stimuli are divided; each is held out once, and is searched in by itself.
    groups : array of shape (n_stimuli,), optional
        Stimuli of one group (speaker, story, run) are held out together.
    seed : int
        Of the division; without groups.

    Returns
    -------
    float in [0, 1]
        A similarity: the mean of both directions. By chance k over the number of stimuli held out.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`; if there are fewer than four stimuli a fold, or fewer groups than
        folds; if k is not below the number of stimuli that a fold holds out.

    Notes
    -----
    Source: Moschella et al. 2023 (anchors), Lu et al. 2025 (Indra), Maniparambil et al. 2024 (local CKA). Everything is
    centred on the stimuli learned from. Stimuli that tie for the last place share it. :func:`consilience.retrieval`
    gives both directions, several k, and what comes of wrong pairs. O(folds n d min(n, d) + n²(n + d) / folds) time, in
    float64.
    """
    X, Y = check_pair(X, Y)
    return recall_of(points(X, "X"), points(Y, "Y"), k, through, folds, groups, seed)


def points(X, name="X"):
    """The :class:`Points` of an array."""
    X = check_array(X, name).astype(np.float64)
    return Points(X / np.abs(X).max())


def recall_of(a, b, k=1, through="anchors", folds=5, groups=None, seed=0):
    """The score of two prepared sides."""
    found = 0
    for train, test in held_out(a.n, [k], folds, groups, seed):
        found += hits(way(a, b, train, test, through).similarities(np.arange(len(train))), [k]).sum()
    return float(found / (2 * a.n))


def held_out(n, ks, folds, groups, seed):
    """Pairs (learned from, held out) of row numbers; every k is below the number held out."""
    divisions = list(divided(n, folds, groups, seed))
    fewest = min(len(test) for _, test in divisions)
    for k in ks:
        if check_whole(k, "k", 1) >= fewest:
            raise InputError(
                f"k is {k}, but a fold holds out only {fewest} stimuli, so all would be found; choose k < {fewest}, or "
                "fewer folds."
            )
    return divisions


def way(a, b, train, test, through):
    """What brings two sides together (see :mod:`consilience.metrics.maps`), prepared for one division."""
    centred = [side.units - side.units[train].mean(0) for side in (a, b)]
    return WAYS[check_choice(through, "through", tuple(WAYS))](
        *(units[rows] for units in centred for rows in (train, test))
    )


def hits(similarities, ks):
    """How many queries have their mate among the k most similar: shape (2 directions, n_ks). Ties share places."""
    found = []
    for table in similarities:
        own = table.diagonal()[:, None]
        above = (table > own + ROUNDING).sum(1)[:, None]
        tied = (np.abs(table - own) <= ROUNDING).sum(1)[:, None]
        found.append(np.clip((np.asarray(ks) - above) / tied, 0, 1).sum(0))
    return np.array(found)


CARDS = (
    Card(
        name="recall",
        title="Retrieval of held-out pairs (R@k)",
        formula=r"R@k = \frac{1}{2n} \sum_i \left[ \operatorname{rank}(y_i \mid x_i) \le k \right] +"
        r" \left[ \operatorname{rank}(x_i \mid y_i) \le k \right]",
        source="moschella2023,lu2025indra,schonemann1966,golub1979,maniparambil2024",
        value_range="0 to 1; k over the number of stimuli held out for unrelated representations",
        direction="similarity",
        scale="local",
        invariances=("rotation and reflection", "scale", "translation"),
        not_invariant=("other linear maps", "order of the stimuli"),
        null="mean k over the number held out; by permutations of all pairs, or of those learned from "
        "(`consilience.retrieval`)",
        cost="O(folds n d min(n, d) + n² (n + d) / folds) time; each permutation costs as much again",
        misleads="The value belongs to one k and one number of stimuli held out: a larger gallery is harder. A map "
        "that knows categories alone is far above chance. Stimuli that belong together leak from what was learned into "
        "what is held out, unless groups are given. A wide map may fail for want of pairs to learn from, and anchors "
        "because cosines to them say little, while the two representations agree.",
        score=recall,
        side=points,
        meet=recall_of,
    ),
)
