"""Scores that compare shapes: what is left of two clouds of stimuli after the best rotation, or their distances."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.distance import squareform

from consilience.check import InputError, check_array, check_choice, check_pair
from consilience.core import dissimilarities
from consilience.metrics.card import Card
from consilience.metrics.nuclear import nuclear_norms
from consilience.metrics.relation import Relation, product, u_centre

SCORES = ("angle", "distance")


# --- orthogonal Procrustes ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shape:
    """One representation, centred and at unit norm, turned so that it has no more columns than stimuli.

    Attributes
    ----------
    points : ndarray of shape (n_stimuli, min(n_stimuli, n_units))
    """

    points: np.ndarray

    @property
    def n(self):
        """Number of stimuli."""
        return len(self.points)

    def reordered(self, order):
        """The same, its stimuli in another order."""
        return replace(self, points=self.points[order])


def procrustes(X, Y, score="angle"):
    r"""How far two shapes stay apart after the best rotation of one onto the other.

    .. math:: \theta = \arccos \left\lVert X^\top Y \right\rVert_*, \qquad
              \min_Q \lVert X - Y Q \rVert = \sqrt{2 - 2 \cos \theta}

    with both arrays centred, at unit Frobenius norm, and Q orthogonal (the narrower is padded with zeros).

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    score : {"angle", "distance"}
        "angle" is θ in radians, "distance" the length left over. Others print cos θ, the nuclear norm, as a similarity.

    Returns
    -------
    float
        A distance: "angle" in [0, π/2], "distance" in [0, √2]; 0 for the same shape. Both are metrics.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`; if `score` is neither.

    Notes
    -----
    Source: Schönemann 1966; Williams et al. 2021. O(n dx dy + n d min(n, d)) time in float64.
    """
    X, Y = check_pair(X, Y)
    return procrustes_of(shape(X, "X"), shape(Y, "Y"), score)


def shape(X, name="X"):
    """The :class:`Shape` of an array. O(n d min(n, d))."""
    X = check_array(X, name).astype(np.float64)
    X /= np.abs(X).max()
    X -= X.mean(0)
    if X.shape[1] > X.shape[0]:
        left, values, _ = np.linalg.svd(X, full_matrices=False)
        X = left * values
    return Shape(X / np.linalg.norm(X))


def procrustes_of(a, b, score="angle"):
    """The score of two prepared sides."""
    check_choice(score, "score", SCORES)
    return float(apart(np.linalg.norm(a.points.T @ b.points, "nuc"), score))


def procrustes_permuted(a, b, orders, score="angle"):
    """Scores of many prepared sides in many orders."""
    check_choice(score, "score", SCORES)
    return apart(nuclear_norms([[(x.points, y.points) for y in b] for x in a], orders), score)


def apart(cosine, score):
    """From the nuclear norm to the score."""
    cosine = np.minimum(cosine, 1.0)
    return np.arccos(cosine) if score == "angle" else np.sqrt(2 - 2 * cosine)


# --- distance correlation -------------------------------------------------------------------------------------------

ESTIMATORS = ("debiased", "biased")


def distance_correlation(X, Y, estimator="debiased", squared=True):
    r"""Distance correlation: do stimuli that are far apart in X lie far apart in Y?

    .. math:: \mathcal{R}^2 = \frac{\sum_{ij} A_{ij} B_{ij}}{\sqrt{\sum_{ij} A_{ij}^2 \, \sum_{ij} B_{ij}^2}}

    with A and B the centred matrices of Euclidean distances.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    estimator : {"debiased", "biased"}
        "debiased" centres without bias (u-centring), so that independent arrays score 0 on average. "biased" is the
        definition of Székely et al. 2007, which noise raises as units outnumber stimuli.
    squared : bool
        Both come on the squared scale. With squared=False the root is taken, of "biased" alone: "debiased" may be
        negative.

    Returns
    -------
    float
        A similarity, at most 1; "biased" in [0, 1].

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`; if the root of a debiased score is asked for; if all distances are
        equal.

    Notes
    -----
    Source: Székely et al. 2007; bias-corrected Székely & Rizzo 2013. O(n² d) time, O(n²) memory, in float64.
    """
    check_choice(estimator, "estimator", ESTIMATORS)
    if not squared and estimator == "debiased":
        raise InputError("squared=False takes a root, and a debiased score may be negative; pass estimator='biased'.")
    X, Y = check_pair(X, Y)
    value = product(distance_relation(X, estimator), distance_relation(Y, estimator))
    return value if squared else float(np.sqrt(max(value, 0.0)))


def distance_relation(X, estimator="debiased"):
    """The centred distance matrix of X at unit norm, so that distance correlation is an inner product of two.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units)
    estimator : {"debiased", "biased"}

    Returns
    -------
    Relation
        Of kind "u-centred" ("debiased") or "centred" ("biased"). O(n² d) time, O(n²) memory.
    """
    X = check_array(X).astype(np.float64)
    D = squareform(dissimilarities(X / np.abs(X).max(), "euclidean"), checks=False)
    A = u_centre(D) if estimator == "debiased" else D - D.mean(0) - D.mean(1, keepdims=True) + D.mean()
    norm = np.linalg.norm(A)
    if not norm > 1e-10 * np.linalg.norm(D):
        raise InputError("All stimuli are equally far from one another, so no distance differs from another.")
    return Relation(A / norm, "u-centred" if estimator == "debiased" else "centred")


CARDS = (
    Card(
        name="procrustes",
        title="Orthogonal Procrustes",
        formula=r"\theta = \arccos \left\lVert X^\top Y \right\rVert_*,"
        r" \qquad \lVert X \rVert_F = \lVert Y \rVert_F = 1",
        source="schonemann1966,williams2021,ding2021",
        value_range="0 to π/2 radians; the same shape at 0, unrelated ones below π/2 by as much as units per stimulus",
        direction="distance",
        scale="global",
        invariances=("rotation and reflection", "scale", "translation", "order of the stimuli"),
        not_invariant=("other linear maps",),
        null="falls with units over stimuli: wide arrays can be rotated onto anything; by permutations",
        cost="O(n d min(n, d)) time, O(n d) memory; a permutation costs O(n d² + d³), d at most n",
        misleads="With as many units as stimuli, noise has a small angle. A few directions of large variance decide.",
        score=procrustes,
        side=shape,
        meet=procrustes_of,
        best=0.0,
        permuted=procrustes_permuted,
    ),
    Card(
        name="distance_correlation",
        title="Distance correlation, bias-corrected",
        formula=r"\mathcal{R}^2 = \frac{\sum_{i \ne j} \tilde D^X_{ij} \tilde D^Y_{ij}}"
        r"{\lVert \tilde D^X \rVert \, \lVert \tilde D^Y \rVert}",
        source="szekely2007,szekely2013",
        value_range="at most 1; about 0 for unrelated representations, and slightly negative half of the time",
        direction="similarity",
        scale="global",
        invariances=("rotation and reflection", "scale", "translation", "order of the stimuli"),
        not_invariant=("other linear maps",),
        null="mean 0 and variance 2 / (n (n - 3)) whatever the data; skewness and kurtosis exact, from both matrices",
        cost="O(n² d) time and O(n²) memory; the exact null O(n³)",
        misleads="It is on the squared scale: 0.25 here is what others print as 0.5. Its usual form is biased and "
        "rises with the number of units, even for noise.",
        score=distance_correlation,
        side=distance_relation,
        meet=product,
    ),
)
