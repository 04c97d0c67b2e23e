"""Neighbours against brute force in float64, on every road of this machine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilience.check import InputError
from consilience.core import neighbors, roads

SIMILARITIES = ("cosine", "dot", "euclidean")
DTYPES = (np.float16, np.float32, np.float64)


def normal(n, d, dtype=np.float32, seed=0):
    return np.random.default_rng([seed, n, d]).standard_normal((n, d)).astype(dtype)


def unaligned(X):
    """X as a field of records that begin with one byte."""
    records = np.zeros(len(X), [("byte", "i1"), ("X", X.dtype, X.shape[1:])])
    records["X"] = X
    return records["X"]


def same(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("n", "d"), [(4, 1), (5, 2), (31, 767), (33, 17), (241, 33), (1000, 2)])
def test_equals_brute_force(n, d, dtype, similarity, road, brute):
    X = normal(n, d, dtype)
    for k in {1, min(10, n - 1), n - 1}:
        indices, similarities = neighbors(X, k, similarity)
        expected_indices, expected = brute(X, k, similarity)
        np.testing.assert_array_equal(indices, expected_indices)
        np.testing.assert_allclose(similarities, expected, rtol=1e-6, atol=1e-6)
        assert indices.dtype == np.int64
        assert similarities.dtype == (np.float64 if dtype == np.float64 else np.float32)


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_neighbors_among_others(similarity, dtype, road, brute):
    X, others = normal(45, 19, dtype), normal(260, 19, dtype, seed=1)
    others[3] = X[5]  # a copy elsewhere is a neighbour like any other
    for k in (1, 7, 260):
        indices, similarities = neighbors(X, k, similarity, others=others)
        expected_indices, expected = brute(X, k, similarity, others)
        np.testing.assert_array_equal(indices, expected_indices)
        np.testing.assert_allclose(similarities, expected, rtol=1e-6, atol=1e-6)


def test_mixed_precisions_are_computed_in_the_wider(road, brute):
    X, others = normal(20, 6, np.float32), normal(30, 6, np.float64)
    _, similarities = neighbors(X, 4, "euclidean", others=others)
    assert similarities.dtype == np.float64
    np.testing.assert_allclose(similarities, brute(X, 4, "euclidean", others)[1], rtol=1e-14)


def test_agrees_with_scikit_learn():
    sklearn = pytest.importorskip("sklearn.neighbors")
    X = normal(700, 40, np.float64)
    distances, indices = sklearn.NearestNeighbors(n_neighbors=9, algorithm="kd_tree").fit(X).kneighbors()
    found, similarities = neighbors(X, 9, "euclidean")
    np.testing.assert_array_equal(found, indices)
    np.testing.assert_allclose(-similarities, distances, rtol=1e-12)


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_road_and_number_of_threads_gives_the_same_bits(similarity, dtype, monkeypatch):
    X = normal(533, 70, dtype)
    X[100:180] = X[7]  # ties that fill more than a candidate list
    monkeypatch.setenv(roads.VARIABLE, "twin")
    expected = neighbors(X, 12, similarity)
    for name in roads.isas():
        monkeypatch.setenv(roads.VARIABLE, name)
        for threads in (1, 2, 3, 7):
            same(neighbors(X, 12, similarity, threads=threads), expected)


def test_a_large_mean_costs_no_digit(road, brute):
    X = normal(300, 24).astype(np.float64) + 1e7
    np.testing.assert_array_equal(neighbors(X, 10, "euclidean")[0], brute(X, 10, "euclidean")[0])
    X = (normal(300, 24) * 50 + 4000).astype(np.float32)
    np.testing.assert_array_equal(neighbors(X, 10, "euclidean")[0], brute(X, 10, "euclidean")[0])


def test_rows_closer_than_float32_can_tell_are_told_apart(road, brute):
    angles = np.sort(np.random.default_rng(0).uniform(0.1, 0.11, 400))  # cosines differ from digit 10 on
    X = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    np.testing.assert_array_equal(neighbors(X, 3)[0], brute(X, 3, "cosine")[0])
    X = X.astype(np.float32)
    np.testing.assert_array_equal(neighbors(X, 3)[0], brute(X, 3, "cosine")[0])


def test_extreme_sizes(road, brute):
    X = normal(50, 8)
    expected = brute(X, 5, "euclidean")[0]
    for power in (-100, 100):
        np.testing.assert_array_equal(neighbors(np.ldexp(X, power), 5, "euclidean")[0], expected)


@pytest.mark.parametrize("d", [255, 256, 257, 1030])
def test_depths_around_a_block(d, road, brute):
    X = normal(60, d)
    np.testing.assert_array_equal(neighbors(X, 6, "dot")[0], brute(X, 6, "dot")[0])


@pytest.mark.parametrize(
    "view",
    [
        lambda X: X[::-1],
        lambda X: X[:, ::-1],
        lambda X: X[::2, 1::3],
        np.asfortranarray,
        lambda X: np.lib.stride_tricks.as_strided(X, (30, 5), (X.strides[0], 0)) + 0 * X[:30, :5],
        unaligned,
    ],
    ids=["rows reversed", "units reversed", "stepped", "Fortran", "broadcast", "unaligned"],
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_memory_layout(view, dtype, road):
    X = view(normal(70, 20, dtype))
    same(neighbors(X, 4), neighbors(np.ascontiguousarray(X), 4))


def test_input_is_neither_copied_to_read_nor_changed(road):
    X = normal(50, 8)
    before = X.copy()
    X.flags.writeable = False
    neighbors(X, 3, "euclidean")
    np.testing.assert_array_equal(X, before)


def test_reads_torch_and_bfloat16(road, brute):
    torch = pytest.importorskip("torch")
    X = torch.from_numpy(normal(64, 30))
    same(neighbors(X.requires_grad_(), 5), neighbors(X.detach().numpy(), 5))
    half = X.detach().bfloat16()
    np.testing.assert_array_equal(neighbors(half, 5)[0], brute(half.double().numpy(), 5, "cosine")[0])


def test_the_compiled_core_reads_bfloat16_itself():
    torch = pytest.importorskip("torch")
    if not roads.compiled:
        pytest.skip("no compiled core")
    X = torch.from_numpy(normal(40, 30)).bfloat16()
    indices, similarities = np.empty((40, 5), np.int64), np.empty((40, 5))
    roads.compiled.neighbors(X, None, "dot", indices, similarities, want_ties=False, isa="auto", threads=2)
    np.testing.assert_array_equal(indices, neighbors(X.float(), 5, "dot")[0])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_small_problem(data):
    n = data.draw(st.sampled_from([*range(4, 18), 239, 240, 241, 289]))
    d = data.draw(st.integers(1, 17))
    dtype = data.draw(st.sampled_from(DTYPES))
    levels = data.draw(st.sampled_from([2, 5, 1000]))  # few levels: many exact ties
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    X = (rng.integers(1, levels + 1, (n, d)) - levels // 2 - 1.0).astype(dtype)
    X[0] = 0.5 + np.arange(d)  # something varies
    k = data.draw(st.integers(1, n - 1))
    similarity = data.draw(st.sampled_from(["dot", "euclidean"]))  # exact for integers, and so are ties
    Z = X.astype(np.float64)
    S = Z @ Z.T if similarity == "dot" else -np.sqrt(((Z[:, None] - Z) ** 2).sum(axis=2))
    np.fill_diagonal(S, -np.inf)
    expected = np.argsort(-S, axis=1, kind="stable")[:, :k]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(roads.VARIABLE, data.draw(st.sampled_from([*roads.isas(), "twin"])))
        indices, similarities = neighbors(X, k, similarity, threads=data.draw(st.integers(1, 5)))
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_allclose(similarities, np.take_along_axis(S, expected, axis=1), rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(k=0), "k is 0"),
        (dict(k=30), "k is 30"),
        (dict(k=2.5), "k is 2.5"),
        (dict(similarity="l1"), "similarity is 'l1'"),
        (dict(threads=0), "threads is 0"),
        (dict(precision="half"), "precision is 'half'"),
        (dict(precision="bf16"), "precision='bf16' is for CUDA tensors"),
        (dict(X=np.zeros((30, 4))), "X is the same"),
        (dict(X=np.ones(30)), "X has 1 dimension"),
        (dict(X=np.full((30, 4), 1j)), "X has dtype complex128"),
        (dict(X=np.where(np.eye(30), np.nan, 1.0)), "X holds NaN"),
        (dict(X=np.eye(30)[:, :29]), "X: row 29 is all zeros"),
        (dict(X=1e200 * np.eye(30)), "X holds values of 1e[+]200"),
        (dict(X=np.diag(np.geomspace(1e-170, 1, 30))), "X: row 0 is so small"),
        (dict(others=np.eye(9)), "X has 4 units .* others has 9"),
        (dict(others=np.full((9, 4), np.inf)), "others holds NaN or infinity"),
        (dict(others=np.eye(4), k=5), "k is 5"),
        (dict(X=normal(30, 4) * np.float32(1e30), similarity="dot"), "X holds values whose similarities"),
    ],
)
def test_refuses_in_words(change, words, road):
    if "threads" in change and road == "twin":
        pytest.skip("the twin has one thread")
    with pytest.raises(InputError, match=words):
        neighbors(**{"X": normal(30, 4, np.float64), "k": 3, **change})


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
def test_what_no_rough_guess_can_tell_apart_is_found(similarity, road, brute):
    """Half of the rows lie closer together than bfloat16 can tell, far from the origin and from the other half."""
    rng = np.random.default_rng(2)
    X = 5 + rng.standard_normal((600, 70))
    X[::2] = X[0] + 1e-3 * rng.standard_normal((300, 70))
    X = X.astype(np.float32)
    indices, similarities = neighbors(X, 7, similarity)
    expected, values = brute(X, 7, similarity)
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_allclose(similarities, values, rtol=1e-6)
