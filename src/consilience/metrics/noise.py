"""Dissimilarities in units of noise: Mahalanobis' distance, and its unbiased estimate from repeated measurements."""

from __future__ import annotations

import numpy as np

from consilience.check import FEWEST_STIMULI, InputError, as_numpy, check_array


def noise_normalized(X, covariance):
    r"""Units mixed so that their noise is white: Euclidean distances of what comes out are Mahalanobis' of X.

    .. math:: X \Sigma^{-1/2}, \qquad
              \lVert (x_i - x_j) \Sigma^{-1/2} \rVert^2 = (x_i - x_j) \Sigma^{-1} (x_i - x_j)^\top

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units)
    covariance : array of shape (n_units, n_units)
        Of the noise of the units: from residuals or repetitions, regularised (for example by
        :class:`sklearn.covariance.LedoitWolf`).

    Returns
    -------
    float64 ndarray of shape (n_stimuli, n_units)

    Raises
    ------
    InputError
        As :func:`consilience.check.check_array`; if the covariance has another shape, is not symmetric, or has an
        eigenvalue that is not positive.

    Notes
    -----
    Source: Walther et al. 2016. O(n d² + d³) time in float64.
    """
    X = check_array(X).astype(np.float64)
    return X @ inverse_root(covariance, X.shape[1])


def crossnobis(X, covariance=None):
    r"""Squared Mahalanobis distance of each pair of stimuli, without bias, from repeated measurements.

    .. math:: d_{ij} = \frac{1}{R (R - 1)} \sum_{r \ne s}
              \left( x^r_i - x^r_j \right) \Sigma^{-1} \left( x^s_i - x^s_j \right)^\top

    Parameters
    ----------
    X : array of shape (n_runs, n_stimuli, n_units)
        The same stimuli in R independent runs.
    covariance : array of shape (n_units, n_units), optional
        Of the noise of the units, as in :func:`noise_normalized`. Without it, distances are Euclidean.

    Returns
    -------
    float64 ndarray of shape (n_stimuli (n_stimuli - 1) / 2,)
        Pairs in the order of :func:`scipy.spatial.distance.pdist`. On average 0 for stimuli that are answered alike,
        so some are negative. Compare them with :func:`consilience.compare_rdms`.

    Raises
    ------
    InputError
        If X does not have three dimensions, or has fewer than two runs; as :func:`noise_normalized`, for any run.

    Notes
    -----
    Source: Walther et al. 2016. (rsatoolbox divides by n_units.) O(R n² d) time, O(n²) memory.
    """
    X = as_numpy(X, "X")
    if X.ndim != 3 or len(X) < 2 or X.shape[1] < FEWEST_STIMULI:
        raise InputError(
            f"X has shape {X.shape}; it must be (n_runs, n_stimuli, n_units), with two runs and {FEWEST_STIMULI} "
            "stimuli at least."
        )
    runs = np.stack([check_array(run, f"run {r} of X") for r, run in enumerate(X)]).astype(np.float64)
    runs -= runs.mean(1, keepdims=True)
    if covariance is not None:
        runs = runs @ inverse_root(covariance, X.shape[2])
    total = runs.sum(0)
    products = total @ total.T - sum(run @ run.T for run in runs)  # of different runs alone
    own = np.diag(products)
    first, second = np.triu_indices(X.shape[1], 1)
    return (own[first] + own[second] - 2 * products[first, second]) / (len(X) * (len(X) - 1))


def inverse_root(covariance, d):
    """Inverse square root of a covariance of d units."""
    covariance = as_numpy(covariance, "covariance").astype(np.float64)
    if covariance.shape != (d, d) or not np.isfinite(covariance).all():
        raise InputError(f"covariance has shape {covariance.shape}; it must be ({d}, {d}), one row a unit, and finite.")
    if not np.allclose(covariance, covariance.T, rtol=1e-8, atol=1e-12 * np.abs(covariance).max()):
        raise InputError("covariance is not symmetric.")
    values, vectors = np.linalg.eigh(covariance)
    if not values[0] > d * np.finfo(np.float64).eps * values[-1]:
        raise InputError(
            f"covariance has eigenvalues from {values[0]:.3g} to {values[-1]:.3g}, so it has no inverse. Regularise "
            "it, for example by sklearn.covariance.LedoitWolf on the residuals."
        )
    return vectors / np.sqrt(values) @ vectors.T
