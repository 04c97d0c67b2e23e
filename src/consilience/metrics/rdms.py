"""Representational similarity analysis: two tables of how dissimilar stimuli are (RDMs), and how they are compared."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.distance import squareform

from consilience.check import FEWEST_STIMULI, InputError, as_numpy, check_array, check_choice, check_pair
from consilience.core import dissimilarities, kendall, ranks
from consilience.metrics.card import Card
from consilience.metrics.relation import Relation, product

RANKED = ("spearman", "rho_a")
NOT_CENTRED = ("cosine", "whitened_cosine")
WHITENED = ("whitened_cosine", "whitened_pearson")
COMPARISONS = ("spearman", "pearson", "cosine", "kendall", "rho_a", *WHITENED)


@dataclass(frozen=True)
class Rdm:
    """A representational dissimilarity matrix, where only its order counts.

    Attributes
    ----------
    matrix : ndarray of shape (n_stimuli, n_stimuli)
    """

    matrix: np.ndarray

    @property
    def n(self):
        """Number of stimuli."""
        return len(self.matrix)

    def reordered(self, order):
        """The same, its stimuli in another order."""
        return replace(self, matrix=self.matrix[np.ix_(order, order)])

    def condensed(self):
        """What is above the diagonal, row by row."""
        return self.matrix[np.triu_indices(self.n, 1)]


def rsa(X, Y, dissimilarity="correlation", compare="spearman"):
    r"""Representational similarity analysis: are the same pairs of stimuli far apart in X and in Y?

    .. math:: \rho\left( d^X_{ij}, \; d^Y_{ij} \right)_{i < j}

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    dissimilarity : {"correlation", "cosine", "euclidean", "squared_euclidean"}
        Of two stimuli: 1 - Pearson's r over units, 1 - cosine, distance, or its square. For Mahalanobis' distance pass
        :func:`consilience.noise_normalized` arrays and "euclidean".
    compare : {"spearman", "pearson", "cosine", "kendall", "rho_a", "whitened_cosine", "whitened_pearson"}
        As in :func:`compare_rdms`.

    Returns
    -------
    float in [-1, 1]
        A similarity; about 0 for unrelated representations, but near 1 under "cosine" and "whitened_cosine".

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`; as :func:`consilience.core.dissimilarities`; or if all pairs are
        equally dissimilar, so that nothing can be compared.

    Notes
    -----
    Source: Kriegeskorte et al. 2008. Dissimilarities are sums in float64 in a fixed order, so that equal pairs tie
    exactly; tied ranks are shared. O(n² (dx + dy) + n² log n) time, O(n²) memory.
    """
    X, Y = check_pair(X, Y)
    return rsa_of(rdm_relation(X, dissimilarity, compare), rdm_relation(Y, dissimilarity, compare))


def compare_rdms(d, e, compare="spearman"):
    r"""How alike two given RDMs are, for example those of :func:`consilience.crossnobis`.

    .. math:: \rho_a = \frac{12 \sum_m \bar r_m \bar s_m}{M^3 - M}, \qquad
              \cos_w = \frac{d^\top V^{-1} e}{\sqrt{d^\top V^{-1} d \; e^\top V^{-1} e}}, \quad
              V_{(ij)(kl)} = \left( c_{ij}^\top c_{kl} \right)^2

    with r and s the M centred ranks, and c the contrast of two stimuli, 1 at one and -1 at the other.

    Parameters
    ----------
    d, e : arrays of shape (n_stimuli (n_stimuli - 1) / 2,)
        Dissimilarities of the pairs (0, 1), (0, 2), ..., (1, 2), ...
    compare : {"spearman", "pearson", "cosine", "kendall", "rho_a", "whitened_cosine", "whitened_pearson"}
        "cosine" does not remove the mean. "kendall" is tau-a, and "rho_a" Spearman's as it would be on average if ties
        were broken at random: neither rewards ties. The whitened ones weight pairs by how sampling noise makes them
        covary, with equal noise on all stimuli; "whitened_cosine" of squared Euclidean distances is biased linear CKA.

    Returns
    -------
    float in [-1, 1]
        A similarity. With ties, tau-a and rho-a of an RDM with itself stay below 1.

    Raises
    ------
    InputError
        If d and e are not two vectors of that length with finite numbers; or if all pairs are equally dissimilar.

    Notes
    -----
    Source: tau-a Nili et al. 2014, rho-a Schütt et al. 2023, whitened Diedrichsen et al. 2021. O(n² log n) time.
    """
    check_choice(compare, "compare", COMPARISONS)
    d, e = check_rdm(d, "d"), check_rdm(e, "e")
    if len(d) != len(e):
        raise InputError(f"d has {len(d)} pairs of stimuli and e has {len(e)}; both must be of the same stimuli.")
    return rsa_of(relation_of(d, compare), relation_of(e, compare))


def check_rdm(d, name):
    """An RDM given as a vector, in float64."""
    d = as_numpy(d, name)
    n = round((1 + np.sqrt(1 + 8 * d.size)) / 2)
    if d.ndim != 1 or n * (n - 1) // 2 != d.size or n < FEWEST_STIMULI:
        raise InputError(
            f"{name} has shape {d.shape}; it must be a vector of the n (n - 1) / 2 pairs of n >= {FEWEST_STIMULI} "
            "stimuli. scipy.spatial.distance.squareform makes it from a matrix."
        )
    if not np.isfinite(d).all():
        raise InputError(f"{name} holds NaN or infinity, first at pair {np.flatnonzero(~np.isfinite(d))[0]}.")
    return d.astype(np.float64)


def rdm_relation(X, dissimilarity="correlation", compare="spearman"):
    """The dissimilarities of X as a relation, so that a correlation of two RDMs is an inner product.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units)
    dissimilarity, compare
        As in :func:`rsa`.

    Returns
    -------
    Relation or Rdm
        Of kind "symmetric", or "centred" where whitened; for "kendall", which is no inner product of two matrices, an
        :class:`Rdm`.
    """
    check_choice(compare, "compare", COMPARISONS)
    return relation_of(dissimilarities(check_array(X), dissimilarity), compare)


def relation_of(found, compare):
    """The relation of a vector of dissimilarities, as :func:`rdm_relation` has it."""
    if compare == "kendall":
        return Rdm(squareform(found))
    if compare in RANKED:
        found = ranks(found).astype(np.float64)
    whole = np.linalg.norm(found)
    if compare not in NOT_CENTRED:
        found = found - found.mean()
    matrix = squareform(found, checks=False)
    if compare in WHITENED:
        matrix = matrix - matrix.mean(0) - matrix.mean(1, keepdims=True) + matrix.mean()
    norm = np.linalg.norm(matrix)
    if not norm > 1e-10 * whole:
        raise InputError("All pairs of stimuli are equally dissimilar, so RDMs cannot be compared.")
    if compare == "rho_a":
        m = len(found)
        norm = np.sqrt(2 * (m**3 - m) / 3)  # of the matrix of doubled ranks, if none of them were tied
    return Relation(matrix / norm, "centred" if compare in WHITENED else "symmetric")


def rsa_of(a, b):
    """The score of two prepared sides."""
    return kendall(a.condensed(), b.condensed()) if isinstance(a, Rdm) else product(a, b)


CARDS = (
    Card(
        name="rsa",
        title="Representational similarity analysis (RSA)",
        formula=r"\rho_{\mathrm{Spearman}}\left( d^X_{ij}, \; d^Y_{ij} \right)_{i < j}, \qquad"
        r" d_{ij} = 1 - r(x_i, x_j)",
        source="kriegeskorte2008,nili2014,schutt2023,diedrichsen2021",
        value_range="-1 to 1; about 0 for unrelated representations",
        direction="similarity",
        scale="global",
        invariances=("scale", "order of the stimuli"),
        not_invariant=("rotation and reflection", "translation", "other linear maps"),
        null="mean 0; variance, skewness and kurtosis exact, from both matrices of ranks; tau-a and the whitened "
        "comparisons by permutations",
        cost="O(n² d) time and O(n²) memory; the exact null O(n³)",
        misleads="With dissimilarities of correlation, a rotation of the units changes the score, since the mean over "
        "units does not rotate. A few categories on both sides can carry it: then it says that categories agree, and "
        "nothing of the stimuli within.",
        score=rsa,
        side=rdm_relation,
        meet=rsa_of,
    ),
)
