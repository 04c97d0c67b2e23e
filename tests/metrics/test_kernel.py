"""CKA against the definition by index tuples, closed forms, and its card."""

from itertools import permutations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

import consilience as cs
from consilience.metrics.kernel import gram, kernel_relation, u_centre
from consilience.metrics.relation import product


def arrays(seed, n=40, dx=6, dy=9, shared=True):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, dx))
    noise = rng.standard_normal((n, dy))
    return X, X @ rng.standard_normal((dx, dy)) + noise if shared else noise


def hsic_by_tuples(K, L):
    """The U-statistic of Song et al. 2012, term by term over distinct stimuli."""
    n = len(K)
    pairs = sum(K[i, j] * L[i, j] for i, j in permutations(range(n), 2)) / (n * (n - 1))
    fours = sum(K[i, j] * L[q, r] for i, j, q, r in permutations(range(n), 4)) / (n * (n - 1) * (n - 2) * (n - 3))
    threes = sum(K[i, j] * L[i, q] for i, j, q in permutations(range(n), 3)) / (n * (n - 1) * (n - 2))
    return pairs + fours - 2 * threes


KERNELS = ["linear", "cosine", "rbf", "laplacian"]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("n", [4, 5, 7])
def test_debiased_cka_is_the_u_statistic(kernel, n):
    X, Y = arrays(n, n=n)
    K, L = gram(X, kernel), gram(Y, kernel)
    expected = hsic_by_tuples(K, L) / np.sqrt(hsic_by_tuples(K, K) * hsic_by_tuples(L, L))
    assert cs.cka(X, Y, kernel=kernel) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("estimator", ["debiased", "biased"])
@pytest.mark.parametrize(("dx", "dy"), [(1, 2), (5, 7), (200, 3), (90, 100)])
def test_units_and_gram_matrices_give_the_same_linear_cka(estimator, dx, dy):
    X, Y = arrays(1, n=50, dx=dx, dy=dy)
    by_gram = product(*(kernel_relation(A, estimator=estimator) for A in (X, Y)))
    assert cs.cka(X, Y, estimator=estimator) == pytest.approx(by_gram, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("estimator", ["debiased", "biased"])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("n", "dx"), [(40, 6), (300, 500), (1100, 30), (2100, 3)])
def test_sums_and_matrices_give_the_same_cka(n, dx, kernel, estimator):
    X, Y = (A.astype(np.float32) for A in arrays(2, n=n, dx=dx))
    by_matrix = product(*(kernel_relation(A, kernel, estimator, 0.8) for A in (X, Y)))
    assert cs.cka(X, Y, kernel, estimator, 0.8) == pytest.approx(by_matrix, abs=1e-7)


def test_the_cosine_kernel_is_that_of_unit_rows_and_not_centred():
    X, Y = (A + 1 for A in arrays(3))
    units = [A / np.linalg.norm(A, axis=1, keepdims=True) for A in (X, Y)]
    K, L = (u_centre(A @ A.T) for A in units)
    expected = (K * L).sum() / np.linalg.norm(K) / np.linalg.norm(L)
    assert cs.cka(X, Y, kernel="cosine") == pytest.approx(expected, rel=1e-9)
    assert cs.cka(X * np.arange(1, 41)[:, None], Y, kernel="cosine") == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_kernel_with_nothing_left_is_refused(kernel):
    apart = np.eye(40)  # all stimuli equally far from one another
    with pytest.raises(cs.InputError, match="kernel of X is constant"):
        cs.cka(apart, arrays(0)[1], kernel)
    assert cs.cka(apart, apart, kernel, "biased") == pytest.approx(1)  # this one still has its diagonal


def test_no_score_stores_a_matrix(monkeypatch):
    def refuse(*_):
        raise AssertionError("a whole matrix")

    monkeypatch.setattr("consilience.metrics.kernel.squareform", refuse)
    monkeypatch.setattr("consilience.metrics.kernel.gram", refuse)
    for kernel in KERNELS:
        cs.cka(*arrays(7), kernel=kernel)


