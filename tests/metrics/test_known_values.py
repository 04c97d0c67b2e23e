"""Two tables that every library should reproduce: what leaves each score alone, and what it gives to noise.

The second holds scores of independent Gaussian sets, computed for a survey of the field and by other code than this.
Where random matrix theory has a law, the law is asked too.
"""

import warnings

import numpy as np
import pytest
from scipy.integrate import quad

import consilience as cs


def rotated(X, rng):
    return X @ np.linalg.qr(rng.standard_normal((X.shape[1],) * 2))[0]


CHANGES = {
    "rotation": rotated,
    "scale": lambda X, rng: 2.5 * X,
    "translation": lambda X, rng: X + 5 * rng.standard_normal(X.shape[1]),
    "linear map": lambda X, rng: X @ (np.eye(X.shape[1]) + 3 * rng.standard_normal((X.shape[1],) * 2)),
}
INVARIANCES = {  # rotation, scale, translation, linear map
    "linear CKA, biased": (cs.rv, {}, (1, 1, 1, 0)),
    "linear CKA, debiased": (cs.cka, {}, (1, 1, 1, 0)),
    "CCA": (cs.cca, {}, (1, 1, 1, 1)),
    "PWCCA, of the side without weights": (lambda X, Y: cs.pwcca(Y, X), {}, (1, 1, 1, 1)),
    "SVCCA": (cs.svcca, {"variance": 0.8}, (1, 1, 1, 0)),
    "mutual k-NN, cosine": (cs.mutual_knn, {}, (1, 1, 0, 0)),
    "mutual k-NN, cosine, centred": (lambda X, Y: cs.mutual_knn(X - X.mean(0), Y), {}, (1, 1, 1, 0)),
    "mutual k-NN, Euclidean": (cs.mutual_knn, {"similarity": "euclidean"}, (1, 1, 1, 0)),
    "RSA, Euclidean": (cs.rsa, {"dissimilarity": "euclidean"}, (1, 1, 1, 0)),
    "RSA, cosine": (cs.rsa, {"dissimilarity": "cosine"}, (1, 1, 0, 0)),
    "RSA, cosine, centred": (lambda X, Y: cs.rsa(X - X.mean(0), Y, "cosine"), {}, (1, 1, 1, 0)),
    "RSA, 1 - Pearson": (cs.rsa, {}, (0, 1, 0, 0)),
    "Procrustes": (cs.procrustes, {}, (1, 1, 1, 0)),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", INVARIANCES)
def test_what_leaves_a_score_alone(name, change):
    score, options, row = INVARIANCES[name]
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 12)) * np.arange(1, 13)
    Y = X @ rng.standard_normal((12, 9)) + 9 * rng.standard_normal((60, 9))
    moved = [score(CHANGES[change](X, rng), Y, **options) - score(X, Y, **options) for _ in range(3)]
    if row[list(CHANGES).index(change)]:
        assert np.abs(moved).max() < 1e-9
    else:
        assert np.abs(moved).max() > 3e-3


def similarity(X, Y):
    return np.cos(cs.procrustes(X, Y))


NOISE = [  # n, d: linear CKA, mean CCA, SVCCA of 99 %, cosine of the Procrustes angle
    (256, 32, 0.109, 0.302, 0.302, 0.293),
    (256, 128, 0.333, 0.636, 0.610, 0.568),
    (256, 1024, 0.800, None, 0.972, 0.937),
    (1024, 128, 0.112, 0.304, 0.302, 0.296),
    (1024, 512, 0.332, 0.636, 0.609, 0.567),
    (1024, 1024, 0.501, None, 0.827, 0.750),
    (1024, 2048, 0.666, None, 0.940, 0.875),
]


@pytest.mark.parametrize(("n", "d", "biased", "cca", "svcca", "procrustes"), NOISE)
def test_what_noise_scores(n, d, biased, cca, svcca, procrustes):
    X, Y = np.random.default_rng(n + d).standard_normal((2, n, d))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert cs.rv(X, Y) == pytest.approx(biased, abs=0.01)
        assert cs.rv(X, Y) == pytest.approx(d / (n + d), abs=0.01)
        assert cs.svcca(X, Y) == pytest.approx(svcca, abs=0.01)
        assert similarity(X, Y) == pytest.approx(procrustes, abs=0.01)
        if cca is None:
            with pytest.raises(cs.InputError, match="1 whatever the data"):
                cs.cca(X, Y)
        else:
            assert cs.cca(X, Y) == pytest.approx(cca, abs=0.01)
            assert cs.cca(X, Y) == pytest.approx(wachter(d / (n - 1)), abs=0.01)
    four = 4 * np.sqrt(2 / (n * (n - 3)))
    assert abs(cs.cka(X, Y)) < four
    assert abs(cs.rsa(X, Y)) < four
    assert cs.mutual_knn(X, Y) == pytest.approx(10 / (n - 1), abs=5 * np.sqrt(10 / (n - 1) / (10 * n)))


def wachter(c):
    """Mean canonical correlation of two sets of c n independent Gaussian units, n large (Wachter 1980)."""
    top = 4 * c * (1 - c)
    return quad(lambda x: np.sqrt(top - x) / (2 * np.pi * c * (1 - x)), 0, top)[0]


@pytest.mark.parametrize("fall", [0.25, 0.5])
def test_noise_scores_by_its_effective_and_not_its_nominal_width(fall):
    n, d = 512, 768
    strength = np.arange(1, d + 1) ** (-fall / 2)
    X, Y = np.random.default_rng(1).standard_normal((2, n, d)) * strength
    effective = (strength**2).sum() ** 2 / (strength**4).sum()
    assert cs.rv(X, Y) == pytest.approx(effective / (n + effective), abs=0.012)
    assert effective / (n + effective) < d / (n + d) - 0.02


def test_the_best_of_many_pairs_of_layers_rises_with_their_number():
    """Of noise: n = 128, 256 units, k = 10. By chance mutual k-NN is 10 / 127 = .079, and the best of 256 pairs .11."""
    a, b = np.random.default_rng(2).standard_normal((2, 16, 128, 256))
    scores = np.array([[cs.mutual_knn(X, Y) for Y in b] for X in a])
    assert scores.mean() == pytest.approx(10 / 127, abs=0.003)
    assert scores.max() == pytest.approx(0.112, abs=0.014)
