"""What float32 does to debiased CKA of 10,000 stimuli where one writes it down plainly, and what it does to ours.

Two things go wrong. A large mean of the units fills the digits of every product. And the sums: each is 1e4 times what
the estimate leaves of it.
"""

import numpy as np
import pytest

from consilience.core import kernel_sums, layer_sums
from consilience.core.kernel_sums import median_distance

N = 10_000
SOME = 200  # rows of the matrices at a time


def two_sets(units, mean, shared):
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((2, N, units))
    return [(A + mean).astype(np.float32) for A in (X, shared * X + Y)]


def of_pair(X, Y, kernel):
    hsic = kernel_sums(X, Y, kernel).hsic_unbiased
    return hsic.kl / np.sqrt(hsic.kk * hsic.ll)


def of_layers(X, Y, kernel):
    hsic = layer_sums([X], [Y], kernel).hsic_unbiased
    return hsic.ab[0, 0] / np.sqrt(hsic.aa[0] * hsic.bb[0])


def plain(X, Y, gram, total):
    """CKA from kernel matrices of float32, some rows at a time, all sums taken by `total`."""
    products, rows = [np.float32(0)] * 3, []
    for start in range(0, N, SOME):
        K, L = (gram(A, slice(start, start + SOME)) for A in (X, Y))
        for A in (K, L):
            A[np.arange(SOME), np.arange(start, start + SOME)] = 0
        terms = [(A * B).ravel() for A, B in ((K, L), (K, K), (L, L))]
        products = [total(np.append(so_far, more)) for so_far, more in zip(products, terms, strict=True)]
        rows.append([total(K), total(L)])
    k, l = np.concatenate(rows, axis=1)
    kl, kk, ll = (
        product + total(a) * total(b) / ((N - 1) * (N - 2)) - 2 * total(a * b) / (N - 2)
        for product, a, b in zip(products, (k, k, l), (l, k, l), strict=True)
    )
    with np.errstate(invalid="ignore", divide="ignore"):  # HSIC of a set with itself may come out negative, or zero
        return kl / np.sqrt(kk * ll)


def pairwise(A):
    """NumPy's own sum in float32, which is better than one term after the other."""
    return A.sum(-1, dtype=np.float32)


def in_turn(A):
    return np.cumsum(A, axis=-1, dtype=np.float32)[..., -1]


def in_float64(A):
    return A.sum(-1, dtype=np.float64)


def linear(A, rows):
    return A[rows] @ A.T


def truth_of_linear(X, Y):
    """In float64, from units: with centred rows of squared lengths a, row i of XX' sums to -a_i off its diagonal."""
    X, Y = (A - A.mean(0, dtype=np.float64) for A in (X, Y))

    def hsic(A, B):
        a, b = np.square(A).sum(1), np.square(B).sum(1)
        return np.square(A.T @ B).sum() - a @ b - 2 * (a @ b) / (N - 2) + a.sum() * b.sum() / ((N - 1) * (N - 2))

    return hsic(X, Y) / np.sqrt(hsic(X, X) * hsic(Y, Y))


@pytest.mark.parametrize(("mean", "total"), [(10, pairwise), (1000, in_float64)])
def test_a_large_mean(mean, total):
    """Ten standard deviations are enough for float32 sums; a thousand, for float32 products under float64 sums."""
    X, Y = two_sets(6, mean, shared=0.5)
    truth = truth_of_linear(X, Y)
    assert of_pair(X, Y, "linear") == pytest.approx(truth, abs=1e-8)
    assert of_layers(X, Y, "linear") == pytest.approx(truth, abs=1e-8)
    assert not abs(plain(X, Y, linear, total) - truth) < 1e-3


def test_a_score_next_to_nothing():
    """Independent sets, no mean at all, a kernel that lies between 0 and 1."""
    X, Y = two_sets(16, 0, shared=0)
    truth = of_pair(X.astype(np.float64), Y.astype(np.float64), "rbf")
    assert of_pair(X, Y, "rbf") == pytest.approx(truth, abs=1e-7)
    assert of_layers(X, Y, "rbf") == pytest.approx(truth, abs=1e-7)
    assert abs(truth) < 5 * np.sqrt(2 / (N * (N - 3)))  # a law of its own: the sd under independence is exact
    spreads = {id(A): np.float32(2 * median_distance(A) ** 2) for A in (X, Y)}

    def rbf(A, rows):
        own = np.square(A).sum(1)
        return np.exp((2 * A[rows] @ A.T - own[rows, None] - own) / spreads[id(A)])

    assert not abs(plain(X, Y, rbf, in_turn) - truth) < 0.01
