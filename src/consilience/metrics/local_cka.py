"""Two stimuli are mates if adding them to pairs that are known makes the two representations most alike."""

from __future__ import annotations

import numpy as np


class LocalCka:
    r"""Linear CKA of the pairs learned from with one more pair, for each two held-out stimuli.

    .. math:: \mathrm{CKA}\left( \begin{bmatrix} X \\ x_i \end{bmatrix},
                                 \begin{bmatrix} Y \\ y_j \end{bmatrix} \right)

    Parameters
    ----------
    x_train, x_test, y_train, y_test : arrays
        As every way in :mod:`consilience.metrics.maps` has them, centred on the stimuli learned from.

    Notes
    -----
    Source: Maniparambil et al. 2024. With K and L the products of stimuli learned from, a and b those of the new
    stimulus with them, α and β its own, and c = n / (n + 1), the products of all, centred, have the inner product

    .. math:: \langle K, L \rangle + 2 c \, a^\top b + c^2 \alpha \beta

    since rows of K and L, and a and b, sum to zero. So a table of all pairs costs one product of matrices.
    """

    def __init__(self, x_train, x_test, y_train, y_test):
        self.share = len(x_train) / (len(x_train) + 1)
        self.x, self.y = Appended(x_train, x_test), Appended(y_train, y_test)

    def similarities(self, order):
        shared = np.vdot(self.x.known, self.y.known[np.ix_(order, order)])
        new = 2 * self.share * self.x.new @ self.y.new[:, order].T
        own = np.multiply.outer(self.share * self.x.own, self.share * self.y.own)
        norms = np.sqrt(np.multiply.outer(self.x.square(self.share), self.y.square(self.share)))
        table = (shared + new + own) / norms
        return table, table.T


class Appended:
    """Products of stimuli of one side: those learned from (known), with each held out (new), and its own."""

    def __init__(self, train, test):
        scale = np.sqrt(np.square(train).sum(1).mean()) or 1.0
        train, test = train / scale, test / scale
        self.known, self.new, self.own = train @ train.T, test @ train.T, np.square(test).sum(1)

    def square(self, share):
        """Inner product of the centred products with themselves, for each stimulus held out."""
        return np.square(self.known).sum() + 2 * share * np.square(self.new).sum(1) + (share * self.own) ** 2
