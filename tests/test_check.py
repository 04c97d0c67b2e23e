"""What the boundary refuses, and the words in which it does."""

import numpy as np
import pytest
from scipy import sparse

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
    "masked": (np.ma.masked_less(good, 0), "mask"),
    "sparse": (sparse.csr_array(good), "sparse"),
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


OUT_OF_RANGE = [
    {"metric": "ckka"},
    {"alpha": 2},
    {"alpha": "x"},
    {"ci": 95},
    {"kernel": "cubic"},
    {"neighbours": 3},
    {"k": 5},
    {"seed": -1},
    {"bandwidth": 1e200},
    {"groups": [0.0, np.nan] * 6},
    {"draws": 99.5, "method": "permutations"},
]


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


@pytest.mark.parametrize("scale", [1e-200, 1e-100, 1e100, 1e200])
def test_scale_costs_no_digits(scale):
    Y = good[:, :3] ** 2
    for kernel in ("linear", "rbf"):
        assert cs.cka(good * scale, Y, kernel=kernel) == pytest.approx(cs.cka(good, Y, kernel=kernel))


def test_one_stimulus_apart_from_identical_others_has_no_cka():
    for seed in range(50):
        X = np.zeros((12, 3))
        X[3] = np.random.default_rng(seed).standard_normal(3)
        with pytest.raises(cs.InputError, match="HSIC"):
            cs.cka(X, good)


def test_all_neighbours_say_nothing():
    with pytest.raises(cs.InputError, match="smaller k"):
        cs.align(good, good**2, metric="mutual_knn", k=11)
    with pytest.raises(cs.InputError, match="smaller k"):
        cs.align(good[:6], good[:6] ** 2, metric="mutual_knn", k=5)


def test_an_interval_needs_stimuli():
    with pytest.raises(cs.InputError, match="at least 10"):
        cs.align(good[:6], good[:6], ci=0.9)


LAYERS = {"one": good}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"metrics": "ckka"}, "metric"),
        ({"layers_b": {}}, "layers_b"),
        ({"layers_b": [good]}, "mapping"),
        ({"layers_b": {"one": good[:-1]}}, "11 stimuli"),
        ({"draws": 0}, "draws"),
        ({"draws": 19, "alpha": 0.01}, "draws"),
        ({"alpha": 5}, "alpha"),
        ({"kernle": "rbf"}, "kernle"),
        ({"groups": [None] * 12}, "missing"),
        ({"metrics": "mutual_knn", "k": 11}, "choose a smaller k"),
    ],
)
def test_compare_refuses(arguments, words):
    with pytest.raises(cs.InputError, match=words):
        cs.compare(**{"layers_a": LAYERS, "layers_b": LAYERS, **arguments})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"pairs": []}, "nothing"),
        ({"pairs": [("X", "Z")]}, "Z"),
        ({"draws": 1}, "draws"),
        ({"galleries": [np.arange(5)]}, "at least 10"),
        ({"galleries": [np.arange(3, 15)]}, "outside"),
        ({"galleries": [np.arange(12) > 0]}, "row numbers"),
        ({"galleries": [np.repeat(np.arange(6), 2)]}, "twice"),
    ],
)
def test_resampled_refuses(arguments, words):
    with pytest.raises(cs.InputError, match=words):
        cs.Resampled(**{"representations": {"X": good, "Y": good**2}, "pairs": [("X", "Y")], **arguments})


def test_an_interval_of_an_unknown_pair_or_level_is_refused():
    scores = cs.Resampled({"X": good, "Y": good**2}, [("X", "Y")])
    for arguments, words in ((("Y", "X"), "not scored"), (("X", "Y", 95), "level")):
        with pytest.raises(cs.InputError, match=words):
            scores.interval(*arguments)
