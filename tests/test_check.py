"""What the boundary refuses, and the words in which it does."""

import numpy as np
import pytest

import consilience as cs
from consilience.check import as_numpy, check_array

good = np.random.default_rng(0).standard_normal((12, 5))


def spoiled(value):
    X = good.copy()
    X[3, 2] = value
    return X


BAD = {
    "nan": (spoiled(np.nan), "X holds NaN or infinity, first at row 3, column 2"),
    "infinity": (spoiled(np.inf), "row 3, column 2"),
    "one dimension": (good[:, 0], r"X has 1 dimension .*\(n_stimuli, n_units\)"),
    "three dimensions": (good[:, :, None], "3 dimensions"),
    "no units": (good[:, :0], "no units"),
    "three stimuli": (good[:3], "3 stimuli"),
    "constant": (np.ones((12, 3)), "no unit varies"),
    "complex": (good + 1j, "complex128"),
    "objects": (good.astype(object), "dtype object"),
    "ragged": ([[1, 2], [3]], "cannot be read"),
    "text": (good.astype(str), "dtype"),
}


@pytest.mark.parametrize("function", [cs.cka, cs.mutual_knn, cs.align])
@pytest.mark.parametrize("case", BAD)
def test_refuses_bad_arrays_in_words(function, case):
    bad, words = BAD[case]
    with pytest.raises(cs.InputError, match=words):
        function(bad, good)


@pytest.mark.parametrize("function", [cs.cka, cs.mutual_knn, cs.align])
def test_refuses_rows_that_do_not_match(function):
    with pytest.raises(cs.InputError, match=r"X has 12 stimuli .* Y has 11"):
        function(good, good[:-1])


@pytest.mark.parametrize("k", [0, -1, 12, 2.0, "ten", True])
def test_refuses_a_wrong_number_of_neighbours(k):
    with pytest.raises(cs.InputError, match="k is"):
        cs.mutual_knn(good, good, k=k)


def test_refuses_a_stimulus_without_direction():
    X = good.copy()
    X[4] = 0
    with pytest.raises(cs.InputError, match="row 4 is all zeros"):
        cs.mutual_knn(X, good, k=2)
    assert np.isfinite(cs.mutual_knn(X, good, k=2, similarity="euclidean"))


def test_a_single_dead_unit_is_fine():
    X = np.hstack([good, np.zeros((12, 1))])
    assert cs.cka(X, good) == pytest.approx(1)


OUT_OF_RANGE = [{"metric": "ckka"}, {"alpha": 2}, {"ci": 95}, {"kernel": "cubic"}, {"neighbours": 3}]


@pytest.mark.parametrize("arguments", OUT_OF_RANGE)
def test_refuses_options_out_of_range(arguments):
    with pytest.raises(cs.InputError, match=next(iter(arguments))):
        cs.align(good, good, **arguments)


def test_reads_lists_integers_and_tensors():
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(check_array([[1, 2], [3, 4], [5, 6], [7, 9]])[0], [1.0, 2.0])
    tensor = torch.randn(6, 3, requires_grad=True)
    assert as_numpy(tensor, "X").dtype == np.float32
    assert as_numpy(tensor.bfloat16(), "X").dtype == np.float32
    assert np.shares_memory(as_numpy(tensor, "X"), tensor.detach().numpy())
