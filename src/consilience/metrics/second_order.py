"""How alike a stimulus is to its neighbours, in numbers: the similarities of similarities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from consilience.check import InputError, check_array, check_choice, check_pair
from consilience.metrics.card import Card
from consilience.metrics.neighborhood import neighbor_graph

VALUES = ("similarities", "distances")
PAIRS = 2**14  # whose rows are multiplied at once


@dataclass(frozen=True)
class Surroundings:
    """Who is near whom in one representation, and the direction of each stimulus.

    Attributes
    ----------
    graph : csr_array of shape (n_stimuli, n_stimuli)
    rows : float64 array of shape (n_stimuli, n_units)
        At length one.
    """

    graph: sparse.csr_array
    rows: np.ndarray

    @property
    def n(self):
        """Number of stimuli."""
        return len(self.rows)

    def reordered(self, order):
        """The same, its stimuli in another order."""
        return Surroundings(self.graph[order][:, order], self.rows[order])

    def cosines(self, i, j):
        """Cosine of each stimulus in i with the one beside it in j."""
        found = np.empty(len(i))
        for start in range(0, len(i), PAIRS):
            some = slice(start, start + PAIRS)
            found[some] = np.einsum("ij,ij->i", self.rows[i[some]], self.rows[j[some]])
        return found


def second_order_cosine(X, Y, k=10, values="similarities"):
    r"""Cosine between how similar a stimulus is to its neighbours in X, and how similar in Y.

    .. math:: \frac{1}{n} \sum_i \cos\left( (s^X_{ij})_{j \in J_i}, \; (s^Y_{ij})_{j \in J_i} \right), \qquad
              J_i = N_k^X(i) \cup N_k^Y(i)

    with s the cosine of two stimuli.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    k : int, 1 <= k < n_stimuli
    values : {"similarities", "distances"}
        What is compared: the cosines, as in the paper, or one minus the cosines, as in the code of ReSi.

    Returns
    -------
    float in [-1, 1]
        A similarity.

    Raises
    ------
    InputError
        As :func:`consilience.mutual_knn`; if a stimulus has nothing but zeros to compare.

    Warns
    -----
    UserWarning
        As :func:`consilience.mutual_knn`; all that tie for a last place are compared.

    Notes
    -----
    Source: Hamilton et al. 2016, as in Klabunde et al. 2025. O(n² d) time, O(n (k + d)) memory.
    """
    X, Y = check_pair(X, Y)
    check_choice(values, "values", VALUES)
    return second_order_of(surroundings(X, k), surroundings(Y, k), values)


def surroundings(X, k=10):
    """The :class:`Surroundings` of an array."""
    X = check_array(X)
    graph, _ = neighbor_graph(X, k, "cosine")
    rows = X.astype(np.float64)
    rows /= np.abs(rows).max(1, keepdims=True)
    return Surroundings(graph, rows / np.linalg.norm(rows, axis=1, keepdims=True))


def second_order_of(a, b, values="similarities"):
    """The score of two prepared sides."""
    check_choice(values, "values", VALUES)
    i, j = (a.graph + b.graph).nonzero()
    x, y = a.cosines(i, j), b.cosines(i, j)
    if values == "distances":
        x, y = 1 - x, 1 - y
    xy, xx, yy = (np.bincount(i, weights, a.n) for weights in (x * y, x * x, y * y))
    empty = np.flatnonzero((xx == 0) | (yy == 0))
    if len(empty):
        raise InputError(
            f"The {values} of stimulus {empty[0]} to its neighbours are all zero ({len(empty)} such), so they have no "
            "direction. Use a larger k, or mutual_knn."
        )
    return float((xy / np.sqrt(xx * yy)).mean())


CARDS = (
    Card(
        name="second_order_cosine",
        title="Second-order cosine similarity",
        formula=r"\frac{1}{n} \sum_{i=1}^{n} \cos\left( (s^X_{ij})_{j \in J_i}, \; (s^Y_{ij})_{j \in J_i} \right),"
        r" \qquad J_i = N_k^X(i) \cup N_k^Y(i)",
        source="hamilton2016,klabunde2025survey",
        value_range="-1 to 1; above 0, and near 1 where all cosines of a model are high, for unrelated representations",
        direction="similarity",
        scale="local",
        invariances=("rotation and reflection", "scale", "order of the stimuli"),
        not_invariant=("translation", "other linear maps"),
        null="far above 0: neighbours are similar on their own side, and cosines are not centred; by permutations",
        cost="O(n² d) time, O(n (k + d)) memory; a permutation costs O(n k d)",
        misleads="Where a model's stimuli share a large mean, all its cosines are near 1 and so is the score, whoever "
        "the neighbours are. Centre the units, and read the score beside its null.",
        score=second_order_cosine,
        side=surroundings,
        meet=second_order_of,
    ),
)
