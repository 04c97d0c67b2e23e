"""Counts in graphs of neighbours against the products of whole matrices, on every road of this machine."""

import numpy as np
import pytest

from consilience.check import InputError
from consilience.core import graph_sums, neighbors


def random_graph(n, k, seed=0):
    rng = np.random.default_rng([seed, n, k])
    return np.stack([rng.choice(np.delete(np.arange(n), i), k, replace=False) for i in range(n)])


def hubs(n, k):
    """Everyone points at the first k others."""
    return np.stack([np.delete(np.arange(k + 1), i if i <= k else k) for i in range(n)])


def circle(n, k):
    """Everyone points at k / 2 on either side, and back."""
    steps = np.r_[1 : k // 2 + 1, -k // 2 : 0]
    return (np.arange(n)[:, None] + steps) % n


def whole(indices):
    """The same from the matrix, in whole numbers."""
    n, k = indices.shape
    A = np.zeros((n, n), np.int64)
    np.put_along_axis(A, indices, 1, axis=1)
    into, mutual, two = A.sum(0), (A * A.T).sum(1), A @ A
    return (
        n,
        k,
        mutual.sum(),
        (into**2).sum(),
        (into**3).sum(),
        (mutual * into).sum(),
        into @ A @ into,
        (two * A).sum(),
        np.trace(two @ A),
    )


@pytest.mark.parametrize(
    "indices",
    [
        *(random_graph(n, k) for n, k in ((4, 1), (4, 3), (5, 2), (31, 30), (33, 1), (300, 20))),
        hubs(6, 2),
        hubs(200, 9),
        circle(9, 4),
        circle(200, 8),
        neighbors(np.random.default_rng(0).standard_normal((500, 200)), 7)[0],  # hubs as nature makes them
    ],
    ids=lambda indices: "{}x{}".format(*indices.shape),
)
def test_equals_whole_matrices(indices, road):
    assert graph_sums(indices) == whole(indices)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_more_rows_than_one_thread_takes_at_a_time(threads):
    indices = random_graph(9000, 3)
    found = graph_sums(indices, threads=threads)
    few = [set(row) for row in indices.tolist()]
    assert found.mutual == sum(i in few[j] for i in range(9000) for j in few[i])
    assert found.transitive == sum(len(few[j] & few[i]) for i in range(9000) for j in few[i])
    assert found.cyclic == sum(i in few[l] for i in range(9000) for j in few[i] for l in few[j])


def test_the_order_and_type_of_neighbours_do_not_matter(road):
    indices = random_graph(50, 6)
    expected = graph_sums(indices)
    assert graph_sums(np.sort(indices, axis=1)) == expected
    assert graph_sums(np.asfortranarray(indices.astype(np.int32))) == expected
    assert graph_sums(indices.astype(np.uint8)) == expected


def test_a_hub_whose_cube_overflows_64_bits(road):
    """All point at stimulus 0, which points at 1: counts that one can write down."""
    n = 2_100_000
    indices = np.zeros((n, 1), np.int64)
    indices[0] = 1
    c = n - 1
    assert c**3 > 2**63
    assert graph_sums(indices) == (n, 1, 2, c**2 + 1, c**3 + 1, c + 1, 2 * c, 0, 0)


@pytest.mark.parametrize(
    ("indices", "words"),
    [
        (np.zeros(5, int), r"shape \(5,\)"),
        (np.zeros((5, 2)), "dtype float64"),
        (random_graph(9, 3) + 1, "rows outside 0 to 8"),
        (random_graph(9, 3) - 9, "rows outside 0 to 8"),
        (np.arange(10).reshape(5, 2) % 5, "its own neighbour"),
        (np.full((5, 2), 4), "twice in one row"),
        (np.zeros((5, 5), int), "k is 5"),
        (np.broadcast_to(np.int8(0), (2**17, 2**15)), "overflow"),
    ],
)
def test_refuses_in_words(indices, words):
    with pytest.raises(InputError, match=words):
        graph_sums(indices)
