"""What other libraries compute under names that are ours too, where no option of ours gives it."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist, squareform

from consilience.check import InputError, check_rows, check_whole
from consilience.metrics.correlation import cca_of, correlations, directions, pwcca, singular
from consilience.metrics.geometry import shape
from consilience.metrics.neighborhood import neighbor_graph
from consilience.metrics.relation import u_centre
from consilience.metrics.riemann import bures


def z_scored(X):
    """Each unit at mean 0 and variance 1; one that does not vary stays 0."""
    X = X - X.mean(0)
    spread = X.std(0)
    return X / np.where(spread > 0, spread, 1)


def angle(cosine):
    return np.arccos(np.clip(cosine, -1, 1))


def clamped(value):
    return np.clip(value, 0, 1)


def one_minus(value):
    return 1 - value


# --- in place of a metric of ours -------------------------------------------------------------------------------------


def cosine_without_diagonal(X, Y):
    """Angle between centred kernels whose diagonal is left out, without the correction that u-centring makes."""
    kernels = []
    for A in (X, Y):
        A = A.astype(np.float64) - A.mean(0, dtype=np.float64)
        K = A @ A.T
        np.fill_diagonal(K, 0)
        kernels.append(K / np.linalg.norm(K))
    return angle((kernels[0] * kernels[1]).sum())


def double_centred(K):
    return K - K.mean(0) - K.mean(1, keepdims=True) + K.mean()


def linear_kernel(X):
    X = X.astype(np.float64) - X.mean(0, dtype=np.float64)
    return X @ X.T


def over_biased_norms(centre):
    """Kernels without a diagonal over n (n - 3), over the norms of biased HSIC: they do not cancel."""

    def formula(X, Y):
        K, L = linear_kernel(X), linear_kernel(Y)
        n, (A, B) = len(K), map(centre, (K, L))
        np.fill_diagonal(A, 0)
        norms = np.linalg.norm(double_centred(K)) * np.linalg.norm(double_centred(L))
        return (A * B).sum() / (n * (n - 3)) * (n - 1) ** 2 / norms

    return formula


def rbf_cka(width, centre=double_centred):
    """CKA with kernels exp(-d² / width(squared distances)); biased, unless they are u-centred."""

    def formula(X, Y):
        D = [squareform(pdist(A.astype(np.float64), "sqeuclidean")) for A in (X, Y)]
        kernels = [centre(np.exp(-d / width(d))) for d in D]
        return (kernels[0] * kernels[1]).sum() / np.prod([np.linalg.norm(K) for K in kernels])

    return formula


def width_of_first(X, Y):
    """Debiased CKA with both kernels as wide as the median distance in X."""
    D = squareform(pdist(X.astype(np.float64)))
    width = 2 * np.median(apart(D)) ** 2
    return rbf_cka(lambda _: width, u_centre)(X, Y)


def apart(D):
    """Squared distances of different stimuli."""
    return D[np.triu_indices(len(D), 1)]


def medians_of_both(D):
    """Of each pair, the product of both stimuli's median distances to others, twice."""
    others = np.sqrt(D)[~np.eye(len(D), dtype=bool)].reshape(len(D), -1)
    return 2 * np.outer(*2 * [np.median(others, axis=1)])


def lower_median(D):
    """Of an even number, the lesser of the two in the middle."""
    found = np.sort(apart(D))
    return found[(len(found) - 1) // 2]


def unit_rows(X):
    return X / np.linalg.norm(check_rows(X, "cosine"), axis=1, keepdims=True)


def svcca_kept(kept, centre=True):
    """Mean canonical correlation of the first ``kept(singular values)`` principal components."""

    def formula(X, Y):
        sides = []
        for A in (X, Y):
            A = A.astype(np.float64)
            _, values, axes = np.linalg.svd(A - A.mean(0) if centre else A, full_matrices=False)
            number = kept(values)
            if not number:
                raise InputError("One direction holds the whole share, so this convention keeps none of it.")
            sides.append(singular(A @ axes[:number].T)[0])
        return cca_of(*sides)

    return formula


def first_components(number):
    """So many, or all if there are fewer."""
    return svcca_kept(lambda values: min(number, (values > values[0] * 1e-12).sum()))


def white_before_centring(X, Y):
    """Mean squared correlation of 99 % of the variance of units made orthonormal first, so of nearly all directions."""
    sides, ranks = [], []
    for A in (X, Y):
        left, values, _ = np.linalg.svd(A.astype(np.float64), full_matrices=False)
        white = left[:, values > 1e-12 * values[0]]
        left, values, _ = np.linalg.svd(white - white.mean(0), full_matrices=False)
        kept = int((np.cumsum(values**2) < 0.99 * (values**2).sum()).sum()) + 1
        if kept < len(values) and values[kept - 1] - values[kept] < 1e-9:
            raise InputError(
                f"After whitening {len(values)} directions are equally strong, and this convention drops "
                f"{len(values) - kept} of them as rounding has it. Give fewer than 100 units."
            )
        sides.append(left[:, :kept])
        ranks.append(white.shape[1])
    return ((sides[0].T @ sides[1]) ** 2).sum() / min(ranks)


def share_of_correlations(X, Y):
    """Mean of the largest canonical correlations that make up 98 % of their sum."""
    values = correlations(directions(X, "X"), directions(Y, "Y"))[0]
    return values[: int((np.cumsum(values) < 0.98 * values.sum()).sum()) + 1].mean()


def pwcca_both_ways(X, Y):
    return (pwcca(X, Y) + pwcca(Y, X)) / 2


def pwcca_of_coefficients(X, Y):
    """Weights from units, not centred, times coefficients that were made orthonormal."""
    a, b = directions(X, "X"), directions(Y, "Y")
    values, left, _ = correlations(a, b)
    X = X.astype(np.float64)
    coefficients = np.linalg.pinv(X - X.mean(0)) @ a.basis @ left
    weights = np.abs(X @ np.linalg.qr(coefficients)[0]).sum(0)
    return weights @ values / weights.sum()


def biased_cknna(X, Y, k=10):
    """CKNNA with each stimulus among its own k nearest, and biased HSIC of the masked cosines."""
    masks, cosines = [], []
    for A in (X, Y):
        graph = neighbor_graph(A, check_whole(k, "k", 2) - 1, "cosine")[0]
        masks.append(graph.toarray() + np.eye(len(A)))
        A = unit_rows(A.astype(np.float64))
        cosines.append(A @ A.T)

    def between(i, j):
        K, L = (double_centred(masks[i] * masks[j] * cosines[one]) for one in (i, j))
        return (K * L.T).sum()

    return between(0, 1) / np.sqrt(between(0, 0) * between(1, 1))


def short_of_share(values):
    """How many singular values stay below 99 % of their sum."""
    return int((np.cumsum(values) < 0.99 * values.sum()).sum())


def unscaled_fit(X, Y):
    """One minus what the best rotation of X leaves of Y, over the size of Y."""
    x, y = (A.astype(np.float64) - A.mean(0, dtype=np.float64) for A in (X, Y))
    x, y = np.linalg.norm(x), np.linalg.norm(y)
    cosine = np.linalg.norm(shape(X).points.T @ shape(Y).points, "nuc")
    return 1 - np.sqrt(max(x**2 + y**2 - 2 * x * y * cosine, 0)) / y


def at_own_size(X, Y):
    """What the best rotation leaves of both at their own size."""
    return np.sqrt(len(X)) * bures(X, Y)
