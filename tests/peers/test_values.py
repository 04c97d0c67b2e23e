"""The same arrays, the same number: other libraries beside ours, and how to convert where conventions differ."""

import cka as pytorch_cka
import dcor
import numpy as np
import pytest
import repsim
import rsatoolbox
import torch
from calibrated_similarity import calibrate, calibrate_layers
from scipy.spatial.distance import pdist, squareform
from skbio.stats.distance import mantel

import consilience as cs
from consilience.core import Orders


def arrays(seed, n=60, dx=12, dy=9, noise=4.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, dx)) * np.arange(1, dx + 1)
    return X, X @ rng.standard_normal((dx, dy)) + noise * n**0.5 * rng.standard_normal((n, dy))


# --- CKA and canonical correlations ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_pytorch_cka(seed):
    """Debiased; theirs does not centre, so it is handed centred units, and cuts off what is below 0."""
    X, Y = arrays(seed)
    theirs = pytorch_cka.cka_from_features(*(torch.from_numpy(A - A.mean(0)) for A in (X, Y)))
    assert cs.cka(X, Y) == pytest.approx(float(theirs.squeeze()), rel=1e-9)
    noise = np.random.default_rng(seed).standard_normal((2, 20, 5))
    ours = cs.cka(*noise)
    theirs = float(pytorch_cka.cka_from_features(*(torch.from_numpy(A - A.mean(0)) for A in noise)).squeeze())
    assert theirs == pytest.approx(max(ours, 0), rel=1e-9)


@pytest.mark.parametrize(("theirs", "summary"), [("pillai", "mean"), ("yanai", "mean_squared")])
def test_repsim_cca(theirs, summary):
    """Their "pillai" is the mean of correlations, their "yanai" that of their squares."""
    X, Y = arrays(3)
    assert cs.cca(X, Y, summary) == pytest.approx(repsim.cca([X, Y], theirs)[0, 1], rel=1e-6)


def test_repsim_cka():
    """Biased. Their "song" divides an unbiased numerator by biased norms, so it is another number than ours."""
    X, Y = arrays(4)
    assert cs.rv(X, Y) == pytest.approx(repsim.cka([X, Y], "linear", "gretton")[0, 1], rel=1e-9)
    assert cs.cka(X, Y) != pytest.approx(repsim.cka([X, Y], "linear", "song")[0, 1], rel=1e-3)


