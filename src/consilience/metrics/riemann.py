"""Distances between second moments: the Gram matrices of two representations as points of a curved space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigvalsh

from consilience.check import InputError, check_array, check_level, check_pair
from consilience.core.memory import need
from consilience.metrics.card import Card


@dataclass(frozen=True)
class SecondMoment:
    """The centred Gram matrix of one representation, of positive eigenvalues only.

    Attributes
    ----------
    matrix : ndarray of shape (n_stimuli, n_stimuli)
        Its eigenvalue along the constant is 1, the others add up to n - 1.
    """

    matrix: np.ndarray

    @property
    def n(self):
        """Number of stimuli."""
        return len(self.matrix)

    def reordered(self, order):
        """The same, its stimuli in another order."""
        return SecondMoment(self.matrix[np.ix_(order, order)])


def riemannian(X, Y, shrinkage=0.1):
    r"""Length of the shortest way from one Gram matrix to the other among matrices of positive eigenvalues.

    .. math:: d = \sqrt{ \sum_i \log^2 \lambda_i \left( G_X^{-1} G_Y \right) }, \qquad
              G = (1 - \gamma) \frac{n - 1}{\operatorname{tr} K} K + \gamma H

    with K the products of centred rows, H the matrix that centres, and λ over the n - 1 directions that H keeps.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    shrinkage : float in (0, 1)
        γ: how far both are drawn towards equal distances between all stimuli. Without it a Gram matrix of fewer units
        than stimuli lies infinitely far from all others.

    Returns
    -------
    float >= 0
        A distance, 0 for the same geometry.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`; if `shrinkage` is not between 0 and 1; if memory is short.

    Notes
    -----
    Source: Shahbazi et al. 2021. (rsatoolbox fits the size of one matrix and of the noise to make the distance least.)
    O(n² d + n³) time, O(n²) memory.
    """
    X, Y = check_pair(X, Y)
    return affine_invariant(second_moment(X, shrinkage, "X"), second_moment(Y, shrinkage, "Y"))


def second_moment(X, shrinkage=0.1, name="X"):
    """The :class:`SecondMoment` of an array."""
    check_level(shrinkage, "shrinkage")
    X = check_array(X, name).astype(np.float64)
    n = len(X)
    need(40 * n**2, f"The second moment of {n:,} stimuli")
    X /= np.abs(X).max()
    X -= X.mean(0)
    G = X @ X.T * ((1 - shrinkage) * (n - 1) / np.square(X).sum())
    G[np.diag_indices(n)] += shrinkage
    return SecondMoment(G + (1 - shrinkage) / n)


def affine_invariant(a, b):
    """The score of two prepared sides."""
    values = eigvalsh(b.matrix, a.matrix)
    if not values[0] > 0:
        raise InputError("A Gram matrix has lost its smallest eigenvalues to rounding; choose a larger shrinkage.")
    return float(np.linalg.norm(np.log(values)))


# --- Bures ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cloud:
    """One representation, centred, at its own size, turned so that it has no more columns than stimuli.

    Attributes
    ----------
    points : ndarray of shape (n_stimuli, min(n_stimuli, n_units))
        Divided by sqrt(n), so that its squares add up to the mean squared length of a stimulus.
    """

    points: np.ndarray

    @property
    def n(self):
        """Number of stimuli."""
        return len(self.points)

    def reordered(self, order):
        """The same, its stimuli in another order."""
        return Cloud(self.points[order])


def bures(X, Y):
    r"""Bures distance between Gram matrices: what the best rotation leaves of two clouds, each at its own size.

    .. math:: d^2 = \operatorname{tr} K + \operatorname{tr} L
              - 2 \operatorname{tr} \left( K^{1/2} L K^{1/2} \right)^{1/2}
              = \min_Q \tfrac{1}{n} \left\lVert X - Y Q \right\rVert^2

    with K and L the products of centred rows over n, and Q orthogonal (the narrower is padded with zeros).

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.

    Returns
    -------
    float >= 0
        A distance in the units of X and Y, which must be the same: how far a stimulus lies from its mate, root mean
        square. With both at unit size it is :func:`consilience.procrustes` with ``score="distance"``.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`.

    Notes
    -----
    Source: Bhatia et al. 2019; as a distance of representations Williams et al. 2021. O(n dx dy + n d min(n, d)) time
    in float64.
    """
    X, Y = check_pair(X, Y)
    return bures_of(cloud(X, "X"), cloud(Y, "Y"))


def cloud(X, name="X"):
    """The :class:`Cloud` of an array."""
    X = check_array(X, name).astype(np.float64)
    X = (X - X.mean(0)) / np.sqrt(len(X))
    if X.shape[1] > X.shape[0]:
        left, values, _ = np.linalg.svd(X, full_matrices=False)
        X = left * values
    return Cloud(X)


def bures_of(a, b):
    """The score of two prepared sides."""
    common = np.linalg.norm(a.points.T @ b.points, "nuc")
    return float(np.sqrt(max(np.square(a.points).sum() + np.square(b.points).sum() - 2 * common, 0.0)))


CARDS = (
    Card(
        name="riemannian",
        title="Riemannian distance of Gram matrices",
        formula=r"\sqrt{ \sum_i \log^2 \lambda_i \left( G_X^{-1} G_Y \right) }, \qquad"
        r" G = (1 - \gamma) \frac{n - 1}{\operatorname{tr} K} K + \gamma H",
        source="shahbazi2021",
        value_range="0 or more; 0 for the same geometry, and more the smaller γ is and the more stimuli there are",
        direction="distance",
        scale="global",
        invariances=("rotation and reflection", "scale", "translation", "order of the stimuli"),
        not_invariant=("other linear maps",),
        null="by permutations",
        cost="O(n² d + n³) time, O(n²) memory; a permutation costs O(n³)",
        misleads="The share of shrinkage decides it: with less of it, the distance is made by directions in which next "
        "to nothing happens. A factor of two in a strong direction counts as much as one in a weak direction.",
        score=riemannian,
        side=second_moment,
        meet=affine_invariant,
        best=0.0,
    ),
    Card(
        name="bures",
        title="Bures distance of Gram matrices",
        formula=r"d^2 = \operatorname{tr} K + \operatorname{tr} L"
        r" - 2 \operatorname{tr} \left( K^{1/2} L K^{1/2} \right)^{1/2}",
        source="bhatia2019,williams2021",
        value_range="0 or more, in the units of both representations",
        direction="distance",
        scale="global",
        invariances=("rotation and reflection", "translation", "order of the stimuli"),
        not_invariant=("scale", "other linear maps"),
        null="falls with units over stimuli, as that of Procrustes; by permutations",
        cost="O(n d min(n, d)) time, O(n d) memory; a permutation costs O(n d² + d³), d at most n",
        misleads="Two models of different size are far apart for that alone. Compare layers of one architecture, or "
        "give both unit size: then it is Procrustes.",
        score=bures,
        side=cloud,
        meet=bures_of,
        best=0.0,
    ),
)
