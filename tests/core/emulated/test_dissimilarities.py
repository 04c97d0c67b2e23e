"""Dissimilarities as the CUDA source finds them."""

import numpy as np
import pytest

from consilience.core import twin_dissimilarities
from consilience.core.dissimilarities import DISSIMILARITIES


@pytest.mark.parametrize("dissimilarity", DISSIMILARITIES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(("n", "d"), [(4, 2), (5, 33), (31, 16), (33, 3), (70, 100)])
def test_dissimilarities_equal_the_twin_to_the_bit(n, d, dtype, dissimilarity, library, normal):
    X = (normal(2 * n, 2 * d, dtype) + dtype(3))[::-2, 1::2]
    X[3] = X[1]
    found = np.full(n * (n - 1) // 2, np.nan)
    assert not library.dissimilarities(library.views(X), DISSIMILARITIES.index(dissimilarity), *library.pointers(found))
    np.testing.assert_array_equal(found, twin_dissimilarities.dissimilarities(X, dissimilarity))
