"""Cross-correlation as the CUDA source finds it."""

import ctypes

import numpy as np
import pytest

from consilience.core import twin_correlation

SIGNS = ["positive", "negative", "absolute"]


@pytest.fixture
def cross_correlation(library):
    def cross_correlation(units, voxels, k, sign, thresholds):
        sides = [
            (np.full((n, k), -1, np.int64), np.full((n, k), np.nan), np.full((n, len(thresholds)), -1, np.int64))
            for n in (units.shape[1], voxels.shape[1])
        ]
        failed = library.cross_correlation(
            library.views(units),
            library.views(voxels),
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
@pytest.mark.parametrize(
    ("n", "n_units", "n_voxels", "k", "thresholds"),
    [(4, 1, 3, 1, [0.3]), (33, 66, 17, 17, [0.01, 0.3, 1.0]), (12, 140, 270, 2, [0.9, 1.0])],
)
def test_cross_correlation_equals_the_twin(n, n_units, n_voxels, k, thresholds, dtype, sign, cross_correlation, normal):
    units, voxels = normal(n, n_units, dtype) + dtype(3), normal(n, n_voxels, dtype)[::-1]
    voxels[:, 1] = -units[:, 0]  # r = -1
    problem = units, voxels, k, sign, thresholds
    for found, expected in zip(cross_correlation(*problem), twin_correlation.cross_correlation(*problem), strict=True):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_cross_correlation_with_copies_that_overflow_a_list(cross_correlation, normal):
    units, voxels = normal(30, 40, np.float32), normal(30, 90, np.float32)
    voxels[:, 20:70] = -units[:, 3:4]
    problem = units, voxels, 4, "absolute", []
    for found, expected in zip(cross_correlation(*problem), twin_correlation.cross_correlation(*problem), strict=True):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)
