"""The sums over two kernel matrices that HSIC and CKA need, without either matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from consilience.check import InputError, as_numpy, check_choice, check_pair
from consilience.core import cuda, roads, twin_sums
from consilience.core.fit import check_threads, fit
from consilience.core.hsic import biased, unbiased
from consilience.core.memory import need
from consilience.core.progress import progress

KERNELS = ("linear", "cosine", "rbf", "laplacian")
MOST_IN_MEDIAN = 2000  # stimuli whose distances are all looked at: two million
FEW = 1000  # up to so many stimuli float64 costs milliseconds
WIDE = 64  # units from which on their products are what takes the time
FAINT = 1e-9  # what float32 can still tell, to five digits, from its own rounding
FAINT_IN_PARTS = 1e-7  # the same for three products in tf32, whose sums are cut off, not rounded, or in bfloat16


class Hsic(NamedTuple):
    """HSIC of K with L, of K with itself, and of L with itself, by one estimator."""

    kl: float
    kk: float
    ll: float


@dataclass(frozen=True, eq=False)
class KernelSums:
    """Sums over the kernel matrices K of X and L of Y, each less a constant to which HSIC is blind.

    Attributes
    ----------
    n : int
        Stimuli.
    kl, kk, ll : float
        Sums of K_ij L_ij, K_ij² and L_ij² over i != j.
    k_rows, l_rows : float64 arrays of shape (n,)
        Sums of each row over j != i.
    k_diagonal, l_diagonal : float64 arrays of shape (n,)
    """

    n: int
    kl: float
    kk: float
    ll: float
    k_rows: np.ndarray
    l_rows: np.ndarray
    k_diagonal: np.ndarray
    l_diagonal: np.ndarray

    @property
    def hsic_unbiased(self):
        """See :func:`consilience.core.hsic.unbiased`."""
        n, k, l = self.n, self.k_rows, self.l_rows
        return Hsic(
            float(unbiased(n, self.kl, k, l)), float(unbiased(n, self.kk, k, k)), float(unbiased(n, self.ll, l, l))
        )

    @property
    def hsic_biased(self):
        """See :func:`consilience.core.hsic.biased`."""
        n, k, l, k_own, l_own = self.n, self.k_rows, self.l_rows, self.k_diagonal, self.l_diagonal
        return Hsic(
            float(biased(n, self.kl, k, l, k_own, l_own)),
            float(biased(n, self.kk, k, k, k_own, k_own)),
            float(biased(n, self.ll, l, l, l_own, l_own)),
        )


def kernel_sums(X, Y, kernel="linear", bandwidth=1.0, *, threads=None, precision="auto"):
    r"""All that HSIC and CKA need to know of two kernel matrices, in one pass and without storing either.

    .. math:: \sum_{i \ne j} K_{ij} L_{ij}, \quad \sum_{i \ne j} K_{ij}^2, \quad \sum_{i \ne j} L_{ij}^2, \quad
              \sum_{j \ne i} K_{ij}, \quad \sum_{j \ne i} L_{ij}

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus. NumPy, PyTorch, CuPy or anything that speaks DLPack; CUDA
        tensors are computed on their device and stream, and the sums come to main memory.
    kernel : {"linear", "cosine", "rbf", "laplacian"}
        With d the Euclidean distance: exp(-d² / 2 s²) is "rbf", exp(-d / s) "laplacian". "linear" is the product of
        two rows, units centred, in units of the mean squared length of a row; "cosine" the same of rows of length
        one. (That differs from the cosine itself by terms that belong to one row, to which HSIC is blind.)
    bandwidth : float
        s as a multiple of the median distance between stimuli, for X and Y apart. The median is exact up to 2,000
        stimuli; of more it is that of 2,000, drawn at random but always the same for one n.
    threads : int, optional
        By default all processors that the process may use. The result does not depend on it.
    precision : {"auto", "float32", "3xbf16", "tf32", "3xtf32", "bf16"}
        How rows are multiplied: by ordinary arithmetic ("float32"), or in parts. On CPUs with AMX "3xbf16" takes three
        products of bfloat16 for one. For CUDA tensors on tensor cores, "3xtf32" takes three of tf32, "tf32" and "bf16"
        one. CKA moves by about 1e-8 ("3xtf32", "3xbf16"), 1e-6 ("tf32") or 1e-5 ("bf16"); where rows have few units, or
        little is left of a kernel, by up to a hundred times as much. "auto" is "3xtf32" where there are tensor cores,
        "3xbf16" where there is AMX and rows have 64 units or more, else "float32". What has to be in float64, see
        below, is so in every mode.

    Returns
    -------
    KernelSums
        Its `hsic_unbiased` and `hsic_biased` are the estimates. From "rbf" and "laplacian" the value at the median
        distance is subtracted, exp(-1 / 2 bandwidth²) and exp(-1 / bandwidth), so that no digit is lost to it.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`; if `kernel`, `bandwidth` or `precision` is out of range; if a row has
        no direction, or all have the same (cosine); or if more than half of the pairs of stimuli are identical (rbf,
        laplacian).

    Notes
    -----
    Rows are centred in float64 first. Then tiles of both matrices are computed in float32 or from parts, sums beyond
    one row of a tile in float64: against float64 throughout, CKA moves by about 1e-8. All is in float64 where either
    array is; up to 1,000 stimuli; for "laplacian", since the root of a rounding error is large; and where float32 would
    show: rows more than eight s from the mean, or next to nothing left of a kernel after centring. Parts give way to
    float32 from three s on.

    The same bits for any number of threads, in "float32" also with AVX2 or AVX-512; a GPU and the NumPy twin agree to
    rounding.
    O(n² (n_units_x + n_units_y)) time. Memory: one packed copy of the input and O(n); never n².
    """
    check_choice(kernel, "kernel", KERNELS)
    check_bandwidth(bandwidth)
    cuda.check_precision(X, precision, cuda.ON_CPU)
    if cuda.is_on_device(X):
        X, Y = cuda.check_pair(X, Y, kernel)
    else:
        X, Y = check_pair(X, Y)
        X, Y = fit_kernel(X, kernel, "X"), fit_kernel(Y, kernel, "Y")
    spread = (0.0, 0.0, 0.0)
    if kernel in ("rbf", "laplacian"):
        medians = (median_distance(A, name, threads=threads) for A, name in ((X, "X"), (Y, "Y")))
        spread = (*(bandwidth * median for median in medians), value_at_median(kernel, bandwidth))
    in_double = len(X) <= FEW or any(str(A.dtype).endswith("float64") for A in (X, Y))
    if not cuda.is_on_device(X):
        precision = arithmetic(precision, (X, Y))
    sums = _by_road(X, Y, kernel, spread, threads, precision, in_double)
    if not in_double and min(sums.hsic_unbiased[1:]) < (FAINT if precision == "float32" else FAINT_IN_PARTS):
        sums = _by_road(X, Y, kernel, spread, threads, precision, in_double=True)
    return sums


def median_distance(X, name="X", *, threads=None):
    """The median Euclidean distance between two stimuli: exact up to 2,000 of them, else that of a fixed sample.

    Raises
    ------
    InputError
        If it is zero: more than half of all pairs are identical.
    """
    if len(X) > MOST_IN_MEDIAN:  # RandomState, because its stream is promised never to change
        X = X[np.sort(np.random.RandomState(0).permutation(len(X))[:MOST_IN_MEDIAN]).tolist()]
    if cuda.is_on_device(X):
        X = as_numpy(X if hasattr(X, "cpu") else X.get(), name)
    road = roads.road()
    median = 0.0
    if np.any(X[:1] != X):
        median = (
            twin_sums.median_distance(X)
            if road == "twin"
            else roads.compiled.median_distance(X, isa=road, threads=_threads(threads))
        )
    if not median > 0:
        raise InputError(
            f"More than half of the pairs of stimuli are identical in {name}, so the median distance is 0; "
            "use kernel='linear'."
        )
    return median


def arithmetic(precision, layers):
    """How the CPU multiplies: "3xbf16" where it was asked for or pays, else "float32"."""
    if precision == "auto":
        pays = roads.has_tiles() and min(X.shape[1] for X in layers) >= WIDE
        precision = "3xbf16" if pays else "float32"
    return precision


def value_at_median(kernel, bandwidth):
    """The kernel's own median over pairs, in float32: a constant near all its values."""
    return float(np.float32(np.exp(-1 / (2 * bandwidth**2) if kernel == "rbf" else -1 / bandwidth)))


def check_bandwidth(bandwidth):
    """A multiple of the median distance."""
    if not isinstance(bandwidth, int | float | np.number) or not 1e-3 <= bandwidth <= 1e3:
        raise InputError(
            f"bandwidth is {bandwidth!r}; it multiplies the median distance, and must lie in 0.001 to 1000."
        )


def fit_kernel(X, kernel, name="X"):
    """X as the core can walk over it, of a size whose squares float64 holds: no kernel here sees scale."""
    if X.dtype == np.float64:
        largest = max(X.max(), -X.min())
        if not 1e-100 < largest < 1e100:
            X = X / largest
    X = fit(X, kernel, name)
    if kernel == "cosine":
        first = np.einsum("ij,j->i", X, X[0], dtype=np.float64)
        lengths = np.sqrt(np.einsum("ij,ij->i", X, X, dtype=np.float64))
        if (first > (1 - 1e-14) * lengths * lengths[0]).all():
            raise InputError(f"All rows of {name} have the same direction, so no cosine differs from another.")
    return X


def _threads(threads):
    return roads.thread_count() if threads is None else check_threads(threads)


def _by_road(X, Y, kernel, spread, threads, precision, in_double):
    """The sums, by the road of the day."""
    products, rest = np.empty(3), [np.empty(len(X)) for _ in range(4)]
    if cuda.is_on_device(X):
        cuda.kernel_sums(X, Y, kernel, spread, in_double, precision, products, *rest)
        return KernelSums(len(X), *map(float, products), *rest)
    need(len(X) * ((8 if in_double else 4) * (X.shape[1] + Y.shape[1]) + 80), f"The kernel sums of {len(X):,} stimuli")
    if (road := roads.road()) == "twin":
        products, *rest = twin_sums.kernel_sums(X, Y, kernel, *spread)
    else:
        threads = _threads(threads)
        with progress("kernel sums") as tell:
            roads.compiled.kernel_sums(
                X,
                Y,
                kernel,
                spread,
                products,
                *rest,
                arithmetic="float64" if in_double else precision,
                isa=road,
                threads=threads,
                tell=tell,
            )
    return KernelSums(len(X), *map(float, products), *rest)
