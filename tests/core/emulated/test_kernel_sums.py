"""Kernel sums as the CUDA source finds them, in every precision."""

import ctypes

import numpy as np
import pytest

from consilience.core import KernelSums, twin_sums

KERNELS = ["linear", "cosine", "rbf", "laplacian"]
PRECISIONS = ["auto", "float32", "tf32", "3xtf32", "bf16"]


@pytest.fixture
def kernel_sums(library):
    def kernel_sums(X, Y, kernel, *spread, in_double=False, precision="auto"):
        found = [np.full(3, np.nan), *(np.full(len(X), np.nan) for _ in range(4))]
        failed = library.kernel_sums(
            library.views(X),
            library.views(Y),
            KERNELS.index(kernel),
            (ctypes.c_double * 3)(*spread),
            int(in_double),
            PRECISIONS.index(precision),
            *library.pointers(*found),
        )
        assert not failed, "the CUDA code threw"
        return found

    return kernel_sums


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    ("dtype", "in_double", "close"), [(np.float32, False, 2e-5), (np.float16, True, 1e-12), (np.float64, True, 1e-12)]
)
@pytest.mark.parametrize(("n", "dx", "dy"), [(4, 2, 3), (63, 17, 2), (130, 5, 40)])
def test_kernel_sums_equal_the_twin(n, dx, dy, dtype, in_double, close, kernel, kernel_sums, normal):
    X, Y = normal(n, dx, dtype) + dtype(3), normal(n, dy, dtype)[::-1]
    spread = (np.sqrt(2 * dx), np.sqrt(2 * dy), 0.5) if kernel in ("rbf", "laplacian") else (0, 0, 0)
    found = kernel_sums(X, Y, kernel, *spread, in_double=in_double)
    for a, b in zip(found, twin_sums.kernel_sums(X, Y, kernel, *spread), strict=True):
        np.testing.assert_allclose(a, b, rtol=close, atol=close * np.sqrt(n))


@pytest.mark.parametrize("kernel", ["linear", "cosine", "rbf"])
@pytest.mark.parametrize(("precision", "moved"), [("float32", 1e-7), ("tf32", 1e-5), ("3xtf32", 1e-7), ("bf16", 1e-4)])
def test_cka_moves_no_more_than_the_precision_says(precision, moved, kernel, kernel_sums, normal):
    X, noise = normal(270, 70, np.float32) + np.float32(3), normal(270, 50, np.float32)
    Y = X[:, :50] + noise
    spread = (np.sqrt(140), np.sqrt(200), 0.6) if kernel == "rbf" else (0, 0, 0)
    found, expected = (
        kernel_sums(X, Y, kernel, *spread, precision=precision),
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


def test_kernel_sums_of_rows_far_from_the_mean_are_taken_in_float64(kernel_sums, normal):
    X, Y = normal(40, 3, np.float32), normal(40, 4, np.float32)
    X[:10] += 5000
    for a, b in zip(kernel_sums(X, Y, "rbf", 2, 2, 0.5), twin_sums.kernel_sums(X, Y, "rbf", 2, 2, 0.5), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-7)
