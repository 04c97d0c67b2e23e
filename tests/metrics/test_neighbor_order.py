"""Jaccard, order-aware and second-order scores of neighbours against their definitions on scikit-learn's neighbours."""

from functools import lru_cache
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cosine
from sklearn.metrics.pairwise import pairwise_distances
from sklearn.neighbors import NearestNeighbors

import consilience as cs

ORDERED = [cs.lcs_knn, cs.edit_knn, cs.rank_similarity]


def arrays(seed, n=30, noise=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5))
    return X, X @ rng.standard_normal((5, 7)) + noise * rng.standard_normal((n, 7))


def lists(X, k):
    return NearestNeighbors(n_neighbors=k, metric="cosine").fit(X).kneighbors(return_distance=False)


def longest_common(a, b):
    """The longest of all subsequences of a that is one of b, by trying every one."""
    of_b = {s for size in range(len(b) + 1) for s in combinations(b, size)}
    return max(size for size in range(len(a) + 1) if any(s in of_b for s in combinations(a, size)))


@lru_cache(None)
def edits(a, b):
    if not a or not b:
        return len(a) + len(b)
    return min(edits(a[1:], b) + 1, edits(a, b[1:]) + 1, edits(a[1:], b[1:]) + (a[0] != b[0]))


def rank_closeness(a, b):
    both = set(a) & set(b)
    places = [(a.index(j) + 1, b.index(j) + 1) for j in both]
    most = sum(1 / m for m in range(1, len(both) + 1))
    return sum(2 / ((1 + abs(r - s)) * (r + s)) for r, s in places) / most if both else 0


DEFINITIONS = {
    cs.jaccard_knn: lambda a, b: len(set(a) & set(b)) / len(set(a) | set(b)),
    cs.lcs_knn: lambda a, b: longest_common(a, b) / len(a),
    cs.edit_knn: lambda a, b: 1 - edits(a, b) / len(a),
    cs.rank_similarity: rank_closeness,
}


@pytest.mark.parametrize("score", DEFINITIONS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 9999), k=st.integers(1, 6), noise=st.sampled_from([0.1, 1.0, 10.0]))
def test_is_the_mean_of_its_definition(score, seed, k, noise):
    X, Y = arrays(seed, noise=noise)
    pairs = zip(lists(X, k).tolist(), lists(Y, k).tolist(), strict=True)
    expected = np.mean([DEFINITIONS[score](tuple(a), tuple(b)) for a, b in pairs])
    assert score(X, Y, k) == pytest.approx(expected)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 9999), k=st.integers(1, 20))
def test_the_more_is_asked_the_less_is_found(seed, k):
    X, Y = arrays(seed, noise=0.5)
    mutual, lcs, edit = (score(X, Y, k) for score in (cs.mutual_knn, cs.lcs_knn, cs.edit_knn))
    assert mutual + 1e-12 >= lcs >= edit - 1e-12
    assert cs.jaccard_knn(X, Y, k) <= mutual + 1e-12


@pytest.mark.parametrize("score", ORDERED)
def test_neighbours_that_tie_have_no_order(score):
    X, Y = arrays(1)
    X[7] = X[3]
    with pytest.raises(cs.InputError, match=r"X: stimulus \d+ has neighbours that are equally near"):
        score(X, Y, 29)
    with pytest.raises(cs.InputError, match="Y: stimulus"):
        score(Y, X, 29)


def test_places_shared_by_repeated_stimuli_count_alike_in_any_order():
    rng = np.random.default_rng(2)
    X, Y = np.repeat(rng.standard_normal((10, 4)), 3, axis=0), rng.standard_normal((30, 4))
    order = rng.permutation(30)
    for score in (cs.jaccard_knn, cs.second_order_cosine):
        with pytest.warns(UserWarning, match="tied"):
            assert score(X[order], Y[order], 4) == pytest.approx(score(X, Y, 4))
    with pytest.warns(UserWarning, match="tied"):
        assert cs.jaccard_knn(X, X, 4) == pytest.approx(1)


@pytest.mark.parametrize("values", ["similarities", "distances"])
@pytest.mark.parametrize("k", [1, 4, 12])
def test_second_order_is_the_cosine_over_all_neighbours_of_either_side(values, k):
    X, Y = arrays(3)
    tables = [pairwise_distances(A, metric="cosine") for A in (X, Y)]
    if values == "similarities":
        tables = [1 - table for table in tables]
    expected = []
    for i, (a, b) in enumerate(zip(lists(X, k), lists(Y, k), strict=True)):
        either = sorted({*a, *b})
        expected.append(1 - cosine(tables[0][i, either], tables[1][i, either]))
    assert cs.second_order_cosine(X, Y, k, values) == pytest.approx(np.mean(expected))


def test_second_order_of_stimuli_at_right_angles_is_refused():
    X = np.eye(12)
    Y = np.random.default_rng(4).standard_normal((12, 3))
    with pytest.warns(UserWarning, match="tied"), pytest.raises(cs.InputError, match="all zero"):
        cs.second_order_cosine(X, Y, 3)
