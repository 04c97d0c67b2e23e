"""Kernel alignment along the manifold: every stimulus weighs its neighbours by a bandwidth of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from consilience.check import InputError, check_array, check_k, check_pair
from consilience.metrics.card import Card
from consilience.metrics.neighborhood import neighbor_graph

HALVINGS = 60  # of the bracket of a bandwidth: to the last digit
PAIRS = 2**14  # whose distances are taken at once


@dataclass(frozen=True)
class Manifold:
    """The kernel of one representation among its neighbours.

    Attributes
    ----------
    kernel : csr_array of shape (n_stimuli, n_stimuli)
        Not symmetric; 1 on the diagonal; every row has the same sum.
    row_sum : float
    norm : float
        Of the kernel less the mean of its rows.
    """

    kernel: sparse.csr_array
    row_sum: float
    norm: float

    @property
    def n(self):
        """Number of stimuli."""
        return self.kernel.shape[0]

    def reordered(self, order):
        """The same, its stimuli in another order."""
        return Manifold(self.kernel[order][:, order], self.row_sum, self.norm)


def mka(X, Y, k=15):
    r"""Manifold-approximated kernel alignment: do neighbours weigh alike, near and far, dense and sparse?

    .. math:: \frac{\langle K H, L H \rangle}{\lVert K H \rVert \, \lVert L H \rVert}, \qquad
              K_{ij} = \exp\left( - \frac{d_{ij} - \min_l d_{il}}{\sigma_i} \right) \text{ for } j \in N_k(i), \quad
              K_{ii} = 1

    with d the Euclidean distance, H the matrix that centres, and σ of each stimulus such that the weights of its
    neighbours add up to log₂ k.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    k : int, 3 <= k < n_stimuli

    Returns
    -------
    float
        A similarity, at most 1. For unrelated representations about one over the sum of squares of a row, which is a
        third for k = 15: a stimulus is its own neighbour on both sides.

    Raises
    ------
    InputError
        As :func:`consilience.mutual_knn`; if k is less than 3; if so many neighbours of a stimulus are equally the
        nearest that no bandwidth brings their weights to log₂ k (repeated stimuli).

    Warns
    -----
    UserWarning
        As :func:`consilience.mutual_knn`; a shared place weighs its share.

    Notes
    -----
    Source: Islam et al. 2025; the kernel is that of UMAP before it is made symmetric. O(n² d) time, O(n k) memory.
    """
    X, Y = check_pair(X, Y)
    return mka_of(manifold(X, k, "X"), manifold(Y, k, "Y"))


def manifold(X, k=15, name="X"):
    """The :class:`Manifold` of an array."""
    X = check_array(X, name).astype(np.float64)
    n = len(X)
    if check_k(k, n) < 3:
        raise InputError(f"k is {k}; MKA needs three neighbours at least to fit a bandwidth to.")
    graph, _ = neighbor_graph(X, k, "euclidean")
    starts, shares = graph.indptr[:-1], graph.data
    rows = np.repeat(np.arange(n), np.diff(graph.indptr))
    beyond = distances(X / np.abs(X).max(), rows, graph.indices)
    beyond -= np.minimum.reduceat(beyond, starts)[rows]
    wanted = np.log2(k)
    nearest = np.add.reduceat(shares * (beyond == 0), starts)
    if (nearest >= wanted).any():
        i = int(np.argmax(nearest))
        raise InputError(
            f"{name}: {nearest[i]:g} of the {k} neighbours of stimulus {i} are equally the nearest, so no bandwidth "
            f"brings their weights to log2 k = {wanted:.3g}. Remove repeated stimuli, or use a larger k."
        )
    low = np.zeros(n)
    high = np.maximum.reduceat(beyond, starts) / np.log(k / wanted)  # there the weights add up to more
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        short = np.add.reduceat(shares * np.exp(-beyond / middle[rows]), starts) < wanted
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    weights = shares * np.exp(-beyond / high[rows])
    kernel = sparse.csr_array((weights, graph.indices, graph.indptr), graph.shape) + sparse.eye_array(n, format="csr")
    row_sum = 1 + wanted
    return Manifold(kernel, row_sum, np.sqrt(n + np.square(weights).sum() - row_sum**2))


def distances(X, i, j):
    """Euclidean distance of each stimulus in i to the one beside it in j."""
    found = np.empty(len(i))
    for start in range(0, len(i), PAIRS):
        some = slice(start, start + PAIRS)
        found[some] = np.linalg.norm(X[i[some]] - X[j[some]], axis=1)
    return found


def mka_of(a, b):
    """The score of two prepared sides: rows have one sum, so that centring takes its square."""
    return float((a.kernel.multiply(b.kernel).sum() - a.row_sum * b.row_sum) / (a.norm * b.norm))


CARDS = (
    Card(
        name="mka",
        title="Manifold-approximated kernel alignment (MKA)",
        formula=r"\frac{\langle K H, L H \rangle}{\lVert K H \rVert \, \lVert L H \rVert}, \qquad"
        r" K_{ij} = \exp\left( - \frac{d_{ij} - \min_l d_{il}}{\sigma_i} \right) \text{ for } j \in N_k(i)",
        source="islam2025mka",
        value_range="at most 1; about a third for unrelated representations with k = 15",
        direction="similarity",
        scale="local",
        invariances=("rotation and reflection", "scale", "translation", "order of the stimuli"),
        not_invariant=("other linear maps",),
        null="far above 0, since the diagonal of both kernels is 1; by permutations",
        cost="O(n² d) time, O(n k) memory; a permutation costs O(n k)",
        misleads="The diagonal of both kernels says only that a stimulus is itself, yet it gives unrelated "
        "representations about 0.33 with k = 15, and more with fewer neighbours. Read it beside its null.",
        score=mka,
        side=manifold,
        meet=mka_of,
    ),
)
