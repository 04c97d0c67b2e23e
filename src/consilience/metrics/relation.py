"""What each representation brings to a score: a matrix that says how its stimuli relate to one another.

Debiased CKA and mutual k-NN are one statistic, the inner product of two such matrices. That is why one page of
formulas (:mod:`consilience.nulls`) serves both. Where a matrix is one of products of rows, the rows stand for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from consilience.core import permuted_products
from consilience.core.hsic import unbiased
from consilience.core.memory import need
from consilience.core.relation_sums import ROUNDING, nothing_left, sums_of_rows
from consilience.core.units import product_of_units, squares, units_are_cheaper

NARROW_FROM = 500  # stimuli, whose draws float32 moves by less than a millionth of their scatter


@dataclass(frozen=True)
class Relation:
    """The relation matrix of one representation, scaled so that a score is ``product(a, b)``.

    Attributes
    ----------
    matrix : ndarray or scipy.sparse.csr_array, shape (n_stimuli, n_stimuli)
    kind : {"u-centred", "symmetric", "neighbours", "shared neighbours", "centred"}
        "u-centred": symmetric, zero diagonal, rows sum to zero. "symmetric": with a zero diagonal, whatever its rows
        sum to. "neighbours": a 0/1 graph divided by a constant, every row with k ones. "shared neighbours": the same,
        but a tied k-th place is shared. "centred": symmetric with a diagonal. The first three have exact moments.
    scale : float
        The constant that the 0/1 graph was divided by; 1 otherwise.
    """

    matrix: np.ndarray | sparse.csr_array
    kind: str
    scale: float = 1.0

    @property
    def n(self):
        """Number of stimuli."""
        return self.matrix.shape[0]

    def ones(self):
        """A graph of k nearest neighbours in whole numbers, before it was scaled."""
        return self.matrix.astype(bool).astype(np.int64)

    def reordered(self, order):
        """The same, its stimuli in another order."""
        return replace(self, matrix=self.matrix[order][:, order])

    def part(self, rows):
        """The relation of some of the stimuli, of kind "u-centred" as this is: cut out, centred and scaled anew."""
        return cut(self.matrix, rows)


class LinearRelation:
    """The u-centred products of centred rows, at unit norm: a relation whose matrix may never be needed.

    Parameters
    ----------
    units : float64 array of shape (n_stimuli, n_units)
        Centred, with a mean squared length of about one.
    exact : bool
        Whether sums over tiles of the matrix are taken in float64 throughout.

    Attributes
    ----------
    matrix : ndarray of shape (n_stimuli, n_stimuli)
        As :class:`Relation` has it. Made at once where it costs no more than the units; else when somebody asks.

    Raises
    ------
    InputError
        If nothing is left of the matrix after centring.
    """

    kind, scale = "u-centred", 1.0

    def __init__(self, units, exact):
        self.units, self.exact = units, exact
        self.norm = 1.0  # until it is known
        n, d = units.shape
        made = not units_are_cheaper(n, [d], [d])
        square = np.square(self.matrix).sum() if made else u_centred_product(units, units)
        lengths = np.square(units).sum(1)
        taken = n / (n - 2) * lengths @ lengths - lengths.sum() ** 2 / ((n - 1) * (n - 2))
        if not square > ROUNDING * (square + taken):
            raise nothing_left("the array")
        self.norm = np.sqrt(square)
        if made:
            self.matrix /= self.norm

    @property
    def n(self):
        """Number of stimuli."""
        return len(self.units)

    @cached_property
    def matrix(self):
        need(32 * self.n**2, f"The relations of {self.n:,} stimuli, as a matrix,")
        return u_centre(self.units @ self.units.T) / self.norm

    @property
    def is_stored(self):
        """Is the matrix there already?"""
        return "matrix" in vars(self)

    def part(self, rows):
        """The relation of some of the stimuli, centred and scaled anew."""
        if self.is_stored:
            return cut(self.matrix, rows)
        units = self.units[rows]
        return LinearRelation(units - units.mean(0), self.exact)

    def reordered(self, order):
        """The same, its stimuli in another order."""
        return LinearRelation(self.units[order], self.exact)

    def sums(self):
        """What a null needs to know of it: :class:`consilience.core.CentredSums`."""
        return sums_of_rows(self.units, self.exact)


RELATIONS = (Relation, LinearRelation)


def product(a, b):
    """Inner product of two relations: sum over i, j of ``a[i, j] * b[i, j]``.

    O(n²), or O(n k) for neighbours; of two linear relations O(n d²) where that is less, without their matrices.
    """
    linear = isinstance(a, LinearRelation) and isinstance(b, LinearRelation)
    if linear and units_are_cheaper(a.n, [a.units.shape[1]], [b.units.shape[1]]):
        return float(u_centred_product(a.units, b.units) / (a.norm * b.norm))
    if sparse.issparse(a.matrix):
        return min(float(a.matrix.multiply(b.matrix).sum()), 1.0)  # a shared graph may sum to 1 and a rounding
    return float(np.einsum("ij,ij->", a.matrix, b.matrix))


def permuted_matrices(a, b, orders):
    """Inner products of many matrices in many orders of `b`: float64 of shape (draws, len(a), len(b)).

    Of 500 stimuli and more, dense matrices are taken in float32, at unit norm, so that none is too small for it.
    """
    if orders.n < NARROW_FROM or sparse.issparse(a[0]):
        return permuted_products(a, b, orders)
    need(4 * orders.n**2 * (len(a) + len(b)), f"A copy of {len(a) + len(b)} relations of {orders.n:,} stimuli")
    of_a, of_b = ([np.linalg.norm(A) for A in matrices] for matrices in (a, b))
    a = [(A / norm).astype(np.float32) for A, norm in zip(a, of_a, strict=True)]
    b = [(B / norm).astype(np.float32) for B, norm in zip(b, of_b, strict=True)]
    return permuted_products(a, b, orders) * np.multiply.outer(of_a, of_b)


def cut(matrix, rows):
    """The relation of some of the stimuli of a u-centred matrix, centred and scaled anew."""
    A = u_centre(matrix[np.ix_(rows, rows)])
    return Relation(A / np.linalg.norm(A), "u-centred")


def u_centre(K):
    """K with a zero diagonal and rows that sum to zero (Székely & Rizzo 2014): its inner products are unbiased."""
    n = len(K)
    K = K - np.diag(np.diag(K))
    row = K.sum(1) / (n - 2)
    K = K - row - row[:, None] + row.sum() / (n - 1)
    np.fill_diagonal(K, 0)
    return K


def u_centred_product(X, Y):
    """Inner product of the u-centred linear kernels of two centred arrays, from their units. O(n dx dy)."""
    x, y = squares(X), squares(Y)
    n = len(X)
    return n * (n - 3) * unbiased(n, product_of_units(X, Y, x, y), -x, -y)
