"""Neighbours as the CUDA source finds them, in every precision."""

import ctypes

import numpy as np
import pytest

from consilience.core import twin

SIMILARITIES = ["cosine", "dot", "euclidean"]
PRECISIONS = ["auto", "float32", "tf32", "3xtf32", "bf16"]
GUESSES = ["float64", *PRECISIONS[1:]]


@pytest.fixture
def neighbors(library):
    def neighbors(X, k, similarity, others=None, precision="auto"):
        indices, similarities = np.full((len(X), k), -1, np.int64), np.full((len(X), k), np.nan)
        shared = library.neighbors(
            library.views(X),
            None if others is None else library.views(others),
            ctypes.c_int64(k),
            SIMILARITIES.index(similarity),
            PRECISIONS.index(precision),
            *library.pointers(indices, similarities),
        )
        assert shared >= 0, "the CUDA code threw"
        ties = np.empty(2 * len(X) + 1 + shared, np.int64)
        tied = library.last_ties(*library.pointers(ties))
        parts = np.split(ties[: 2 * tied + 1 + shared], [tied, 2 * tied + 1])
        return indices, similarities, parts

    return neighbors


def same(found, expected):
    """Indices, similarities and ties, to the last bit."""
    for a, b in zip([*found[:2], *found[2]], [*expected[:2], *expected[2]], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(("n", "d", "k"), [(4, 1, 3), (5, 2, 1), (40, 33, 39), (66, 17, 5)])
def test_equals_the_twin(n, d, k, dtype, similarity, neighbors, normal):
    X = normal(n, d, dtype)
    same(neighbors(X, k, similarity), twin.neighbors(X, k, similarity))


@pytest.mark.parametrize("precision", PRECISIONS[1:])
@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_equals_the_twin_in_every_precision(precision, similarity, neighbors, normal):
    few, many = normal(131, 37, np.float32), normal(261, 37, np.float32)  # more than a tile, down and across
    same(neighbors(few, 5, similarity, many, precision), twin.neighbors(few, 5, similarity, many))
    X = normal(33, 1, np.float32)
    same(neighbors(X, 32, similarity, precision=precision), twin.neighbors(X, 32, similarity))


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
def test_hard_rows_in_every_precision(kind, precision, similarity, neighbors, normal):
    X = HARD[kind](normal(60, 5, np.float32))
    same(neighbors(X, 4, similarity, precision=precision), twin.neighbors(X, 4, similarity))


def test_more_copies_than_a_reopened_row_has_room_for(neighbors, normal):
    X, others = normal(4, 3, np.float32), np.repeat(normal(1, 3, np.float32), 1030, axis=0)
    same(neighbors(X, 3, "dot", others), twin.neighbors(X, 3, "dot", others))


@pytest.fixture
def guess_errors(library, matrix):
    def guess_errors(X, others, similarity, precision):
        defined = matrix(X, others, similarity)
        errors, doubts = np.full(defined.shape, np.nan), np.full(len(X), np.nan)
        library.guess_errors(
            library.views(X),
            library.views(others),
            SIMILARITIES.index(similarity),
            GUESSES.index(precision),
            *library.pointers(defined, errors, doubts),
        )
        return np.abs(errors), doubts[:, None]

    return guess_errors


@pytest.mark.parametrize(
    ("precision", "most"), [("float32", 1e-4), ("tf32", 1.5e-3), ("3xtf32", 1.5e-3), ("bf16", 1.5e-2)]
)
@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_no_guess_is_further_off_than_doubt_says(similarity, precision, most, guess_errors, normal):
    for n, m, d in ((30, 20, 767), (131, 261, 3)):
        errors, doubts = guess_errors(normal(n, d, np.float32), normal(m, d, np.float32), similarity, precision)
        assert (errors <= doubts).all()
        assert doubts.max() < most * (4 if similarity == "euclidean" else 1)  # else nothing would ever be certain
        assert errors.max() > 1e-9  # it is a guess


@pytest.mark.parametrize("precision", GUESSES)
@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("kind", HARD)
def test_doubt_holds_for_hard_rows(kind, similarity, precision, guess_errors, normal):
    X, others = (HARD[kind](np.abs(normal(n, 40, np.float32))) for n in (30, 50))  # abs: every cut in one direction
    errors, doubts = guess_errors(X, others, similarity, precision)
    assert (errors <= doubts).all()


def test_a_large_mean_costs_a_cosine_no_digits(guess_errors, normal):
    X, others = normal(30, 40, np.float32) + np.float32(100), normal(50, 40, np.float32) + np.float32(100)
    assert guess_errors(X, others, "cosine", "bf16")[1].max() < 1e-5


def test_runs_hold_every_tile_once(library):
    for tiles in (1, 2, 16, 17, 33, 100, 530):
        counts = np.zeros((tiles, tiles), np.int32)
        library.count_tiles(ctypes.c_int64(tiles), counts.ctypes.data_as(ctypes.c_void_p))
        np.testing.assert_array_equal(counts, np.triu(np.ones((tiles, tiles), np.int32)))


def test_without_tensor_cores(library, neighbors, normal):
    X = normal(40, 8, np.float32)
    library.have_tensor_cores(False)
    try:
        same(neighbors(X, 5, "dot"), twin.neighbors(X, 5, "dot"))
        with pytest.raises(AssertionError, match="threw"):
            neighbors(X, 5, "dot", precision="bf16")
    finally:
        library.have_tensor_cores(True)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_among_others(similarity, neighbors, normal):
    X, others = normal(70, 9, np.float32), normal(33, 9, np.float64)
    same(neighbors(X, 33, similarity, others), twin.neighbors(X, 33, similarity, others))
    same(neighbors(X, 4, similarity, others), twin.neighbors(X, 4, similarity, others))


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_ties_that_overflow_a_list(similarity, neighbors, normal):
    X = normal(100, 12, np.float32)
    X[20:70] = X[3]
    found = neighbors(X, 6, similarity)
    assert len(found[2][0]) > 0
    same(found, twin.neighbors(X, 6, similarity))


def test_ties_on_a_grid(neighbors):
    X = np.random.default_rng(0).integers(0, 3, (100, 3)).astype(np.float32)
    same(neighbors(X, 5, "euclidean"), twin.neighbors(X, 5, "euclidean"))


def test_strides_and_bfloat16(neighbors, normal):
    X = normal(60, 40, np.float32)
    same(neighbors(X[::-2, 3::4], 5, "cosine"), twin.neighbors(X[::-2, 3::4], 5, "cosine"))
    bits = (X.view(np.uint32) >> 16).astype(np.uint16)
    widened = (bits.astype(np.uint32) << 16).view(np.float32)
    same(neighbors(bits, 5, "dot"), twin.neighbors(widened, 5, "dot"))
