"""Two clouds of stimuli by their distances alone, brought together by the transport that distorts them least."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.distance import pdist, squareform

from consilience.check import check_array, check_pair
from consilience.metrics.card import Card


@dataclass(frozen=True)
class Distances:
    """Distances of all pairs of stimuli, their root mean square 1.

    Attributes
    ----------
    matrix : float64 ndarray of shape (n_stimuli, n_stimuli)
    """

    matrix: np.ndarray

    @property
    def n(self):
        """Number of stimuli."""
        return len(self.matrix)

    def reordered(self, order):
        """The same, its stimuli in another order."""
        return replace(self, matrix=self.matrix[np.ix_(order, order)])


def gromov_wasserstein(X, Y):
    r"""Least distortion of distances, over all ways to transport the stimuli of X to those of Y.

    .. math:: \min_T \Big( \sum_{ijkl} \left( d^X_{ik} - d^Y_{jl} \right)^2 T_{ij} T_{kl} \Big)^{1/2}, \qquad
              \sum_j T_{ij} = \sum_i T_{ij} = \tfrac{1}{n}

    with the Euclidean distances of each side at a root mean square of 1.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus, which serves as one of the two starts of the search.

    Returns
    -------
    float in [0, √2)
        A distance: 0 if some pairing, not necessarily that of the rows, makes all distances equal.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`.

    Notes
    -----
    Source: Mémoli 2011, without his factor 1/2; solver of POT (Peyré et al. 2016). The problem is not convex: the
    lower of two local minima is returned, one sought from no pairing and one from that of the rows. O(n² d + n³) time
    a step, O(n²) memory.
    """
    X, Y = check_pair(X, Y)
    return distortion(distances(X, "X"), distances(Y, "Y"))


def distances(X, name="X"):
    """The :class:`Distances` of an array."""
    X = check_array(X, name).astype(np.float64)
    apart = squareform(pdist(X / np.abs(X).max()))
    return Distances(apart / np.sqrt(np.square(apart).mean()))


def distortion(a, b):
    """The score of two prepared sides."""
    from ot.gromov import gromov_wasserstein2

    each = np.full(a.n, 1 / a.n)
    starts = np.outer(each, each), np.diag(each)
    found = min(gromov_wasserstein2(a.matrix, b.matrix, each, each, symmetric=True, G0=start) for start in starts)
    return float(np.sqrt(max(found, 0.0)))


CARDS = (
    Card(
        name="gromov_wasserstein",
        title="Gromov-Wasserstein distance",
        formula=r"\min_T \Big( \sum_{ijkl} \left( d^X_{ik} - d^Y_{jl} \right)^2 T_{ij} T_{kl} \Big)^{1/2}",
        source="memoli2011,peyre2016,flamary2021",
        value_range="0 to √2; 0 if some pairing makes all distances equal",
        direction="distance",
        scale="global",
        invariances=("rotation and reflection", "scale", "translation", "order of the stimuli"),
        not_invariant=("other linear maps",),
        null="by permutations, which move only the start of one of its two searches: p says whether the pairing of the "
        "rows leads to a lower minimum than others do, or than none",
        cost="O(n² d + n³) time for each of some tens of steps, O(n²) memory; each permutation costs as much again",
        misleads="It needs no pairing, and so says nothing of it: two clouds of the same shape are at 0 though no "
        "stimulus lies where its mate does. In many units all distances are nearly equal, and any two clouds "
        "are near. What is returned is a local minimum.",
        score=gromov_wasserstein,
        side=distances,
        meet=distortion,
        best=0.0,
    ),
)
