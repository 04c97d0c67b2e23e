"""Orders against the laws of chance, permuted products against whole matrices, on every road of this machine."""

import itertools
import subprocess
import sys
import textwrap
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats
from scipy.spatial.distance import squareform

from consilience.check import InputError
from consilience.core import Orders, memory, permuted_products, roads, twin_permutations

LABELS = np.array(list("abcabbbcca"))


def symmetric(n, dtype=np.float64, seed=0, size=100):
    A = np.random.default_rng([seed, n]).uniform(-size, size, (n, n))
    return (A + A.T).astype(dtype)


def graph(n, dtype=np.float64, seed=0, density=0.2):
    """Directed, with weights and some of the diagonal."""
    A = sparse.random_array((n, n), density=density, rng=np.random.default_rng([seed, n]), format="csr")
    return (A * 100).astype(dtype)


def whole_matrices(a, b, orders):
    """T by the definition, in float64 or in Python's whole numbers."""
    a, b = ([A.toarray() if sparse.issparse(A) else A for A in side] for side in (a, b))
    kind = object if all(A.dtype.kind in "biu" for A in (*a, *b)) else np.float64
    a, b = ([A.astype(kind) for A in side] for side in (a, b))
    return np.array([[[(A * B[np.ix_(p, p)]).sum() for B in b] for A in a] for p in orders])


# --- orders ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ([0] * 4, 0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([2**32 - 1] * 4, 2**64 - 1, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            0x299F31D0A4093822,
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_the_generator_gives_the_published_words(counter, key, words):
    """The known answers of Random123, for philox4x32 with ten rounds."""
    assert " ".join(f"{int(word):08x}" for word in twin_permutations.philox(counter, key)) == words


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
@pytest.mark.parametrize("n", [1, 2, 4, 5, 31, 33, 1000])
def test_orders_are_the_twins_to_the_bit(n, seed, road):
    labels = np.arange(n) % 3
    for groups in (None, labels):
        orders = Orders(n, 9, seed, groups)
        np.testing.assert_array_equal(orders.array(), twin_permutations.orders(*orders.source[:3], 0, 9))


@pytest.mark.skipif(not roads.compiled, reason="no compiled core")
def test_words_that_would_bias_a_draw_are_replaced_alike(monkeypatch):
    """Of 100,000 stimuli one word in 86,000 is refused: some twenty in twenty draws."""
    orders, attempts, words = Orders(100_000, 20), [], twin_permutations.words

    def counted(draws, blocks, attempt, seed):
        attempts.append(attempt)
        return words(draws, blocks, attempt, seed)

    monkeypatch.setattr(twin_permutations, "words", counted)
    np.testing.assert_array_equal(orders.array(), twin_permutations.orders(*orders.source[:3], 0, 20))
    assert max(attempts) > 0


def test_a_draw_does_not_depend_on_the_others(road):
    orders = Orders(33, 2000, seed=5)
    whole = orders.array()
    np.testing.assert_array_equal(Orders(33, 7, seed=5).array(3, 7), whole[3:7])
    np.testing.assert_array_equal(np.stack(list(orders)), whole)
    assert len(orders) == 2000
    assert (np.sort(whole) == np.arange(33)).all()
    assert len(np.unique(whole, axis=0)) == 2000


def chi_square(counts):
    return stats.chisquare(counts).pvalue


def test_all_orders_of_four_are_equally_likely(road):
    counts = Counter(map(tuple, Orders(4, 24_000).array().tolist()))
    assert len(counts) == 24
    assert chi_square(list(counts.values())) > 1e-3


def test_each_stimulus_is_in_each_place_equally_often(road):
    drawn = Orders(9, 9000, seed=2).array()
    table = np.stack([np.bincount(place, minlength=9) for place in drawn.T])
    assert chi_square(table.ravel()) > 1e-3


def test_within_groups_all_orders_are_equally_likely_and_no_stimulus_leaves(road):
    groups = np.array(["x", "y", "x", "y", "x"])
    drawn = Orders(5, 6000, groups=groups).array()
    assert (groups[drawn] == groups).all()
    counts = Counter(map(tuple, drawn.tolist()))
    assert len(counts) == 12
    assert chi_square(list(counts.values())) > 1e-3


