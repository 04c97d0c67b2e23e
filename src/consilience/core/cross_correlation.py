"""Which unit goes with which voxel over time, without the matrix of all correlations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from consilience.check import InputError, check_choice, check_pair, check_whole
from consilience.core import cuda, roads, twin_correlation
from consilience.core.fit import check_threads, fit
from consilience.core.memory import need
from consilience.core.progress import progress

NAMES = ("units", "voxels")
SIGNS = ("positive", "negative", "absolute")
MOST_SERIES = 2**31 - 2  # they are numbered in 32 bits while they wait in a list


@dataclass(frozen=True, eq=False)
class Partners:
    """What each of n series found among the series of the other side.

    Attributes
    ----------
    best : int64 array of shape (n, k)
        The k strongest partners, strongest first; of equally strong ones, the one with the smaller index.
    correlations : array of shape (n, k)
        Pearson's r with each of them, in [-1, 1]; float64 if either input is, else float32.
    counts : int64 array of shape (n, n_thresholds)
        How many partners reach each threshold.
    """

    best: np.ndarray
    correlations: np.ndarray
    counts: np.ndarray


@dataclass(frozen=True, eq=False)
class CrossCorrelation:
    """Both sides of a cross-correlation.

    Attributes
    ----------
    of_units : Partners
        Of each unit, among the voxels.
    of_voxels : Partners
        Of each voxel, among the units.
    """

    of_units: Partners
    of_voxels: Partners


def cross_correlation(units, voxels, *, k=1, sign="absolute", thresholds=(), threads=None):
    r"""Every unit correlated with every voxel over time: the best partners of each, and how many reach a threshold.

    .. math:: r_{uv} = \frac{\sum_t (a_{tu} - \bar a_u)(b_{tv} - \bar b_v)}
              {\sqrt{\sum_t (a_{tu} - \bar a_u)^2 \, \sum_t (b_{tv} - \bar b_v)^2}}

    Parameters
    ----------
    units : array of shape (n_times, n_units)
        What artificial neurons answered; row t is a point in time. NumPy, PyTorch, CuPy or anything that speaks
        DLPack; CUDA tensors are computed on their device and stream.
    voxels : array of shape (n_times, n_voxels)
        What the brain answered at the same times.
    k : int, 1 <= k <= min(n_units, n_voxels)
        How many partners to keep of each series.
    sign : {"absolute", "positive", "negative"}
        What makes a correlation strong: \|r\|, r or -r.
    thresholds : sequence of floats
        Each in (-1, 1], or in (0, 1] where `sign` is "absolute". A partner reaches t if its strength is at least t.
    threads : int, optional
        By default all processors that the process may use. The result does not depend on it.

    Returns
    -------
    CrossCorrelation
        `of_voxels.best[v, 0]` is the best unit of voxel v, `of_voxels.correlations[v, 0]` their r, and
        `of_voxels.counts[v, m]` the number of units that reach threshold m with it; `of_units` is the same from the
        units' side. For CUDA tensors the arrays are their library's, on their device.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`; if a series is constant (named by its column), or its squares would
        overflow or vanish; if `k`, `sign` or a threshold is out of range; or if memory does not suffice.

    Notes
    -----
    r is by definition a sum in float64 in a fixed order, over series that were centred in float64. All pairs are
    computed in the input's own precision, tile by tile; the best partners, and pairs so near to a threshold that
    rounding could have put them on its wrong side, are judged again by the definition. So partners, their order and
    counts are exact, and have the same bits for any number of threads and any instruction set.

    O(n_times n_units n_voxels) time. Memory: one packed copy of both inputs, another of the smaller one, and O(k) a
    series. Where very many series are copies of each other, or very many pairs lie within 1e-6 of a threshold, judging
    them takes the time.
    """
    check_choice(sign, "sign", SIGNS)
    thresholds = check_thresholds(thresholds, sign)
    on_device = cuda.is_on_device(units)
    if on_device:
        units, voxels = cuda.check_pair(units, voxels, "", NAMES)
    else:
        pair = check_pair(units, voxels, NAMES)
        units, voxels = (fit(X, name=name) for X, name in zip(pair, NAMES, strict=True))
    for X, name in zip((units, voxels), NAMES, strict=True):
        check_series(X, name)
    k = check_partners(k, units.shape[1], voxels.shape[1])
    in_double = any(str(X.dtype).endswith("float64") for X in (units, voxels))
    if on_device:
        sides = cuda.cross_correlation(units, voxels, k, sign, thresholds)
    else:
        sides = _by_road(units, voxels, k, sign, thresholds, threads, in_double)
    if not in_double:
        sides = [(best, cuda.narrow(correlations), counts) for best, correlations, counts in sides]
    return CrossCorrelation(*(Partners(*side) for side in sides))


def check_thresholds(thresholds, sign):
    """A list of floats on which counting makes sense."""
    try:
        values = np.atleast_1d(np.asarray(thresholds, np.float64))
    except (TypeError, ValueError):
        values = np.full(1, np.nan)
    least = 0 if sign == "absolute" else -1
    if values.ndim != 1 or not ((values > least) & (values <= 1)).all():
        raise InputError(
            f"thresholds is {thresholds!r}; give a sequence of numbers with {least} < t <= 1"
            + (", or another sign: |r| is never below 0." if least == 0 else ".")
        )
    return values.tolist()


def check_partners(k, n_units, n_voxels):
    """A number of partners that both sides have."""
    if check_whole(k, "k", 1) > min(n_units, n_voxels):
        raise InputError(
            f"k is {k}, but there are {n_units} units and {n_voxels} voxels; choose 1 <= k <= {min(n_units, n_voxels)}."
        )
    return int(k)


def check_series(X, name):
    """Columns that vary, each by so much that its squares can be told from zero."""
    if X.shape[1] > MOST_SERIES:
        raise InputError(f"{name} has {X.shape[1]} columns; at most {MOST_SERIES} can be compared.")
    low, high = cuda.extent(X) if cuda.is_on_device(X) else (bound(axis=0).astype(float) for bound in (X.min, X.max))
    for bad, why in (
        (low == high, "is constant over time, so it has no correlation. Remove it"),
        (high - low < 1e-150, "varies so little that its squares vanish. Enlarge it"),
    ):
        if bad.any():
            raise InputError(f"{name}: column {np.flatnonzero(bad)[0]} {why} ({bad.sum()} such).")


def _by_road(units, voxels, k, sign, thresholds, threads, in_double):
    """Best partners, correlations (float64) and counts of both sides, by the road of the day."""
    shapes = units.shape[1], voxels.shape[1]
    purpose = "The correlations of {:,} units and {:,} voxels".format(*shapes)
    need(_memory(units, voxels, k, len(thresholds), in_double), purpose)
    road = roads.road()
    if road == "twin":
        return twin_correlation.cross_correlation(units, voxels, k, sign, thresholds)
    sides = [(np.empty((n, k), np.int64), np.empty((n, k)), np.empty((n, len(thresholds)), np.int64)) for n in shapes]
    threads = roads.thread_count() if threads is None else check_threads(threads)
    with progress("correlations") as tell:
        roads.compiled.cross_correlation(
            units, voxels, sign, thresholds, *sides[0], *sides[1], isa=road, threads=threads, tell=tell
        )
    return sides


def _memory(units, voxels, k, m, in_double):
    """Bytes: packed copies, one more of the smaller set, lists twice as long as they must be, and the results."""
    width = 8 if in_double else 4
    each = len(units) * width + 4 * width * (k + max(2, k // 8)) + 16 * k + 16 * m
    return (units.shape[1] + voxels.shape[1]) * each + min(units.nbytes, voxels.nbytes)
