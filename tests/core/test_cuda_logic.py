"""The CUDA sources run on the CPU, a fiber for each CUDA thread: their logic and arithmetic, without a GPU.

What a test here cannot see: races, and speed. `test_cuda.py` runs on a GPU.
"""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from consilience.core import (
    Orders,
    permuted_products,
    twin,
    twin_correlation,
    twin_dissimilarities,
    twin_relations,
    twin_sums,
)
from consilience.core.dissimilarities import DISSIMILARITIES
from consilience.core.orders import GivenOrders
from consilience.core.relation_sums import row_terms

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "src" / "core"
COMPILER = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
SIMILARITIES = ["cosine", "dot", "euclidean"]
KERNELS = ["linear", "cosine", "rbf", "laplacian"]
SIGNS = ["positive", "negative", "absolute"]

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")


class View(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("type", ctypes.c_int),
        ("n", ctypes.c_int64),
        ("d", ctypes.c_int64),
        ("row_stride", ctypes.c_int64),
        ("column_stride", ctypes.c_int64),
    )


def view(X):
    kinds = {np.float16: 0, np.uint16: 1, np.float32: 2, np.float64: 3}
    strides = [stride // X.itemsize for stride in X.strides]
    return View(X.ctypes.data, kinds[X.dtype.type], *X.shape, *strides)


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    built = tmp_path_factory.mktemp("emulated") / "emulated.so"
    flags = ["-std=c++17", "-O2", "-ffp-contract=off", "-fPIC", "-shared", "-pthread", f"-I{SOURCES}"]
    sources = [*HERE.glob("emulated*.cpp"), SOURCES / "pack.cpp"]
    subprocess.run([COMPILER, *flags, *sources, "-o", built], check=True)
    return ctypes.CDLL(str(built))


@pytest.fixture
def emulated(library):
    def neighbors(X, k, similarity, others=None):
        indices, similarities = np.full((len(X), k), -1, np.int64), np.full((len(X), k), np.nan)
        in_double = np.float64 in (X.dtype, getattr(others, "dtype", None))
        shared = library.neighbors(
            ctypes.byref(view(X)),
            None if others is None else ctypes.byref(view(others)),
            ctypes.c_int64(k),
            SIMILARITIES.index(similarity),
            int(in_double),
            indices.ctypes.data_as(ctypes.c_void_p),
            similarities.ctypes.data_as(ctypes.c_void_p),
        )
        assert shared >= 0, "the CUDA code threw"
        ties = np.empty(2 * len(X) + 1 + shared, np.int64)
        tied = library.last_ties(ties.ctypes.data_as(ctypes.c_void_p))
        parts = np.split(ties[: 2 * tied + 1 + shared], [tied, 2 * tied + 1])
        return indices, similarities, parts

    return neighbors


def same(found, expected):
    """Indices, similarities and ties, to the last bit."""
    for a, b in zip([*found[:2], *found[2]], [*expected[:2], *expected[2]], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc")
@pytest.mark.parametrize("source", sorted(path.name for path in (SOURCES / "cuda").glob("*.cu")))
def test_compiles_without_spilling_registers(source, tmp_path):
    command = ["nvcc", "-std=c++17", "-O3", "--fmad=false", "-arch=sm_80", "-Xptxas", "-v", "-cubin"]
    made = subprocess.run(
        [*command, SOURCES / "cuda" / source, "-o", tmp_path / "cubin"],
        capture_output=True,
        text=True,
        check=True,
    )
    spills = [line for line in made.stderr.splitlines() if "spill stores" in line]
    assert spills
    assert all(" 0 bytes spill stores, 0 bytes spill loads" in line for line in spills)


def normal(n, d, dtype):
    return np.random.default_rng([n, d]).standard_normal((n, d)).astype(dtype)


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(("n", "d", "k"), [(4, 1, 3), (5, 2, 1), (40, 33, 39), (66, 17, 5)])
def test_equals_the_twin(n, d, k, dtype, similarity, emulated):
    X = normal(n, d, dtype)
    same(emulated(X, k, similarity), twin.neighbors(X, k, similarity))


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_among_others(similarity, emulated):
    X, others = normal(70, 9, np.float32), normal(33, 9, np.float64)
    same(emulated(X, 33, similarity, others), twin.neighbors(X, 33, similarity, others))
    same(emulated(X, 4, similarity, others), twin.neighbors(X, 4, similarity, others))


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_ties_that_overflow_a_list(similarity, emulated):
    X = normal(100, 12, np.float32)
    X[20:70] = X[3]
    found = emulated(X, 6, similarity)
    assert len(found[2][0]) > 0
    same(found, twin.neighbors(X, 6, similarity))


def test_ties_on_a_grid(emulated):
    X = np.random.default_rng(0).integers(0, 3, (100, 3)).astype(np.float32)
    same(emulated(X, 5, "euclidean"), twin.neighbors(X, 5, "euclidean"))


def test_strides_and_bfloat16(emulated):
    X = normal(60, 40, np.float32)
    same(emulated(X[::-2, 3::4], 5, "cosine"), twin.neighbors(X[::-2, 3::4], 5, "cosine"))
    bits = (X.view(np.uint32) >> 16).astype(np.uint16)
    widened = (bits.astype(np.uint32) << 16).view(np.float32)
    same(emulated(bits, 5, "dot"), twin.neighbors(widened, 5, "dot"))


@pytest.fixture
def emulated_sums(library):
    def kernel_sums(X, Y, kernel, *spread, in_double=False):
        found = [np.full(3, np.nan), *(np.full(len(X), np.nan) for _ in range(4))]
        pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in found]
        failed = library.kernel_sums(
            ctypes.byref(view(X)),
            ctypes.byref(view(Y)),
            KERNELS.index(kernel),
            (ctypes.c_double * 3)(*spread),
            int(in_double),
            *pointers,
        )
        assert not failed, "the CUDA code threw"
        return found

    return kernel_sums


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    ("dtype", "in_double", "close"), [(np.float32, False, 2e-5), (np.float16, True, 1e-12), (np.float64, True, 1e-12)]
)
@pytest.mark.parametrize(("n", "dx", "dy"), [(4, 2, 3), (63, 17, 2), (130, 5, 40)])
def test_kernel_sums_equal_the_twin(n, dx, dy, dtype, in_double, close, kernel, emulated_sums):
    X, Y = normal(n, dx, dtype) + dtype(3), normal(n, dy, dtype)[::-1]
    spread = (np.sqrt(2 * dx), np.sqrt(2 * dy), 0.5) if kernel in ("rbf", "laplacian") else (0, 0, 0)
    found = emulated_sums(X, Y, kernel, *spread, in_double=in_double)
    for a, b in zip(found, twin_sums.kernel_sums(X, Y, kernel, *spread), strict=True):
        np.testing.assert_allclose(a, b, rtol=close, atol=close * np.sqrt(n))