# --- products -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [np.float64, np.int32, "sparse"])
def test_all_orders_of_five(kind, road):
    everything = list(itertools.permutations(range(5)))
    make = (
        (lambda n, seed: graph(n, seed=seed, density=0.6))
        if kind == "sparse"
        else lambda n, seed: symmetric(n, kind, seed)
    )
    a, b = [make(5, 0), make(5, 1)], [make(5, 2)]
    np.testing.assert_allclose(
        permuted_products(a, b, everything), whole_matrices(a, b, everything).astype(float), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("dtype", "close"), [(np.float16, 1e-6), (np.float32, 1e-6), (np.float64, 1e-13), (np.int32, 0), (np.uint8, 0)]
)
@pytest.mark.parametrize(("n", "count_a", "count_b"), [(4, 1, 1), (5, 2, 3), (31, 5, 7), (33, 17, 3), (300, 1, 2)])
def test_dense(n, count_a, count_b, dtype, close, road):
    a = [symmetric(n, dtype, seed) for seed in range(count_a)]
    b = [symmetric(n, dtype, seed) for seed in range(50, 50 + count_b)]
    orders = Orders(n, 40, groups=np.arange(n) % 2)
    found, expected = permuted_products(a, b, orders), whole_matrices(a, b, orders)
    assert found.dtype == (np.float64 if close else np.int64) or dtype == np.float64
    length = np.sqrt(
        (np.stack(a).astype(float) ** 2).sum((1, 2)).max() * (np.stack(b).astype(float) ** 2).sum((1, 2)).max()
    )
    np.testing.assert_allclose(found.astype(float), expected.astype(float), rtol=0, atol=close * length)


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.bool_])
@pytest.mark.parametrize(("n", "count_a", "count_b"), [(4, 1, 1), (5, 2, 3), (33, 4, 1), (200, 2, 2)])
def test_graphs(n, count_a, count_b, dtype, road):
    a, b = [graph(n, dtype, seed) for seed in range(count_a)], [graph(n, dtype, 50 + seed) for seed in range(count_b)]
    orders = Orders(n, 40, seed=3)
    found = permuted_products(a, b, orders)
    assert found.dtype == (np.float64 if dtype == np.float64 else np.int64)
    np.testing.assert_allclose(found, whole_matrices(a, b, orders).astype(float), rtol=1e-12)


def test_an_edge_that_is_stored_twice_counts_twice(road):
    twice = sparse.csr_array((np.array([2, 3, 1]), np.array([1, 1, 2]), np.array([0, 2, 3, 3, 3])), shape=(4, 4))
    found = permuted_products([twice], [twice], [[0, 1, 2, 3], [0, 1, 3, 2]])
    assert found.ravel().tolist() == [26, 25]


def test_a_dense_and_a_sparse_graph_agree(road):
    a, b = graph(60, np.int64), graph(60, np.int64, seed=1)
    a, b = (sparse.csr_array(A + A.T) for A in (a, b))
    orders = Orders(60, 30)
    np.testing.assert_array_equal(
        permuted_products([a], [b], orders), permuted_products([a.toarray()], [b.toarray()], orders)
    )


@pytest.mark.parametrize(("n", "draws"), [(1030, 2), (31, 300)])
def test_blocks_of_columns_and_of_draws(n, draws, road):
    """More columns than the second cache holds of a matrix, and more draws than are taken together."""
    a, b = (symmetric(n, np.int32, seed) for seed in (0, 1))
    orders = Orders(n, draws)
    wide = [A.astype(np.int64) for A in (a, b)]
    expected = [np.vdot(wide[0], wide[1][np.ix_(p, p)]) for p in orders]
    assert permuted_products([a], [b], orders, threads=1).ravel().tolist() == expected


def test_whole_numbers_are_exact_beyond_what_float64_holds(road):
    a, b = (symmetric(33, np.int32, seed, size=2**26) | 1 for seed in (0, 1))
    orders = Orders(33, 20)
    found, expected = permuted_products([a], [b], orders), whole_matrices([a], [b], orders)
    assert found.ravel().tolist() == expected.ravel().tolist()
    assert np.abs(found).max() > 2**53


