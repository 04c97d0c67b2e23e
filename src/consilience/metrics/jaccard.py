"""Neighbours in common, as a share of all neighbours on either side: mutual k-NN as network science counts it."""

from __future__ import annotations

from consilience.check import check_pair
from consilience.metrics.card import Card
from consilience.metrics.neighborhood import neighborhood


def jaccard_knn(X, Y, k=10, similarity="cosine"):
    r"""Jaccard index of the k nearest neighbours of each stimulus in X and in Y.

    .. math:: \frac{1}{n} \sum_i \frac{\left| N_k^X(i) \cap N_k^Y(i) \right|}{\left| N_k^X(i) \cup N_k^Y(i) \right|}

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
        A similarity. A stimulus with the share m of its neighbours in common adds m / (2 - m), so it never exceeds
        :func:`consilience.mutual_knn`.

    Raises
    ------
    InputError
        As :func:`consilience.mutual_knn`.

    Warns
    -----
    UserWarning
        As :func:`consilience.mutual_knn`. Shared places count by the lesser and the greater of both shares.

    Notes
    -----
    Source: Schumacher et al. 2021, as in Klabunde et al. 2025. O(n² d) time, O(n k) memory.
    """
    X, Y = check_pair(X, Y)
    return jaccard_of(neighborhood(X, k, similarity), neighborhood(Y, k, similarity))


def jaccard_of(a, b):
    """The score of two prepared sides."""
    both, either = a.weights.minimum(b.weights), a.weights.maximum(b.weights)
    return float((both.sum(1) / either.sum(1)).mean())


CARDS = (
    Card(
        name="jaccard_knn",
        title="Jaccard index of k nearest neighbours",
        formula=r"\frac{1}{n} \sum_{i=1}^{n} \frac{\left| N_k^X(i) \cap N_k^Y(i) \right|}"
        r"{\left| N_k^X(i) \cup N_k^Y(i) \right|}",
        source="schumacher2021,klabunde2025survey",
        value_range="0 to 1; about k / (2 (n - 1) - k) for unrelated representations",
        direction="similarity",
        scale="local",
        invariances=("rotation and reflection", "scale", "order of the stimuli"),
        not_invariant=("translation", "other linear maps"),
        null="by permutations: a ratio for each stimulus, so no inner product of two relations",
        cost="O(n² d) time, O(n k) memory; a permutation costs O(n k)",
        misleads="It is mutual k-NN on a bent scale: half of the neighbours in common give a third. The value belongs "
        "to one k and one n.",
        score=jaccard_knn,
        side=neighborhood,
        meet=jaccard_of,
    ),
)
