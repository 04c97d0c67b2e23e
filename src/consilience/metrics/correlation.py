"""Scores made of canonical correlations: how well directions of X and Y, chosen for it, agree over the stimuli."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from consilience.check import InputError, check_array, check_choice, check_level, check_pair
from consilience.metrics.card import Card
from consilience.metrics.nuclear import nuclear_norms
from consilience.metrics.once import once
from consilience.metrics.relation import permuted_matrices

SUMMARIES = ("mean", "mean_squared")
WEIGHTS = ("morcos", "unwhitened", "variates")


@dataclass(frozen=True)
class Directions:
    """An orthonormal basis of what the units of one representation span over the stimuli.

    Attributes
    ----------
    basis : ndarray of shape (n_stimuli, rank)
        Left singular vectors of the centred units.
    centred : ndarray of shape (n_stimuli, n_units)
    """

    basis: np.ndarray
    centred: np.ndarray

    @property
    def n(self):
        """Number of stimuli."""
        return len(self.basis)

    @cached_property
    def loadings(self):
        """Units by the directions of the basis: (rank, n_units)."""
        return self.basis.T @ self.centred

    @cached_property
    def complement(self):
        """An orthonormal basis of what is neither constant nor spanned: (n_stimuli, n_stimuli - 1 - rank)."""
        spanned = np.column_stack([np.ones(self.n), self.basis])
        return np.linalg.qr(spanned, mode="complete")[0][:, spanned.shape[1] :]

    def reordered(self, order):
        """The same, its stimuli in another order."""
        return replace(self, basis=self.basis[order], centred=self.centred[order])


def cca(X, Y, summary="mean"):
    r"""Mean canonical correlation: how well the best pairs of directions in X and Y agree.

    .. math:: \rho_i = \text{singular values of } U_X^\top U_Y, \qquad \frac{1}{r} \sum_{i=1}^{r} \rho_i

    with orthonormal bases U of the centred units and r the smaller of the two ranks.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    summary : {"mean", "mean_squared"}
        "mean_squared" is the mean of squared correlations, R²_CCA.

    Returns
    -------
    float in [0, 1]
        A similarity. Noise alone gives 1 once the ranks add up to n - 1 or more.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`; if an array has more than n - 1 units: then every direction is
        found in it, and the score is 1 whatever the data. Reduce the units first, or use :func:`svcca`.

    Warns
    -----
    UserWarning
        If the units of both together number n or more: some correlations are then 1 by construction.

    Notes
    -----
    Source: Hotelling 1936; the mean as a score Raghu et al. 2017. O(n d²) time in float64.
    """
    check_choice(summary, "summary", SUMMARIES)
    X, Y = check_pair(X, Y)
    return cca_of(directions(X, "X"), directions(Y, "Y"), summary)


def svcca(X, Y, variance=0.99, summary="mean"):
    r"""Canonical correlation of the strongest directions alone: those that hold a share of the variance.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    variance : float in (0, 1)
        Of each array the fewest principal components are kept whose variances (squared singular values) add up to
        this share.
    summary : {"mean", "mean_squared"}

    Returns
    -------
    float in [0, 1]
        A similarity. What noise gives depends on how many components are kept.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`; if `variance` is not between 0 and 1.

    Warns
    -----
    UserWarning
        If the components kept of both together number n or more.

    Notes
    -----
    Source: Raghu et al. 2017. O(n d min(n, d)) time in float64.
    """
    check_level(variance, "variance")
    check_choice(summary, "summary", SUMMARIES)
    X, Y = check_pair(X, Y)
    return cca_of(strongest(X, variance), strongest(Y, variance), summary)


def pwcca(X, Y, weights="morcos"):
    r"""Canonical correlations, weighted by how much of X each canonical direction accounts for.

    .. math:: \frac{\sum_i \alpha_i \rho_i}{\sum_i \alpha_i}, \qquad
              \alpha_i = \sum_j \left| \langle h_i, x_j \rangle \right|

    with h_i the canonical variates of X and x_j its centred units.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
        The side that gives the weights: the score is not symmetric.
    Y : array of shape (n_stimuli, n_units_y)
    weights : {"morcos", "unwhitened", "variates"}
        Three definitions go by this name. "morcos" is the one above, of the paper. "unwhitened" takes directions
        that were not whitened, made orthonormal afterwards, as the paper's authors' published code does.
        "variates" takes the sum of absolute values of each variate over the stimuli, which is nearly the same for
        all, so it nearly is :func:`cca`.

    Returns
    -------
    float in [0, 1]
        A similarity.

    Raises
    ------
    InputError
        As :func:`cca`.

    Warns
    -----
    UserWarning
        As :func:`cca`.

    Notes
    -----
    Source: Morcos et al. 2018. O(n d²) time in float64.
    """
    check_choice(weights, "weights", WEIGHTS)
    X, Y = check_pair(X, Y)
    return pwcca_of(directions(X, "X"), directions(Y, "Y"), weights)


def directions(X, name="X"):
    """The :class:`Directions` that all units span; refused where they span everything."""
    X = check_array(X, name)
    n, d = X.shape
    if d > n - 1:
        raise InputError(
            f"{name} has {d} units for {n} stimuli. With n - 1 units or more every direction is found in them, and "
            "canonical correlations are 1 whatever the data. Use svcca, fewer units (principal components), or more "
            "stimuli."
        )
    return singular(X)[0]


def strongest(X, variance=0.99, name="X"):
    """The :class:`Directions` of the fewest principal components that hold this share of the variance."""
    found, values = singular(check_array(X, name))
    share = np.cumsum(values**2) / (values**2).sum()
    kept = int(np.searchsorted(share, variance - 1e-12)) + 1
    return replace(found, basis=found.basis[:, :kept])


@once
def singular(X):
    """Directions and singular values of the centred units, those apart that only rounding made."""
    X = X.astype(np.float64)
    X /= np.abs(X).max()  # no correlation sees scale, and no square overflows
    X -= X.mean(0)
    left, values, _ = np.linalg.svd(X, full_matrices=False)
    some = values > values[0] * max(X.shape) * np.finfo(np.float64).eps
    return Directions(left[:, some], X), values[some]


def correlations(a, b):
    """Canonical correlations of two :class:`Directions`, largest first, and the rotations that lead to them."""
    left, values, right = np.linalg.svd(a.basis.T @ b.basis, full_matrices=False)
    return np.clip(values, 0, 1), left, right.T


def cca_of(a, b, summary="mean"):
    """The score of two prepared sides."""
    warn_if_crowded(a, b)
    values = correlations(a, b)[0]
    return float((values if summary == "mean" else values**2).mean())


def cca_permuted(a, b, orders, summary="mean"):
    """Scores of many prepared sides in many orders.

    Squared correlations add up to the inner product of two projections, which takes no singular values. For their mean,
    two spaces that fill more than half of all directions meet like what they leave out, but that as many correlations
    are 1 as they have directions too many.
    """
    ranks = [np.array([side.basis.shape[1] for side in sides]) for sides in (a, b)]
    count = np.minimum.outer(*ranks)
    if summary == "mean_squared":
        a, b = ([side.basis @ side.basis.T for side in sides] for sides in (a, b))
        return permuted_matrices(a, b, orders) / count
    beyond = np.maximum(np.add.outer(*ranks) - (orders.n - 1), 0)
    pairs = [
        [(x.complement, y.complement) if beyond[i, j] else (x.basis, y.basis) for j, y in enumerate(b)]
        for i, x in enumerate(a)
    ]
    return (beyond + nuclear_norms(pairs, orders)) / count


def pwcca_of(a, b, weights="morcos"):
    """The score of two prepared sides; the first gives the weights."""
    warn_if_crowded(a, b)
    values, left, _ = correlations(a, b)
    if weights == "variates":
        alpha = np.abs(a.basis @ left).sum(0)
    elif weights == "unwhitened":
        alpha = np.abs(np.linalg.qr(unwhitened(a, left))[0].T @ a.centred).sum(1)
    else:
        alpha = np.abs(left.T @ a.loadings).sum(1)
    return float(alpha @ values / alpha.sum())


def unwhitened(a, left):
    """Units weighted as if they were white, though they are not: (n_stimuli, n_correlations)."""
    right = np.linalg.svd(a.centred, full_matrices=False)[2][: len(left)]
    return a.centred @ right.T @ left


def warn_if_crowded(a, b):
    ranks = a.basis.shape[1], b.basis.shape[1]
    if sum(ranks) >= a.n:
        warnings.warn(
            f"{ranks[0]} and {ranks[1]} directions meet in {a.n} stimuli, so some canonical correlations are 1 "
            "whatever the data. Read the score beside its null, or keep fewer directions.",
            stacklevel=4,
        )


CARDS = (
    Card(
        name="cca",
        title="Canonical correlation analysis (CCA), mean",
        formula=r"\frac{1}{r} \sum_{i=1}^{r} \rho_i, \qquad \rho = \text{singular values of } U_X^\top U_Y",
        source="hotelling1936,raghu2017",
        value_range="0 to 1; for unrelated representations it grows to 1 as their ranks add up to n - 1",
        direction="similarity",
        scale="global",
        invariances=("rotation and reflection", "scale", "translation", "other linear maps", "order of the stimuli"),
        not_invariant=(),
        null="far above 0 unless n is many times the number of units; by permutations",
        cost="O(n d²) time, O(n d) memory; a permutation costs O(n d² + d³), d at most half of n; of squared "
        "correlations O(n²)",
        misleads="With n not far above the number of units, noise alone scores high. Every direction counts the same, "
        "also those in which next to nothing happens.",
        score=cca,
        side=directions,
        meet=cca_of,
        permuted=cca_permuted,
    ),
    Card(
        name="svcca",
        title="Singular vector canonical correlation analysis (SVCCA)",
        formula=r"\mathrm{CCA}\left(X V_X^{99\,\%},\; Y V_Y^{99\,\%}\right)",
        source="raghu2017",
        value_range="0 to 1; what noise gives grows with the number of components kept",
        direction="similarity",
        scale="global",
        invariances=("rotation and reflection", "scale", "translation", "order of the stimuli"),
        not_invariant=("other linear maps",),
        null="far above 0 unless n is many times the number of components kept; by permutations",
        cost="O(n d min(n, d)) time, O(n d) memory; a permutation costs O(n r²) for r components",
        misleads="The share of variance decides how many components are kept, and that decides the score of noise. "
        "Layers that keep few components score high with all others. Libraries differ: some take the share of singular "
        "values, not of their squares.",
        score=svcca,
        side=strongest,
        meet=cca_of,
        permuted=cca_permuted,
        does_not_find=("layers", "outputs"),
    ),
    Card(
        name="pwcca",
        title="Projection weighted canonical correlation analysis (PWCCA)",
        formula=r"\frac{\sum_i \alpha_i \rho_i}{\sum_i \alpha_i}, \qquad"
        r" \alpha_i = \sum_j \left| \langle h_i, x_j \rangle \right|",
        source="morcos2018",
        value_range="0 to 1; for unrelated representations it grows with units over stimuli, as CCA does",
        direction="similarity",
        scale="global",
        invariances=("scale", "translation", "order of the stimuli"),
        not_invariant=("rotation and reflection", "other linear maps"),
        null="far above 0 unless n is many times the number of units; by permutations",
        cost="O(n d²) time, O(n d) memory; a permutation costs O(n d² + d³), and vectors too: many times that of CCA",
        misleads="Three definitions go by this name and differ in the first digit. It is not symmetric: the first "
        "argument gives the weights, and they move when its units are rotated; linear maps of the second change "
        "nothing.",
        score=pwcca,
        side=directions,
        meet=pwcca_of,
        symmetric=False,
    ),
)
