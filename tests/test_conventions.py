"""Other libraries' conventions against what they compute, written out; and what the result says of itself."""

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.spatial.distance import cdist, pdist
from scipy.stats import pearsonr
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

import consilience as cs


def arrays(seed=0, n=60, dx=6, dy=8):
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((n, dx))
    X, Y = Z * np.geomspace(10, 0.4, dx) + 3, Z @ rng.standard_normal((dx, dy)) + 2 * rng.standard_normal((n, dy))
    return X, Y * np.geomspace(5, 0.2, dy) + 1


def hsic(K, L):
    H = np.eye(len(K)) - 1 / len(K)
    return np.trace(K @ H @ L @ H)


def cka(K, L):
    return hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L))


def linear(X, Y):
    return cka(X @ X.T, Y @ Y.T)


def rbf(X, Y, width):
    return cka(*(np.exp(-(cdist(A, A) ** 2) / width(A)) for A in (X, Y)))


def without_diagonal(X, Y):
    kernels = []
    for A in (X, Y):
        A = A - A.mean(0)
        K = A @ A.T
        kernels.append(K[~np.eye(len(K), dtype=bool)])
    return np.arccos(kernels[0] @ kernels[1] / np.linalg.norm(kernels[0]) / np.linalg.norm(kernels[1]))


def rows_at_length_one(X):
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def debiased(K, L):
    """Song et al. 2012, equation 5."""

    def unbiased(K, L):
        n, one = len(K), np.ones(len(K))
        K, L = (A - np.diag(np.diag(A)) for A in (K, L))
        terms = np.trace(K @ L), one @ K @ one * (one @ L @ one) / (n - 1) / (n - 2), -2 * one @ K @ L @ one / (n - 2)
        return sum(terms) / n / (n - 3)

    return unbiased(K, L), unbiased(K, K), unbiased(L, L)


def debiased_rbf(X, Y, width):
    kl, kk, ll = debiased(*(np.exp(-(cdist(A, A) ** 2) / width(A)) for A in (X, Y)))
    return kl / np.sqrt(kk * ll)


def over_biased(numerator):
    def score(X, Y):
        K, L = ((A - A.mean(0)) @ (A - A.mean(0)).T for A in (X, Y))
        return numerator(K, L) * (len(K) - 1) ** 2 / np.sqrt(hsic(K, K) * hsic(L, L))

    return score


def below_the_diagonal(K, L):
    return 2 * sum(K[i, j] * L[i, j] for i in range(len(K)) for j in range(i)) / len(K) / (len(K) - 3)


def row_medians(A):
    D = cdist(A, A)
    own = np.array([np.median(np.delete(row, i)) for i, row in enumerate(D)])
    return 2 * own * own[:, None]


def hyppo(X, Y):
    return debiased_rbf(X, Y, lambda A: 2 * np.median(pdist(X)) ** 2)


def tutorial(X, Y):
    """Twenty rows of V times their singular values, as the notebook has it, and all correlations."""
    return canonical(*(np.linalg.svd((A - A.mean(0)).T, full_matrices=False)[2][:20].T for A in (X, Y)))


def made_white_first(X, Y):
    bases = [np.linalg.svd(A, full_matrices=False)[0] for A in (X, Y)]
    sides = [PCA(0.99).fit(A).transform(A) for A in bases]
    rho = np.array(correlations(*sides))
    return (rho**2).sum() / min(X.shape[1], Y.shape[1])


def largest_correlations(X, Y):
    rho = correlations(X, Y)
    kept = next(i for i in range(1, len(rho) + 1) if sum(rho[:i]) / sum(rho) >= 0.98)
    return np.mean(rho[:kept])


def anatome_pwcca(X, Y):
    """By QR of units, and QR again of the coefficients."""
    (qx, rx), (qy, _) = (np.linalg.qr(A - A.mean(0)) for A in (X, Y))
    left, rho, _ = np.linalg.svd(qx.T @ qy, full_matrices=False)
    weights = np.abs(X @ np.linalg.qr(np.linalg.solve(rx, left))[0]).sum(0)
    return 1 - weights @ rho / weights.sum()


def masked(X, Y):
    """Trace of K H L H of cosines among those that are near in both, each stimulus near itself."""
    grams = [A @ A.T for A in map(rows_at_length_one, (X, Y))]
    near = [np.array([row >= np.sort(row)[-10] for row in K]) for K in grams]
    kl, kk, ll = (hsic(near[i] * near[j] * grams[i], near[i] * near[j] * grams[j]) for i, j in ((0, 1), (0, 0), (1, 1)))
    return kl / np.sqrt(kk * ll)


def components(X):
    """Of units as they are, those that do not yet make up 99 % of the sum of singular values."""
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(X.T @ X), 0))[::-1]
    return TruncatedSVD(sum(np.cumsum(values) < 0.99 * sum(values)), algorithm="arpack").fit_transform(X)


