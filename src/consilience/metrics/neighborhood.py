"""Scores that compare who is near whom: the k nearest neighbours of each stimulus in two representations."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from consilience.check import InputError, check_array, check_k, check_pair
from consilience.core import neighbor_weights
from consilience.core.common_edges import permuted_best_edges, permuted_hsic
from consilience.metrics.card import Card
from consilience.metrics.once import once
from consilience.metrics.relation import Relation, product
from consilience.metrics.things import thing_weights


def mutual_knn(X, Y, k=10, similarity="cosine", labels=None):
    r"""Overlap of the k nearest neighbours of each stimulus in X and in Y.

    .. math:: m = \frac{1}{nk} \sum_i \left| N_k^X(i) \cap N_k^Y(i) \right|

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    k : int, 1 <= k < n_stimuli
    similarity : {"cosine", "dot", "euclidean"}
        What "near" means. The cosine is not centred, as in the reference code.
    labels : array of shape (n_stimuli,), optional
        Stimuli of one label are one thing (captions of one picture), as near to others as the nearest of them; then i
        and its neighbours are things, and n is their number.

    Returns
    -------
    float in [0, 1]
        A similarity. By chance k / (n - 1); see :func:`consilience.align` for its null.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`; if k is out of range; if a row is zero and the similarity "cosine".

    Warns
    -----
    UserWarning
        If stimuli tie for the last place. They share it, so the score is its mean over all ways to break the ties.

    Notes
    -----
    Source: Huh et al. 2024; the code there divides by k and does not centre. O(n² d) time, O(n k) memory.
    """
    X, Y = check_pair(X, Y)
    return product(neighbor_relation(X, k, similarity, labels), neighbor_relation(Y, k, similarity, labels))


def neighbor_relation(X, k=10, similarity="cosine", labels=None):
    """The directed graph of k nearest neighbours, divided by sqrt(n k), so that mutual k-NN is an inner product.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units)
    k, similarity, labels
        As in :func:`mutual_knn`.

    Returns
    -------
    Relation
        Sparse, n k entries; kind "neighbours", or "shared neighbours" where a last place is tied (then it warns).
    """
    graph, tied = neighbor_graph(check_array(X), k, similarity, labels)
    scale = np.sqrt(graph.shape[0] * k)
    return Relation(graph / scale, "shared neighbours" if tied else "neighbours", scale)


def neighbor_graph(X, k, similarity, labels=None):
    """Weights of the k nearest of each stimulus or thing, and whether a last place is tied (then it warns)."""
    graph = nearest(X, k, similarity) if labels is None else thing_weights(X, labels, k, similarity)
    tied = int((np.diff(graph.indptr) > k).sum())
    if tied:
        warnings.warn(
            f"{tied} of {graph.shape[0]} stimuli have several others tied for their {k}-th neighbour (repeated "
            "stimuli, perhaps). They share that place; the null is had by permutations.",
            stacklevel=4,
        )
    return graph, bool(tied)


@once
def nearest(X, k, similarity):
    """Weights of the k nearest of each stimulus."""
    return neighbor_weights(X, check_k(k, len(X)), similarity)


# --- there and back again -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Neighborhood:
    """Who is near whom in one representation, and how similar they are.

    Attributes
    ----------
    weights : csr_array of shape (n_stimuli, n_stimuli)
        1 for a neighbour, a fraction where a last place is shared.
    similarities : csr_array of the same pattern, or None
    """

    weights: sparse.csr_array
    similarities: sparse.csr_array | None = None

    @property
    def n(self):
        """Number of stimuli."""
        return self.weights.shape[0]

    def reordered(self, order):
        """The same, its stimuli in another order."""
        moved = (None if A is None else A[order][:, order] for A in (self.weights, self.similarities))
        return Neighborhood(*moved)


def cycle_knn(X, Y, k=10, similarity="cosine"):
    r"""Share of stimuli that one can leave by a neighbour in Y and come back to by a neighbour in X.

    .. math:: \frac{1}{n} \left| \{ i : \exists\, j \in N_k^Y(i), \; i \in N_k^X(j) \} \right|

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    k : int, 1 <= k < n_stimuli
    similarity : {"cosine", "dot", "euclidean"}

    Returns
    -------
    float in [0, 1]
        A similarity. By chance about 1 - (1 - k / (n - 1))^k. One way back is enough, so it nears 1 while
        :func:`mutual_knn` is still small.

    Raises
    ------
    InputError
        As :func:`mutual_knn`.

    Warns
    -----
    UserWarning
        As :func:`mutual_knn`; a way over a shared place counts by its share.

    Notes
    -----
    Source: the code of Huh et al. 2024. Not symmetric. O(n² d) time, O(n k) memory.
    """
    X, Y = check_pair(X, Y)
    return cycle_of(neighborhood(X, k, similarity), neighborhood(Y, k, similarity))


def neighborhood(X, k=10, similarity="cosine"):
    """The :class:`Neighborhood` of an array, weights alone."""
    return Neighborhood(neighbor_graph(check_array(X), k, similarity)[0])


def cycle_of(a, b):
    """The score of two prepared sides: out by b, back by a."""
    ways = b.weights.multiply(a.weights.T.tocsr()).tocsr()
    return float(ways.max(axis=1).toarray().sum() / a.n)


def cycle_permuted(a, b, orders):
    """Scores of many prepared sides in many orders."""
    back = [side.weights.T.tocsr() for side in a]
    return permuted_best_edges(back, [side.weights for side in b], orders) / orders.n


# --- kernels among neighbours ---------------------------------------------------------------------------------------


def cknna(X, Y, k=10):
    r"""Kernel alignment over common neighbours alone (CKNNA).

    .. math:: \frac{H(M \circ K, M \circ L)}{\sqrt{H(M_X \circ K, M_X \circ K)\; H(M_Y \circ L, M_Y \circ L)}},
              \qquad M = M_X \circ M_Y

    with K and L the cosines of X and of Y, M_X and M_Y who is among whose k nearest, and H the unbiased HSIC.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    k : int, 2 <= k < n_stimuli

    Returns
    -------
    float
        A similarity, near 0 for unrelated representations. The mask is not symmetric, so values slightly outside
        [-1, 1] can occur.

    Raises
    ------
    InputError
        As :func:`mutual_knn`; if k is 1; if the HSIC of a side with itself is not positive.

    Warns
    -----
    UserWarning
        As :func:`mutual_knn`; a shared place weighs its share.

    Notes
    -----
    Source: Huh et al. 2024. The paper's formula and its code differ; this is the code: the mask comes first and the
    centring after it, cosines are not centred, and the sum of products pairs K_ij with L_ji. O(n² d) time, O(n k)
    memory.
    """
    X, Y = check_pair(X, Y)
    return cknna_of(kernel_neighborhood(X, k), kernel_neighborhood(Y, k))


def kernel_neighborhood(X, k=10):
    """The :class:`Neighborhood` of an array, with the cosine of each pair of neighbours."""
    X = check_array(X)
    if check_k(k, len(X)) < 2:
        raise InputError("k is 1; CKNNA needs at least two neighbours to tell cosines apart.")
    weights = neighbor_graph(X, k, "cosine")[0]
    unit = X.astype(np.float64)
    unit /= np.abs(unit).max(1, keepdims=True)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(X)), np.diff(weights.indptr))
    cosines = np.empty(weights.nnz)
    step = max(1, 2**18 // X.shape[1])  # edges whose rows stay in cache
    for start in range(0, weights.nnz, step):
        some = slice(start, start + step)
        cosines[some] = np.einsum("ij,ij->i", unit[rows[some]], unit[weights.indices[some]])
    return Neighborhood(weights, sparse.csr_array((cosines, weights.indices, weights.indptr), weights.shape))


def cknna_of(a, b):
    """The score of two prepared sides."""
    common = a.weights.multiply(b.weights)
    ab = masked_hsic(common.multiply(a.similarities), common.multiply(b.similarities))
    return float(ab / np.sqrt(own_hsic(a, "X") * own_hsic(b, "Y")))


def cknna_permuted(a, b, orders):
    """Scores of many prepared sides in many orders."""
    products = permuted_hsic(*([(side.weights, side.similarities) for side in sides] for sides in (a, b)), orders)
    of_a, of_b = ([own_hsic(side, name) for side in sides] for name, sides in (("X", a), ("Y", b)))
    return products / np.sqrt(np.multiply.outer(of_a, of_b))


def own_hsic(side, name):
    """HSIC of a kernel among its neighbours with itself, which no order changes."""
    own = masked_hsic(*[side.weights.power(2).multiply(side.similarities)] * 2)
    if not own > 0:
        raise InputError(
            f"The kernel of {name} among its neighbours has no positive HSIC with itself, so CKNNA has no value. "
            "Use a larger k, or mutual_knn."
        )
    return own


def masked_hsic(K, L):
    """Unbiased HSIC of two sparse kernels without a diagonal, up to the factor that the ratio cancels."""
    n = K.shape[0]
    into_k, out_of_l = np.asarray(K.sum(0)).ravel(), np.asarray(L.sum(1)).ravel()
    whole = K.multiply(L.T).sum() + K.sum() * L.sum() / ((n - 1) * (n - 2))
    return whole - 2 * (into_k @ out_of_l) / (n - 2)


CARDS = (
    Card(
        name="mutual_knn",
        title="Mutual k nearest neighbours",
        formula=r"m_k = \frac{1}{nk} \sum_{i=1}^{n} \left| N_k^X(i) \cap N_k^Y(i) \right|",
        source="huh2024",
        value_range="0 to 1; k / (n - 1) for unrelated representations",
        direction="similarity",
        scale="local",
        invariances=("rotation and reflection", "scale", "order of the stimuli"),
        not_invariant=("translation", "other linear maps"),
        null="mean k / (n - 1); variance and skewness exact from seven whole numbers of each graph",
        cost="O(n² d) time, O(n k) memory; the exact null O(n k²)",
        misleads="The value belongs to one k and one n: with k held, a larger gallery asks for finer agreement, so "
        "scores of different galleries do not compare. It says which stimuli are near, not how near.",
        score=mutual_knn,
        side=neighbor_relation,
        meet=product,
    ),
    Card(
        name="cycle_knn",
        title="Cycle k nearest neighbours",
        formula=r"\frac{1}{n} \left| \{ i : \exists\, j \in N_k^Y(i), \; i \in N_k^X(j) \} \right|",
        source="huh2024",
        value_range="0 to 1; about 1 - (1 - k / (n - 1))^k for unrelated representations",
        direction="similarity",
        scale="local",
        invariances=("rotation and reflection", "scale", "order of the stimuli"),
        not_invariant=("translation", "other linear maps"),
        null="by permutations",
        cost="O(n² d) time, O(n k) memory; a permutation costs O(n k)",
        misleads="It saturates: one common neighbour in either direction is enough, so with k = 10 among a few hundred "
        "stimuli most pairs of models score near 1. It is not symmetric.",
        score=cycle_knn,
        side=neighborhood,
        meet=cycle_of,
        permuted=cycle_permuted,
        symmetric=False,
        does_not_find=("layers",),
    ),
    Card(
        name="cknna",
        title="Centred kernel nearest-neighbour alignment (CKNNA)",
        formula=r"\frac{H(M \circ K, M \circ L)}{\sqrt{H(M_X \circ K, M_X \circ K)\; H(M_Y \circ L, M_Y \circ L)}},"
        r" \qquad M = M_X \circ M_Y",
        source="huh2024",
        value_range="about 0 for unrelated representations, 1 for the same; values slightly outside can occur",
        direction="similarity",
        scale="local",
        invariances=("rotation and reflection", "scale", "order of the stimuli"),
        not_invariant=("translation", "other linear maps"),
        null="by permutations; its mask depends on both sides, so it is no inner product of two relations",
        cost="O(n² d) time, O(n k) memory; a permutation costs O(n k)",
        misleads="Its mask is that of mutual k-NN, and mostly decides the score: it adds little to the count of common "
        "neighbours. The paper's formula and its code differ. It is not symmetric, if by little.",
        score=cknna,
        side=kernel_neighborhood,
        meet=cknna_of,
        permuted=cknna_permuted,
        symmetric=False,
    ),
)
