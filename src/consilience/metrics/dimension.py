"""How many directions a representation uses: not a score of two, but what decides what scores give by chance."""

from __future__ import annotations

import numpy as np

from consilience.check import check_array


def participation_ratio(X):
    r"""Effective number of directions along which stimuli vary.

    .. math:: \mathrm{PR} = \frac{\left( \sum_i \lambda_i \right)^2}{\sum_i \lambda_i^2}

    with λ the eigenvalues of the covariance of the units.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units)

    Returns
    -------
    float in [1, min(n_stimuli - 1, n_units)]
        1 if all variance lies along one direction, the number of units if it is the same along all.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_array`.

    Notes
    -----
    Source: Gao et al. 2017. From a sample it is at most n - 1, and low where n is small: with independent units it
    is about d n / (n + d). O(n d min(n, d)) time in float64.
    """
    X = check_array(X).astype(np.float64)
    X /= np.abs(X).max()
    X -= X.mean(0)
    smaller = X.T @ X if X.shape[1] <= X.shape[0] else X @ X.T
    return float(np.trace(smaller) ** 2 / np.square(smaller).sum())
