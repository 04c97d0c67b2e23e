"""Ways from one representation into another that pairs of stimuli teach, tried on stimuli held out.

A way is prepared once for a division of the stimuli, and then taken with the pairs as they are, or with others:
``way.similarities(order)`` learns from the pairs (x_i, y_order[i]) and returns two arrays of shape (n_test, n_test):
how similar what comes of each held-out stimulus of X is to each of Y, and what comes of Y to X. All arrays are float64,
and centred on the stimuli learned from.
"""

from __future__ import annotations

import numpy as np

from consilience.metrics.anchors import cosines
from consilience.metrics.local_cka import LocalCka

PENALTIES = np.logspace(-5, 3, 17)  # of a ridge regression, in units of the mean squared length of a stimulus


class Cosines:
    """Held-out stimuli by their cosines to those learned from: a relative representation (Moschella et al. 2023)."""

    def __init__(self, x_train, x_test, y_train, y_test):
        self.x, self.y = self.profiles(x_test, x_train), self.profiles(y_test, y_train)

    def similarities(self, order):
        found = cosines(self.x, self.y[:, order])
        return found, found.T

    profiles = staticmethod(cosines)


class Angles(Cosines):
    """The same by angles, as Indra representations have it (Lu et al. 2025)."""

    @staticmethod
    def profiles(test, train):
        return np.arccos(cosines(test, train))


class Linear:
    """Two ridge regressions, one from X to Y and one back."""

    def __init__(self, x_train, x_test, y_train, y_test):
        self.x_train, self.x_test, self.y_train, self.y_test = x_train, x_test, y_train, y_test
        self.from_x, self.from_y = Ridge(x_train, x_test), Ridge(y_train, y_test)

    def similarities(self, order):
        y = self.from_x.predict(self.y_train[order])
        x = self.from_y.predict(self.x_train[np.argsort(order)])
        return cosines(y, self.y_test), cosines(x, self.x_test)


class Orthogonal:
    """One rotation, with reflection, that brings X onto Y; its transpose leads back (Schönemann 1966)."""

    def __init__(self, x_train, x_test, y_train, y_test):
        self.x_train, self.x_test = onto_axes(x_train, x_test)
        self.y_train, self.y_test = onto_axes(y_train, y_test)

    def similarities(self, order):
        left, _, right = np.linalg.svd(self.x_train.T @ self.y_train[order], full_matrices=False)
        turn = left @ right
        return cosines(self.x_test @ turn, self.y_test), cosines(self.y_test @ turn.T, self.x_test)


class Ridge:
    """A ridge regression of many units at once, under one penalty that generalised cross-validation chooses.

    Parameters
    ----------
    train : array of shape (n_train, n_units)
        Centred.
    test : array of shape (n_test, n_units)

    Notes
    -----
    Source: Golub et al. 1979. What belongs to `train` alone is decomposed once, so that other targets cost
    O(n_train rank n_targets).
    """

    def __init__(self, train, test):
        self.left, values, axes = decomposed(train)
        self.test = test @ axes.T
        power = values**2
        penalty = PENALTIES[:, None] * power.sum() / len(train)
        self.gain = values / (power + penalty)
        self.lost = penalty / (power + penalty)
        self.free = len(train) - 1 - len(values) + self.lost.sum(1)  # degrees of freedom that the fit leaves

    def predict(self, targets):
        """What `test` should be, learned from `targets` of shape (n_train, n_targets), centred."""
        along = self.left.T @ targets
        power = np.square(along).sum(1)
        beyond = max(np.square(targets).sum() - power.sum(), 0.0)
        error = (beyond + self.lost**2 @ power) / self.free**2
        return self.test @ (self.gain[error.argmin()][:, None] * along)


def onto_axes(train, test):
    """Both on the principal axes of `train`, so that there are no more columns than stimuli learned from."""
    axes = decomposed(train)[2]
    return train @ axes.T, test @ axes.T


def decomposed(train):
    """Singular vectors and values of `train`, without those that rounding alone has made."""
    left, values, axes = np.linalg.svd(train, full_matrices=False)
    kept = values > values[0] * len(train) * np.finfo(float).eps
    return left[:, kept], values[kept], axes[kept]


WAYS = {"anchors": Cosines, "indra": Angles, "linear": Linear, "orthogonal": Orthogonal, "local_cka": LocalCka}