def canonical(X, Y, power=1):
    return np.mean(np.power(correlations(X, Y), power))


def correlations(X, Y):
    """By power iterations on deflated units (NIPALS)."""
    r = min(X.shape[1], Y.shape[1])
    x, y = CCA(r, max_iter=100_000, tol=1e-14, scale=False).fit_transform(X, Y)
    return [abs(pearsonr(x[:, i], y[:, i])[0]) for i in range(r)]


def rotated(X, Y, at_unit_size):
    """What the best rotation leaves, and the sizes."""
    X, Y = (np.pad(A - A.mean(0), ((0, 0), (0, 8 - A.shape[1]))) for A in (X, Y))
    if at_unit_size:
        X, Y = X / np.linalg.norm(X), Y / np.linalg.norm(Y)
    turn, cosine = orthogonal_procrustes(X, Y)
    return np.linalg.norm(X @ turn - Y), cosine, np.linalg.norm(Y)


def neighbours(A, k, inner=False):
    if inner:
        S = A @ A.T
        np.fill_diagonal(S, -np.inf)
        return [set(row) for row in np.argsort(-S)[:, :k]]
    return [
        set(row) for row in NearestNeighbors(n_neighbors=k, metric="cosine").fit(A).kneighbors(return_distance=False)
    ]


def overlap(X, Y, share, inner=False):
    pairs = zip(neighbours(X, 10, inner), neighbours(Y, 10, inner), strict=True)
    return np.mean([len(a & b) / (len(a | b) if share == "jaccard" else 10) for a, b in pairs])


def distance_correlation(X, Y):
    A, B = (D - D.mean(0) - D.mean(1)[:, None] + D.mean() for D in (cdist(X, X), cdist(Y, Y)))
    return np.sqrt((A * B).mean() / np.sqrt((A * A).mean() * (B * B).mean()))


WRITTEN_OUT = {
    ("cka", "google"): linear,
    ("cka", "net2brain"): lambda X, Y: linear(*(StandardScaler().fit_transform(A) for A in (X, Y))),
    ("cka", "netrep"): lambda X, Y: np.arccos(linear(X, Y)),
    ("cka", "ding"): lambda X, Y: 1 - linear(X, Y),
    ("cka", "pypi-repsim-song"): over_biased(lambda K, L: debiased(K, L)[0]),
    ("cka", "pypi-repsim-lange"): over_biased(below_the_diagonal),
    ("cka", "pypi-repsim-rbf-mean"): lambda X, Y: rbf(X, Y, lambda A: np.mean(pdist(A) ** 2)),
    ("cka", "pypi-repsim-rbf-dualmed"): lambda X, Y: rbf(X, Y, row_medians),
    ("cka", "google-rbf-debiased"): lambda X, Y: debiased_rbf(X, Y, lambda A: 2 * np.median(cdist(A, A) ** 2)),
    ("cka", "thingsvision-rbf-debiased"): lambda X, Y: debiased_rbf(X, Y, lambda A: 2 * np.median(pdist(A) ** 2)),
    ("cka", "platonic-rbf-debiased"): lambda X, Y: debiased_rbf(*map(rows_at_length_one, (X, Y)), lambda A: 2),
    ("cka", "hyppo"): hyppo,
    ("cka", "pytorch-cka"): lambda X, Y: max(cs.cka(X, Y), 0),
    ("cka", "wrongu-repsim"): without_diagonal,
    ("cka", "google-rbf"): lambda X, Y: rbf(X, Y, lambda A: 2 * np.median(cdist(A, A) ** 2)),
    ("cka", "thingsvision-rbf"): lambda X, Y: rbf(X, Y, lambda A: 2 * np.median(pdist(A) ** 2)),
    ("cka", "wrongu-repsim-rbf"): lambda X, Y: np.arccos(rbf(X, Y, lambda A: np.sort(pdist(A) ** 2)[884])),
    ("cka", "platonic-rbf"): lambda X, Y: rbf(*map(rows_at_length_one, (X, Y)), lambda A: 2),
    ("cca", "google-demo"): lambda X, Y: canonical(X, Y, 2),
    ("cca", "google"): largest_correlations,
    ("svcca", "anatome"): lambda X, Y: 1 - canonical(components(X), components(Y)),
    ("svcca", "google-tutorial"): tutorial,
    ("svcca", "aristotelian"): lambda X, Y: canonical(*(PCA(10).fit_transform(A) for A in (X, Y))),
    ("svcca", "pypi-repsim"): made_white_first,
    ("pwcca", "pypi-repsim"): lambda X, Y: (cs.pwcca(X, Y) + cs.pwcca(Y, X)) / 2,
    ("pwcca", "anatome"): anatome_pwcca,
    ("cknna", "platonic-biased"): masked,
    ("svcca", "resi"): lambda X, Y: abs(pearsonr(*(PCA(1).fit_transform(A)[:, 0] for A in (X, Y)))[0]),
    ("procrustes", "resi"): lambda X, Y: rotated(X, Y, True)[0],
    ("procrustes", "ding"): lambda X, Y: rotated(X, Y, True)[0] ** 2,
    ("procrustes", "anatome"): lambda X, Y: 1 - rotated(X, Y, True)[1],
    ("procrustes", "rsatoolbox-bures"): lambda X, Y: rotated(X, Y, True)[1],
    ("procrustes", "netrep-euclidean"): lambda X, Y: rotated(X, Y, False)[0],
    ("procrustes", "aristotelian"): lambda X, Y: 1 - rotated(X, Y, False)[0] / rotated(X, Y, False)[2],
    ("mutual_knn", "aristotelian"): lambda X, Y: overlap(X, Y, "k", inner=True),
    ("mutual_knn", "resi"): lambda X, Y: overlap(X, Y, "jaccard"),
    ("rsa", "rsatoolbox-euclidean"): lambda X, Y: pearsonr(pdist(X) ** 2, pdist(Y) ** 2)[0],
    ("rsa", "thingsvision-euclidean"): lambda X, Y: pearsonr(pdist(X), pdist(Y))[0],
    ("distance_correlation", "dcor"): distance_correlation,
}
WIDE = {("cca", "google"): 16, ("svcca", "google-tutorial"): 24, ("svcca", "aristotelian"): 12}  # units; some go unused
ELSEWHERE = {("pwcca", "google"), ("pwcca", "aristotelian")}  # options of our own, with tests of their own


