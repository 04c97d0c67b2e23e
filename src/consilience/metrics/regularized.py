"""Canonical correlation with a ridge: weak directions count less, and there may be more units than stimuli."""

from __future__ import annotations

import numpy as np

from consilience.check import InputError, check_array, check_pair
from consilience.metrics.card import Card
from consilience.metrics.correlation import singular
from consilience.metrics.geometry import Shape


def regularized_cca(X, Y, ridge=0.01):
    r"""Canonical correlations under a ridge, over what each side has with itself.

    .. math:: \frac{\sum_i \rho_i^{XY}}{\sqrt{\sum_i \rho_i^{XX} \, \sum_i \rho_i^{YY}}}, \qquad
              \rho^{XY} = \text{singular values of } (S_X + \kappa_X I)^{-1/2} \, S_{XY} \, (S_Y + \kappa_Y I)^{-1/2}

    with S the covariances of the units.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    ridge : float > 0
        κ over the variance of the side's strongest direction: directions of so much variance are damped by half. Near
        0 the score is canonical correlation (:func:`consilience.cca`, if both have as many units); far above 1 it is
        the cosine of :func:`consilience.procrustes`.

    Returns
    -------
    float in [0, 1]
        A similarity; 1 for the same representation.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`; if `ridge` is not positive.

    Notes
    -----
    Source: Vinod 1976 (the canonical ridge); the division is that of Williams et al. 2021, so that the ridge does not
    lower the score of a representation with itself. The arc cosine is a metric. O(n d min(n, d)) time in float64.
    """
    X, Y = check_pair(X, Y)
    return common_share(damped(X, ridge, "X"), damped(Y, ridge, "Y"))


def damped(X, ridge=0.01, name="X"):
    """The principal components of an array, each shrunk by the ridge, as a :class:`Shape` of unit norm."""
    if isinstance(ridge, bool) or not isinstance(ridge, int | float | np.number) or not 0 < ridge < np.inf:
        raise InputError(f"ridge is {ridge!r}; it must be a positive number. For no ridge use cca.")
    found, values = singular(check_array(X, name))
    share = values**2 / values[0] ** 2
    points = found.basis * np.sqrt(share / (share + ridge))
    return Shape(points / np.linalg.norm(points))


def common_share(a, b):
    """The score of two prepared sides."""
    return min(float(np.linalg.norm(a.points.T @ b.points, "nuc")), 1.0)


CARDS = (
    Card(
        name="regularized_cca",
        title="Regularised canonical correlation",
        formula=r"\frac{\sum_i \rho_i^{XY}}{\sqrt{\sum_i \rho_i^{XX} \, \sum_i \rho_i^{YY}}}, \qquad"
        r" \rho^{XY} = \text{singular values of } (S_X + \kappa_X I)^{-1/2} \, S_{XY} \, (S_Y + \kappa_Y I)^{-1/2}",
        source="vinod1976,williams2021",
        value_range="0 to 1; what noise gives grows with the directions that the ridge leaves",
        direction="similarity",
        scale="global",
        invariances=("rotation and reflection", "scale", "translation", "order of the stimuli"),
        not_invariant=("other linear maps",),
        null="far above 0 unless n is many times the number of directions that the ridge leaves; by permutations",
        cost="O(n d min(n, d)) time, O(n d) memory; a permutation costs O(n d² + d³), d at most n",
        misleads="The ridge decides how many directions count, and that decides the score of noise: it lies anywhere "
        "between canonical correlation and Procrustes. Others report the sum or mean of ρ undivided, which stays below "
        "1 even for a representation with itself.",
        score=regularized_cca,
        side=damped,
        meet=common_share,
    ),
)
