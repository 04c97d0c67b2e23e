"""What other libraries compute under names that are ours too, where no option of ours gives it."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist, squareform

from consilience.check import InputError, check_rows
from consilience.metrics.correlation import cca_of, singular
from consilience.metrics.geometry import shape
from consilience.metrics.riemann import bures


def z_scored(X):
    """Each unit at mean 0 and variance 1; one that does not vary stays 0."""
    X = X - X.mean(0)
    spread = X.std(0)
    return X / np.where(spread > 0, spread, 1)


def angle(cosine):
    return np.arccos(np.clip(cosine, -1, 1))


def clamped(value):
    return np.clip(value, 0, 1)


# --- in place of a metric of ours -------------------------------------------------------------------------------------


def cosine_without_diagonal(X, Y):
    """Angle between centred kernels whose diagonal is left out, without the correction that u-centring makes."""
    kernels = []
    for A in (X, Y):
        A = A.astype(np.float64) - A.mean(0, dtype=np.float64)
        K = A @ A.T
        np.fill_diagonal(K, 0)
        kernels.append(K / np.linalg.norm(K))
    return angle((kernels[0] * kernels[1]).sum())


def rbf_cka(width):
    """Biased CKA with kernels exp(-d² / width(squared distances))."""

    def formula(X, Y):
        kernels = []
        for A in (X, Y):
            D = squareform(pdist(A.astype(np.float64), "sqeuclidean"))
            K = np.exp(-D / width(D))
            K = K - K.mean(0) - K.mean(1, keepdims=True) + K.mean()
            kernels.append(K / np.linalg.norm(K))
        return (kernels[0] * kernels[1]).sum()

    return formula


def apart(D):
    """Squared distances of different stimuli."""
    return D[np.triu_indices(len(D), 1)]


def lower_median(D):
    """Of an even number, the lesser of the two in the middle."""
    found = np.sort(apart(D))
    return found[(len(found) - 1) // 2]


def unit_rows(X):
    return X / np.linalg.norm(check_rows(X, "cosine"), axis=1, keepdims=True)


def svcca_kept(kept, centre=True):
    """Mean canonical correlation of the first ``kept(singular values)`` principal components."""

    def formula(X, Y):
        sides = []
        for A in (X, Y):
            A = A.astype(np.float64)
            _, values, axes = np.linalg.svd(A - A.mean(0) if centre else A, full_matrices=False)
            number = kept(values)
            if not number:
                raise InputError("One direction holds the whole share, so this convention keeps none of it.")
            sides.append(singular(A @ axes[:number].T)[0])
        return cca_of(*sides)

    return formula


def short_of_share(values):
    """How many singular values stay below 99 % of their sum."""
    return int((np.cumsum(values) < 0.99 * values.sum()).sum())


def unscaled_fit(X, Y):
    """One minus what the best rotation of X leaves of Y, over the size of Y."""
    x, y = (A.astype(np.float64) - A.mean(0, dtype=np.float64) for A in (X, Y))
    x, y = np.linalg.norm(x), np.linalg.norm(y)
    cosine = np.linalg.norm(shape(X).points.T @ shape(Y).points, "nuc")
    return 1 - np.sqrt(max(x**2 + y**2 - 2 * x * y * cosine, 0)) / y


def at_own_size(X, Y):
    """What the best rotation leaves of both at their own size."""
    return np.sqrt(len(X)) * bures(X, Y)
