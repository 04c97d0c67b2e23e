"""Relation sums as the CUDA source finds them."""

import numpy as np
import pytest

from consilience.core import twin_relations, twin_sums
from consilience.core.relation_sums import row_terms


@pytest.mark.parametrize(("in_double", "close"), [(False, 1e-4), (True, 1e-12)])
@pytest.mark.parametrize(("n", "d"), [(4, 2), (63, 17), (130, 5), (65, 200)])
def test_relation_sums_equal_the_twin(n, d, in_double, close, library, normal):
    Z = twin_sums.centred(np.exp(normal(n, d, np.float64)), "linear")
    W, u, p, e, _ = row_terms(Z)
    sums = np.full(5, np.nan)
    failed = library.relation_sums(
        library.views(Z),
        library.views(W),
        *library.pointers(u, p, e),
        int(in_double),
        *library.pointers(sums),
    )
    assert not failed, "the CUDA code threw"
    expected = twin_relations.relation_sums(Z, W, u, p, e)
    np.testing.assert_allclose(sums, expected, rtol=close, atol=close * abs(expected).max())