def test_every_convention_is_written_out():
    have = {(metric, name) for metric, ways in cs.CONVENTIONS.items() for name in ways}
    assert have == set(WRITTEN_OUT) | ELSEWHERE


@pytest.mark.parametrize(("metric", "convention"), WRITTEN_OUT)
def test_is_what_the_library_computes(metric, convention):
    units = WIDE.get((metric, convention), 6)
    X, Y = arrays(dx=units, dy=units + 2)
    expected = WRITTEN_OUT[metric, convention](X, Y)
    assert float(cs.score(X, Y, metric, convention)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("metric", "convention"), sorted(set(WRITTEN_OUT) | ELSEWHERE))
def test_differs_from_ours_and_says_so(metric, convention):
    units = WIDE.get((metric, convention), 6)
    X, Y = arrays(1, dx=units, dy=units + 2)
    if convention == "pytorch-cka":  # it differs below zero alone
        X, Y = np.random.default_rng(0).standard_normal((2, 20, 5))
    ours, theirs = cs.score(X, Y, metric), cs.score(X, Y, metric, convention)
    assert float(ours) == cs.catalogue()[metric].score(X, Y)
    assert float(theirs) != pytest.approx(float(ours), rel=1e-4)
    assert convention in str(theirs)
    assert theirs.words in str(theirs)
    assert (float(cs.score(X, X, metric, convention)) < float(theirs)) == (theirs.direction == "distance")


def test_options_go_to_the_metric_unless_the_convention_settles_them():
    X, Y = arrays(2)
    assert float(cs.score(X, Y, "mutual_knn", "resi", k=3)) == cs.jaccard_knn(X, Y, k=3)
    with pytest.raises(cs.InputError, match="settles estimator"):
        cs.score(X, Y, "cka", "google", estimator="debiased")
    assert float(cs.score(X, Y, "cknna", "platonic-biased", k=5)) != float(cs.score(X, Y, "cknna", "platonic-biased"))
    with pytest.raises(cs.InputError, match="settles bandwidth"):
        cs.score(X, Y, "cka", "google-rbf", bandwidth=2)
    with pytest.raises(cs.InputError, match="no option 'q'"):
        cs.score(X, Y, "cka", "google", q=1)


def test_what_there_is_none_of_is_refused():
    X, Y = arrays(3)
    with pytest.raises(cs.InputError, match="'consilience', 'google', 'net2brain'"):
        cs.score(X, Y, "cka", "matlab")
    with pytest.raises(cs.InputError, match="metric"):
        cs.score(X, Y, "ckka")
    with pytest.raises(cs.InputError, match="all zeros"):
        cs.score(np.vstack([np.zeros(6), X[1:]]), Y, "cka", "platonic-rbf")
    with pytest.raises(cs.InputError, match="k is 1"):
        cs.score(X, Y, "cknna", "platonic-biased", k=1)
    with pytest.raises(cs.InputError, match="equally strong"):
        cs.score(*np.random.default_rng(4).standard_normal((2, 400, 300)), "svcca", "pypi-repsim")
    with pytest.raises(cs.InputError, match="NaN"):
        cs.score(np.where(X > 5, np.nan, X), Y, "cka", "google-rbf")
