"""How far the nearest neighbours in one representation lie apart in another: which of the two tells more?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

from consilience.check import check_array, check_choice, check_k, check_pair
from consilience.core import dissimilarities, neighbor_weights
from consilience.metrics.card import Card

DISTANCES = ("euclidean", "cosine")


@dataclass(frozen=True)
class RankedNeighbors:
    """Who is near whom in one representation, and how near everybody is, by rank.

    Attributes
    ----------
    weights : csr_array of shape (n_stimuli, n_stimuli)
        1 for a nearest neighbour, a fraction where a last place is shared; rows sum to k.
    ranks : float64 ndarray of shape (n_stimuli, n_stimuli)
        Row i: 1 for the nearest of i, n - 1 for the farthest, shared by ties.
    """

    weights: sparse.csr_array
    ranks: np.ndarray

    @property
    def n(self):
        """Number of stimuli."""
        return len(self.ranks)

    def reordered(self, order):
        """The same, its stimuli in another order."""
        return replace(self, weights=self.weights[order][:, order], ranks=self.ranks[np.ix_(order, order)])


def information_imbalance(X, Y, k=1, distance="euclidean"):
    r"""Mean rank in Y of what is nearest in X: 0 if X tells all about nearness in Y, 1 if it tells nothing.

    .. math:: \Delta(X \to Y) = \frac{2}{n^2 k} \sum_i \sum_{j \in N_k^X(i)} r^Y_{ij}

    with :math:`r^Y_{ij}` the rank of j among all others by their distance from i in Y, the nearest being 1.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
        What tells. The score is not symmetric; where one direction is low and the other high, one representation holds
        what the other does, and more.
    Y : array of shape (n_stimuli, n_units_y)
        What is told about.
    k : int, 1 <= k < n_stimuli
        Nearest neighbours in X.
    distance : {"euclidean", "cosine"}

    Returns
    -------
    float
        A distance: (k + 1) / n for the same representation, about 1 for unrelated ones, at most 2.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`; if k is out of range; if a row is zero and the distance "cosine".

    Notes
    -----
    Source: Glielmo et al. 2022. Ties share neighbours and ranks. O(n² (d + log n)) time, O(n²) memory, in float64.
    """
    X, Y = check_pair(X, Y)
    return imbalance(ranked_neighbors(X, k, distance), ranked_neighbors(Y, k, distance))


def ranked_neighbors(X, k=1, distance="euclidean"):
    """The :class:`RankedNeighbors` of an array."""
    X = check_array(X)
    k = check_k(k, len(X))
    apart = squareform(dissimilarities(X, check_choice(distance, "distance", DISTANCES)))
    np.fill_diagonal(apart, -np.inf)  # everybody is nearest to itself, and takes the rank that is then removed
    return RankedNeighbors(neighbor_weights(X, k, distance), rankdata(apart, axis=1) - 1)


def imbalance(a, b):
    """The score of two prepared sides: from a to b."""
    return float(2 * a.weights.multiply(b.ranks).sum() / (a.n * a.weights.sum()))


CARDS = (
    Card(
        name="information_imbalance",
        title="Information imbalance",
        formula=r"\Delta(X \to Y) = \frac{2}{n^2 k} \sum_i \sum_{j \in N_k^X(i)} r^Y_{ij}",
        source="glielmo2022",
        value_range="0 to 2; (k + 1) / n for the same representation, 1 for unrelated ones",
        direction="distance",
        scale="local",
        invariances=("rotation and reflection", "scale", "translation", "order of the stimuli"),
        not_invariant=("other linear maps",),
        null="mean 1 whatever the data; by permutations",
        cost="O(n² (d + log n)) time, O(n²) memory; a permutation costs O(n²)",
        misleads="It is not symmetric, and one direction alone says little: look at both. Nearest neighbours are noisy "
        "where units are many; it then says that neither tells of the other.",
        score=information_imbalance,
        side=ranked_neighbors,
        meet=imbalance,
        best=None,
        symmetric=False,
    ),
)
