"""Do the layers of two models correspond in order of depth? One number for a heat map."""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr


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
