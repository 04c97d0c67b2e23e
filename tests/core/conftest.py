"""What the tests of the core share: the roads to be taken, and neighbours by brute force."""

import numpy as np
import pytest

from consilience.core import roads

ROADS = [*roads.isas(), "twin"]


@pytest.fixture(params=ROADS)
def road(request, monkeypatch):
    """Every road of this machine in turn."""
    monkeypatch.setenv(roads.VARIABLE, request.param)
    return request.param


@pytest.fixture
def take(monkeypatch):
    """A function that takes a road for the calls that follow."""
    return lambda name: monkeypatch.setenv(roads.VARIABLE, name)


def similarity_matrix(X, Y, similarity):
    """All similarities in float64, by the textbook."""
    X, Y = np.asarray(X, np.float64), np.asarray(Y, np.float64)
    if similarity == "euclidean":
        return np.stack([-np.sqrt(((x - Y) ** 2).sum(axis=1)) for x in X])
    if similarity == "cosine":
        X, Y = (A / np.linalg.norm(A, axis=1, keepdims=True) for A in (X, Y))
    return X @ Y.T


def brute_force(X, k, similarity, others=None):
    """Indices and similarities of the k nearest, from the whole matrix, sorted, ties by index."""
    S = similarity_matrix(X, X if others is None else others, similarity)
    if others is None:
        np.fill_diagonal(S, -np.inf)
    order = np.argsort(-S, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(S, order, axis=1)


@pytest.fixture(scope="session")
def brute():
    return brute_force


@pytest.fixture(scope="session")
def matrix():
    return similarity_matrix
