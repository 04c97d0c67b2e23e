"""The whole numbers behind the exact null of mutual k-NN, counted in the graph of nearest neighbours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from consilience.check import InputError, check_k
from consilience.core import roads, twin_relations
from consilience.core.fit import check_threads
from consilience.core.memory import need
from consilience.core.progress import progress


class GraphSums(NamedTuple):
    """Counts in a graph A where every one of n stimuli points at k others; c_i is how many point at i.

    Attributes
    ----------
    n, k : int
    mutual : int
        Sum of A_ij A_ji: twice the number of pairs that point at each other.
    squares, cubes : int
        Sums of c_i² and c_i³.
    mutual_into : int
        Sum of c_i times the number of stimuli that i points at and is pointed at by.
    along : int
        Sum of c_i c_j over all edges from i to j.
    transitive, cyclic : int
        Sums of (AA)_ij A_ij and of (AA)_ij A_ji: two steps that an edge shortens, or closes.
    """

    n: int
    k: int
    mutual: int
    squares: int
    cubes: int
    mutual_into: int
    along: int
    transitive: int
    cyclic: int


def graph_sums(indices, *, threads=None):
    """The seven statistics by which a graph of k nearest neighbours enters the null of mutual k-NN.

    Parameters
    ----------
    indices : integer array of shape (n_stimuli, k)
        Row i holds the k different others at which i points, in any order; as :func:`consilience.core.neighbors`
        returns them. Of a `csr_array` with k entries a row it is ``graph.indices.reshape(n, k)``.
    threads : int, optional
        By default all processors that the process may use.

    Returns
    -------
    GraphSums
        Whole numbers, exact: Python's own integers.

    Raises
    ------
    InputError
        If `indices` is no such array, or n k exceeds three billion, where 64 bits would overflow.

    Notes
    -----
    O(n k²) time, on the CPU: neighbours found on a GPU come to main memory, where the graph is small. Memory: the
    edges twice more, and n bytes a thread.
    """
    indices = check_indices(indices)
    n, k = indices.shape
    into = np.bincount(indices.ravel(), minlength=n)
    mutual, transitive, cyclic = _by_road(indices, threads)
    sizes, times = np.unique(into, return_counts=True)
    return GraphSums(
        n,
        k,
        mutual=int(mutual.sum()),
        squares=int(into @ into),
        cubes=sum(int(size) ** 3 * int(often) for size, often in zip(sizes, times, strict=True)),
        mutual_into=int(mutual @ into),
        along=int(into @ into[indices].sum(1)),
        transitive=int(transitive.sum()),
        cyclic=int(cyclic.sum()),
    )


def check_indices(indices):
    """Neighbours of each stimulus: whole numbers, none of them its own row, none twice in a row."""
    indices = np.asarray(indices)
    if indices.ndim != 2 or indices.dtype.kind not in "iu":
        raise InputError(
            f"indices has shape {indices.shape} and dtype {indices.dtype}; give whole numbers, (n_stimuli, k)."
        )
    n, k = indices.shape
    check_k(k, n)
    if (n * k) ** 2 >= 2**63:
        raise InputError(
            f"indices holds {n * k:,} neighbours, whose counts overflow; use fewer stimuli, or a smaller k."
        )
    need(32 * n * k, f"The counts in a graph of {n:,} stimuli with {k} neighbours each")
    if indices.min() < 0 or indices.max() >= n:
        raise InputError(f"indices names rows outside 0 to {n - 1}.")
    ordered = np.sort(indices, axis=1)
    if (ordered[:, 1:] == ordered[:, :-1]).any() or (indices == np.arange(n)[:, None]).any():
        raise InputError("indices names a neighbour twice in one row, or a stimulus as its own neighbour.")
    return np.ascontiguousarray(indices, dtype=np.int64)


def _by_road(indices, threads):
    """For each row, edges that are returned, and two steps that an edge shortens or closes."""
    if roads.road() == "twin":
        return twin_relations.graph_sums(indices)
    counts = [np.empty(len(indices), np.int64) for _ in range(3)]
    threads = roads.thread_count() if threads is None else check_threads(threads)
    with progress("graph sums") as tell:
        roads.compiled.graph_sums(indices, *counts, threads=threads, tell=tell)
    return counts
