"""Exact k nearest neighbours, and the weights that ties need."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from consilience.check import InputError, check_array, check_choice, check_k
from consilience.core import cuda, roads, twin
from consilience.core.fit import check_narrow, check_threads, fit
from consilience.core.memory import need
from consilience.core.progress import progress

SIMILARITIES = ("cosine", "dot", "euclidean")
MOST_ROWS = 2**31 - 1  # columns are numbered in 32 bits while they wait in a row's list


def neighbors(X, k=10, similarity="cosine", *, others=None, threads=None, precision="auto"):
    r"""The k nearest neighbours of each row: exact, sorted, ties by index.

    .. math:: s_{ij} = \frac{x_i \cdot y_j}{\lVert x_i \rVert \lVert y_j \rVert}, \qquad x_i \cdot y_j,
              \qquad -\lVert x_i - y_j \rVert

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units)
        NumPy, PyTorch, CuPy or anything that speaks DLPack; a CUDA tensor is computed on its device and
        stream.
    k : int, 1 <= k < n_stimuli
        With `others`, 1 <= k <= n_others.
    similarity : {"cosine", "dot", "euclidean"}
        "euclidean" is minus the distance, so that larger is nearer in all three.
    others : array of shape (n_others, n_units), optional
        Where to look for neighbours. Without it they are sought in X, and no row is its own neighbour.
    threads : int, optional
        By default all processors that the process may use. The result does not depend on it.
    precision : {"auto", "float32", "tf32", "3xtf32", "bf16"}
        For CUDA tensors: how candidates are found, on tensor cores or by ordinary arithmetic ("float32"). The result
        does not depend on it, the time does. "auto" is "bf16" where there are tensor cores. float64 stays float64.

    Returns
    -------
    indices : int64 array of shape (n_stimuli, k)
        Nearest first; of equally near rows, the one with the smaller index.
    similarities : array of shape (n_stimuli, k)
        float64 if X or `others` is, else float32. For a CUDA tensor both results are its library's arrays, on
        its device.

    Raises
    ------
    InputError
        If X or `others` is no set of at least four finite rows (see :func:`consilience.check.check_array`), if
        they differ in units, if k, `similarity` or `precision` is out of range, if a row has no direction (cosine),
        or if squares would overflow or vanish.

    Notes
    -----
    A similarity is by definition a sum in float64 in a fixed order. Candidates are found in the input's own
    precision, tile by tile, or in bfloat16 where the CPU has tiles of it (AMX); all that rounding could have
    misplaced are judged again by the definition. So the result has the same bits for any number of threads, any
    instruction set and any precision, and identical rows are exactly tied.

    O(n² d) time. Memory: at most two packed copies of the input and O(n k). Many near ties (thousands of identical
    rows) cost time, and at most 1,000 n further indices.
    """
    check_choice(similarity, "similarity", SIMILARITIES)
    cuda.check_precision(X, precision)
    if cuda.is_on_device(X):
        return cuda.neighbors(X, k, similarity, others=others, precision=precision)[:2]
    X, others, k = _checked(X, k, similarity, others)
    indices, similarities, _ = _nearest(X, others, k, similarity, threads, want_ties=False)
    if np.float64 in (X.dtype, getattr(others, "dtype", None)):
        return indices, similarities
    check_narrow(np.abs(similarities).max())
    return indices, similarities.astype(np.float32)


def neighbor_weights(X, k=10, similarity="cosine", *, threads=None):
    """Who is a neighbour of whom, with a tied k-th place shared: row i of the result sums to k.

    A row's neighbours strictly nearer than its k-th place weigh 1. Those that tie for the last places share
    them equally: with three rows tied for the last two places, each weighs 2/3. Breaking such ties by index
    instead makes independent representations look aligned when stimuli repeat.

    Parameters
    ----------
    X, k, similarity, threads
        As in :func:`neighbors`.

    Returns
    -------
    scipy.sparse.csr_array of shape (n_stimuli, n_stimuli), float64
        Columns sorted within rows. A row with a tied k-th place holds more than k entries, so there was no
        tie at all if `weights.nnz == n_stimuli * k`. For a CUDA tensor, too, the weights lie in main memory.

    Raises
    ------
    InputError
        As :func:`neighbors`.

    Notes
    -----
    Tied means equal in the float64 definition of the similarity; identical rows always are. 16 bytes an
    entry, so O(n k) memory without ties; but if half of the rows are identical, they alone make n² / 4
    entries.
    """
    check_choice(similarity, "similarity", SIMILARITIES)
    if cuda.is_on_device(X):
        indices, _, ties = cuda.neighbors(X, k, similarity, want_ties=True)
        indices = cuda.to_numpy(indices)
    else:
        X, _, k = _checked(X, k, similarity)
        indices, _, ties = _nearest(X, None, k, similarity, threads, want_ties=True)
    return _shared(indices, *ties)


def _checked(X, k, similarity, others=None):
    """The arguments, once and for all."""
    if others is None:
        X = _fit(check_array(X, "X"), similarity, "X")
        return X, None, check_k(k, len(X))
    X, others = check_array(X, "X"), check_array(others, "others")
    if X.shape[1] != others.shape[1]:
        raise InputError(
            f"X has {X.shape[1]} units (columns) and others has {others.shape[1]}; "
            "neighbours are compared over the same units."
        )
    return _fit(X, similarity, "X"), _fit(others, similarity, "others"), check_k(k, len(others) + 1)


def _fit(X, similarity, name):
    """Rows that can be numbered, measured and walked over."""
    if len(X) > MOST_ROWS:
        raise InputError(f"{name} has {len(X)} rows; at most {MOST_ROWS} can be compared.")
    return fit(X, similarity, name)


def _nearest(X, others, k, similarity, threads, want_ties):
    """Indices, similarities (float64) and ties, as the twin has them, by the road of the day.

    Whoever wants ties wants no similarities, and then the compiled core gives the indices in any order.
    """
    need(_memory(X, others, k), f"The {k} neighbours of {len(X):,} stimuli")
    road = roads.road()
    if road == "twin":
        indices, similarities, ties = twin.neighbors(X, k, similarity, others)
    else:
        indices = np.empty((len(X), k), np.int64)
        similarities = None if want_ties else np.empty((len(X), k), np.float64)
        threads = roads.thread_count() if threads is None else check_threads(threads)
        with progress("neighbours") as tell:
            ties = roads.compiled.neighbors(
                X, others, similarity, indices, similarities, want_ties=want_ties, isa=road, threads=threads, tell=tell
            )
    return indices, similarities, ties


def _memory(X, others, k):
    """Bytes: packed copies, twice if rows are sought twice, a list of candidates for each row, and the results."""
    width = 8 if np.float64 in (X.dtype, getattr(others, "dtype", None)) else 4
    rows = len(X) + (0 if others is None else len(others))
    return 2 * rows * X.shape[1] * width + len(X) * (2 * width * (k + max(30, 2 * k)) + 16 * k)


def _shared(indices, tied, starts, columns):
    """Weights from the k nearest of each row and, for the tied rows, all columns that share the last place.

    `columns[starts[t]:starts[t + 1]]` belong to row `tied[t]`.
    """
    n, k = indices.shape
    is_tied = np.zeros(n, bool)
    is_tied[tied] = True
    sharing = np.diff(starts)
    # In a tied row the sharers come out of the k nearest and go back in, each with its fraction.
    row_of_sharer = np.repeat(tied, sharing)
    key_of_sharer = row_of_sharer * n + columns
    key = (np.arange(n)[:, None] * n + indices).ravel()
    own = np.ones(n * k, bool)
    rows_with_ties = np.repeat(is_tied, k)
    own[rows_with_ties] = ~np.isin(key[rows_with_ties], key_of_sharer)
    places_left = k - np.add.reduceat(own, np.arange(0, n * k, k), dtype=np.int64)[tied]
    keys = np.concatenate([key[own], key_of_sharer])
    weights = np.concatenate([np.ones(own.sum()), np.repeat(places_left / np.maximum(sharing, 1), sharing)])
    order = np.argsort(keys)
    entries = np.full(n, k)
    entries[tied] += sharing - places_left
    row_starts = np.concatenate([[0], np.cumsum(entries)])
    return csr_array((weights[order], keys[order] % n, row_starts), shape=(n, n))