def test_kernel_sums_of_rows_far_from_the_mean_are_taken_in_float64(emulated_sums):
    X, Y = normal(40, 3, np.float32), normal(40, 4, np.float32)
    X[:10] += 5000
    for a, b in zip(emulated_sums(X, Y, "rbf", 2, 2, 0.5), twin_sums.kernel_sums(X, Y, "rbf", 2, 2, 0.5), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("dissimilarity", DISSIMILARITIES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(("n", "d"), [(4, 2), (5, 33), (31, 16), (33, 3), (70, 100)])
def test_dissimilarities_equal_the_twin_to_the_bit(n, d, dtype, dissimilarity, library):
    X = (normal(2 * n, 2 * d, dtype) + dtype(3))[::-2, 1::2]
    X[3] = X[1]
    found = np.full(n * (n - 1) // 2, np.nan)
    kind, to = DISSIMILARITIES.index(dissimilarity), found.ctypes.data_as(ctypes.c_void_p)
    assert library.dissimilarities(ctypes.byref(view(X)), kind, to) == 0
    np.testing.assert_array_equal(found, twin_dissimilarities.dissimilarities(X, dissimilarity))


@pytest.fixture
def emulated_layers(library):
    def layer_sums(layers, kernel, spreads, shift, in_double, workspace):
        count, n = len(layers), len(layers[0])
        found = [np.full(shape, np.nan) for shape in ((count, count), (count, n), (count, n))]
        failed = library.layer_sums(
            (View * count)(*map(view, layers)),
            count,
            KERNELS.index(kernel),
            (ctypes.c_double * count)(*spreads),
            ctypes.c_double(shift),
            int(in_double),
            ctypes.c_int64(workspace),
            *(array.ctypes.data_as(ctypes.c_void_p) for array in found),
        )
        assert not failed, "the CUDA code threw"
        return found

    return layer_sums


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("dtype", "in_double", "close"), [(np.float32, False, 2e-5), (np.float64, True, 1e-12)])
@pytest.mark.parametrize(
    ("n", "widths", "workspace"),
    [(4, [2], 1), (63, [17, 2, 9, 33, 5], 1 << 20), (130, [5, 40], 1), (200, [3, 20, 4], 3 * 8 * 128**2)],
)
def test_layer_sums_equal_the_twin(n, widths, workspace, dtype, in_double, close, kernel, emulated_layers):
    """The workspace holds a piece of one tile, of two by two, or all."""
    layers = [normal(n, d, dtype) + dtype(3) for d in widths]
    distance = kernel in ("rbf", "laplacian")
    spreads, shift = (np.sqrt(np.multiply(2, widths)), 0.5) if distance else (np.zeros(len(widths)), 0.0)
    found = emulated_layers(layers, kernel, spreads, shift, in_double, workspace)
    for a, b in zip(found, twin_sums.layer_sums(layers, kernel, spreads, shift), strict=True):
        np.testing.assert_allclose(a, b, rtol=close, atol=close * n)


@pytest.fixture
def emulated_correlation(library):
    def cross_correlation(units, voxels, k, sign, thresholds):
        sides = [
            (np.full((n, k), -1, np.int64), np.full((n, k), np.nan), np.full((n, len(thresholds)), -1, np.int64))
            for n in (units.shape[1], voxels.shape[1])
        ]
        failed = library.cross_correlation(
            ctypes.byref(view(units)),
            ctypes.byref(view(voxels)),
            ctypes.c_int64(k),
            SIGNS.index(sign),
            (ctypes.c_double * len(thresholds))(*thresholds),
            ctypes.c_int64(len(thresholds)),
            int(np.float64 in (units.dtype, voxels.dtype)),
            *((ctypes.c_void_p * 3)(*(array.ctypes.data for array in side)) for side in sides),
        )
        assert not failed, "the CUDA code threw"
        return sides

    return cross_correlation


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(("n", "n_units", "n_voxels", "k"), [(4, 1, 3, 1), (33, 66, 17, 17), (40, 5, 70, 2)])
def test_cross_correlation_equals_the_twin(n, n_units, n_voxels, k, dtype, sign, emulated_correlation):
    units, voxels = normal(n, n_units, dtype) + dtype(3), normal(n, n_voxels, dtype)[::-1]
    voxels[:, 1] = -units[:, 0]  # r = -1
    problem = units, voxels, k, sign, [0.01, 0.3, 1.0]
    for found, expected in zip(
        emulated_correlation(*problem), twin_correlation.cross_correlation(*problem), strict=True
    ):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_cross_correlation_with_copies_that_overflow_a_list(emulated_correlation):
    units, voxels = normal(30, 40, np.float32), normal(30, 90, np.float32)
    voxels[:, 20:70] = -units[:, 3:4]
    problem = units, voxels, 4, "absolute", []
    for found, expected in zip(
        emulated_correlation(*problem), twin_correlation.cross_correlation(*problem), strict=True
    ):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("in_double", "close"), [(False, 1e-4), (True, 1e-12)])
@pytest.mark.parametrize(("n", "d"), [(4, 2), (63, 17), (130, 5), (65, 200)])
def test_relation_sums_equal_the_twin(n, d, in_double, close, library):
    Z = twin_sums.centred(np.exp(normal(n, d, np.float64)), "linear")
    W, u, p, e, _ = row_terms(Z)
    sums = np.full(5, np.nan)
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in (u, p, e)]
    failed = library.relation_sums(
        ctypes.byref(view(Z)),
        ctypes.byref(view(W)),
        *pointers,
        int(in_double),
        sums.ctypes.data_as(ctypes.c_void_p),
    )
    assert not failed, "the CUDA code threw"
    expected = twin_relations.relation_sums(Z, W, u, p, e)
    np.testing.assert_allclose(sums, expected, rtol=close, atol=close * abs(expected).max())


