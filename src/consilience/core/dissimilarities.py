"""All pairs of stimuli by their dissimilarity: the RDM, as a vector."""

from __future__ import annotations

import numpy as np

from consilience.check import check_array, check_choice
from consilience.core import cuda, roads, twin_dissimilarities
from consilience.core.fit import check_threads, fit
from consilience.core.memory import need
from consilience.core.progress import progress

DISSIMILARITIES = ("correlation", "cosine", "euclidean", "squared_euclidean")


def dissimilarities(X, dissimilarity="correlation", *, threads=None):
    r"""The dissimilarity of each pair of stimuli: a representational dissimilarity matrix (RDM), as a vector.

    .. math:: d_{ij} = 1 - \frac{(x_i - \bar x_i) \cdot (x_j - \bar x_j)}
              {\lVert x_i - \bar x_i \rVert \lVert x_j - \bar x_j \rVert}, \qquad
              1 - \frac{x_i \cdot x_j}{\lVert x_i \rVert \lVert x_j \rVert}, \qquad
              \lVert x_i - x_j \rVert, \qquad \lVert x_i - x_j \rVert^2

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units)
        NumPy, PyTorch, CuPy or anything that speaks DLPack; a CUDA tensor is computed on its device and stream.
    dissimilarity : {"correlation", "cosine", "euclidean", "squared_euclidean"}
        "correlation" is one minus Pearson's, over the units of two stimuli.
    threads : int, optional
        By default all processors that the process may use. The result does not depend on it.

    Returns
    -------
    float64 array of shape (n_stimuli (n_stimuli - 1) / 2,)
        The pairs (0, 1), (0, 2), ..., (1, 2), ...: the order of :func:`scipy.spatial.distance.pdist`, so that
        :func:`scipy.spatial.distance.squareform` makes the matrix. The first two lie in [0, 2], the others in
        [0, inf). For a CUDA tensor it is its library's array, on its device.

    Raises
    ------
    InputError
        If X is no set of at least four finite rows (see :func:`consilience.check.check_array`), if
        `dissimilarity` is unknown, if a row is constant over its units (correlation) or zero (cosine), if
        squares would overflow or vanish, or if memory is short.

    Notes
    -----
    Each entry is a sum in float64 in a fixed order, and so is the mean of a row, whatever the type of X: the
    result has the same bits on every road, and pairs of identical rows are exactly tied, as ranks need it.
    Identical rows have dissimilarity 0. (rsatoolbox divides a squared Euclidean distance by n_units.)

    O(n² d) time. Memory: the result and a copy of X in float64.
    """
    check_choice(dissimilarity, "dissimilarity", DISSIMILARITIES)
    if cuda.is_on_device(X):
        return cuda.dissimilarities(X, dissimilarity)
    X = fit(check_array(X, "X"), dissimilarity, "X")
    n, d = X.shape
    need(4 * n * (n - 1) + 8 * n * (d + 16), f"The dissimilarities of {n:,} stimuli")
    road = roads.road()
    if road == "twin":
        return twin_dissimilarities.dissimilarities(X, dissimilarity)
    found = np.empty(n * (n - 1) // 2)
    threads = roads.thread_count() if threads is None else check_threads(threads)
    with progress("dissimilarities") as tell:
        roads.compiled.dissimilarities(X, dissimilarity, found, isa=road, threads=threads, tell=tell)
    return found
