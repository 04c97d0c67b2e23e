"""The shares of a tied k-th place, against a direct reading of their definition."""

import numpy as np
import pytest

from consilience.core import neighbor_weights, neighbors, roads


def shares(S, k):
    """Row by row: 1 above the k-th value, and for those equal to it an equal part of what is left."""
    W = np.zeros_like(S)
    for i, row in enumerate(S):
        kth = np.sort(row)[-k]
        W[i, row > kth] = 1
        W[i, row == kth] = (k - (row > kth).sum()) / (row == kth).sum()
    return W


def test_without_ties_they_mark_the_neighbors(road):
    X = np.random.default_rng(0).standard_normal((300, 20)).astype(np.float32)
    weights = neighbor_weights(X, 7)
    indices, _ = neighbors(X, 7)
    assert weights.nnz == 300 * 7
    assert (weights.data == 1).all()
    np.testing.assert_array_equal(weights.indices.reshape(300, 7), np.sort(indices, axis=1))


@pytest.mark.parametrize("similarity", ["dot", "euclidean"])
@pytest.mark.parametrize("n", [4, 31, 239, 242, 481])
def test_ties_are_shared_by_definition(n, similarity, road):
    X = np.random.default_rng(n).integers(0, 4, (n, 3)).astype(np.float32)  # on a small grid, nearly all tie
    Z = X.astype(np.float64)
    S = Z @ Z.T if similarity == "dot" else -((Z[:, None] - Z) ** 2).sum(axis=2)
    np.fill_diagonal(S, -np.inf)
    for k in {1, 3, n - 1}:
        weights = neighbor_weights(X, k, similarity)
        np.testing.assert_allclose(weights.toarray(), shares(S, k), atol=1e-15)
        np.testing.assert_allclose(weights.sum(axis=1), k)
        assert weights.has_sorted_indices


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_identical_rows_are_exactly_tied(similarity, dtype, road):
    rng = np.random.default_rng(1)
    X = (rng.standard_normal((500, 37)) + 1).astype(dtype)
    copies = np.array([3, 143, 144, 239, 240, 255, 256, 499])  # around the edges of panels and tiles
    X[copies] = X[3]
    weights = neighbor_weights(X, 4, similarity).toarray()
    np.testing.assert_allclose(weights.sum(axis=1), 4)
    for i, row in enumerate(weights):  # a copy is as good as another, except to itself
        assert len({row[j] for j in copies if j != i}) == 1
    if similarity != "dot":
        block = weights[np.ix_(copies, copies)]
        np.testing.assert_allclose(block[~np.eye(8, dtype=bool)], 4 / 7)


def test_half_of_the_rows_identical(road):
    X = np.random.default_rng(2).standard_normal((600, 10)).astype(np.float32)
    X[::2] = X[0]
    weights = neighbor_weights(X, 5)
    np.testing.assert_allclose(weights.sum(axis=1), 5)
    np.testing.assert_allclose(weights[[0]].data, 5 / 299)


def test_every_road_gives_the_same_bits(monkeypatch):
    X = np.random.default_rng(3).standard_normal((400, 9)).round(1)
    X[50:90] = X[0]
    monkeypatch.setenv(roads.VARIABLE, "twin")
    expected = neighbor_weights(X, 6)
    for name in roads.isas():
        monkeypatch.setenv(roads.VARIABLE, name)
        for threads in (1, 3):
            found = neighbor_weights(X, 6, threads=threads)
            np.testing.assert_array_equal(found.indptr, expected.indptr)
            np.testing.assert_array_equal(found.indices, expected.indices)
            np.testing.assert_array_equal(found.data, expected.data)
