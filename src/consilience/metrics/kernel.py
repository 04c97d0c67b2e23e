"""Scores that compare two kernels: HSIC and its normalised form, centred kernel alignment (CKA)."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist, squareform

from consilience.check import InputError, as_numpy, check_array, check_choice, check_pair, check_whole
from consilience.core.cuda import is_on_device
from consilience.core.kernel_sums import (
    KERNELS,
    check_bandwidth,
    fit_kernel,
    kernel_sums,
    median_distance,
    value_at_median,
)
from consilience.core.relation_sums import ROUNDING, nothing_left
from consilience.core.twin_sums import centred
from consilience.core.units import sums_of_units, units_are_cheaper
from consilience.metrics.card import Card
from consilience.metrics.relation import LinearRelation, Relation, product, u_centre

ESTIMATORS = ("debiased", "biased")
BATCHES = "minibatch"


def cka(X, Y, kernel="linear", estimator="debiased", bandwidth=1.0, batch_size=256, seed=0):
    r"""Centred kernel alignment: how alike the pairwise similarities of the same stimuli are in X and in Y.

    .. math:: \mathrm{CKA} = \frac{\mathrm{HSIC}(K, L)}{\sqrt{\mathrm{HSIC}(K, K)\,\mathrm{HSIC}(L, L)}}

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus. Units are centred first, in float64. CUDA tensors are computed
        on their device.
    kernel : {"linear", "cosine", "rbf", "laplacian"}
        With d the Euclidean distance, "rbf" is exp(-d² / 2 s²) and "laplacian" exp(-d / s).
    estimator : {"debiased", "biased", "minibatch"}
        "debiased" uses the unbiased HSIC, whose expectation is zero when X and Y are independent. "biased" is the
        original, which grows with the number of units. "minibatch" is the ratio of unbiased HSICs, each the mean over
        batches of stimuli, for comparison with published scores: here there is no need to save memory.
    bandwidth : float
        s as a multiple of the median distance between stimuli; for "rbf" and "laplacian" only.
    batch_size, seed : int
        Of "minibatch": stimuli are divided at random; those that do not fill a batch are left out.

    Returns
    -------
    float
        A similarity. At most 1; "biased" is at least 0, "debiased" may be slightly negative.

    Raises
    ------
    InputError
        As :func:`consilience.core.kernel_sums`; or if the kernel of either array has nothing left after centring.

    Notes
    -----
    Source: Kornblith et al. 2019; the unbiased HSIC is Song et al. 2012; batches Nguyen et al. 2021. The biased linear
    form is the RV coefficient. Memory O(n d), never n². Time O(n² (dx + dy)) by :func:`consilience.core.kernel_sums`,
    in float32 if both arrays are no wider, which moves the score by about 1e-8; or O(n (dx + dy)²) in float64 from the
    units, for the kernels "linear" and "cosine" where that is cheaper.
    """
    if estimator == BATCHES:
        return minibatch_cka(*check_pair(X, Y), kernel, bandwidth, batch_size, seed)
    check_options(kernel, estimator, bandwidth, (*ESTIMATORS, BATCHES))
    sums = None
    if not is_on_device(X):
        X, Y = check_pair(X, Y)
        if kernel in ("linear", "cosine") and units_are_cheaper(len(X), [X.shape[1]], [Y.shape[1]]):
            sums = sums_of_units(fit_kernel(X, kernel, "X"), fit_kernel(Y, kernel, "Y"), kernel)
    sums = sums or kernel_sums(X, Y, kernel, bandwidth)
    n = sums.n
    (kl, kk, ll), terms = (
        (sums.hsic_unbiased, n * (n - 3)) if estimator == "debiased" else (sums.hsic_biased, (n - 1) ** 2)
    )
    wholes = sums.kk + np.square(sums.k_diagonal).sum(), sums.ll + np.square(sums.l_diagonal).sum()
    for name, own, whole in (("X", kk, wholes[0]), ("Y", ll, wholes[1])):
        if not own * terms > ROUNDING * whole:
            raise nothing_left(name)
    return float(kl / np.sqrt(kk * ll))


def minibatch_cka(X, Y, kernel, bandwidth, batch_size, seed):
    """CKA from means of HSIC over batches of stimuli, which share one centre and one bandwidth."""
    check_options(kernel, BATCHES, bandwidth, (BATCHES,))
    n = len(X)
    if not 4 <= check_whole(batch_size, "batch_size", 4) <= n:
        raise InputError(f"batch_size is {batch_size}, but there are {n} stimuli; choose 4 <= batch_size <= {n}.")
    rows, spreads = [], []
    for A, name in ((X, "X"), (Y, "Y")):
        A = fit_kernel(A, kernel, name)
        rows.append(centred(A, kernel))
        spreads.append(bandwidth * median_distance(A, name) if kernel in ("rbf", "laplacian") else 1.0)
    order = np.random.default_rng(seed).permutation(n)
    totals = np.zeros(3)
    for batch in np.split(order[: n - n % batch_size], n // batch_size):
        K, L = (u_centre(kernel_matrix(A[batch], kernel, s)) for A, s in zip(rows, spreads, strict=True))
        totals += (K * L).sum(), (K * K).sum(), (L * L).sum()
    for name, own in (("X", totals[1]), ("Y", totals[2])):
        if not own > 0:
            raise nothing_left(name)
    return float(totals[0] / np.sqrt(totals[1] * totals[2]))


def rv(X, Y):
    """The RV coefficient (Escoufier 1973): biased linear CKA under the name that statistics gave it.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)

    Returns
    -------
    float in [0, 1]
        A similarity; it grows with the number of units, even for noise. See :func:`cka` for one that does not.
    """
    return cka(X, Y, estimator="biased")


def hsic(X, Y, kernel="linear", estimator="unbiased", bandwidth=1.0):
    r"""Hilbert-Schmidt independence criterion: how much two kernels vary together, in their own units.

    .. math:: \mathrm{HSIC}_u = \frac{1}{n(n-3)} \sum_{i \ne j} \tilde K_{ij} \tilde L_{ij}, \qquad
              \mathrm{HSIC}_b = \frac{1}{(n-1)^2} \operatorname{tr}(K H L H)

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    kernel : {"linear", "cosine", "rbf", "laplacian"}
        K holds the products of centred rows ("linear"), cosines, or as in :func:`cka`.
    estimator : {"unbiased", "biased"}
    bandwidth : float
        As in :func:`cka`.

    Returns
    -------
    float
        A similarity in the units of both kernels: compare it with its null, not with that of other arrays.
        "unbiased" may be negative.

    Raises
    ------
    InputError
        As :func:`consilience.core.kernel_sums`.

    Notes
    -----
    Source: Gretton et al. 2005; unbiased Song et al. 2012. O(n² (dx + dy)) time, O(n d) memory.
    """
    check_options(kernel, estimator, bandwidth, ("unbiased", "biased"))
    if not is_on_device(X):
        X, Y = check_pair(X, Y)
    sums = kernel_sums(X, Y, kernel, bandwidth)
    value = (sums.hsic_unbiased if estimator == "unbiased" else sums.hsic_biased).kl
    return float(value * own_scale(X, kernel) * own_scale(Y, kernel))


def own_scale(X, kernel):
    """What the core divided products of rows by: the mean squared length of a centred row."""
    if kernel not in ("linear", "cosine"):
        return 1.0
    X = as_numpy(X, "the array").astype(np.float64)
    if kernel == "cosine":
        X = X / np.abs(X).max(1, keepdims=True)
        X = X / np.linalg.norm(X, axis=1, keepdims=True)
    return float(np.square(X - X.mean(0)).sum(1).mean())


def hsic_relation(X, kernel="linear", bandwidth=1.0):
    """The u-centred kernel matrix of X over the root of n (n - 3): unbiased HSIC is an inner product of two.

    Returns
    -------
    Relation
        Of kind "u-centred". O(n² d) time, O(n²) memory.
    """
    X = check_array(X)
    check_options(kernel, "unbiased", bandwidth, ("unbiased",))
    n = len(X)
    return Relation(u_centre(gram(X, kernel, bandwidth)) * own_scale(X, kernel) / np.sqrt(n * (n - 3)), "u-centred")


def kernel_relation(X, kernel="linear", estimator="debiased", bandwidth=1.0):
    """The centred kernel matrix of X, at unit norm, so that CKA is the inner product of two of them.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units)
    kernel, estimator, bandwidth
        As in :func:`cka`.

    Returns
    -------
    Relation or LinearRelation
        Of kind "u-centred" (estimator "debiased") or "centred" ("biased"). A debiased linear or cosine kernel is kept
        as its rows; the others take O(n² d) time, O(n²) memory.
    """
    X = check_array(X)
    check_options(kernel, estimator, bandwidth)
    if estimator == "debiased" and kernel in ("linear", "cosine"):
        X = fit_kernel(X, kernel)
        return LinearRelation(centred(X, kernel), exact=X.dtype == np.float64)
    K = gram(X, kernel, bandwidth)
    whole = np.linalg.norm(K)
    K = u_centre(K) if estimator == "debiased" else K - K.mean(0) - K.mean(1, keepdims=True) + K.mean()
    norm = np.linalg.norm(K)
    if not norm**2 > ROUNDING * whole**2:
        raise nothing_left("the array")
    return Relation(K / norm, "u-centred" if estimator == "debiased" else "centred")


def gram(X, kernel, bandwidth=1.0):
    """Kernel matrix of shape (n_stimuli, n_stimuli) in float64: the K of :func:`consilience.core.kernel_sums`.

    As there, "rbf" and "laplacian" come less their median, to which every estimator is blind.
    """
    X = fit_kernel(X, kernel)
    if kernel in ("linear", "cosine"):
        return kernel_matrix(centred(X, kernel), kernel)
    K = kernel_matrix(centred(X, kernel), kernel, bandwidth * median_distance(X))
    return K - value_at_median(kernel, bandwidth)


def kernel_matrix(rows, kernel, spread=1.0):
    """Kernel matrix of prepared rows; `spread` is the length s of "rbf" and "laplacian"."""
    if kernel in ("linear", "cosine"):
        return rows @ rows.T
    distances = squareform(pdist(rows)) / spread
    return np.exp(-(distances**2) / 2 if kernel == "rbf" else -distances)


def check_options(kernel, estimator, bandwidth, estimators=ESTIMATORS):
    check_choice(kernel, "kernel", KERNELS)
    check_choice(estimator, "estimator", estimators)
    check_bandwidth(bandwidth)


CARDS = (
    Card(
        name="cka",
        title="Centred kernel alignment (CKA), debiased",
        formula=r"\mathrm{CKA} = \frac{\sum_{i \ne j} \tilde K_{ij} \tilde L_{ij}}"
        r"{\sqrt{\sum_{i \ne j} \tilde K_{ij}^2}\, \sqrt{\sum_{i \ne j} \tilde L_{ij}^2}} \\[1ex]"
        r"\tilde K_{ij} = K_{ij} - \frac{K_{i\cdot} + K_{\cdot j}}{n-2}"
        r" + \frac{K_{\cdot\cdot}}{(n-1)(n-2)}, \quad K_{ii} = 0",
        source="kornblith2019,song2012,murphy2024",
        value_range="at most 1; about 0 for unrelated representations, and slightly negative half of the time",
        direction="similarity",
        scale="global",
        invariances=("rotation and reflection", "scale", "translation", "order of the stimuli"),
        not_invariant=("other linear maps",),
        null="mean 0 and variance 2 / (n (n - 3)) whatever the data; skewness and kurtosis exact, from both kernels. "
        "The biased linear form has mean √(PR_X PR_Y) / (n - 1), PR the participation ratio; the rest by permutations",
        cost="O(n d²) time from the units, or O(n² d) by tiles of both kernels, O(n d) memory; the exact null O(n² d), "
        "O(n d), of kernels of a distance O(n³), O(n²)",
        misleads="A few directions of large variance, or a few far outliers that lie together, decide the score: two "
        "representations may agree on those alone. The biased form tends to 1 as units outnumber stimuli, even for "
        "noise.",
        score=cka,
        side=kernel_relation,
        meet=product,
    ),
    Card(
        name="hsic",
        title="Hilbert-Schmidt independence criterion (HSIC), unbiased",
        formula=r"\frac{1}{n(n-3)} \sum_{i \ne j} \tilde K_{ij} \tilde L_{ij}",
        source="gretton2005,song2012",
        value_range="any number, in the units of both kernels; about 0 for unrelated representations",
        direction="similarity",
        scale="global",
        invariances=("rotation and reflection", "translation", "order of the stimuli"),
        not_invariant=("scale", "other linear maps"),
        null="mean 0; variance, skewness and kurtosis exact, from both kernels",
        cost="O(n² d) time, O(n d) memory; the exact null O(n³), O(n²)",
        misleads="Its size says nothing without its null: twice the units, or twice their scale, is twice the score. "
        "CKA is the same divided by what each kernel has with itself.",
        score=hsic,
        side=hsic_relation,
        meet=product,
        best=None,
        does_not_find=("layers",),
    ),
)
