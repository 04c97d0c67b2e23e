"""Local CKA, entry by entry, against the CKA of the pairs with one more."""

import numpy as np
import pytest

import consilience as cs
from consilience.metrics.local_cka import LocalCka


@pytest.mark.parametrize("widths", [(3, 5), (30, 40)], ids=str)
def test_every_entry_is_the_cka_of_the_pairs_with_that_one_added(widths):
    rng = np.random.default_rng(0)
    X, Y = (rng.standard_normal((17, width)) for width in widths)
    X, Y = X - X[:12].mean(0), Y - Y[:12].mean(0)
    order = rng.permutation(12)
    there, back = LocalCka(X[:12], 3 * X[12:], Y[:12], Y[12:]).similarities(order)
    for i in range(5):
        for j in range(5):
            joined = np.vstack([X[:12], 3 * X[12 + i]]), np.vstack([Y[:12][order], Y[12 + j]])
            assert there[i, j] == pytest.approx(cs.cka(*joined, estimator="biased"), abs=1e-10)
    assert (back == there.T).all()
