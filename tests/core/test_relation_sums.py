"""Relation sums against whole u-centred matrices in float64, on every road of this machine."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilience.check import InputError
from consilience.core import cuda, relation_sums, roads, twin_relations
from consilience.core.relation_sums import row_terms
from consilience.core.twin_sums import centred

DTYPES = (np.float16, np.float32, np.float64)
FACE = sys.modules["consilience.core.relation_sums"]  # by name: the package's `relation_sums` is the function


def rows(n, d, dtype=np.float64, seed=0):
    """Skewed, with one direction that all share, so that no sum is near zero by symmetry."""
    rng = np.random.default_rng([seed, n, d])
    return (rng.standard_exponential((n, d)) + rng.standard_exponential((n, 1))).astype(dtype)


def textbook(X, kernel="linear"):
    """The u-centred matrix at unit norm, entry by entry as Székely & Rizzo 2014 define it."""
    X = X.astype(np.float64)
    if kernel == "cosine":
        X = X / np.linalg.norm(X, axis=1, keepdims=True)
    n, K = len(X), (X - X.mean(0)) @ (X - X.mean(0)).T
    np.fill_diagonal(K, 0)
    row, column = K.sum(1)[:, None], K.sum(0)
    A = K - row / (n - 2) - column / (n - 2) + K.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(A, 0)
    return A / np.linalg.norm(A)


def whole(A):
    """All sums from the stored matrix."""
    q, AA = (A * A).sum(1), A @ A
    fourth = (A**4).sum(), (q * q).sum(), (A * A * AA).sum(), np.trace(AA @ AA), q.sum() ** 2
    return np.array([q.sum(), (A**3).sum(), np.trace(A @ A @ A), *fourth])


def flat(sums):
    return np.array([*sums[:3], *sums.fourth])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [4, 5, 31, 33, 241])
@pytest.mark.parametrize(
    ("d", "kernel"), [(1, "linear"), (2, "linear"), (767, "linear"), (2, "cosine"), (767, "cosine")]
)
def test_equals_whole_matrices(n, d, kernel, dtype, road):
    X = rows(n, d, dtype)
    np.testing.assert_allclose(flat(relation_sums(X, kernel)), whole(textbook(X, kernel)), rtol=1e-8, atol=1e-11)


@pytest.fixture
def narrow(monkeypatch):
    """float32 tiles also where float64 would cost nothing."""
    monkeypatch.setattr(FACE, "FEW", 0)


@pytest.mark.parametrize("kernel", ["linear", "cosine"])
@pytest.mark.parametrize(("n", "d"), [(241, 2), (300, 767), (500, 60)])
def test_float32_tiles_move_each_sum_by_less_than_one_in_a_million(n, d, kernel, road, narrow):
    X = rows(n, d, np.float32)
    A = textbook(X, kernel)
    sums, expected = flat(relation_sums(X, kernel)), whole(A)
    sizes = expected.copy()
    sizes[1] = (np.abs(A) ** 3).sum()  # the sum of cubes may be small by cancelling
    np.testing.assert_array_less(np.abs(sums - expected), 1e-6 * np.abs(sizes))


@pytest.mark.parametrize("far", [30, 1e3, 1e5])
def test_a_stimulus_far_from_all_others(far, road, narrow):
    """Its products outweigh what is left of them by far, or by its square."""
    X = rows(300, 30).astype(np.float32)
    X[0] += far * rows(1, 30)[0].astype(np.float32)
    found, expected = flat(relation_sums(X)), whole(textbook(X))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-12)


def test_stimuli_that_are_nearly_alike_far_apart(road, narrow):
    """Unit vectors and a little noise: of the matrix of products, little but its diagonal."""
    noise = 1e-4 * np.random.default_rng(0).standard_normal((200, 200))
    X = (np.eye(200) + noise).astype(np.float32)
    np.testing.assert_allclose(flat(relation_sums(X)), whole(textbook(X)), rtol=1e-6, atol=1e-12)


def test_duplicates_and_a_large_mean(road, narrow):
    X = rows(300, 20, np.float32)
    X[100:200] = X[3]
    X += 1000
    np.testing.assert_allclose(flat(relation_sums(X)), whole(textbook(X)), rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_for_any_threads_and_registers(dtype, take, narrow):
    same_by_design = [name for name in ("avx512", "avx2") if name in roads.isas()] or roads.isas()[:1]
    if not same_by_design:
        pytest.skip("no compiled core")
    X = rows(841, 70, dtype)
    found = []
    for name in same_by_design:
        take(name)
        found += [flat(relation_sums(X, threads=threads)) for threads in (1, 2, 3, 7)]
    for sums in found[1:]:
        np.testing.assert_array_equal(sums, found[0])


@pytest.mark.parametrize(
    "view",
    [lambda X: X[::-1], lambda X: X[:, ::-1], lambda X: X[::2, 1::3], np.asfortranarray],
    ids=["rows reversed", "units reversed", "stepped", "Fortran"],
)
def test_any_memory_layout(view, road):
    X = view(rows(70, 20))
    np.testing.assert_allclose(flat(relation_sums(X)), flat(relation_sums(np.ascontiguousarray(X))), rtol=1e-10)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_order_rotation_scale_and_translation_do_not_matter(data):
    n, d = data.draw(st.sampled_from([*range(4, 20), 143, 144, 145, 289])), data.draw(st.integers(2, 17))
    X = rows(n, d, seed=data.draw(st.integers(0, 10**6)))
    rng = np.random.default_rng(n)
    turned = np.ldexp(X[rng.permutation(n)] @ np.linalg.qr(rng.standard_normal((d, d)))[0], 40) + 2.0**41
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(roads.VARIABLE, data.draw(st.sampled_from([*roads.isas(), "twin"])))
        found = flat(relation_sums(turned, threads=data.draw(st.integers(1, 5))))
    np.testing.assert_allclose(found, whole(textbook(X)), rtol=1e-6, atol=1e-9)


def test_reads_torch():
    torch = pytest.importorskip("torch")
    half = torch.from_numpy(rows(60, 8, np.float32)).bfloat16()
    np.testing.assert_array_equal(flat(relation_sums(half)), flat(relation_sums(half.float().numpy())))


@pytest.mark.parametrize(("n", "d"), [(40, 7), (9, 30)])
@pytest.mark.parametrize("kernel", ["linear", "cosine"])
def test_what_is_made_on_a_device_is_what_numpy_makes(n, d, kernel):
    """The part that the tensor's own library computes, here with tensors of PyTorch in main memory."""
    torch = pytest.importorskip("torch")
    X = rows(n, d)
    Z = centred(X, kernel)
    there = cuda.centred(torch.from_numpy(X), kernel)
    np.testing.assert_allclose(there.numpy(), Z, rtol=1e-12, atol=1e-14)
    W, *expected = row_terms(Z)
    W_there, *found = row_terms(there, torch)
    np.testing.assert_allclose(W_there @ W_there.T, W @ W.T, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    with pytest.raises(InputError, match="same direction"):
        cuda.centred(torch.ones(5, 1, dtype=torch.float64) * torch.arange(1, 6)[:, None], "cosine")


def test_a_few_rows_at_a_time(monkeypatch, road):
    X = rows(60, 5)
    expected = flat(relation_sums(X))
    for module in (FACE, twin_relations):
        monkeypatch.setattr(module, "CHUNK", 80)
    np.testing.assert_allclose(flat(relation_sums(X)), expected, rtol=1e-12)


X = rows(30, 4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(kernel="rbf"), "kernel is 'rbf'"),
        (dict(threads=0), "threads is 0"),
        (dict(X=X[:3]), "X has 3 stimuli"),
        (dict(X=np.where(X > 1, np.inf, X)), "X holds NaN or infinity"),
        (dict(X=np.ones((30, 2))), "X is the same for every stimulus"),
        (dict(X=np.eye(30)), "The kernel of X is constant"),
        (dict(X=np.eye(30)[:, :29], kernel="cosine"), "X: row 29 is all zeros"),
        (dict(X=np.outer(np.arange(1, 31), [1.0, 2.0]), kernel="cosine"), "All rows of X have the same direction"),
    ],
)
def test_refuses_in_words(change, words, road):
    if "threads" in change and road == "twin":
        pytest.skip("the twin has one thread")
    with pytest.raises(InputError, match=words):
        relation_sums(**{"X": X, **change})