def test_biased_linear_cka_is_the_formula_of_kornblith():
    X, Y = arrays(2)
    Xc, Yc = X - X.mean(0), Y - Y.mean(0)
    norm = np.linalg.norm
    assert cs.cka(X, Y, estimator="biased") == pytest.approx(norm(Yc.T @ Xc) ** 2 / norm(Xc.T @ Xc) / norm(Yc.T @ Yc))


@pytest.mark.parametrize(("n", "d"), [(256, 128), (256, 1024)])
def test_noise_looks_aligned_to_the_biased_form_and_not_to_the_debiased(n, d):
    X, Y = arrays(3, n, d, d, shared=False)
    assert cs.cka(X, Y, estimator="biased") == pytest.approx(d / (n + d), abs=0.02)
    assert cs.cka(X, Y) == pytest.approx(0, abs=5 * np.sqrt(2 / (n * (n - 3))))


def test_u_centring_leaves_rows_that_sum_to_zero():
    A = u_centre(gram(arrays(5)[0], "linear"))
    np.testing.assert_allclose(A.sum(0), 0, atol=1e-10)
    assert not A.diagonal().any()


def test_a_large_mean_costs_no_digits():
    X, Y = arrays(6)
    assert cs.cka((X + 1e6).astype(np.float64), Y) == pytest.approx(cs.cka(X, Y), rel=1e-7)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("n", [4, 6])
def test_hsic_is_the_u_statistic_in_the_kernels_own_units(kernel, n):
    X, Y = (7 * A for A in arrays(n, n=n))

    def own(A):
        if kernel == "linear":
            return A @ A.T
        if kernel == "cosine":
            A = A / np.linalg.norm(A, axis=1, keepdims=True)
            return A @ A.T
        D = squareform(pdist(A))
        D = D / np.median(pdist(A))
        return np.exp(-(D**2) / 2) if kernel == "rbf" else np.exp(-D)

    K, L = own(X), own(Y)
    assert cs.hsic(X, Y, kernel) == pytest.approx(hsic_by_tuples(K, L), rel=1e-6, abs=1e-12)
    H = np.eye(n) - 1 / n
    assert cs.hsic(X, Y, kernel, "biased") == pytest.approx(np.trace(K @ H @ L @ H) / (n - 1) ** 2, rel=1e-6)


def test_rv_is_escoufiers_coefficient():
    X, Y = arrays(30)
    Sxy, Sxx, Syy = (np.cov(np.hstack([A, B]).T)[: A.shape[1], A.shape[1] :] for A, B in ((X, Y), (X, X), (Y, Y)))
    trace = np.trace
    assert cs.rv(X, Y) == pytest.approx(trace(Sxy @ Sxy.T) / np.sqrt(trace(Sxx @ Sxx.T) * trace(Syy @ Syy.T)))


@pytest.mark.parametrize("kernel", KERNELS)
def test_one_batch_of_all_is_debiased_cka_and_batches_are_means_of_hsic(kernel):
    X, Y = arrays(31, n=64)
    whole = cs.cka(X, Y, kernel)
    assert cs.cka(X, Y, kernel, "minibatch", batch_size=64) == pytest.approx(whole, rel=1e-6)
    assert cs.cka(X, Y, kernel, "minibatch", batch_size=16) == pytest.approx(whole, abs=0.25)
    if kernel == "linear":
        order = np.random.default_rng(3).permutation(64)
        means = np.mean(
            [[cs.hsic(A[b], B[b]) for A, B in ((X, Y), (X, X), (Y, Y))] for b in np.split(order[:60], 3)], axis=0
        )
        expected = means[0] / np.sqrt(means[1] * means[2])
        assert cs.cka(X, Y, estimator="minibatch", batch_size=20, seed=3) == pytest.approx(expected)
    with pytest.raises(cs.InputError, match="batch_size is 65"):
        cs.cka(X, Y, kernel, "minibatch", batch_size=65)
