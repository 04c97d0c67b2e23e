"""Dissimilarities against SciPy, and their ties to the bit, on every road of this machine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from consilience.check import InputError
from consilience.core import dissimilarities, memory, neighbors, roads
from consilience.core.dissimilarities import DISSIMILARITIES

DTYPES = (np.float16, np.float32, np.float64)
IN_SCIPY = {"squared_euclidean": "sqeuclidean"}


def normal(n, d, dtype=np.float64, seed=0):
    return np.random.default_rng([seed, n, d]).standard_normal((n, d)).astype(dtype) + dtype(2)


def by_scipy(X, dissimilarity):
    return pdist(X.astype(np.float64), IN_SCIPY.get(dissimilarity, dissimilarity))


@pytest.mark.parametrize("dissimilarity", DISSIMILARITIES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("n", "d"), [(4, 2), (5, 767), (31, 2), (33, 16), (61, 17), (241, 33)])
def test_equals_scipy(n, d, dtype, dissimilarity, road):
    X = normal(n, d, dtype)
    found = dissimilarities(X, dissimilarity)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, by_scipy(X, dissimilarity), rtol=1e-12, atol=1e-14)


def test_a_thousand_stimuli(take):
    X = normal(1000, 767, np.float32)
    for name in roads.isas():
        take(name)
        np.testing.assert_allclose(dissimilarities(X), by_scipy(X, "correlation"), atol=1e-13)


@pytest.mark.parametrize("dissimilarity", DISSIMILARITIES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_bits_on_every_road_for_any_threads(dissimilarity, dtype, take):
    X = normal(190, 83, dtype)
    X[70:90] = X[3]
    take("twin")
    expected = dissimilarities(X, dissimilarity)
    for name in roads.isas():
        take(name)
        for threads in (1, 2, 5):
            np.testing.assert_array_equal(dissimilarities(X, dissimilarity, threads=threads), expected)


@pytest.mark.parametrize("dissimilarity", DISSIMILARITIES)
def test_an_entry_does_not_depend_on_its_place(dissimilarity, road):
    X = normal(130, 40, np.float32)
    order = np.random.default_rng(1).permutation(130)
    found = squareform(dissimilarities(X, dissimilarity))
    np.testing.assert_array_equal(squareform(dissimilarities(X[order], dissimilarity)), found[np.ix_(order, order)])


@pytest.mark.parametrize("dissimilarity", DISSIMILARITIES)
def test_copies_are_tied_and_not_apart(dissimilarity, road):
    X = normal(140, 50, np.float32)
    X[65:135] = X[2]
    found = squareform(dissimilarities(X, dissimilarity))
    assert (found[2, 65:135] == 0).all()
    np.testing.assert_array_equal(found[65:135, :65], np.broadcast_to(found[2, :65], (70, 65)))


def test_distances_are_those_of_neighbors(road):
    """Both stand on the one definition: `neighbors` judges pair by pair, this block by block."""
    X = normal(70, 45)
    for dissimilarity, sign in (("euclidean", -1), ("cosine", 1)):
        indices, similarities = neighbors(X, 69, dissimilarity)
        found = squareform(dissimilarities(X, dissimilarity))[np.arange(70)[:, None], indices]
        np.testing.assert_array_equal(found, -similarities if sign < 0 else 1 - similarities)


def test_closed_forms(road):
    X = np.array([[0.0, 1, 2], [0, 2, 4], [2, 1, 0], [1, 0, 1]])
    np.testing.assert_allclose(dissimilarities(X), [0, 2, 1, 2, 1, 1], atol=1e-15)
    np.testing.assert_array_equal(dissimilarities(X, "squared_euclidean"), [5, 8, 3, 21, 14, 3])
    np.testing.assert_array_equal(dissimilarities(np.array([[1.0], [3], [-2], [5]]), "cosine"), [0, 2, 0, 2, 0, 2])


def test_rsatoolbox_has_the_square_by_units(road):
    """Its "euclidean" (rsatoolbox.rdm.calc_rdm), written out: the mean squared difference."""
    X = normal(12, 7)
    expected = [np.mean((X[i] - X[j]) ** 2) for i in range(12) for j in range(i + 1, 12)]
    np.testing.assert_allclose(dissimilarities(X, "squared_euclidean") / 7, expected, rtol=1e-13)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_small_problem(data):
    n, d = data.draw(st.integers(4, 70)), data.draw(st.integers(2, 50))
    dissimilarity = data.draw(st.sampled_from(DISSIMILARITIES))
    X = normal(n, d, seed=data.draw(st.integers(0, 10**6))) - data.draw(st.sampled_from([0, 2, -1000]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(roads.VARIABLE, data.draw(st.sampled_from([*roads.isas(), "twin"])))
        found = dissimilarities(X, dissimilarity, threads=data.draw(st.integers(1, 4)))
        shifted = dissimilarities(X + 2.0**20 * np.arange(n)[:, None], "correlation")  # each row by its own constant
        scaled = dissimilarities(np.ldexp(X, 30), dissimilarity)
    assert (found >= 0).all()
    np.testing.assert_allclose(found, by_scipy(X, dissimilarity), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(shifted, by_scipy(X, "correlation"), atol=1e-6)
    power = {"euclidean": 30, "squared_euclidean": 60}.get(dissimilarity, 0)
    np.testing.assert_array_equal(scaled, np.ldexp(found, power))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "view",
    [lambda X: X[::-1], lambda X: X[:, ::-1], lambda X: X[::2, 1::3], np.asfortranarray],
    ids=["rows reversed", "units reversed", "stepped", "Fortran"],
)
def test_any_memory_layout(view, dtype, road):
    X = view(normal(70, 60, dtype))
    np.testing.assert_array_equal(dissimilarities(X), dissimilarities(np.ascontiguousarray(X)))


def test_reads_torch():
    torch = pytest.importorskip("torch")
    half = torch.from_numpy(normal(30, 9)).bfloat16()
    np.testing.assert_array_equal(dissimilarities(half), dissimilarities(half.float().numpy()))


def test_asks_for_memory(monkeypatch, road):
    monkeypatch.setattr(memory, "available", lambda: 2**20)
    dissimilarities(normal(100, 20))
    with pytest.raises(InputError, match=r"The dissimilarities of 1,000 stimuli would take .* of memory"):
        dissimilarities(normal(1000, 2))


X = normal(30, 4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(dissimilarity="manhattan"), "dissimilarity is 'manhattan'"),
        (dict(threads=0), "threads is 0"),
        (dict(X=X[:3]), "X has 3 stimuli"),
        (dict(X=X[0]), "X has 1 dimension"),
        (dict(X=np.where(X > 3, np.nan, X)), "X holds NaN"),
        (dict(X=np.ones((30, 4))), "X is the same for every stimulus"),
        (dict(X=np.vstack([X, np.full(4, 7.0)])), "X: row 30 is constant over its units"),
        (dict(X=X[:, :1]), r"X: row 0 is constant over its units.*\(30 such\)"),
        (dict(X=np.vstack([X, np.zeros(4)]), dissimilarity="cosine"), "X: row 30 is all zeros"),
        (dict(X=np.vstack([X, [0, 0, 0, 1e-200]])), "X: row 30 varies so little"),
        (dict(X=X * 1e200, dissimilarity="euclidean"), "squares overflow"),
        (dict(X=X * 1e-200, dissimilarity="euclidean"), "squares vanish"),
    ],
)
def test_refuses_in_words(change, words, road):
    if "threads" in change and road == "twin":
        pytest.skip("the twin has one thread")
    with pytest.raises(InputError, match=words):
        dissimilarities(**{"X": X, **change})
