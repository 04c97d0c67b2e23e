"""Scores over common edges against whole matrices, on every road of this machine."""

import numpy as np
import pytest
from scipy import sparse

from consilience.check import InputError
from consilience.core import Orders, memory, roads
from consilience.core.common_edges import backwards, permuted_best_edges, permuted_hsic


def neighbourhood(n, seed):
    """Weights of a directed graph, some of them shared places, and a symmetric kernel on its edges."""
    rng = np.random.default_rng([seed, n])
    W = sparse.random_array((n, n), density=0.3, rng=rng, format="lil")
    W.setdiag(0)
    W = sparse.csr_array(W)
    W.eliminate_zeros()
    W.sort_indices()
    W.data[::2] = 1
    K = rng.uniform(-1, 1, (n, n))
    K += K.T
    rows = np.repeat(np.arange(n), np.diff(W.indptr))
    return W, sparse.csr_array((K[rows, W.indices], W.indices, W.indptr), W.shape)


def song(K, L):
    """n (n - 3) times the estimator of Song et al. 2012, as matrices."""
    n, one = len(K), np.ones(len(K))
    return np.trace(K @ L) + (one @ K @ one) * (one @ L @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ K @ L @ one)


def pairs_of(n):
    return [[neighbourhood(n, 10 * side + i) for i in range(count)] for side, count in enumerate((2, 3))]


@pytest.mark.parametrize("n", [5, 17, 40])
def test_hsic_of_what_both_masks_leave(n, road):
    a, b = pairs_of(n)
    found = permuted_hsic(a, b, orders := Orders(n, 7, 1))
    for draw, p in enumerate(orders):
        for i, (W, K) in enumerate(a):
            for j, (V, L) in enumerate(b):
                V, L = (A.toarray()[np.ix_(p, p)] for A in (V, L))
                common = W.toarray() * V
                assert found[draw, i, j] == pytest.approx(song(common * K.toarray(), common * L), rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("n", [5, 17, 40])
def test_the_best_edge_of_each_row(n, road):
    a, b = ([W for W, _ in side] for side in pairs_of(n))
    found = permuted_best_edges(a, b, orders := Orders(n, 7, 1))
    a, b = ([W.toarray() for W in side] for side in (a, b))
    expected = [[[(W * V[np.ix_(p, p)]).max(1).sum() for V in b] for W in a] for p in orders]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_weight_of_the_edge_back():
    W, _ = neighbourhood(20, 3)
    rows = np.repeat(np.arange(20), np.diff(W.indptr))
    np.testing.assert_array_equal(backwards(W), W.toarray()[W.indices, rows])


def test_the_same_bits_for_any_threads(monkeypatch):
    a, b = pairs_of(50)
    found = []
    for threads in (1, 3):
        monkeypatch.setattr(roads, "thread_count", lambda threads=threads: threads)
        orders = Orders(50, 20, 1)
        best = permuted_best_edges([W for W, _ in a], [W for W, _ in b], orders)
        found.append((permuted_hsic(a, b, orders).tobytes(), best.tobytes()))
    assert found[0] == found[1]


@pytest.mark.skipif(not roads.compiled, reason="no compiled core")
def test_memory_is_asked_for_first(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1000)
    with pytest.raises(InputError, match="20 permutations of 2 x 3 graphs of 50 stimuli would take"):
        permuted_hsic(*pairs_of(50), Orders(50, 20, 1))