@pytest.fixture
def emulated_products(library):
    def products(a, b, orders):
        found = np.empty((orders.draws, len(a), len(b)), np.int64 if a[0].dtype == np.int32 else np.float64)
        seed, stimuli, first, given = orders.source
        pointers = [(ctypes.c_void_p * len(side))(*(A.ctypes.data for A in side)) for side in (a, b)]
        addresses = [None if A is None else A.ctypes.data_as(ctypes.c_void_p) for A in (given, stimuli, first, found)]
        failed = library.permuted_products(
            [np.int32, np.float32, np.float64].index(a[0].dtype),
            pointers[0],
            ctypes.c_int64(len(a)),
            pointers[1],
            ctypes.c_int64(len(b)),
            ctypes.c_int64(orders.n),
            ctypes.c_int64(orders.draws),
            addresses[0],
            ctypes.c_uint64(seed),
            *addresses[1:],
        )
        assert not failed, "the CUDA code threw"
        return found

    return products


@pytest.mark.parametrize("dtype", [np.int32, np.float32, np.float64])
@pytest.mark.parametrize(("n", "count_a", "count_b"), [(4, 1, 1), (33, 2, 3), (70, 1, 2)])
def test_permuted_products_equal_those_of_the_cpu(n, count_a, count_b, dtype, emulated_products, monkeypatch):
    """Whole numbers to the last bit, so the orders are the same too."""
    monkeypatch.setenv("CONSILIENCE_CORE", "twin")
    rng = np.random.default_rng(n)
    matrices = [np.round(100 * (A + A.T)).astype(dtype) for A in rng.standard_normal((count_a + count_b, n, n))]
    a, b = matrices[:count_a], matrices[count_a:]
    drawn = Orders(n, 40, seed=2**40, groups=np.arange(n) % 3)
    for orders in (drawn, GivenOrders(drawn.array())):
        np.testing.assert_allclose(emulated_products(a, b, orders), permuted_products(a, b, drawn), rtol=1e-12)
