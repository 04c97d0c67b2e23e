"""Scores that compare two kernels: HSIC and its normalised form, centred kernel alignment (CKA)."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist, squareform

from consilience.check import InputError, check_array, check_choice, check_pair
from consilience.metrics.card import Card
from consilience.metrics.relation import Relation, product

KERNELS = ("linear", "rbf")
ESTIMATORS = ("debiased", "biased")


def cka(X, Y, kernel="linear", estimator="debiased", bandwidth=1.0):
    r"""Centred kernel alignment: how alike the pairwise similarities of the same stimuli are in X and in Y.

    .. math:: \mathrm{CKA} = \frac{\mathrm{HSIC}(K, L)}{\sqrt{\mathrm{HSIC}(K, K)\,\mathrm{HSIC}(L, L)}}

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus. Computed in float64, units centred first.
    kernel : {"linear", "rbf"}
        "rbf" is exp(-d² / 2 s²), d the Euclidean distance.
    estimator : {"debiased", "biased"}
        "debiased" uses the unbiased HSIC, whose expectation is zero when X and Y are independent. "biased" is the
        original, which grows with the number of units.
    bandwidth : float
        s as a multiple of the median distance between stimuli; for "rbf" only.

    Returns
    -------
    float
        A similarity. At most 1; "biased" is at least 0, "debiased" may be slightly negative.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`; or if the kernel of either array has nothing left after centring.

    Notes
    -----
    Source: Kornblith et al. 2019; the unbiased HSIC is Song et al. 2012. The biased linear form is the RV
    coefficient. Linear: O(n dx dy) time and O(n d) memory, or O(n² d) and O(n²) where that is cheaper.
    """
    X, Y = check_pair(X, Y)
    check_options(kernel, estimator, bandwidth)
    if kernel == "linear" and X.shape[1] * Y.shape[1] < len(X) * (X.shape[1] + Y.shape[1]):
        return linear_cka(centre(X), centre(Y), estimator)
    return product(kernel_relation(X, kernel, estimator, bandwidth), kernel_relation(Y, kernel, estimator, bandwidth))


def linear_cka(X, Y, estimator):
    """Linear CKA of centred arrays from their units, without any n x n matrix."""
    xy, xx, yy = (hsic_of_units(A, B, estimator) for A, B in ((X, Y), (X, X), (Y, Y)))
    for name, A, own in (("X", X, xx), ("Y", Y, yy)):
        if not own > 1e-10 * np.square(A.T @ A).sum():  # zero but for rounding
            raise nothing_left(name)
    return float(xy / np.sqrt(xx * yy))


def hsic_of_units(X, Y, estimator):
    """HSIC of the linear kernels of two centred arrays, up to the factor that CKA cancels.

    With centred units the rows of the Gram matrix sum to zero, so without its diagonal row i sums to minus the
    squared length of stimulus i: the unbiased estimate needs only X'Y and those lengths.
    """
    n = len(X)
    whole = np.square(X.T @ Y).sum()
    if estimator == "biased":
        return whole
    x, y = np.square(X).sum(1), np.square(Y).sum(1)
    return whole - x @ y + x.sum() * y.sum() / ((n - 1) * (n - 2)) - 2 * (x @ y) / (n - 2)


def kernel_relation(X, kernel="linear", estimator="debiased", bandwidth=1.0):
    """The centred kernel matrix of X, at unit norm, so that CKA is the inner product of two of them.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units)
    kernel, estimator, bandwidth
        As in :func:`cka`.

    Returns
    -------
    Relation
        Of kind "u-centred" (estimator "debiased") or "centred" ("biased"). O(n² d) time, O(n²) memory.
    """
    X = check_array(X)
    check_options(kernel, estimator, bandwidth)
    K = gram(X, kernel, bandwidth)
    whole = np.linalg.norm(K)
    K = u_centre(K) if estimator == "debiased" else K - K.mean(0) - K.mean(1, keepdims=True) + K.mean()
    norm = np.linalg.norm(K)
    if not norm > 1e-5 * whole:  # zero but for rounding: its square is 1e-10 of the whole
        raise nothing_left("the array")
    return Relation(K / norm, "u-centred" if estimator == "debiased" else "centred")


def gram(X, kernel, bandwidth=1.0):
    """Kernel matrix of shape (n_stimuli, n_stimuli) in float64, of X scaled so that its mean squared length is 1."""
    X = centre(X)
    X /= np.sqrt(np.square(X).sum(1).mean())
    if kernel == "linear":
        return X @ X.T
    squared = pdist(X, "sqeuclidean")
    if not np.median(squared) > 0:
        raise InputError(
            "More than half of the pairs of stimuli are identical, so the median distance is 0; use kernel='linear'."
        )
    return np.exp(-squareform(squared) / (2 * bandwidth**2 * np.median(squared)))


def u_centre(K):
    """K with a zero diagonal and rows that sum to zero (Székely & Rizzo 2014): its inner products are unbiased."""
    n = len(K)
    K = K - np.diag(np.diag(K))
    row = K.sum(1) / (n - 2)
    K = K - row - row[:, None] + row.sum() / (n - 1)
    np.fill_diagonal(K, 0)
    return K


def centre(X):
    """X in float64 with each unit's mean removed, first of all, so that a large mean costs no digits.

    Scaled to largest value 1 before and after, so that no square overflows or vanishes; CKA does not see scale.
    """
    X = X.astype(np.float64)
    X /= np.abs(X).max()
    X -= X.mean(0)
    return X / np.abs(X).max()


def check_options(kernel, estimator, bandwidth):
    check_choice(kernel, "kernel", KERNELS)
    check_choice(estimator, "estimator", ESTIMATORS)
    if not isinstance(bandwidth, int | float | np.number) or not 1e-3 <= bandwidth <= 1e3:
        raise InputError(
            f"bandwidth is {bandwidth!r}; it multiplies the median distance, and must lie in 0.001 to 1000."
        )


def nothing_left(name):
    return InputError(
        f"The kernel of {name} is constant over pairs of different stimuli, so its HSIC with itself is not positive "
        "and CKA has no value. Use more stimuli, units that tell more than one of them apart, or a wider bandwidth."
    )


CARD = Card(
    name="cka",
    title="Centred kernel alignment (CKA), debiased",
    formula=r"\mathrm{CKA} = \frac{\sum_{i \ne j} \tilde K_{ij} \tilde L_{ij}}"
    r"{\sqrt{\sum_{i \ne j} \tilde K_{ij}^2}\, \sqrt{\sum_{i \ne j} \tilde L_{ij}^2}} \\[1ex]"
    r"\tilde K_{ij} = K_{ij} - \frac{K_{i\cdot} + K_{\cdot j}}{n-2}"
    r" + \frac{K_{\cdot\cdot}}{(n-1)(n-2)}, \quad K_{ii} = 0",
    source="kornblith2019,song2012,murphy2024",
    value_range="at most 1; about 0 for unrelated representations, and slightly negative half of the time",
    direction="similarity",
    invariances=("rotation and reflection", "scale", "translation", "order of the stimuli"),
    not_invariant=("other linear maps",),
    null="mean 0 and variance 2 / (n (n - 3)) whatever the data; skewness and kurtosis exact up to 5,000 stimuli, "
    "then from as many of them",
    cost="O(n dx dy) from the units, or O(n² d) from the Gram matrices; the exact null O(n³)",
    misleads="A few directions of large variance, or one far outlier, decide the score: two representations may "
    "agree on those alone. The biased form tends to 1 as units outnumber stimuli, even for noise.",
    score=cka,
    relation=kernel_relation,
)
