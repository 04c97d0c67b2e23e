"""Nulls against all pairings of seven stimuli, and against twenty thousand of two hundred.

Here a score is the public function of two arrays, and a pairing is a reordered array: nothing is shared with the code
that computes nulls.
"""

from itertools import permutations

import numpy as np
import pytest
from scipy import sparse, stats
from scipy.spatial.distance import cdist

import consilience as cs
from consilience.core import permuted_products
from consilience.metrics import CARDS
from consilience.moments import moments
from consilience.nulls import null, sums_of

CLOSED = [
    (7, "cka", {}),
    (6, "cka", {"kernel": "cosine"}),
    (7, "cka", {"kernel": "rbf", "bandwidth": 0.7}),
    (6, "cka", {"kernel": "laplacian"}),
    (6, "hsic", {}),
    (7, "distance_correlation", {}),
    (7, "rsa", {}),
    (7, "rsa", {"compare": "pearson"}),
    (6, "rsa", {"compare": "cosine", "dissimilarity": "euclidean"}),
    (7, "mutual_knn", {"k": 2}),
    (6, "mutual_knn", {"k": 1}),
    (6, "mutual_knn", {"k": 4, "similarity": "euclidean"}),
]
OPEN = [
    ("cka", {}),
    ("mutual_knn", {"k": 2}),
    ("cycle_knn", {"k": 2}),
    ("cknna", {"k": 5}),
    ("procrustes", {}),
    ("rsa", {"compare": "kendall"}),
    ("distance_correlation", {"estimator": "biased"}),
    ("cka", {"estimator": "biased"}),
    ("svcca", {"variance": 0.5}),
]


def arrays(n, seed=0, dx=3, dy=5):
    rng = np.random.default_rng(seed)
    X = rng.standard_exponential((n, dx))
    return X, X @ rng.standard_normal((dx, dy)) + rng.standard_exponential((n, dy))


def scores_of_all_pairings(metric, X, Y, options):
    score = getattr(cs, metric)
    return np.array([score(X, Y[list(order)], **options) for order in permutations(range(len(X)))])


def shape(values):
    return values.mean(), values.std(), stats.skew(values), stats.kurtosis(values, fisher=False)


@pytest.mark.parametrize(("n", "metric", "options"), CLOSED)
def test_moments_of_few_stimuli_are_those_of_all_pairings(n, metric, options):
    X, Y = arrays(n, seed=1)
    card = CARDS[metric]
    a, b = card.side(X, **options), card.side(Y, **options)
    scale = a.scale * b.scale
    found = moments(sums_of(a), sums_of(b))
    mean, sd, skew, kurtosis = shape(scores_of_all_pairings(metric, X, Y, options))
    assert (found.mean / scale, found.sd / scale) == pytest.approx((mean, sd), rel=1e-8, abs=1e-8 * sd)
    assert (found.skew, found.kurtosis) == pytest.approx((skew, kurtosis), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("metric", "options"), OPEN)
@pytest.mark.filterwarnings("ignore:.*directions meet:UserWarning")
def test_enumeration_is_the_share_of_all_pairings(metric, options):
    X, Y = arrays(6, seed=2)
    found = cs.align(X, Y, metric, **options)
    chance = scores_of_all_pairings(metric, X, Y, options)
    sign = 1 if CARDS[metric].direction == "similarity" else -1
    assert found.method == "enumeration"
    assert found.p == pytest.approx((sign * chance >= sign * found.score - 1e-9).mean())
    assert (found.null_mean, found.null_sd) == pytest.approx((chance.mean(), chance.std()), rel=1e-7, abs=1e-9)


# --- two hundred stimuli --------------------------------------------------------------------------------------------

N, PAIRINGS = 200, 20_000


def centred(D):
    """The relation matrix of each score in float64, written down once more: plain formulas, no code of the package."""
    n = len(D)
    K = D.astype(float)
    np.fill_diagonal(K, 0)
    K = K - K.sum(0) / (n - 2) - K.sum(0)[:, None] / (n - 2) + K.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(K, 0)
    return K / np.linalg.norm(K)


def ranked(D, rank=stats.rankdata):
    upper = np.triu_indices(len(D), 1)
    values = rank(D[upper])
    R = np.zeros_like(D, dtype=float)
    R[upper] = values - values.mean()
    return (R + R.T) / np.linalg.norm(R + R.T)


def near(X, k):
    X = X / np.linalg.norm(X, axis=1, keepdims=True)
    S = X @ X.T
    np.fill_diagonal(S, -np.inf)
    graph = np.zeros_like(S)
    np.put_along_axis(graph, np.argsort(-S, 1)[:, :k], 1, 1)
    return graph / np.sqrt(len(X) * k)


PLAIN = {
    "cka": ({}, lambda X: centred((X - X.mean(0)) @ (X - X.mean(0)).T)),
    "distance_correlation": ({}, lambda X: centred(cdist(X, X))),
    "rsa": ({}, lambda X: ranked(1 - np.corrcoef(X))),
    "rsa, pearson": (
        {"compare": "pearson", "dissimilarity": "euclidean"},
        lambda X: ranked(cdist(X, X), rank=np.asarray),
    ),
    "mutual_knn, k = 2": ({"k": 2}, lambda X: near(X, 2)),
    "mutual_knn, k = 10": ({"k": 10}, lambda X: near(X, 10)),
}
WORLDS = {
    "Gaussian": lambda rng: rng.standard_normal((N, 8)),
    "clusters": lambda rng: 4 * rng.standard_normal((4, 8))[rng.integers(0, 4, N)] + rng.standard_normal((N, 8)),
}


@pytest.fixture(scope="module")
def orders():
    rng = np.random.default_rng(3)
    return np.array([rng.permutation(N) for _ in range(PAIRINGS)])


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", PLAIN)
def test_moments_of_two_hundred_stimuli_agree_with_twenty_thousand_pairings(name, world, orders):
    rng = np.random.default_rng(4)
    X, Y = WORLDS[world](rng), WORLDS[world](rng)
    options, plain = PLAIN[name]
    card = CARDS[name.split(",")[0]]
    a, b = card.side(X, **options), card.side(Y, **options)
    A, B = plain(X), plain(Y)
    np.testing.assert_allclose((A * B).sum(), card.meet(a, b), rtol=1e-9, atol=1e-12)
    T = permuted_products(*([sparse.csr_array(M) if "knn" in name else M] for M in (A, B)), orders).ravel()
    np.testing.assert_allclose(T[:100], [np.vdot(A, B[np.ix_(order, order)]) for order in orders[:100]], atol=1e-9)

    chance = null(a, b, "moments")
    mean, sd, skew, kurtosis = shape(T)
    error = PAIRINGS**-0.5  # of a mean, in standard deviations; of the rest as the exact moments have it
    assert chance.mean == pytest.approx(mean, abs=4 * error * sd)
    assert chance.sd == pytest.approx(sd, rel=4 * error * np.sqrt((kurtosis - 1) / 4))
    halves = [stats.skew(part) for part in np.split(T, 20)]
    assert chance.skew == pytest.approx(skew, abs=4 * np.std(halves) / 20**0.5 + 0.02)
    for level in (0.95, 0.99, 0.999):
        edge = np.quantile(T, level, method="higher")
        beyond = int((edge <= T).sum())
        share = chance.tail(edge)
        low, high = stats.beta.ppf((0.0005, 0.9995), (beyond, beyond + 1), (PAIRINGS - beyond + 1, PAIRINGS - beyond))
        assert low / 1.15 <= share <= high * 1.15  # what the curve promises, and what 20,000 pairings can tell
