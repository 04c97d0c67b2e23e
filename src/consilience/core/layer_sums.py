"""The sums that HSIC and CKA need, for all pairs of layers of one model or of two, each kernel matrix met once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from consilience.check import InputError, check_array, check_choice
from consilience.core import cuda, roads, twin_sums
from consilience.core.fit import check_threads
from consilience.core.hsic import biased, unbiased
from consilience.core.kernel_sums import (
    FAINT,
    FAINT_IN_PARTS,
    FEW,
    KERNELS,
    arithmetic,
    check_bandwidth,
    fit_kernel,
    median_distance,
    value_at_median,
)
from consilience.core.memory import need
from consilience.core.progress import progress
from consilience.core.twin_sums import centred
from consilience.core.units import product_of_units, squares, units_are_cheaper

TILES = 4 * 192 * 192 * 4  # bytes of four tiles of one layer, for each thread
RUNS = 256 * 8  # bytes of unfinished sums of one pair


class LayerHsic(NamedTuple):
    """HSIC by one estimator: of each layer a with each b, of each a with itself, of each b with itself.

    CKA is ``ab / np.sqrt(np.outer(aa, bb))``.
    """

    ab: np.ndarray
    aa: np.ndarray
    bb: np.ndarray


@dataclass(frozen=True, eq=False)
class LayerSums:
    """Sums over the kernel matrices A of some layers and B of others, each less a constant to which HSIC is blind.

    Attributes
    ----------
    n : int
        Stimuli.
    ab : float64 array of shape (n_layers_a, n_layers_b)
        Sums of A_ij B_ij over i != j.
    aa, bb : float64 arrays of shape (n_layers_a,), (n_layers_b,)
        Sums of A_ij² and of B_ij² over i != j.
    a_rows, b_rows : float64 arrays of shape (n_layers_a, n), (n_layers_b, n)
        Sums of each row over j != i.
    a_diagonals, b_diagonals : float64 arrays of shape (n_layers_a, n), (n_layers_b, n)
    """

    n: int
    ab: np.ndarray
    aa: np.ndarray
    bb: np.ndarray
    a_rows: np.ndarray
    b_rows: np.ndarray
    a_diagonals: np.ndarray
    b_diagonals: np.ndarray

    @property
    def hsic_unbiased(self):
        """See :func:`consilience.core.hsic.unbiased`."""
        n, a, b = self.n, self.a_rows, self.b_rows
        return LayerHsic(unbiased(n, self.ab, a[:, None], b), unbiased(n, self.aa, a, a), unbiased(n, self.bb, b, b))

    @property
    def hsic_biased(self):
        """See :func:`consilience.core.hsic.biased`."""
        n, a, b, a_own, b_own = self.n, self.a_rows, self.b_rows, self.a_diagonals, self.b_diagonals
        return LayerHsic(
            biased(n, self.ab, a[:, None], b, a_own[:, None], b_own),
            biased(n, self.aa, a, a, a_own, a_own),
            biased(n, self.bb, b, b, b_own, b_own),
        )


def layer_sums(layers_a, layers_b=None, kernel="linear", bandwidth=1.0, *, threads=None, precision="auto"):
    r"""What :func:`kernel_sums` returns, for each of some layers with each of others.

    Parameters
    ----------
    layers_a : list of arrays of shape (n_stimuli, n_units)
    layers_b : list of arrays of shape (n_stimuli, n_units), optional
        Row i of all arrays answers the same stimulus; numbers of units and dtypes may differ. By default the layers
        of a, with each other. CUDA tensors are computed on their device and stream, and the sums come to main memory.
    kernel : {"linear", "cosine", "rbf", "laplacian"}
    bandwidth : float
        Both as in :func:`kernel_sums`; the median distance is each layer's own.
    threads : int, optional
        By default all processors that the process may use. The result does not depend on it.
    precision : {"auto", "float32", "3xbf16"}
        As in :func:`kernel_sums`, for all layers together; CUDA tensors are multiplied in float32.

    Returns
    -------
    LayerSums
        Its `hsic_unbiased` and `hsic_biased` are the estimates. Each pair's sums are those that :func:`kernel_sums`
        finds for it, but for rounding.

    Raises
    ------
    InputError
        If either argument is no list of arrays, or an empty one; and as :func:`kernel_sums`, naming the layer.

    Notes
    -----
    Tiles of all layers' kernels at one place are computed together, each once, and multiplied with each other while
    they are in cache: O(n² sum of units) time, and n² / 2 for each pair of layers. In float32 or float64 as
    :func:`kernel_sums` chooses; float64 for all layers as soon as one asks for it. For "linear" and "cosine", where it
    takes fewer multiplications (:func:`consilience.core.units.units_are_cheaper`), the sums come from products of
    units instead, in float64: O(n sum of units_a times units_b).

    The same bits for any number of threads, in "float32" also with AVX2 or AVX-512; a GPU and the NumPy twin agree
    to rounding. Memory: a packed copy of all layers, a few tiles of each for each thread (590 kB), and O(layers n);
    never n².
    """
    check_choice(kernel, "kernel", KERNELS)
    check_bandwidth(bandwidth)
    threads = roads.thread_count() if threads is None else check_threads(threads)
    layers = check_layers(layers_a, layers_b, kernel)
    cuda.check_precision(next(iter(layers.values())), precision, cuda.ON_CPU)
    of_a, arrays = len(layers_a), list(layers.values())
    widths = [X.shape[1] for X in arrays]
    has_units = kernel in ("linear", "cosine") and not cuda.is_on_device(arrays[0])
    if has_units and units_are_cheaper(len(arrays[0]), widths[:of_a], widths[of_a:]):
        return _by_units(arrays, of_a, kernel)
    spreads, shift = [0.0] * len(arrays), 0.0
    if kernel in ("rbf", "laplacian"):
        spreads = [bandwidth * median_distance(X, name, threads=threads) for name, X in layers.items()]
        shift = value_at_median(kernel, bandwidth)
    in_double = len(arrays[0]) <= FEW or any(str(X.dtype).endswith("float64") for X in arrays)
    precision = "float32" if cuda.is_on_device(arrays[0]) else arithmetic(precision, arrays)
    sums = _by_road(arrays, of_a, kernel, spreads, shift, threads, precision, in_double)
    faint = FAINT if precision == "float32" else FAINT_IN_PARTS
    if not in_double and min(map(np.min, sums.hsic_unbiased[1:])) < faint:
        sums = _by_road(arrays, of_a, kernel, spreads, shift, threads, precision, in_double=True)
    return sums


def check_layers(layers_a, layers_b, kernel):
    """All layers, ready for the core, by the names that messages call them by: "layers_a[0]", ..."""
    layers = {}
    for side, given in (("layers_a", layers_a), ("layers_b", layers_b)):
        if given is None and side == "layers_b":
            continue
        if not isinstance(given, list | tuple) or not given:
            found = "empty" if isinstance(given, list | tuple) else f"a {type(given).__name__}"
            raise InputError(f"{side} is {found}; give a list of arrays (n_stimuli, n_units), one for each layer.")
        layers |= {f"{side}[{l}]": X for l, X in enumerate(given)}
    first, X = next(iter(layers.items()))
    if cuda.is_on_device(X):
        layers = cuda.check_layers(layers, kernel)
    else:
        layers = {name: fit_kernel(check_array(X, name), kernel, name) for name, X in layers.items()}
    n = len(layers[first])
    for name, X in layers.items():
        if len(X) != n:
            raise InputError(
                f"{first} has {n} stimuli (rows) and {name} has {len(X)}; row i of all layers must answer the same "
                "stimulus."
            )
    return layers


def _by_units(arrays, of_a, kernel):
    """The sums, from products of units: see :mod:`consilience.core.units`."""
    need(8 * sum(X.size for X in arrays), f"A copy in float64 of {len(arrays)} layers")
    arrays = [centred(X, kernel) for X in arrays]
    diagonals = np.stack([squares(A) for A in arrays])
    count = len(arrays)
    products = np.full((count, count), np.nan)  # what nobody asks for stays unknown
    for a in range(count):
        for b in range(a, count):
            if a == b or of_a == count or a < of_a <= b:
                products[a, b] = products[b, a] = product_of_units(arrays[a], arrays[b], diagonals[a], diagonals[b])
    return _two_sides(products, -diagonals, diagonals, of_a)


def _by_road(arrays, of_a, kernel, spreads, shift, threads, precision, in_double):
    """The sums, by the road of the day."""
    n, count = len(arrays[0]), len(arrays)
    sums = np.empty((count, count)), np.empty((count, n)), np.empty((count, n))
    if cuda.is_on_device(arrays[0]):
        cuda.layer_sums(arrays, kernel, spreads, shift, in_double, *sums)
        return _two_sides(*sums, of_a)
    packed = n * (8 if in_double else 4) * sum(X.shape[1] for X in arrays)
    need(packed + count * (24 * n + threads * TILES) + RUNS * count**2, f"The sums of {count} layers of {n:,} stimuli")
    if (road := roads.road()) == "twin":
        sums = twin_sums.layer_sums(arrays, kernel, spreads, shift)
    else:
        with progress("sums of layers") as tell:
            roads.compiled.layer_sums(
                arrays,
                kernel,
                spreads,
                shift,
                *sums,
                arithmetic="float64" if in_double else precision,
                isa=road,
                threads=threads,
                tell=tell,
            )
    return _two_sides(*sums, of_a)


def _two_sides(products, rows, diagonals, of_a):
    """From sums over all layers to those of a with b; where there is no b, a stands on both sides."""
    count, n = rows.shape
    a, b = slice(of_a), slice(0 if of_a == count else of_a, count)
    own = products.diagonal()
    return LayerSums(n, products[a, b], own[a], own[b], rows[a], rows[b], diagonals[a], diagonals[b])
