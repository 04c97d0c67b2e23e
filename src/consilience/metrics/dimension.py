"""How many directions a representation uses: not a score of two, but what decides what scores give by chance."""

from __future__ import annotations

import numpy as np

from consilience.check import InputError, check_array
from consilience.core import neighbors


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


def two_nn(X, fraction=0.9):
    r"""Intrinsic dimension, from how much farther the second neighbour of a stimulus is than the first.

    .. math:: \mu_i = \frac{r_{i2}}{r_{i1}}, \qquad -\log\left( 1 - F(\mu) \right) = d \log \mu

    with r the Euclidean distances and F the share of stimuli whose ratio is at most μ; d is the slope of the line
    through the origin.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units)
    fraction : float in (0, 1]
        Of the stimuli, those of the smallest ratios, that the line is fitted to; the others are outliers or lie at an
        edge.

    Returns
    -------
    float > 0
        Of the curved surface on which the stimuli lie, where :func:`participation_ratio` is of the flat space around.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_array`; if `fraction` is out of range; if a stimulus is repeated, since the
        distance to its first neighbour is then 0; if all ratios are 1, as on a grid.

    Notes
    -----
    Source: Facco et al. 2017. It sees the scale of the nearest neighbours: noise in all units raises it, and above ten
    or so it is too low, since a sample cannot fill so many dimensions. O(n² d) time, O(n) memory besides X.
    """
    if isinstance(fraction, bool) or not isinstance(fraction, int | float | np.number) or not 0 < fraction <= 1:
        raise InputError(f"fraction is {fraction!r}; it must be above 0 and at most 1.")
    X = check_array(X).astype(np.float64)
    X /= np.abs(X).max()
    nearest = neighbors(X, 2, "euclidean")[0].T
    first, second = np.sort([np.linalg.norm(X - X[one], axis=1) for one in nearest], axis=0)
    if not first.all():
        raise InputError(
            f"Stimulus {np.flatnonzero(first == 0)[0]} is repeated ({(first == 0).sum()} such), so it has a neighbour "
            "at distance 0 and no ratio of distances. Keep one of each."
        )
    n = len(X)
    kept = min(max(int(n * fraction), 2), n - 1)  # the largest has F = 1 and no logarithm
    ratio = np.log(np.sort(second / first)[:kept])
    above = -np.log1p(-np.arange(1, kept + 1) / n)
    if not ratio.any():
        raise InputError("All second neighbours are as near as the first, as on a grid, so distances have no ratio.")
    return float(ratio @ above / (ratio @ ratio))
