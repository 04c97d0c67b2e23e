"""Scores that ask in which order the nearest neighbours come, not only which they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from consilience.check import InputError, check_array, check_k, check_pair
from consilience.core import neighbors
from consilience.metrics.card import Card


@dataclass(frozen=True)
class Order:
    """The nearest neighbours of each stimulus in one representation, in order.

    Attributes
    ----------
    nearest : int array of shape (n_stimuli, k)
        Numbers of stimuli, the nearest first.
    """

    nearest: np.ndarray

    @property
    def n(self):
        """Number of stimuli."""
        return len(self.nearest)

    def reordered(self, order):
        """The same, its stimuli in another order."""
        return Order(np.argsort(order)[self.nearest[order]])


def neighbor_order(X, k=10, similarity="cosine", name="X"):
    """The :class:`Order` of an array; refused where it has none, since neighbours tie."""
    X = check_array(X, name).astype(np.float64)
    n = len(X)
    beyond = min(check_k(k, n) + 1, n - 1)  # a tie for the last place is a tie, too
    nearest, similarities = neighbors(X, beyond, similarity)
    tied = np.flatnonzero((similarities[:, 1:] == similarities[:, :-1]).any(1))
    if len(tied):
        raise InputError(
            f"{name}: stimulus {tied[0]} has neighbours that are equally near ({len(tied)} such), so they come in no "
            "order. Remove stimuli that are repeated, or use mutual_knn, where those who tie share a place."
        )
    return Order(nearest[:, :k])


def meetings(a, b):
    """Place r of a and place s of b name the same neighbour: bool array of shape (k, k, n_stimuli)."""
    return a.nearest.T[:, None] == b.nearest.T[None]


# --- two lists as two words -----------------------------------------------------------------------------------------


def lcs_knn(X, Y, k=10, similarity="cosine"):
    r"""Longest run of neighbours that comes in the same order in X and in Y, gaps allowed.

    .. math:: \frac{1}{nk} \sum_i \left| \mathrm{LCS}\left( N_k^X(i), \; N_k^Y(i) \right) \right|

    with N the k nearest neighbours as a list, the nearest first, and LCS the longest common subsequence.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    k : int, 1 <= k < n_stimuli
    similarity : {"cosine", "dot", "euclidean"}

    Returns
    -------
    float in [0, 1]
        A similarity, at most :func:`consilience.mutual_knn`.

    Raises
    ------
    InputError
        As :func:`consilience.mutual_knn`; if a stimulus has neighbours that are equally near.

    Notes
    -----
    Source: the code of Huh et al. 2024, which does not divide by k. O(n² d + n k²) time, O(n k²) memory.
    """
    X, Y = check_pair(X, Y)
    return lcs_of(neighbor_order(X, k, similarity, "X"), neighbor_order(Y, k, similarity, "Y"))


def lcs_of(a, b):
    """The score of two prepared sides."""
    same = meetings(a, b)
    k = len(same)
    row = np.zeros((k + 1, a.n), np.int64)  # of the table of prefixes: a's first r, and b's first s
    for r in range(k):
        above, row = row, np.zeros_like(row)
        for s in range(k):
            row[s + 1] = np.where(same[r, s], above[s] + 1, np.maximum(above[s + 1], row[s]))
    return float(row[k].mean() / k)


def edit_knn(X, Y, k=10, similarity="cosine"):
    r"""How few edits turn the list of neighbours in X into that in Y: one minus their share.

    .. math:: 1 - \frac{1}{nk} \sum_i \mathrm{edit}\left( N_k^X(i), \; N_k^Y(i) \right)

    with N the k nearest neighbours as a list, the nearest first, and edit the fewest insertions, deletions and
    replacements (Levenshtein).

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    k : int, 1 <= k < n_stimuli
    similarity : {"cosine", "dot", "euclidean"}

    Returns
    -------
    float in [0, 1]
        A similarity, at most :func:`lcs_knn`.

    Raises
    ------
    InputError
        As :func:`lcs_knn`.

    Notes
    -----
    Source: the code of Huh et al. 2024. O(n² d + n k²) time, O(n k²) memory.
    """
    X, Y = check_pair(X, Y)
    return edit_of(neighbor_order(X, k, similarity, "X"), neighbor_order(Y, k, similarity, "Y"))


def edit_of(a, b):
    """The score of two prepared sides."""
    other = ~meetings(a, b)
    k = len(other)
    row = np.repeat(np.arange(k + 1)[:, None], a.n, axis=1)  # of the table of prefixes, as in lcs_of
    for r in range(k):
        above, row = row, np.full_like(row, r + 1)
        for s in range(k):
            row[s + 1] = np.minimum(above[s] + other[r, s], np.minimum(above[s + 1], row[s]) + 1)
    return float(1 - row[k].mean() / k)


# --- two lists as two rankings --------------------------------------------------------------------------------------


def rank_similarity(X, Y, k=10, similarity="cosine"):
    r"""How close in rank the neighbours are that X and Y have in common; the nearest count most.

    .. math:: \frac{1}{n} \sum_i \frac{1}{H_i} \sum_{j \in N_k^X(i) \cap N_k^Y(i)}
              \frac{2}{(1 + |r_{ij} - s_{ij}|)(r_{ij} + s_{ij})}, \qquad
              H_i = \sum_{m=1}^{| N_k^X(i) \cap N_k^Y(i) |} \frac{1}{m}

    with r and s the rank of j among the neighbours of i in X and in Y, 1 for the nearest.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    k : int, 1 <= k < n_stimuli
    similarity : {"cosine", "dot", "euclidean"}

    Returns
    -------
    float in [0, 1]
        A similarity. A stimulus without common neighbours adds 0.

    Raises
    ------
    InputError
        As :func:`lcs_knn`.

    Notes
    -----
    Source: Wang et al. 2022, as in Klabunde et al. 2025. O(n² d + n k²) time, O(n k²) memory.
    """
    X, Y = check_pair(X, Y)
    return rank_similarity_of(neighbor_order(X, k, similarity, "X"), neighbor_order(Y, k, similarity, "Y"))


def rank_similarity_of(a, b):
    """The score of two prepared sides."""
    same = meetings(a, b)
    k = len(same)
    r, s = np.ogrid[1 : k + 1, 1 : k + 1]
    closeness = np.tensordot(2 / ((1 + abs(r - s)) * (r + s)), same, axes=2)
    most = np.concatenate([[1.0], np.cumsum(1 / np.arange(1, k + 1))])  # what identical ranks would give
    return float((closeness / most[same.sum((0, 1))]).mean())


ORDERED = {
    "direction": "similarity",
    "scale": "local",
    "invariances": ("rotation and reflection", "scale", "order of the stimuli"),
    "not_invariant": ("translation", "other linear maps"),
    "null": "by permutations",
    "cost": "O(n² d + n k²) time, O(n k²) memory; a permutation costs O(n k²)",
    "side": neighbor_order,
}
CARDS = (
    Card(
        name="lcs_knn",
        title="Longest common subsequence of k nearest neighbours",
        formula=r"\frac{1}{nk} \sum_{i=1}^{n} \left| \mathrm{LCS}\left( N_k^X(i), \; N_k^Y(i) \right) \right|",
        source="huh2024",
        value_range="0 to 1; about k / (n - 1) for unrelated representations while k is small",
        misleads="Others print the length itself, k times as much. Two neighbours that are almost equally near come in "
        "an order that noise decides, so it is lower than mutual k-NN also where geometry agrees.",
        score=lcs_knn,
        meet=lcs_of,
        **ORDERED,
    ),
    Card(
        name="edit_knn",
        title="Edit distance of k nearest neighbours, as a similarity",
        formula=r"1 - \frac{1}{nk} \sum_{i=1}^{n} \mathrm{edit}\left( N_k^X(i), \; N_k^Y(i) \right)",
        source="huh2024",
        value_range="0 to 1; about 0 for unrelated representations",
        misleads="A neighbour at another place helps only if those around it moved along, so one newcomer at the front "
        "can spoil a list. The lowest of the scores of neighbours: compare it with its null only.",
        score=edit_knn,
        meet=edit_of,
        **ORDERED,
    ),
    Card(
        name="rank_similarity",
        title="Rank similarity of k nearest neighbours",
        formula=r"\frac{1}{n} \sum_{i=1}^{n} \frac{1}{H_i} \sum_{j \in N_k^X(i) \cap N_k^Y(i)}"
        r" \frac{2}{(1 + |r_{ij} - s_{ij}|)(r_{ij} + s_{ij})}",
        source="wang2022,klabunde2025survey",
        value_range="0 to 1",
        misleads="It is divided by what the neighbours in common could reach at best: a single one in common, the "
        "nearest on both sides, gives 1. Read it beside mutual k-NN, which says how many there are.",
        score=rank_similarity,
        meet=rank_similarity_of,
        **ORDERED,
    ),
)
