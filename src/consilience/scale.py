"""At which scale do two representations agree: among the nearest, or only in the large?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from consilience.alignment import calibrated
from consilience.check import InputError, check_k, check_level, check_pair
from consilience.metrics.neighborhood import neighbor_relation
from consilience.metrics.relation import product
from consilience.nulls import null


class ScaleOfAgreement(pd.DataFrame):
    """A table of :func:`scale_of_agreement`: one row for each k, from the nearest neighbour outwards."""

    @property
    def _constructor(self):
        return ScaleOfAgreement

    def scale_curve(self, ax=None):
        """Draw the score over k, with what chance gives and reaches (needs seaborn)."""
        from consilience.plots import draw_scale_curve

        return draw_scale_curve(self, ax)


def scale_of_agreement(X, Y, ks=None, similarity="cosine", alpha=0.05, method="auto", draws=999, seed=0):
    """Mutual k-NN over k, each with its null: a score of one k says nothing of the others.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    ks : sequence of int, optional
        Numbers of neighbours; by default about ten, from 1 to half of the stimuli, evenly in their logarithm.
    similarity : {"cosine", "dot", "euclidean"}
    alpha : float
        Level of what chance reaches.
    method, draws, seed
        As in :func:`consilience.align`.

    Returns
    -------
    ScaleOfAgreement
        Columns k, k_over_n, score, null_mean, null_sd, reached (what chance exceeds with probability alpha), z, p,
        calibrated, n, method.

    Raises
    ------
    InputError
        As :func:`consilience.mutual_knn`.
    """
    X, Y = check_pair(X, Y)
    check_level(alpha, "alpha")
    n = len(X)
    if ks is None:
        ks = np.unique(np.geomspace(1, max(1, n // 2), 10).round().astype(int)).tolist()
    ks = [check_k(k, n) for k in ks]
    if not ks or ks[-1] == n - 1:
        raise InputError(f"ks is {ks}; give numbers of neighbours below {n - 1}, where every score is 1.")
    rows = []
    for k in ks:
        a, b = neighbor_relation(X, k, similarity), neighbor_relation(Y, k, similarity)
        score, chance = product(a, b), null(a, b, method, draws, seed)
        reached = chance.quantile(1 - alpha)
        rows.append(
            {
                "k": k,
                "k_over_n": k / n,
                "score": score,
                "null_mean": chance.mean,
                "null_sd": chance.sd,
                "reached": reached,
                "z": (score - chance.mean) / chance.sd,
                "p": chance.tail(score),
                "calibrated": calibrated(score, reached, 1.0),
                "n": n,
                "method": chance.method,
            }
        )
    return ScaleOfAgreement(rows)
