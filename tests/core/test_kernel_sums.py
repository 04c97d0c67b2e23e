"""Kernel sums against whole matrices in float64, on every road of this machine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from consilience.check import InputError
from consilience.core import kernel_sums, roads
from consilience.core.kernel_sums import median_distance

KERNELS = ("linear", "cosine", "rbf", "laplacian")
DTYPES = (np.float16, np.float32, np.float64)
FIELDS = ("kl", "kk", "ll", "k_rows", "l_rows", "k_diagonal", "l_diagonal")


def pair(n, dx, dy, dtype=np.float64, seed=0):
    rng = np.random.default_rng([seed, n, dx, dy])
    shared = rng.standard_normal((n, 1))
    return (rng.standard_normal((n, dx)) + shared).astype(dtype), (rng.standard_normal((n, dy)) + shared).astype(dtype)


def textbook(X, kernel, bandwidth=1.0):
    """The kernel matrix as one would write it down, nothing taken from it."""
    X = X.astype(np.float64)
    if kernel == "linear":
        return (X - X.mean(0)) @ (X - X.mean(0)).T
    if kernel == "cosine":
        X = X / np.linalg.norm(X, axis=1, keepdims=True)
        return X @ X.T
    distances = squareform(pdist(X))
    ratio = distances / (bandwidth * np.median(pdist(X)))
    return np.exp(-(ratio**2) / 2) if kernel == "rbf" else np.exp(-ratio)


def cka_of(hsic):
    return hsic.kl / np.sqrt(hsic.kk * hsic.ll)


def unbiased(K, L):
    """Song et al. 2012, equation 5, matrix by matrix."""
    n = len(K)
    K, L, one = K - np.diag(np.diag(K)), L - np.diag(np.diag(L)), np.ones(n)
    whole = np.trace(K @ L) + (one @ K @ one) * (one @ L @ one) / (n - 1) / (n - 2) - 2 / (n - 2) * (one @ K @ L @ one)
    return whole / (n * (n - 3))


def biased(K, L):
    """Gretton et al. 2005, definition 2."""
    n = len(K)
    H = np.eye(n) - 1 / n
    return np.trace(K @ H @ L @ H) / (n - 1) ** 2


def expected_cka(estimate, K, L):
    return estimate(K, L) / np.sqrt(estimate(K, K) * estimate(L, L))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("n", "dx", "dy"), [(4, 2, 3), (5, 767, 2), (31, 2, 767), (33, 3, 17), (241, 33, 2)])
def test_equals_whole_matrices(n, dx, dy, dtype, kernel, road):
    X, Y = pair(n, dx, dy, dtype)
    sums = kernel_sums(X, Y, kernel)
    K, L = textbook(X, kernel), textbook(Y, kernel)
    assert cka_of(sums.hsic_unbiased) == pytest.approx(expected_cka(unbiased, K, L), rel=1e-9, abs=1e-10)
    assert cka_of(sums.hsic_biased) == pytest.approx(expected_cka(biased, K, L), rel=1e-9)
    if kernel in ("rbf", "laplacian"):  # on no other scale than the textbook's
        assert sums.hsic_unbiased.kl == pytest.approx(unbiased(K, L), rel=1e-8, abs=1e-12)
        assert sums.hsic_biased.kl == pytest.approx(biased(K, L), rel=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("n", "dx", "dy"), [(1000, 1, 2), (1001, 2, 767), (1201, 300, 5)])
def test_float32_tiles_move_cka_by_less_than_one_in_ten_million(n, dx, dy, kernel, road):
    X, Y = pair(n, dx, dy, np.float32)
    found = cka_of(kernel_sums(X, Y, kernel).hsic_unbiased)
    assert found == pytest.approx(expected_cka(unbiased, textbook(X, kernel), textbook(Y, kernel)), abs=1e-7)


def test_the_sums_are_those_of_a_kernel_less_its_median(road):
    X, Y = pair(50, 3, 4)
    sums = kernel_sums(X, Y, "laplacian", bandwidth=0.7)
    K, L = (textbook(A, "laplacian", 0.7) - np.float32(np.exp(-1 / 0.7)) for A in (X, Y))
    np.testing.assert_allclose(sums.k_diagonal, K.diagonal())
    np.testing.assert_allclose(sums.l_diagonal, L.diagonal())
    np.fill_diagonal(K, 0)
    np.fill_diagonal(L, 0)
    assert (sums.kl, sums.kk, sums.ll) == pytest.approx(((K * L).sum(), (K * K).sum(), (L * L).sum()), rel=1e-7)
    np.testing.assert_allclose(sums.k_rows, K.sum(1), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(sums.l_rows, L.sum(1), rtol=1e-6, atol=1e-7)


def test_the_biased_linear_form_is_a_norm_of_units():
    X, Y = pair(300, 7, 11)
    Xc, Yc = X - X.mean(0), Y - Y.mean(0)
    Xc, Yc = (A / np.sqrt((A * A).sum(1).mean()) for A in (Xc, Yc))
    assert kernel_sums(X, Y).hsic_biased.kl == pytest.approx((Xc.T @ Yc).ravel() @ (Xc.T @ Yc).ravel() / 299**2)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_for_any_threads_and_registers(kernel, dtype, take):
    same_by_design = [name for name in ("avx512", "avx2") if name in roads.isas()] or roads.isas()[:1]
    if not same_by_design:
        pytest.skip("no compiled core")
    X, Y = pair(1741, 70, 33, dtype)
    found = []
    for name in same_by_design:
        take(name)
        found += [kernel_sums(X, Y, kernel, threads=threads) for threads in (1, 2, 3, 7)]
    for sums in found[1:]:
        for field in FIELDS:
            np.testing.assert_array_equal(getattr(sums, field), getattr(found[0], field))


needs_tiles = pytest.mark.skipif("amx" not in roads.isas(), reason="this CPU has no tiles of bfloat16")


@needs_tiles
@pytest.mark.parametrize("kernel", ["linear", "cosine", "rbf"])
@pytest.mark.parametrize(("n", "dx", "dy"), [(1001, 64, 768), (1055, 767, 65), (1217, 100, 96)])
def test_three_products_of_bfloat16_move_cka_by_less_than_one_in_a_million(n, dx, dy, kernel, take):
    X, Y = pair(n, dx, dy, np.float32)
    take("avx512")
    ordinary = kernel_sums(X, Y, kernel)
    take("amx")
    in_parts = [kernel_sums(X, Y, kernel, threads=threads) for threads in (1, 2, 7)]
    asked = kernel_sums(X, Y, kernel, precision="float32")
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(asked, field), getattr(ordinary, field))
        for sums in in_parts[1:]:
            np.testing.assert_array_equal(getattr(sums, field), getattr(in_parts[0], field))
    assert in_parts[0].kl != ordinary.kl, "another arithmetic"
    expected = expected_cka(unbiased, textbook(X, kernel), textbook(Y, kernel))
    assert cka_of(in_parts[0].hsic_unbiased) == pytest.approx(expected, abs=1e-6)


@needs_tiles
@pytest.mark.parametrize("n", [4, 5, 31, 33, 193, 225])
@pytest.mark.parametrize("d", [1, 2, 31, 33, 767])
def test_parts_of_any_shape(n, d):
    X, Y = pair(n, d, d + 1, np.float32)
    found = {}
    for arithmetic in ("3xbf16", "float64"):
        products, rest = np.empty(3), [np.empty(n) for _ in range(4)]
        roads.compiled.kernel_sums(
            X, Y, "rbf", (d**0.5, d**0.5, 0.5), products, *rest, arithmetic=arithmetic, isa="amx", threads=2
        )
        found[arithmetic] = [*products, *np.concatenate(rest)]
    np.testing.assert_allclose(found["3xbf16"], found["float64"], rtol=1e-5, atol=1e-5 * n)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_a_large_mean_costs_no_digits(kernel, road):
    """float32 Gram matrices of these rows hold products of 4e7 whose last digit is 4."""
    X, Y = ((A + 1000).astype(np.float32) for A in pair(1100, 40, 40))
    found = cka_of(kernel_sums(X, Y, kernel).hsic_unbiased)
    expected = expected_cka(unbiased, textbook(X, kernel), textbook(Y, kernel))
    assert found == pytest.approx(expected, abs=1e-7)
    if kernel == "linear":
        with np.errstate(invalid="ignore"):  # HSIC of a matrix with itself may even come out negative
            naive = expected_cka(unbiased, X @ X.T, Y @ Y.T)
        assert not abs(naive - expected) < 1e-3


@pytest.mark.parametrize("kernel", ["rbf", "laplacian"])
def test_duplicates(kernel, road):
    X, Y = pair(1300, 20, 30, np.float32)
    X[100:500], Y[300:700] = X[3], Y[3]
    found = cka_of(kernel_sums(X, Y, kernel).hsic_unbiased)
    assert found == pytest.approx(expected_cka(unbiased, textbook(X, kernel), textbook(Y, kernel)), abs=1e-7)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_clusters_far_apart(kernel, road):
    """Distances within a cluster, a thousandth of those between, are lost in float32 squared lengths."""
    X, Y = pair(1200, 5, 5, np.float32)
    X[:300] += 3000
    found = cka_of(kernel_sums(X, Y, kernel).hsic_unbiased)
    assert found == pytest.approx(expected_cka(unbiased, textbook(X, kernel), textbook(Y, kernel)), abs=1e-7)


def test_a_kernel_that_is_nearly_constant(road):
    """All distances alike but for a thousandth: what float32 tells of them is mostly its own rounding."""
    noise = np.random.default_rng(0).standard_normal((1100, 1100)) * 1e-5
    X, Y = (np.eye(1100) + noise).astype(np.float32), (np.eye(1100) + noise.T).astype(np.float32)
    found = cka_of(kernel_sums(X, Y, "rbf").hsic_unbiased)
    assert found == pytest.approx(expected_cka(unbiased, textbook(X, "rbf"), textbook(Y, "rbf")), abs=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "view",
    [lambda X: X[::-1], lambda X: X[:, ::-1], lambda X: X[::2, 1::3], np.asfortranarray],
    ids=["rows reversed", "units reversed", "stepped", "Fortran"],
)
def test_any_memory_layout(view, dtype, road):
    X, Y = map(view, pair(70, 20, 25, dtype))
    for kernel in KERNELS:
        found = kernel_sums(X, Y, kernel)
        expected = kernel_sums(np.ascontiguousarray(X), np.ascontiguousarray(Y), kernel)
        assert cka_of(found.hsic_unbiased) == pytest.approx(cka_of(expected.hsic_unbiased), rel=1e-10)


def test_reads_torch():
    torch = pytest.importorskip("torch")
    X, Y = pair(60, 8, 9, np.float32)
    half = torch.from_numpy(X).bfloat16()
    assert kernel_sums(half, torch.from_numpy(Y), "rbf").kl == kernel_sums(half.float().numpy(), Y, "rbf").kl


@pytest.mark.parametrize("power", [-1000, -60, 60, 1000])
def test_scale_does_not_matter(power, road):
    X, Y = pair(80, 5, 6)
    for kernel in KERNELS:
        expected = kernel_sums(X, Y, kernel).hsic_unbiased
        assert kernel_sums(np.ldexp(X, power), Y, kernel).hsic_unbiased == pytest.approx(expected, rel=1e-9)


def test_the_median_distance_is_exact_until_it_is_sampled(road):
    for n in (4, 5, 240, 241, 2000):
        X = pair(n, 7, 1)[0]
        assert median_distance(X) == pytest.approx(np.median(pdist(X)), rel=1e-12)
    X = pair(6000, 7, 1)[0]
    assert median_distance(X) == pytest.approx(np.median(pdist(X)), rel=0.02)
    assert median_distance(X) == median_distance(X.copy())


def test_the_median_distance_is_exact_where_float32_cannot_tell_one_from_another(road):
    X = pair(300, 7, 1)[0]
    alike, far, tied, large_mean = np.eye(300, dtype=np.float32), X.copy(), np.round(X), X + np.float32(1e5)
    far[7] *= 100  # beside it all others are next to each other
    for A in (alike, far, tied, large_mean):
        assert median_distance(A) == pytest.approx(np.median(pdist(A.astype(np.float64))), rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_small_problem(data):
    n = data.draw(st.sampled_from([*range(4, 20), 143, 144, 145, 289]))
    dx, dy = data.draw(st.integers(2, 17)), data.draw(st.integers(2, 17))
    X, Y = pair(n, dx, dy, data.draw(st.sampled_from(DTYPES)), data.draw(st.integers(0, 10**6)))
    kernel, bandwidth = data.draw(st.sampled_from(KERNELS)), data.draw(st.floats(0.3, 3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(roads.VARIABLE, data.draw(st.sampled_from([*roads.isas(), "twin"])))
        sums = kernel_sums(X, Y, kernel, bandwidth, threads=data.draw(st.integers(1, 5)))
    K, L = textbook(X, kernel, bandwidth), textbook(Y, kernel, bandwidth)
    assert cka_of(sums.hsic_unbiased) == pytest.approx(expected_cka(unbiased, K, L), abs=1e-7)
    assert cka_of(sums.hsic_biased) == pytest.approx(expected_cka(biased, K, L), abs=1e-7)


X, Y = pair(30, 4, 5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(kernel="cubic"), "kernel is 'cubic'"),
        (dict(bandwidth=0), "bandwidth is 0"),
        (dict(bandwidth=1e-200), "bandwidth is 1e-200"),
        (dict(bandwidth=np.nan), "bandwidth is nan"),
        (dict(bandwidth="1"), "bandwidth is '1'"),
        (dict(threads=0), "threads is 0"),
        (dict(precision="tf32"), "precision='tf32' is for CUDA tensors; for this array choose 'auto' or 'float32' or"),
        (dict(precision="float16"), "precision is 'float16'"),
        (dict(Y=Y[:29]), "X has 30 stimuli .* Y has 29"),
        (dict(X=X[:3], Y=Y[:3]), "X has 3 stimuli"),
        (dict(X=np.where(X > 1, np.inf, X)), "X holds NaN or infinity"),
        (dict(Y=np.ones((30, 2))), "Y is the same for every stimulus"),
        (dict(X=np.eye(30)[:, :29], kernel="cosine"), "X: row 29 is all zeros"),
        (dict(Y=np.outer(np.arange(1, 31), [1.0, 2.0]), kernel="cosine"), "All rows of Y have the same direction"),
        (dict(X=np.eye(30)[:, :5], kernel="rbf"), "More than half of the pairs .* in X"),
        (dict(Y=Y * np.geomspace(1e-170, 1, 30)[:, None], kernel="cosine"), "Y: row 0 is so small"),
    ],
)
def test_refuses_in_words(change, words, road):
    if "threads" in change and road == "twin":
        pytest.skip("the twin has one thread")
    with pytest.raises(InputError, match=words):
        kernel_sums(**{"X": X, "Y": Y, **change})
