"""The sums over a u-centred kernel matrix that the exact null of debiased CKA is made of, without the matrix."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from consilience.check import InputError, check_array, check_choice
from consilience.core import cuda, roads, twin_relations
from consilience.core.fit import check_threads
from consilience.core.kernel_sums import FEW, fit_kernel
from consilience.core.memory import need
from consilience.core.progress import progress
from consilience.core.twin_sums import CHUNK, centred

KERNELS = ("linear", "cosine")  # those whose matrix is one of products of rows
ROUNDING = 1e-10  # a matrix of which centring leaves no larger part is zero but for rounding
MOST_TAKEN = 8  # times what is left of A A may be taken from its tiles before float32 would show


class CentredSums(NamedTuple):
    """What one u-centred matrix A contributes to a null; q_i stands for the sum of A_ij² over j.

    Attributes
    ----------
    square : float
        Sum of A_ij².
    cube : float
        Sum of A_ij³.
    trace : float
        tr A³.
    fourth : float64 array of shape (5,)
        Sums of A_ij⁴, of q_i², of A_ij² (AA)_ij, of (AA)_ij², and the square of `square`.
    """

    square: float
    cube: float
    trace: float
    fourth: np.ndarray


def relation_sums(X, kernel="linear", *, threads=None):
    r"""Powers, tr A³ and the fourth-order sums of a u-centred kernel matrix A at unit norm.

    .. math:: A_{ij} \propto K_{ij} - \frac{K_{i\cdot} + K_{\cdot j}}{n-2} + \frac{K_{\cdot\cdot}}{(n-1)(n-2)}
              \quad (i \ne j), \qquad A_{ii} = 0, \qquad \sum_{ij} A_{ij}^2 = 1

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units)
        NumPy, PyTorch, CuPy or anything that speaks DLPack; a CUDA tensor is computed on its device and stream, and
        the sums come to main memory.
    kernel : {"linear", "cosine"}
        K holds the products of rows, units centred; for "cosine" each row is first brought to length one.
    threads : int, optional
        By default all processors that the process may use. The result does not depend on it.

    Returns
    -------
    CentredSums
        Of A: what :func:`consilience.moments.centred_moments` asks of each side.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_array`; if `kernel` is unknown; if a row has no direction, or all have the
        same (cosine); or if nothing is left of the matrix after centring.

    Notes
    -----
    Two matrices of products are computed tile by tile, K and one that becomes A A; `src/core/relation_sums.hpp`
    derives it. Rows are centred, and all that belongs to one row is computed, in float64. Tiles are in float32, sums
    beyond one row of a tile in float64: skewness and kurtosis of a null move by less than 1e-6 of their size. All is
    in float64 where the input is; up to 1,000 stimuli; and where float32 would show: if more than eight times what is
    left of A A had to be taken from its tiles, as with one stimulus far from all others. In float64 the error is below
    1e-10, and 1e-6 for a stimulus at 100,000 standard deviations.

    The same bits for any number of threads, with AVX2 or AVX-512; a GPU and the NumPy twin agree to rounding.
    O(n² n_units) time. Memory: four copies of X in float64; never n².
    """
    check_choice(kernel, "kernel", KERNELS)
    if cuda.is_on_device(X):
        library = cuda.library_of(X)
        X = cuda.check_on_device(library, X, kernel, "X")
        with cuda.device_of(library, X):
            return sums_of_rows(cuda.centred(X, kernel), X.dtype == library.float64, library)
    X = fit_kernel(check_array(X), kernel)
    return sums_of_rows(centred(X, kernel), X.dtype == np.float64, threads=threads)


def sums_of_rows(Z, in_double, library=np, *, threads=None):
    """:func:`relation_sums` of rows in float64 that are centred, and of mean squared length about one."""
    if library is np:
        need(24 * len(Z) * Z.shape[1], f"The relation sums of {len(Z):,} stimuli")
    W, u, p, e, q = row_terms(Z, library)
    square, steps = q.sum(), q @ q
    if not square > ROUNDING * (q - 2 * p + e * e).sum():
        raise nothing_left("X")
    in_double = in_double or len(Z) <= FEW
    cube, fourth, trace, with_square, walks = _by_road(Z, W, u, p, e, in_double, threads)
    taken = 4 * (e * e) @ q + 2 * len(Z) * p @ p + 2 * p.sum() ** 2
    if not in_double and taken > MOST_TAKEN**2 * walks:
        cube, fourth, trace, with_square, walks = _by_road(Z, W, u, p, e, True, threads)
    fourth = np.array([fourth, steps, with_square, walks + steps, square**2]) / square**2
    return CentredSums(1.0, float(cube / square**1.5), float(trace / square**1.5), fourth)


def row_terms(Z, library=np):
    """W, whose products are those of K K and more, and for each row u, p, e and the sum of squares of A.

    Z lies in main memory or on a device, where `library` made it; W stays there, the rest comes to main memory.
    """
    n = len(Z)
    g = library.einsum("ij,ij->i", Z, Z)
    u = (g - g.sum() / (2 * (n - 1))) / (n - 2)
    e = g + 2 * u
    p = Z @ (Z.T @ u) + u.sum() * u + u @ u / 2
    R, last = triangle(Z, library), n**0.5 * u[:, None]
    W = library.concatenate([library.concatenate([Z[some] @ R.T, last[some]], axis=1) for some in parts(Z)])
    q = library.einsum("ij,ij->i", W, W) + 2 * p - e * e
    return W, *((u, p, e, q) if library is np else map(cuda.to_numpy, (u, p, e, q)))


def triangle(Z, library=np):
    """R of Z = Q R; then Z R' R Z' is the square of Z Z'."""
    R = Z[:0]
    for some in parts(Z):
        found = library.linalg.qr(library.concatenate([R, Z[some]]), mode="r")
        R = found[1] if isinstance(found, tuple) else found  # PyTorch returns an empty Q too
    return R


def parts(Z):
    """A few rows at a time, for little memory, and so that a Ctrl-C is heard."""
    step = max(Z.shape[1], CHUNK // Z.shape[1])
    return [slice(start, start + step) for start in range(0, len(Z), step)]


def nothing_left(name):
    """The error where a kernel does not vary."""
    return InputError(
        f"The kernel of {name} is constant over pairs of different stimuli, so its HSIC with itself is not positive "
        "and CKA has no value. Use more stimuli, units that tell more than one of them apart, or a wider bandwidth."
    )


def _by_road(Z, W, u, p, e, in_double, threads):
    """Sums of A³, A⁴, A (AA), A² (AA) and (AA)² over i != j, by the road of the day."""
    sums = np.empty(5)
    if cuda.is_on_device(Z):
        cuda.relation_sums(Z, W, u, p, e, sums, in_double)
        return sums
    road = roads.road()
    if road == "twin":
        return twin_relations.relation_sums(Z, W, u, p, e)
    threads = roads.thread_count() if threads is None else check_threads(threads)
    with progress("relation sums") as tell:
        roads.compiled.relation_sums(Z, W, u, p, e, sums, in_double=in_double, isa=road, threads=threads, tell=tell)
    return sums
