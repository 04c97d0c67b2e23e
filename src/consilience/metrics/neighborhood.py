"""Scores that compare who is near whom: the k nearest neighbours of each stimulus in two representations."""

from __future__ import annotations

import warnings

import numpy as np

from consilience.check import check_k, check_pair
from consilience.core import neighbor_weights
from consilience.metrics.card import Card
from consilience.metrics.relation import Relation, product


def mutual_knn(X, Y, k=10, similarity="cosine"):
    r"""Overlap of the k nearest neighbours of each stimulus in X and in Y.

    .. math:: m = \frac{1}{nk} \sum_i \left| N_k^X(i) \cap N_k^Y(i) \right|

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    k : int, 1 <= k < n_stimuli
    similarity : {"cosine", "dot", "euclidean"}
        What "near" means. The cosine is not centred, as in the reference code.

    Returns
    -------
    float in [0, 1]
        A similarity. By chance k / (n_stimuli - 1); see :func:`consilience.align` for its null.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`; if k is out of range; if a row is zero and the similarity "cosine".

    Warns
    -----
    UserWarning
        If stimuli tie for the last place. They share it, so the score is its mean over all ways to break the ties.

    Notes
    -----
    Source: Huh et al. 2024; the code there divides by k and does not centre. O(n² d) time, O(n k) memory.
    """
    X, Y = check_pair(X, Y)
    return product(neighbor_relation(X, k, similarity), neighbor_relation(Y, k, similarity))


def neighbor_relation(X, k=10, similarity="cosine"):
    """The directed graph of k nearest neighbours, divided by sqrt(n k), so that mutual k-NN is an inner product.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units)
    k, similarity
        As in :func:`mutual_knn`.

    Returns
    -------
    Relation
        Sparse, n k entries; kind "neighbours", or "shared neighbours" where a last place is tied (then it warns).
    """
    k = check_k(k, len(X))
    graph = neighbor_weights(X, k, similarity)
    tied = int((np.diff(graph.indptr) > k).sum())
    if tied:
        warnings.warn(
            f"{tied} of {len(X)} stimuli have several others tied for their {k}-th neighbour (repeated stimuli, "
            "perhaps). They share that place; the null is had by permutations.",
            stacklevel=3,
        )
    scale = np.sqrt(len(X) * k)
    return Relation(graph / scale, "shared neighbours" if tied else "neighbours", scale)


CARD = Card(
    name="mutual_knn",
    title="Mutual k nearest neighbours",
    formula=r"m_k = \frac{1}{nk} \sum_{i=1}^{n} \left| N_k^X(i) \cap N_k^Y(i) \right|",
    source="huh2024",
    value_range="0 to 1; k / (n - 1) for unrelated representations",
    direction="similarity",
    scale="local",
    invariances=("rotation and reflection", "scale", "order of the stimuli"),
    not_invariant=("translation", "other linear maps"),
    null="mean k / (n - 1); variance and skewness exact from seven whole numbers of each graph",
    cost="O(n² d) time, O(n k) memory; the exact null O(n k²)",
    misleads="The value belongs to one k and one n: with k held, a larger gallery asks for finer agreement, so "
    "scores of different galleries do not compare. It says which stimuli are near, not how near.",
    score=mutual_knn,
    relation=neighbor_relation,
)
