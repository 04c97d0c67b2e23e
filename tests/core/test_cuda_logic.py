"""The CUDA sources run on the CPU, a fiber for each CUDA thread: their logic and arithmetic, without a GPU.

What a test here cannot see: races, and speed. `test_cuda.py` runs on a GPU.
"""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from consilience.core import KernelSums, twin, twin_sums

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
    # No fortified longjmp: it would take a jump to another fiber for an attack.
    flags = ["-std=c++17", "-O1", "-ffp-contract=off", "-fPIC", "-shared", "-pthread", "-U_FORTIFY_SOURCE"]
    sources = [HERE / "emulated.cpp", HERE / "emulated_sums.cpp", SOURCES / "pack.cpp"]
    subprocess.run([COMPILER, *flags, f"-I{SOURCES}", *sources, "-o", built], check=True)
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
    gpus = ["-gencode", "arch=compute_80,code=[sm_80,sm_90]"]
    command = ["nvcc", "-std=c++17", "-O3", "--fmad=false", *gpus, "-Xptxas", "-v", "-fatbin"]
    made = subprocess.run(
        [*command, SOURCES / "cuda" / source, "-o", tmp_path / "fatbin"],
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


@pytest.mark.parametrize("precision", PRECISIONS[1:])
@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_equals_the_twin_in_every_precision(precision, similarity, emulated):
    few, many = normal(131, 37, np.float32), normal(261, 37, np.float32)  # more than a tile, down and across
    same(emulated(few, 5, similarity, many, precision), twin.neighbors(few, 5, similarity, many))
    X = normal(33, 1, np.float32)
    same(emulated(X, 32, similarity, precision=precision), twin.neighbors(X, 32, similarity))


HARD = {
    "copies": lambda X: X[np.arange(len(X)) % 3 * 7],
    "near ties": lambda X: X[:1] + np.float32(1e-6) * X,
    "a large mean": lambda X: X + np.float32(1000),
    "rows of all lengths": lambda X: X * np.float32(10.0) ** np.linspace(-12, 12, len(X), dtype=np.float32)[:, None],
    "sums that are cut": lambda X: (
        np.sign(X[:, :1]) * np.where(np.arange(X.shape[1]), 253 / 2**19, 1).astype(np.float32)
    ),
    "a grid": lambda X: np.round(X) + np.float32(5),
}


@pytest.mark.parametrize("precision", PRECISIONS[1:])
@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("kind", HARD)
def test_hard_rows_in_every_precision(kind, precision, similarity, emulated):
    X = HARD[kind](normal(60, 5, np.float32))
    same(emulated(X, 4, similarity, precision=precision), twin.neighbors(X, 4, similarity))


def test_more_copies_than_a_reopened_row_has_room_for(emulated):
    X, others = normal(4, 3, np.float32), np.repeat(normal(1, 3, np.float32), 1030, axis=0)
    same(emulated(X, 3, "dot", others), twin.neighbors(X, 3, "dot", others))


GUESSES = ["float64", *PRECISIONS[1:]]


@pytest.fixture
def guess_errors(library, matrix):
    def guess_errors(X, others, similarity, precision):
        defined = matrix(X, others, similarity)
        errors, doubts = np.full(defined.shape, np.nan), np.full(len(X), np.nan)
        library.guess_errors(
            ctypes.byref(view(X)),
            ctypes.byref(view(others)),
            SIMILARITIES.index(similarity),
            GUESSES.index(precision),
            *(array.ctypes.data_as(ctypes.c_void_p) for array in (defined, errors, doubts)),
        )
        return np.abs(errors), doubts[:, None]

    return guess_errors


@pytest.mark.parametrize(
    ("precision", "most"), [("float32", 1e-4), ("tf32", 1.5e-3), ("3xtf32", 1.5e-3), ("bf16", 1.5e-2)]
)
@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_no_guess_is_further_off_than_doubt_says(similarity, precision, most, guess_errors):
    for n, m, d in ((30, 20, 767), (131, 261, 3)):
        errors, doubts = guess_errors(normal(n, d, np.float32), normal(m, d, np.float32), similarity, precision)
        assert (errors <= doubts).all()
        assert doubts.max() < most * (4 if similarity == "euclidean" else 1)  # else nothing would ever be certain
        assert errors.max() > 1e-9  # it is a guess


@pytest.mark.parametrize("precision", GUESSES)
@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("kind", HARD)
def test_doubt_holds_for_hard_rows(kind, similarity, precision, guess_errors):
    X, others = (HARD[kind](np.abs(normal(n, 40, np.float32))) for n in (30, 50))  # abs: every cut in one direction
    errors, doubts = guess_errors(X, others, similarity, precision)
    assert (errors <= doubts).all()


def test_a_large_mean_costs_a_cosine_no_digits(guess_errors):
    X, others = normal(30, 40, np.float32) + np.float32(100), normal(50, 40, np.float32) + np.float32(100)
    assert guess_errors(X, others, "cosine", "bf16")[1].max() < 1e-5


def test_runs_hold_every_tile_once(library):
    for tiles in (1, 2, 16, 17, 33, 100, 530):
        counts = np.zeros((tiles, tiles), np.int32)
        library.count_tiles(ctypes.c_int64(tiles), counts.ctypes.data_as(ctypes.c_void_p))
        np.testing.assert_array_equal(counts, np.triu(np.ones((tiles, tiles), np.int32)))


def test_without_tensor_cores(library, emulated):
    X = normal(40, 8, np.float32)
    library.have_tensor_cores(False)
    try:
        same(emulated(X, 5, "dot"), twin.neighbors(X, 5, "dot"))
        with pytest.raises(AssertionError, match="threw"):
            emulated(X, 5, "dot", precision="bf16")
    finally:
        library.have_tensor_cores(True)


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


@pytest.mark.parametrize("kernel", ["linear", "cosine", "rbf"])
@pytest.mark.parametrize(("precision", "moved"), [("float32", 1e-7), ("tf32", 1e-5), ("3xtf32", 1e-7), ("bf16", 1e-4)])
def test_cka_moves_no_more_than_the_precision_says(precision, moved, kernel, emulated_sums):
    X, noise = normal(270, 70, np.float32) + np.float32(3), normal(270, 50, np.float32)
    Y = X[:, :50] + noise
    spread = (np.sqrt(140), np.sqrt(200), 0.6) if kernel == "rbf" else (0, 0, 0)
    found, expected = (
        emulated_sums(X, Y, kernel, *spread, precision=precision),
        twin_sums.kernel_sums(X, Y, kernel, *spread),
    )
    cka = [
        sums.hsic_unbiased.kl / np.sqrt(sums.hsic_unbiased.kk * sums.hsic_unbiased.ll)
        for sums in map(as_sums, (found, expected))
    ]
    assert abs(cka[1]) > 0.1
    assert 0 < abs(cka[0] - cka[1]) < moved


def as_sums(found):
    return KernelSums(len(found[1]), *map(float, found[0]), *found[1:])


def test_kernel_sums_of_rows_far_from_the_mean_are_taken_in_float64(emulated_sums):
    X, Y = normal(40, 3, np.float32), normal(40, 4, np.float32)
    X[:10] += 5000
    for a, b in zip(emulated_sums(X, Y, "rbf", 2, 2, 0.5), twin_sums.kernel_sums(X, Y, "rbf", 2, 2, 0.5), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-7)
