"""Sums of all pairs of layers against whole matrices in float64, and against kernel sums, on every road."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from consilience.check import InputError
from consilience.core import kernel_sums, layer_sums, roads
from consilience.core.units import units_are_cheaper

KERNELS = ("linear", "cosine", "rbf", "laplacian")
SUMS = ("ab", "aa", "bb", "a_rows", "b_rows", "a_diagonals", "b_diagonals")


def layers_of(n, widths, dtype=np.float64, seed=0):
    """Layers that share a direction, off the origin."""
    rng = np.random.default_rng([seed, n, *widths])
    shared = rng.standard_normal((n, 1)) + 1
    return [(rng.standard_normal((n, d)) + shared).astype(dtype) for d in widths]


def textbook(X, kernel, bandwidth=1.0):
    X = X.astype(np.float64)
    if kernel == "linear":
        return X @ X.T
    if kernel == "cosine":
        X = X / np.linalg.norm(X, axis=1, keepdims=True)
        return X @ X.T
    ratio = squareform(pdist(X)) / (bandwidth * np.median(pdist(X)))
    return np.exp(-(ratio**2) / 2) if kernel == "rbf" else np.exp(-ratio)


def u_centred(K):
    """Székely & Rizzo 2014, definition 2: another road to the unbiased estimate than sums of products and rows."""
    n = len(K)
    rows = K.sum(1, keepdims=True)
    K = K - rows / (n - 2) - rows.T / (n - 2) + K.sum() / ((n - 1) * (n - 2))
    return K - np.diag(np.diag(K))


def centred(K):
    return K - K.mean(0) - K.mean(1, keepdims=True) + K.mean()


def expected(layers_a, layers_b, kernel, bandwidth=1.0):
    """CKA, debiased and biased, as inner products of whole centred matrices."""
    for centre, diagonal in ((u_centred, 0), (centred, 1)):
        a, b = (
            np.stack([centre(K - (1 - diagonal) * np.diag(np.diag(K))).ravel() for K in Ks])
            for Ks in ([textbook(X, kernel, bandwidth) for X in side] for side in (layers_a, layers_b))
        )
        a, b = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (a, b))
        yield a @ b.T


def cka_of(hsic):
    return hsic.ab / np.sqrt(np.outer(hsic.aa, hsic.bb))


def found(sums):
    return cka_of(sums.hsic_unbiased), cka_of(sums.hsic_biased)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    ("n", "a", "b"),
    [
        (4, [2, 3], [5]),
        (5, [767], [2, 767, 3, 40, 9]),
        (31, [767, 100, 2], [50, 767]),
        (33, [2, 3], [2, 17]),
        (241, [33, 400, 2, 90, 300], [64]),
    ],
)
def test_equals_whole_matrices(n, a, b, dtype, kernel, road):
    layers = layers_of(n, a + b, dtype)
    A, B = layers[: len(a)], layers[len(a) :]
    for cka, truth in zip(found(layer_sums(A, B, kernel)), expected(A, B, kernel), strict=True):
        np.testing.assert_allclose(cka, truth, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("widths", [[2], [3, 70], [40, 5, 33, 60, 2, 21, 9, 50, 47]])
def test_one_set_with_itself(widths, kernel, road):
    layers = layers_of(100, widths)
    sums = layer_sums(layers, kernel=kernel, bandwidth=0.6)
    for cka, truth in zip(found(sums), expected(layers, layers, kernel, 0.6), strict=True):
        np.testing.assert_allclose(cka, truth, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(sums.ab, sums.ab.T)
    np.testing.assert_array_equal(sums.aa, sums.ab.diagonal())
    np.testing.assert_array_equal(sums.bb, sums.aa)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    ("n", "dtype", "close"), [(1000, np.float64, 1e-13), (1001, np.float32, 1e-6), (10_900, np.float32, 1e-6)]
)
def test_a_pair_has_its_kernel_sums(n, dtype, close, kernel, road):
    """Of 10,900 stimuli there are more runs of tiles than are summed at once."""
    if n > 2000 and (road in ("generic", "twin") or kernel == "laplacian"):
        pytest.skip("seconds")
    X, Y, Z = layers_of(n, [3, 420, 400] if n < 2000 else [3, 2, 4], dtype)
    every = layer_sums([X, Z], [Y], kernel)
    pair = kernel_sums(Z, Y, kernel)
    whole = np.sqrt(pair.kk * pair.ll)
    assert every.ab[1, 0] == pytest.approx(pair.kl, abs=close * whole)
    assert (every.aa[1], every.bb[0]) == pytest.approx((pair.kk, pair.ll), rel=close)
    for rows, of_pair in ((every.a_rows[1], pair.k_rows), (every.b_rows[0], pair.l_rows)):
        np.testing.assert_allclose(rows, of_pair, rtol=close, atol=close * n)
    np.testing.assert_allclose(every.a_diagonals[1], pair.k_diagonal, rtol=1e-12)
    np.testing.assert_allclose(every.b_diagonals[0], pair.l_diagonal, rtol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_for_any_threads_and_registers(kernel, dtype, take):
    same_by_design = [name for name in ("avx512", "avx2") if name in roads.isas()] or roads.isas()[:1]
    if not same_by_design:
        pytest.skip("no compiled core")
    layers = layers_of(1011, [210, 310, 150, 233, 208], dtype)
    assert not units_are_cheaper(1011, [X.shape[1] for X in layers])
    results = []
    for name in same_by_design:
        take(name)
        results += [layer_sums(layers, kernel=kernel, threads=threads) for threads in (1, 3, 7)]
    for sums in results[1:]:
        for field in SUMS:
            np.testing.assert_array_equal(getattr(sums, field), getattr(results[0], field))


@pytest.mark.skipif("amx" not in roads.isas(), reason="this CPU has no tiles of bfloat16")
@pytest.mark.parametrize("kernel", ["cosine", "rbf"])
def test_layers_in_parts_have_the_kernel_sums_of_their_pairs(kernel, take):
    take("amx")
    rng = np.random.default_rng(0)
    layers = [rng.standard_normal((1055, d)).astype(np.float32) for d in (1056, 1100, 1200)]
    sums = layer_sums(layers, kernel=kernel).hsic_unbiased
    for a, X in enumerate(layers):
        for b, Y in enumerate(layers):
            pair = kernel_sums(X, Y, kernel).hsic_unbiased
            assert sums.ab[a, b] == pytest.approx(pair.kl, rel=1e-9, abs=1e-12)
            assert sums.aa[a] == pytest.approx(pair.kk, rel=1e-9)


def test_a_pair_does_not_see_the_other_layers(road):
    """Which layers stand beside two of them changes no bit: each block of pairs adds in the same order."""
    layers = layers_of(300, [40, 50, 30, 60, 20, 70, 45], np.float32)
    every = layer_sums(layers, kernel="rbf")
    for a, b in ((0, 1), (2, 6), (5, 6)):
        alone = layer_sums([layers[a]], [layers[b]], "rbf")
        if road == "twin":
            assert every.ab[a, b] == pytest.approx(alone.ab[0, 0], rel=1e-12)
        else:
            assert every.ab[a, b] == alone.ab[0, 0]


@pytest.mark.parametrize("kernel", ["linear", "cosine"])
@pytest.mark.parametrize("sides", [1, 2])
def test_units_and_tiles_give_the_same_sums(sides, kernel):
    """The same kernels: once few units, once as many again that never vary and so double none but the work."""
    few = layers_of(60, [3, 7, 5])
    many = [np.hstack([X, np.zeros((60, 200))]) for X in few]
    widths = [X.shape[1] for X in few], [X.shape[1] for X in many]
    assert units_are_cheaper(60, widths[0])
    assert not units_are_cheaper(60, widths[1])
    cut = [(L,) if sides == 1 else (L[:1], L[1:]) for L in (few, many)]
    by_units, by_tiles = (layer_sums(*side, kernel=kernel) for side in cut)
    for field in SUMS:
        np.testing.assert_allclose(getattr(by_units, field), getattr(by_tiles, field), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("seed", range(5))
def test_the_cheaper_way_is_counted(seed):
    """Multiplications, one pair of layers after the other."""
    rng = np.random.default_rng(seed)
    n, a, b = 100, list(rng.integers(1, 60, 4)), list(rng.integers(1, 60, 3))
    for d in range(1, 200, 7):
        both = [(x, y) for x in [d, *a] for y in b] + [(x, x) for x in [d, *a, *b]]
        own = [(x, y) for i, x in enumerate([d, *a]) for y in [d, *a][i:]]
        assert units_are_cheaper(n, [d, *a], b) == (sum(x * y for x, y in both) < n / 2 * sum([d, *a, *b]))
        assert units_are_cheaper(n, [d, *a]) == (sum(x * y for x, y in own) < n / 2 * sum([d, *a]))


def test_layers_of_any_type_and_layout(road):
    torch = pytest.importorskip("torch")
    layers = layers_of(70, [20, 33, 40], np.float32)
    half = torch.from_numpy(layers[1]).bfloat16()
    shown = [layers[0][:, ::-1], half, np.asfortranarray(layers[2])]
    plain = [np.ascontiguousarray(layers[0][:, ::-1]), half.float().numpy(), layers[2]]
    for kernel in KERNELS:
        np.testing.assert_allclose(layer_sums(shown, kernel=kernel).ab, layer_sums(plain, kernel=kernel).ab, rtol=1e-12)


def test_one_float64_layer_takes_all_with_it(road):
    """Seen at a distance of 1e-8 between two float64 layers, which float32 tiles would blur."""
    X, Y, Z = layers_of(1100, [450, 420, 400], np.float32)
    wide = Z.astype(np.float64)
    sums = layer_sums([X, Y, wide])
    assert cka_of(sums.hsic_unbiased)[0, 2] == pytest.approx(next(expected([X], [Z], "linear"))[0, 0], rel=1e-11)


def test_a_kernel_that_is_nearly_constant(road):
    """All distances alike but for a thousandth: float32 would add its own rounding, so all is taken in float64."""
    noise = np.random.default_rng(0).standard_normal((1100, 1100)) * 1e-5
    faint, plain = (np.eye(1100) + noise).astype(np.float32), layers_of(1100, [30], np.float32)[0]
    cka = cka_of(layer_sums([plain], [faint], "rbf").hsic_unbiased)
    np.testing.assert_allclose(cka, next(expected([plain], [faint], "rbf")), atol=1e-7)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_small_problem(data):
    n = data.draw(st.sampled_from([*range(4, 20), 143, 145, 241]))
    widths = data.draw(st.lists(st.integers(2, 40), min_size=2, max_size=11))
    layers = layers_of(n, widths, data.draw(st.sampled_from([np.float16, np.float32, np.float64])))
    cut = data.draw(st.integers(1, len(layers) - 1))
    kernel, bandwidth = data.draw(st.sampled_from(KERNELS)), data.draw(st.floats(0.3, 3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(roads.VARIABLE, data.draw(st.sampled_from([*roads.isas(), "twin"])))
        sums = layer_sums(layers[:cut], layers[cut:], kernel, bandwidth, threads=data.draw(st.integers(1, 5)))
    for cka, truth in zip(found(sums), expected(layers[:cut], layers[cut:], kernel, bandwidth), strict=True):
        np.testing.assert_allclose(cka, truth, rtol=1e-7, atol=1e-7)


X, Y = layers_of(30, [4, 5])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(layers_a=X), "layers_a is a ndarray; give a list of arrays"),
        (dict(layers_a={"first": X}), "layers_a is a dict"),
        (dict(layers_a=[]), "layers_a is empty"),
        (dict(layers_b=[]), "layers_b is empty"),
        (dict(layers_a=[X, Y[:29]]), r"layers_a\[0\] has 30 stimuli .* layers_a\[1\] has 29"),
        (dict(layers_b=[X, Y[:29]]), r"layers_a\[0\] has 30 stimuli .* layers_b\[1\] has 29"),
        (dict(layers_a=[X, X[0]]), r"layers_a\[1\] has 1 dimension"),
        (dict(layers_b=[Y, np.where(X > 1, np.nan, X)]), r"layers_b\[1\] holds NaN"),
        (dict(layers_b=[Y, np.ones((30, 2))]), r"layers_b\[1\] is the same for every stimulus"),
        (dict(layers_a=[Y, np.eye(30)[:, :29]], kernel="cosine"), r"layers_a\[1\]: row 29 is all zeros"),
        (dict(layers_b=[np.eye(30)[:, :5]], kernel="rbf"), r"identical in layers_b\[0\]"),
        (dict(kernel="cubic"), "kernel is 'cubic'"),
        (dict(bandwidth=0), "bandwidth is 0"),
        (dict(threads=0), "threads is 0"),
    ],
)
def test_refuses_in_words(change, words, road):
    with pytest.raises(InputError, match=words):
        layer_sums(**{"layers_a": [X], "layers_b": [Y], **change})
