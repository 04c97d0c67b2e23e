"""Mutual k-NN against the definition by sets, its expectation, and shared places."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import consilience as cs


def overlap_by_sets(X, Y, k, similarity):
    def nearest(A):
        A = A.astype(np.float64)
        if similarity == "cosine":
            A = A / np.linalg.norm(A, axis=1, keepdims=True)
        S = -np.square(A[:, None] - A[None]).sum(-1) if similarity == "euclidean" else A @ A.T
        np.fill_diagonal(S, -np.inf)
        return [set(np.argsort(-row, kind="stable")[:k]) for row in S]

    return np.mean([len(a & b) / k for a, b in zip(nearest(X), nearest(Y), strict=True)])


@settings(max_examples=30, deadline=None)
@given(n=st.integers(4, 60), d=st.integers(1, 9), seed=st.integers(0, 9999), data=st.data())
def test_is_the_mean_overlap_of_neighbour_sets(n, d, seed, data):
    k = data.draw(st.integers(1, n - 1))
    similarity = data.draw(st.sampled_from(["dot", "euclidean"] if d == 1 else ["cosine", "dot", "euclidean"]))
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((n, d)), rng.standard_normal((n, d + 2))
    assert cs.mutual_knn(X, Y, k=k, similarity=similarity) == pytest.approx(overlap_by_sets(X, Y, k, similarity))


def test_all_neighbours_are_shared_by_any_two_sets():
    rng = np.random.default_rng(0)
    assert cs.mutual_knn(rng.random((12, 3)), rng.random((12, 5)), k=11) == pytest.approx(1)


def test_by_chance_it_is_k_over_n_minus_one():
    rng = np.random.default_rng(1)
    scores = [cs.mutual_knn(rng.standard_normal((60, 5)), rng.standard_normal((60, 5)), k=6) for _ in range(60)]
    assert np.mean(scores) == pytest.approx(6 / 59, abs=0.01)


def test_tied_places_are_shared_and_the_score_is_the_mean_over_ways_to_break_ties():
    rng = np.random.default_rng(2)
    X, Y = np.repeat(rng.standard_normal((6, 3)), 3, axis=0), rng.standard_normal((18, 4))
    with pytest.warns(UserWarning, match="tied"):
        shared = cs.mutual_knn(X, Y, k=1)
    broken = []
    for _ in range(2000):
        jitter = X + 1e-4 * rng.standard_normal(X.shape)
        broken.append(cs.mutual_knn(jitter, Y, k=1))
    assert shared == pytest.approx(np.mean(broken), abs=5 * np.std(broken) / 2000**0.5)


def test_repeated_captions_do_not_look_aligned():
    rng = np.random.default_rng(3)
    z = []
    for _ in range(40):
        X, Y = (np.repeat(rng.standard_normal((30, 8)), 3, axis=0) for _ in range(2))
        Y = Y[rng.permutation(90)]
        with pytest.warns(UserWarning, match="tied"):
            z.append(cs.align(X, Y, metric="mutual_knn", k=1, draws=99).z)
    assert abs(np.mean(z)) < 4 / 40**0.5


def nearest_lists(X, k):
    X = X / np.linalg.norm(X, axis=1, keepdims=True)
    S = X @ X.T
    np.fill_diagonal(S, -np.inf)
    return [set(np.argsort(-row, kind="stable")[:k]) for row in S], X @ X.T


@pytest.mark.parametrize("k", [1, 3, 10])
def test_cycle_goes_out_by_y_and_comes_back_by_x(k):
    rng = np.random.default_rng(10)
    X = rng.standard_normal((50, 6))
    Y = X @ rng.standard_normal((6, 8)) + rng.standard_normal((50, 8))
    in_x, in_y = nearest_lists(X, k)[0], nearest_lists(Y, k)[0]
    expected = np.mean([any(i in in_x[j] for j in in_y[i]) for i in range(50)])
    assert cs.cycle_knn(X, Y, k) == pytest.approx(expected)


def cknna_by_matrices(X, Y, k):
    """As the code of Huh et al. 2024 has it, with dense matrices."""

    def hsic(K, L):
        n = len(K)
        value = np.trace(K @ L) + K.sum() * L.sum() / ((n - 1) * (n - 2)) - 2 * (K @ L).sum() / (n - 2)
        return value / (n * (n - 3))

    def mask(lists):
        M = np.zeros((len(lists),) * 2)
        for i, near in enumerate(lists):
            M[i, list(near)] = 1
        return M

    (near_x, K), (near_y, L) = nearest_lists(X, k), nearest_lists(Y, k)
    M, N = mask(near_x), mask(near_y)
    return hsic(M * N * K, M * N * L) / np.sqrt(hsic(M * K, M * K) * hsic(N * L, N * L))


@pytest.mark.parametrize("k", [2, 5, 20, 49])
def test_cknna_is_what_the_published_code_computes(k):
    rng = np.random.default_rng(11)
    X = rng.standard_normal((50, 6))
    Y = X @ rng.standard_normal((6, 8)) + rng.standard_normal((50, 8))
    assert cs.cknna(X, Y, k) == pytest.approx(cknna_by_matrices(X, Y, k), rel=1e-9)


def test_cknna_of_one_neighbour_is_refused():
    X = np.random.default_rng(12).standard_normal((20, 3))
    with pytest.raises(cs.InputError, match="at least two"):
        cs.cknna(X, X, k=1)


@pytest.mark.parametrize("score", [cs.cycle_knn, cs.cknna])
def test_repeated_stimuli_share_places_in_any_order(score):
    rng = np.random.default_rng(13)
    X, Y = np.repeat(rng.standard_normal((10, 4)), 3, axis=0), rng.standard_normal((30, 4))
    order = rng.permutation(30)
    with pytest.warns(UserWarning, match="tied"):
        assert score(X[order], Y[order], 4) == pytest.approx(score(X, Y, 4))
