"""Scores over the edges that two graphs of neighbours have in common, under many orders of the stimuli of one."""

from __future__ import annotations

import numpy as np

from consilience.core import roads, twin_permutations
from consilience.core.memory import need
from consilience.core.permutations import edges
from consilience.core.progress import progress


def permuted_hsic(a, b, orders):
    r"""Unbiased HSIC of two kernels over the neighbours that they have in common, times n (n - 3).

    .. math:: \sum_{uv} K_{uv} L_{vu} + \frac{K_{\cdot\cdot} L_{\cdot\cdot}}{(n-1)(n-2)}
              - \frac{2}{n-2} \sum_v K_{\cdot v} L_{v \cdot}

    Parameters
    ----------
    a, b : sequence of (weights, values)
        csr_arrays of one pattern and of shape (n_stimuli, n_stimuli), without a diagonal: how much of a neighbour one
        is, and the kernel, which is symmetric. Both weights multiply K, from `a`, and L, from `b`.
    orders : Orders
        Of the stimuli of `b`.

    Returns
    -------
    float64 array of shape (draws, len(a), len(b))
        The same bits for any number of threads.

    Notes
    -----
    O(edges) time for each draw and pair. Memory: 16 n bytes a pair, for each thread.
    """
    if roads.road() == "twin":
        return twin_permutations.permuted_hsic(a, b, orders)
    a, b = ([(*edges(W, np.float64)[:2], with_kernel(W, K)) for W, K in side] for side in (a, b))
    return by_core(roads.compiled.permuted_hsic, a, b, orders, 16)


def permuted_best_edges(a, b, orders):
    """Sums over rows of the largest product of two weights on an edge that both graphs have.

    Parameters
    ----------
    a, b : sequence of csr_arrays of shape (n_stimuli, n_stimuli)
        Weights that are not negative.
    orders : Orders
        Of the stimuli of `b`.

    Returns
    -------
    float64 array of shape (draws, len(a), len(b))
        The same bits for any number of threads.
    """
    if roads.road() == "twin":
        return twin_permutations.permuted_best_edges(a, b, orders)
    a, b = ([edges(W, np.float64) for W in side] for side in (a, b))
    return by_core(roads.compiled.permuted_best_edges, a, b, orders, 8)


def by_core(sum_over, a, b, orders, each):
    """What the compiled core makes of the graphs; `each` is what it takes for a pair and stimulus, in bytes."""
    threads, pairs = roads.thread_count(), len(a) * len(b)
    what = f"{orders.draws:,} permutations of {len(a)} x {len(b)} graphs of {orders.n:,} stimuli"
    need(8 * orders.draws * pairs + each * threads * pairs * orders.n, what)
    sums = np.empty((orders.draws, len(a), len(b)))
    with progress("permutations") as tell:
        sum_over(a, b, orders.source, sums, threads=threads, tell=tell)
    return sums


def with_kernel(W, K):
    """For each edge its weight, that times the kernel, and that times the weight of the edge back."""
    return np.column_stack([W.data, W.data * K.data, W.data * K.data * backwards(W)])


def backwards(W):
    """For each edge of a sorted graph the weight of the one that leads back, 0 where there is none."""
    n = W.shape[0]
    rows, columns = np.repeat(np.arange(n), np.diff(W.indptr)), W.indices.astype(np.int64)
    places = rows * n + columns
    back = np.minimum(np.searchsorted(places, columns * n + rows), W.nnz - 1)
    return np.where(places[back] == columns * n + rows, W.data[back], 0.0)