@pytest.mark.parametrize(
    ("convention", "kernel", "estimator"),
    [
        ("pypi-repsim-song", "linear", "song"),
        ("pypi-repsim-lange", "linear", "lange"),
        ("pypi-repsim-rbf-mean", "rbf_mean", "gretton"),
        ("pypi-repsim-rbf-dualmed", "rbf_dualmed", "gretton"),
    ],
)
def test_repsim_cka_by_convention(convention, kernel, estimator):
    X, Y = arrays(4)
    expected = repsim.cka([X, Y], kernel, estimator)[0, 1]
    assert float(cs.score(X, Y, "cka", convention)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("mean", [0, 3])
def test_repsim_pwcca_and_svcca_by_convention(mean):
    X, Y = (A + mean for A in arrays(12))
    assert float(cs.score(X, Y, "pwcca", "pypi-repsim")) == pytest.approx(repsim.pwcca([X, Y])[0, 1], rel=1e-6)
    assert float(cs.score(X, Y, "svcca", "pypi-repsim")) == pytest.approx(repsim.svcca([X, Y])[0, 1], rel=1e-6)


# --- distances ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_dcor(seed):
    """Ours comes on the squared scale, theirs without a root where it is called so."""
    X, Y = arrays(seed)
    assert cs.distance_correlation(X, Y) == pytest.approx(dcor.u_distance_correlation_sqr(X, Y), rel=1e-9)
    assert cs.distance_correlation(X, Y, "biased") == pytest.approx(dcor.distance_correlation_sqr(X, Y), rel=1e-9)
    root = cs.distance_correlation(X, Y, "biased", squared=False)
    assert root == pytest.approx(dcor.distance_correlation(X, Y), rel=1e-9)


@pytest.mark.parametrize(("compare", "theirs"), [("spearman", "spearman"), ("pearson", "corr"), ("cosine", "cosine")])
@pytest.mark.parametrize(
    ("dissimilarity", "method"), [("correlation", "correlation"), ("squared_euclidean", "euclidean")]
)
def test_rsatoolbox(dissimilarity, method, compare, theirs):
    """Their "euclidean" is the squared distance over the number of channels, which no correlation sees."""
    X, Y = arrays(5)
    rdms = [rsatoolbox.rdm.calc_rdm(rsatoolbox.data.Dataset(A), method=method) for A in (X, Y)]
    expected = rsatoolbox.rdm.compare(*rdms, method=theirs)
    assert cs.rsa(X, Y, dissimilarity, compare) == pytest.approx(float(expected.squeeze()), rel=1e-9)


def test_rsatoolbox_tau_a():
    X, Y = (A.round() for A in arrays(6))  # with ties
    rdms = [rsatoolbox.rdm.calc_rdm(rsatoolbox.data.Dataset(A), method="euclidean") for A in (X, Y)]
    expected = rsatoolbox.rdm.compare(*rdms, method="tau-a")
    assert cs.rsa(X, Y, "squared_euclidean", "kendall") == pytest.approx(float(expected.squeeze()), rel=1e-9)


def test_rsatoolbox_whitened_cosine_of_squared_distances_is_biased_cka():
    """An identity of Diedrichsen et al. 2021, between two functions that share no code and no name."""
    X, Y = arrays(7)
    rdms = [rsatoolbox.rdm.calc_rdm(rsatoolbox.data.Dataset(A), method="euclidean") for A in (X, Y)]
    expected = rsatoolbox.rdm.compare(*rdms, method="cosine_cov")
    assert cs.rv(X, Y) == pytest.approx(float(expected.squeeze()), rel=1e-6)


# --- chance ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_scikit_bio_mantel(method):
    """The statistic, and p = (1 + those as high) / (1 + draws), to the error of 9,999 pairings on both sides."""
    X, Y = arrays(8, n=40, noise=20)
    found = cs.align(X, Y, "rsa", dissimilarity="euclidean", compare=method)
    score, p, n = mantel(*(squareform(pdist(A)) for A in (X, Y)), method, 9_999, "greater", seed=1)
    assert (found.score, found.n) == (pytest.approx(score, rel=1e-9), n)
    assert found.method == "moments"
    assert found.p == pytest.approx(p, abs=4 * np.sqrt(p / 9_999) + 0.05 * p + 1e-4)
    drawn = cs.align(X, Y, "rsa", "permutations", draws=9_999, dissimilarity="euclidean", compare=method)
    assert drawn.p == pytest.approx(p, abs=6 * np.sqrt(p / 9_999) + 1e-4)


def as_score(metric, **options):
    return lambda X, Y: getattr(cs, metric)(X.numpy(), Y.numpy(), **options)


@pytest.mark.parametrize("noise", [0.5, 8.0, 100.0])
@pytest.mark.parametrize(("metric", "options"), [("cka", {}), ("mutual_knn", {"k": 5}), ("rsa", {}), ("svcca", {})])
def test_calibrated_similarity(metric, options, noise):
    """The same pairings: the same p, and the same calibrated score by their order statistic, to float32."""
    X, Y = arrays(9, n=40, noise=noise)
    ours = cs.align(X, Y, metric, "permutations", draws=199, seed=3, **options)
    orders = iter([torch.from_numpy(np.array(order)).long() for order in Orders(40, 199, 3)])
    tensors = map(torch.from_numpy, (X, Y))
    score, p, _ = calibrate(*tensors, as_score(metric, **options), K=199, perm_fn=lambda n, device: next(orders))
    assert ours.p == pytest.approx(float(p))
    assert ours.calibrated == pytest.approx(float(score), abs=1e-5)


def test_calibrated_similarity_over_layers():
    """The maximum over pairs of layers under shared pairings: our p_max of the best pair is their p."""
    X, Y = arrays(10, n=40, noise=9.0)
    noise = np.random.default_rng(11).standard_normal((2, 40, 7))
    a, b = {"noise": noise[0], "layer": X}, {"layer": Y, "noise": noise[1]}
    table = cs.compare(a, b, "cka", draws=199, seed=5)
    orders = iter([torch.from_numpy(np.array(order)).long() for order in Orders(40, 199, 5)])
    layers = [[torch.from_numpy(A) for A in side.values()] for side in (a, b)]
    _, p, _ = calibrate_layers(*layers, as_score("cka"), K=199, perm_fn=lambda n, device: next(orders))
    assert table.p_max.min() == pytest.approx(float(p))
    assert table.score.idxmax() == table.p_max.idxmin()
