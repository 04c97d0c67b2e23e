"""Ranks, Spearman and Kendall against SciPy, and against all pairs one by one."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, rankdata, spearmanr

from consilience.check import InputError
from consilience.core import dissimilarities, kendall, memory, ranks, roads, spearman

ROADS = [*roads.isas()[:1], "twin"]  # no instruction set is special here
LARGE = 2**18 + 1000  # more than one item of work


@pytest.fixture(params=ROADS)
def road(request, monkeypatch):
    monkeypatch.setenv(roads.VARIABLE, request.param)
    return request.param


def pair(m, levels, seed=0):
    """Two vectors that go together loosely, of at most so many different values, some negative."""
    rng = np.random.default_rng([seed, m, levels])
    x = rng.integers(0, levels, m)
    y = np.where(rng.random(m) < 0.5, x, rng.integers(0, levels, m))
    x[0], y[-1] = levels, levels  # neither is constant
    return x * 0.37 - levels / 8, y * -3.0 + levels


def brute_force(x, y):
    """Concordant less discordant pairs, and those tied in x and in y."""
    surplus = tied_in_x = tied_in_y = 0
    for i, j in itertools.combinations(range(len(x)), 2):
        way = np.sign(x[i] - x[j]) * np.sign(y[i] - y[j])
        surplus, tied_in_x, tied_in_y = surplus + way, tied_in_x + (x[i] == x[j]), tied_in_y + (y[i] == y[j])
    return surplus, tied_in_x, tied_in_y


@pytest.mark.parametrize("levels", [1, 2, 7, 10**6])
@pytest.mark.parametrize("m", [2, 3, 16, 17, 65, 300])
def test_kendall_equals_all_pairs_one_by_one(m, levels, road):
    x, y = pair(m, levels)
    surplus, tied_in_x, tied_in_y = brute_force(x, y)
    pairs = m * (m - 1) // 2
    assert kendall(x, y) == surplus / pairs
    expected = surplus / np.sqrt(float((pairs - tied_in_x) * (pairs - tied_in_y)))
    assert kendall(x, y, variant="b") == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("levels", [1, 5, 3000, 10**9])
@pytest.mark.parametrize("m", [2, 5, 1000, 30_000, LARGE])
def test_equals_scipy(m, levels, road):
    x, y = pair(m, levels)
    np.testing.assert_array_equal(ranks(x), 2 * rankdata(x))
    assert spearman(x, y) == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)
    assert kendall(x, y, variant="b") == pytest.approx(kendalltau(x, y).statistic, abs=1e-12)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_small_problem(data):
    m, levels = data.draw(st.integers(2, 60)), data.draw(st.integers(1, 80))
    x, y = pair(m, levels, data.draw(st.integers(0, 10**6)))
    surplus, *_ = brute_force(x, y)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(roads.VARIABLE, data.draw(st.sampled_from(ROADS)))
        threads = data.draw(st.integers(1, 4))
        assert kendall(x, y, threads=threads) == surplus / (m * (m - 1) // 2)
        rho = spearman(x, y, threads=threads)
        assert rho == pytest.approx(np.corrcoef(rankdata(x), rankdata(y))[0, 1], abs=1e-12)
        together = np.random.default_rng(m).permutation(m)
        assert (rho, kendall(x, y)) == (spearman(x[together], y[together]), kendall(x[together], y[together]))
        assert (rho, kendall(x, y)) == (spearman(np.exp(x / 99), y), kendall(np.exp(x / 99), y))
        assert (-rho, -kendall(x, y)) == (spearman(x, -y), kendall(x, -y))
        assert (rho, kendall(x, y)) == (spearman(y, x), kendall(y, x))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_same_for_any_threads(threads, take):
    x, y = pair(LARGE, 10**5)
    take("twin")
    expected = ranks(x), spearman(x, y), kendall(x, y)
    take("auto")
    np.testing.assert_array_equal(ranks(x, threads=threads), expected[0])
    assert (spearman(x, y, threads=threads), kendall(x, y, threads=threads)) == expected[1:]


@pytest.mark.parametrize(
    "crowd",
    [
        lambda x: x,
        lambda x: np.where(x < 0.999, x * 1e-200, x),  # a far outlier, and the rest in one place
        lambda x: np.where(x < 0.9, 0.25, x),  # one great tie
        lambda x: -np.ldexp(1.0, (x * 2000).astype(int) - 1000),  # all sizes
    ],
    ids=["even", "crowded", "tied", "all sizes"],
)
def test_ranks_of_crowds(crowd):
    """Two million values and more of which the leading bits are equal are split again."""
    x = crowd(np.random.default_rng(0).random(2_200_000))
    np.testing.assert_array_equal(ranks(x), 2 * rankdata(x))


def test_both_zeros_are_one_and_signs_count(road):
    x = np.array([0.0, -0.0, -1e-300, 1e-300, -5, 5e-324, -1e308])
    np.testing.assert_array_equal(ranks(x), [9, 9, 6, 14, 4, 12, 2])


def test_types(road):
    x = np.array([3, 1, 2, 2])
    for values in (x, x.astype(np.float16), x.astype(np.float32)[::-1][::-1], (x == 3)):
        assert ranks(values).dtype == np.int32
    np.testing.assert_array_equal(ranks(x), [8, 2, 5, 5])
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(ranks(torch.tensor([0.5, 0.25]).bfloat16()), [4, 2])


def test_identical_vectors_correlate_exactly(road):
    x, y = pair(1000, 10**6)
    x = np.unique(x)  # without ties
    assert (spearman(x, x), kendall(x, x), kendall(x, x, "b")) == (1, 1, 1)
    assert (spearman(x, -x), kendall(x, -x), kendall(x, -x, "b")) == (-1, -1, -1)
    y = np.round(y / 10**5)  # with ties
    assert (spearman(y, y), kendall(y, y, "b"), spearman(y, -y)) == (1, 1, -1)
    assert kendall(y, y) < 1


def test_spearman_is_exact_where_doubles_are_not(road):
    """The sum of squared ranks of 300,000 places has 54 bits; swapping the last two changes rho by 2e-16."""
    x = np.arange(300_000.0)
    y = x.copy()
    y[-2:] = y[-1], y[-2]
    assert spearman(x, y) == 1 - 6 * 2 / (300_000 * (300_000**2 - 1))


def test_rdms_of_copies_are_tied(road):
    """What tile-dependent rounding would break: identical stimuli give equal ranks, not nearly equal ones."""
    X = np.random.default_rng(0).standard_normal((120, 40)).astype(np.float32)
    X[60:] = X[:60]
    found = ranks(dissimilarities(X))
    values, counts = np.unique(found, return_counts=True)
    assert values[0] == 61 and counts[0] == 60  # each with its copy: places 1 to 60
    assert (counts[1:] == 4).all()


def test_asks_for_memory(monkeypatch, road):
    monkeypatch.setattr(memory, "available", lambda: 1000)
    for compute in (ranks, lambda x: spearman(x, x), lambda x: kendall(x, x)):
        with pytest.raises(InputError, match=r"of 100 numbers would take .* of memory"):
            compute(np.arange(100.0))


x, y = pair(30, 10)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(x=x[:, None]), r"x has shape \(30, 1\)"),
        (dict(x=x[:1], y=y[:1]), "at least two numbers"),
        (dict(y=y[:29]), "x has 30 numbers and y has 29"),
        (dict(y=np.where(y == y[3], np.nan, y)), "y holds NaN or infinity"),
        (dict(x=np.ones(30)), "x is constant, so it orders nothing"),
        (dict(x=x + 1j), "x has dtype complex128"),
        (dict(x=["a"] * 30), "x has dtype"),
        (dict(threads=0), "threads is 0"),
    ],
)
@pytest.mark.parametrize("correlation", [spearman, kendall])
def test_refuses_in_words(correlation, change, words, road):
    if "threads" in change and road == "twin":
        pytest.skip("the twin has one thread")
    with pytest.raises(InputError, match=words):
        correlation(**{"x": x, "y": y, **change})
    if correlation is kendall:
        with pytest.raises(InputError, match="variant is 'c'"):
            kendall(x, y, "c")
