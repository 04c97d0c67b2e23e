"""Cross-correlation in NumPy: a page to be read, with the same bits as the compiled core.

As in `twin.py`, a matrix product only proposes: whatever rounding could have misplaced is judged by the definition.
"""

from __future__ import annotations

import numpy as np

from consilience.core.twin import CHUNK, defined, doubt, sum_of_terms

STRENGTH = {"positive": np.positive, "negative": np.negative, "absolute": np.abs}


def cross_correlation(units, voxels, k, sign, thresholds):
    """Best partners, correlations (float64) and counts of each unit, and of each voxel.

    See :func:`consilience.core.cross_correlation.cross_correlation`.
    """
    units, voxels = centred(units), centred(voxels)
    strength = STRENGTH[sign]
    return partners(units, voxels, k, strength, thresholds), partners(voxels, units, k, strength, thresholds)


def centred(X):
    """The columns of X as rows in float64, each without its mean.

    A series is first counted from its own first value: so a large mean costs no digit, and a constant series is
    exactly zero.
    """
    series = np.ascontiguousarray(X.T, dtype=np.float64)
    series = series - series[:, :1]
    mean = sum_of_terms(series, np.ones((1, len(X))), "dot") / len(X)
    return series - mean[:, None]


def partners(A, B, k, strength, thresholds):
    """For each row of A: the k strongest rows of B, their correlations, and how many reach each threshold."""
    a2, b2 = sum_of_terms(A, A, "dot"), sum_of_terms(B, B, "dot")
    unit_a, unit_b = A / np.sqrt(a2)[:, None], B / np.sqrt(b2)[:, None]
    off = doubt(A.shape[1])
    best, correlations = np.empty((len(A), k), np.int64), np.empty((len(A), k))
    counts = np.empty((len(A), len(thresholds)), np.int64)
    step = max(1, CHUNK // len(B))
    for start in range(0, len(A), step):
        rows = np.arange(start, min(start + step, len(A)))
        guess = strength(unit_a[rows] @ unit_b.T)

        # The best: judge all that are contested, and sort them row by row, strongest first, ties by index.
        kth = np.partition(guess, -k, axis=1)[:, -k]
        row, column = np.nonzero(guess >= kth[:, None] - 2 * off)
        r = defined(A, B, start + row, column, "cosine", a2, b2)
        order = np.lexsort((column, -strength(r), row))
        strongest = order[np.searchsorted(row, rows - start)[:, None] + np.arange(k)]
        best[rows], correlations[rows] = column[strongest], r[strongest]

        # The counts: judge those in doubt.
        for m, threshold in enumerate(thresholds):
            surely, perhaps = guess > threshold + off, guess > threshold - off
            row, column = np.nonzero(perhaps & ~surely)
            r = defined(A, B, start + row, column, "cosine", a2, b2)
            reached = row[strength(r) >= threshold]
            counts[rows, m] = surely.sum(axis=1) + np.bincount(reached, minlength=len(rows))
    return best, correlations, counts
