"""The CUDA sources run on the CPU, a fiber for each CUDA thread: their logic and arithmetic, without a GPU.

What a test here cannot see: races, and speed. `test_cuda.py` runs on a GPU.
"""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from consilience.core import twin, twin_sums

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "src" / "core"
COMPILER = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
SIMILARITIES = ["cosine", "dot", "euclidean"]
PRECISIONS = ["auto", "float32", "tf32", "3xtf32", "bf16"]
KERNELS = ["linear", "cosine", "rbf", "laplacian"]

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
    sources = [HERE / "emulated.cpp", HERE / "emulated_sums.cpp", SOURCES / "pack.cpp"]
    subprocess.run([COMPILER, *flags, *sources, "-o", built], check=True)
    return ctypes.CDLL(str(built))


@pytest.fixture
def emulated(library):
    def neighbors(X, k, similarity, others=None, precision="auto"):
        indices, similarities = np.full((len(X), k), -1, np.int64), np.full((len(X), k), np.nan)
        shared = library.neighbors(
            ctypes.byref(view(X)),
            None if others is None else ctypes.byref(view(others)),
            ctypes.c_int64(k),
            SIMILARITIES.index(similarity),
            PRECISIONS.index(precision),
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
@pytest.mark.parametrize("source", ["neighbors.cu", "kernel_sums.cu"])
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
    def kernel_sums(X, Y, kernel, *spread, in_double=False, precision="auto"):
        found = [np.full(3, np.nan), *(np.full(len(X), np.nan) for _ in range(4))]
        pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in found]
        failed = library.kernel_sums(
            ctypes.byref(view(X)),
            ctypes.byref(view(Y)),
            KERNELS.index(kernel),
            (ctypes.c_double * 3)(*spread),
            int(in_double),
            PRECISIONS.index(precision),
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