def test_spearman_of_tied_ranks_is_scipys(road):
    rng = np.random.default_rng(0)
    first, second = (rng.integers(0, 40, 190).astype(float) for _ in range(2))
    ranks = [(2 * stats.rankdata(x) - (len(x) + 1)).astype(np.int32) for x in (first, second)]
    orders = Orders(20, 25)
    found = permuted_products([squareform(ranks[0])], [squareform(ranks[1])], orders).ravel()
    moved = [squareform(squareform(second)[np.ix_(p, p)]) for p in orders]
    lengths = [np.sqrt(2 * (rank.astype(float) ** 2).sum()) for rank in ranks]
    expected = [stats.spearmanr(first, other).statistic for other in moved]
    np.testing.assert_allclose(found / lengths[0] / lengths[1], expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_precision_at_a_thousand_stimuli(dtype, road):
    a, b = (np.exp(-((symmetric(1000, dtype, seed) / 100) ** 2)) for seed in (0, 1))
    orders = Orders(1000, 3)
    found, expected = permuted_products([a], [b], orders), whole_matrices([a], [b], orders)
    np.testing.assert_allclose(found, expected, rtol=3e-8 if dtype == np.float32 else 1e-13)


@pytest.mark.parametrize(("dtype", "count"), [(np.float32, 1), (np.float32, 6), (np.float64, 7), (np.int32, 2)])
def test_the_same_bits_for_any_threads_and_registers(dtype, count, take):
    same_by_design = [name for name in ("avx512", "avx2") if name in roads.isas()] or roads.isas()[:1]
    if not same_by_design:
        pytest.skip("no compiled core")
    a, b = ([symmetric(333, dtype, seed + i) for i in range(count)] for seed in (0, 9))
    found = []
    for name in same_by_design:
        take(name)
        found += [permuted_products(a, b, Orders(333, 100), threads=threads) for threads in (1, 2, 3, 7)]
    for products in found[1:]:
        np.testing.assert_array_equal(products, found[0])


@pytest.mark.parametrize("make", [symmetric, graph])
def test_products_do_not_depend_on_how_many_are_drawn_or_who_drew_them(make, road):
    a, b, orders = [make(50)], [make(50, seed=1)], Orders(50, 100, seed=4)
    whole = permuted_products(a, b, orders)
    np.testing.assert_array_equal(permuted_products(a, b, Orders(50, 11, seed=4)), whole[:11])
    np.testing.assert_array_equal(permuted_products(a, b, orders.array()), whole)


@pytest.mark.parametrize(
    "view",
    [lambda A: A[::-1, ::-1], lambda A: A[::2, ::2], np.asfortranarray, lambda A: A.astype(">f8")],
    ids=["reversed", "stepped", "Fortran", "big-endian"],
)
def test_any_memory_layout(view, road):
    a, b = view(symmetric(40)), view(symmetric(40, seed=1))
    orders = Orders(len(a), 10)
    np.testing.assert_allclose(permuted_products([a], [b], orders), whole_matrices([a], [b], orders), rtol=1e-12)


def test_reads_torch(road):
    torch = pytest.importorskip("torch")
    A, B = symmetric(30, np.float32), symmetric(30, np.int32, 1)
    half, ranks = torch.from_numpy(A).bfloat16(), torch.from_numpy(B)
    orders = Orders(30, 5)
    expected = permuted_products([half.float().numpy()], [A], orders)
    np.testing.assert_array_equal(permuted_products([half], [torch.from_numpy(A)], orders), expected)
    assert permuted_products([ranks], [B], orders).dtype == np.int64


@pytest.mark.parametrize("power", [-120, -60, 60, 120])
def test_what_float32_cannot_hold_is_taken_in_float64(power, road):
    a, b = symmetric(20, np.float32), symmetric(20, np.float32, 1)
    orders = Orders(20, 5)
    found = permuted_products([np.ldexp(a, power)], [np.ldexp(b, power)], orders)
    np.testing.assert_allclose(found / 4.0**power, permuted_products([a], [b], orders), rtol=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_to_permute_one_is_to_permute_the_other_back(data):
    n = data.draw(st.integers(1, 40))
    counts = data.draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    dtype = data.draw(st.sampled_from([np.float32, np.float64, np.int32, "sparse"]))
    seed = data.draw(st.integers(0, 2**64 - 1))
    if dtype == "sparse":
        a, b = (
            [graph(n, np.int64, i + shift) for i in range(count)] for count, shift in zip(counts, (0, 9), strict=True)
        )
    else:
        a, b = (
            [symmetric(n, dtype, i + shift) for i in range(count)] for count, shift in zip(counts, (0, 9), strict=True)
        )
    orders = Orders(n, data.draw(st.integers(1, 70)), seed).array()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(roads.VARIABLE, data.draw(st.sampled_from([*roads.isas(), "twin"])))
        found = permuted_products(a, b, orders, threads=data.draw(st.integers(1, 4)))
        back = permuted_products(b, a, np.argsort(orders, axis=1))
    np.testing.assert_allclose(found, back.transpose(0, 2, 1), rtol=1e-5, atol=1e-3 * n * n)


A, B = symmetric(12), symmetric(12, seed=1)
SPARSE = graph(12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(a=[]), "a is empty"),
        (dict(b=[]), "b is empty"),
        (dict(b=[SPARSE]), "some sparse"),
        (dict(b=[B, B[:, :11]]), r"b\[1\] has shape \(12, 11\)"),
        (dict(orders=Orders(13, 5)), r"a\[0\] has shape \(12, 12\); the orders are of 13"),
        (dict(a=[np.arange(144.0).reshape(12, 12)]), r"a\[0\] is not symmetric"),
        (dict(a=[np.where(A > 50, np.nan, A)]), r"a\[0\] holds NaN"),
        (dict(b=[B * 1j]), "complex"),
        (dict(a=[A * 1e150]), "a holds values of up to 2e\\+152"),
        (dict(a=[np.full((12, 12), 2**31)], b=[np.eye(12, dtype=int)]), "whole numbers so large"),
        (dict(a=[np.full((12, 12), 2**30)], b=[np.full((12, 12), 2**30)]), "whole numbers so large"),
        (dict(a=[SPARSE], b=[SPARSE[:, :11]]), r"b\[0\] has shape \(12, 11\)"),
        (dict(a=[SPARSE], b=[SPARSE * np.inf]), r"b\[0\] holds weights"),
        (dict(a=[SPARSE], b=[SPARSE * 1e200]), "b holds values of up to 1e\\+202"),
        (dict(orders=np.eye(12)), "orders has shape .* float64"),
        (dict(orders=np.arange(12)), r"orders has shape \(12,\)"),
        (dict(orders=[np.arange(12), np.arange(12) // 2]), "orders: row 1 is no permutation"),
        (dict(threads=0), "threads is 0"),
    ],
)
def test_refuses_in_words(change, words, road):
    with pytest.raises(InputError, match=words):
        permuted_products(**{"a": [A], "b": [B], "orders": Orders(12, 5), **change})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(n=0), "n is 0"),
        (dict(n=2**31), "n is 2,147,483,648"),
        (dict(draws=0), "draws is 0"),
        (dict(seed=-1), "seed is -1"),
        (dict(seed=2**64), "seed is 18446744073709551616"),
        (dict(groups=LABELS), r"groups has shape \(10,\); .* 12 stimuli"),
    ],
)
def test_orders_refuse_in_words(arguments, words):
    with pytest.raises(InputError, match=words):
        Orders(**{"n": 12, "draws": 5, **arguments})
    with pytest.raises(InputError, match="start and stop"):
        Orders(12, 5).array(3, 6)


def test_memory_is_asked_for_first(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 10_000)
    with pytest.raises(InputError, match=r"2,000 permutations of 1 x 1 relations of 12 stimuli would take 1.* kB"):
        permuted_products([A], [B], Orders(12, 2000))


@pytest.mark.skipif(not roads.compiled, reason="no compiled core")
@pytest.mark.parametrize("kind", ["float32", "sparse"])
def test_an_interrupt_stops_it(kind):
    """A minute of work on one thread; the alarm rings after half a second."""
    code = f"""
        import signal, time, numpy as np
        from scipy import sparse
        from consilience.core import Orders, permuted_products
        def ring(*_): raise KeyboardInterrupt
        signal.signal(signal.SIGALRM, ring)
        A = np.eye(2000, dtype=np.float32)
        if {kind == "sparse"}:
            A = sparse.csr_array(np.random.default_rng(0).random((2000, 2000)) < .01)
        signal.setitimer(signal.ITIMER_REAL, .5)
        start = time.perf_counter()
        try:
            permuted_products([A], [A], Orders(2000, 300_000), threads=1)
        except KeyboardInterrupt:
            print("stopped" if time.perf_counter() - start < 10 else "too late")
    """
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )
    assert found.stdout.strip() == "stopped", found.stderr
