"""Which patterns a power of T has, and how they become plain sums: against counting by hand and brute force."""

from itertools import permutations, product
from math import comb

import numpy as np
import pytest

from consilience.patterns import connected, partitions, patterns


def test_partitions_are_counted_by_the_bell_numbers():
    assert [sum(1 for _ in partitions(range(n))) for n in range(7)] == [1, 1, 2, 5, 15, 52, 203]


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("power", [1, 2, 3, 4])
def test_every_way_to_share_stimuli_is_counted_once(power, directed):
    """Partitions of 2k edge ends in which no edge has both ends in one block, by inclusion and exclusion."""
    bell = [1, 1, 2, 5, 15, 52, 203, 877, 4140]
    expected = sum((-1) ** e * comb(power, e) * bell[2 * power - e] for e in range(power + 1))
    assert sum(times for times, _, _ in patterns(power, directed)) == expected


@pytest.mark.parametrize(("power", "directed", "kinds"), [(2, False, 3), (3, False, 8), (2, True, 6), (3, True, 24)])
def test_the_kinds_of_patterns(power, directed, kinds):
    assert len(patterns(power, directed)) == kinds


def plain(part, A):
    """The sum over all stimuli at the vertices, one by one."""
    vertices = 1 + max(max(edge) for edge in part)
    return sum(np.prod([A[at[u], at[v]] for u, v in part]) for at in product(range(len(A)), repeat=vertices))


@pytest.mark.parametrize("directed", [False, True])
def test_signed_plain_sums_are_sums_over_distinct_stimuli(directed):
    """Summed over all patterns, each as often as it occurs, sums over distinct stimuli make up the whole power."""
    rng = np.random.default_rng(0)
    A = rng.standard_normal((4, 4))
    A = A if directed else A + A.T
    np.fill_diagonal(A, 0)
    for power in (1, 2, 3):
        values = {part: plain(part, A) for part in connected(power, directed)}
        total = 0
        for times, m, terms in patterns(power, directed):
            over_distinct = sum(c * np.prod([values[part] for part in parts]) for parts, c in terms.items())
            if m > len(A):
                assert over_distinct == pytest.approx(0, abs=1e-9)
            total += times * over_distinct
        assert total == pytest.approx(A.sum() ** power)


def test_one_pattern_by_hand():
    """The path i-j-k over distinct stimuli: all paths less those that come back."""
    rng = np.random.default_rng(1)
    A = rng.standard_normal((5, 5))
    A = A + A.T
    np.fill_diagonal(A, 0)
    by_hand = sum(A[i, j] * A[j, k] for i, j, k in permutations(range(5), 3))
    (terms,) = (terms for _, m, terms in patterns(2, False) if m == 3)
    values = {part: plain(part, A) for part in connected(2, False)}
    assert sum(c * np.prod([values[p] for p in parts]) for parts, c in terms.items()) == pytest.approx(by_hand)
