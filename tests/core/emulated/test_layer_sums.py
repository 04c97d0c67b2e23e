"""Sums of layers as the CUDA source finds them."""

import ctypes

import numpy as np
import pytest

from consilience.core import twin_sums

KERNELS = ["linear", "cosine", "rbf", "laplacian"]


@pytest.fixture
def layer_sums(library):
    def layer_sums(layers, kernel, spreads, shift, in_double, workspace):
        count, n = len(layers), len(layers[0])
        found = [np.full(shape, np.nan) for shape in ((count, count), (count, n), (count, n))]
        failed = library.layer_sums(
            library.views(*layers),
            count,
            KERNELS.index(kernel),
            (ctypes.c_double * count)(*spreads),
            ctypes.c_double(shift),
            int(in_double),
            ctypes.c_int64(workspace),
            *library.pointers(*found),
        )
        assert not failed, "the CUDA code threw"
        return found

    return layer_sums


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("dtype", "in_double", "close"), [(np.float32, False, 2e-5), (np.float64, True, 1e-12)])
@pytest.mark.parametrize(
    ("n", "widths", "workspace"),
    [(4, [2], 1), (63, [17, 2, 9, 33, 5], 1 << 20), (130, [5, 40], 1), (300, [3, 20, 4], 3 * 4 * 256**2)],
)
def test_layer_sums_equal_the_twin(n, widths, workspace, dtype, in_double, close, kernel, layer_sums, normal):
    """The workspace holds a piece of one tile, of two by two, or all."""
    layers = [normal(n, d, dtype) + dtype(3) for d in widths]
    distance = kernel in ("rbf", "laplacian")
    spreads, shift = (np.sqrt(np.multiply(2, widths)), 0.5) if distance else (np.zeros(len(widths)), 0.0)
    found = layer_sums(layers, kernel, spreads, shift, in_double, workspace)
    for a, b in zip(found, twin_sums.layer_sums(layers, kernel, spreads, shift), strict=True):
        np.testing.assert_allclose(a, b, rtol=close, atol=close * n)
