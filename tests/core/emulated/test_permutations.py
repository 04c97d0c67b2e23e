"""Permuted products as the CUDA source finds them."""

import ctypes

import numpy as np
import pytest

from consilience.core import Orders, permuted_products
from consilience.core.orders import GivenOrders


@pytest.fixture
def products(library):
    def products(a, b, orders):
        found = np.empty((orders.draws, len(a), len(b)), np.int64 if a[0].dtype == np.int32 else np.float64)
        seed, stimuli, first, given = orders.source
        sides = [(ctypes.c_void_p * len(side))(*(A.ctypes.data for A in side)) for side in (a, b)]
        failed = library.permuted_products(
            [np.int32, np.float32, np.float64].index(a[0].dtype),
            sides[0],
            ctypes.c_int64(len(a)),
            sides[1],
            ctypes.c_int64(len(b)),
            ctypes.c_int64(orders.n),
            ctypes.c_int64(orders.draws),
            *library.pointers(given),
            ctypes.c_uint64(seed),
            *library.pointers(stimuli, first, found),
        )
        assert not failed, "the CUDA code threw"
        return found

    return products


@pytest.mark.parametrize("dtype", [np.int32, np.float32, np.float64])
@pytest.mark.parametrize(("n", "count_a", "count_b"), [(4, 1, 1), (33, 2, 3), (70, 1, 2)])
def test_permuted_products_equal_those_of_the_cpu(n, count_a, count_b, dtype, products, monkeypatch):
    """Whole numbers to the last bit, so the orders are the same too."""
    monkeypatch.setenv("CONSILIENCE_CORE", "twin")
    rng = np.random.default_rng(n)
    matrices = [np.round(100 * (A + A.T)).astype(dtype) for A in rng.standard_normal((count_a + count_b, n, n))]
    a, b = matrices[:count_a], matrices[count_a:]
    drawn = Orders(n, 40, seed=2**40, groups=np.arange(n) % 3)
    for orders in (drawn, GivenOrders(drawn.array())):
        np.testing.assert_allclose(products(a, b, orders), permuted_products(a, b, drawn), rtol=1e-12)
