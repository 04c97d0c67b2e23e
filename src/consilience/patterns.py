"""The ways in which the edges of a power of T can share stimuli, found by program rather than typed.

A power of T = sum_ij A_ij B_p(i)p(j) is a sum over k edges. Over all orders p its mean is a sum over patterns (graphs
that k edges can form when some of their ends are the same stimulus):

    E T^k = sum over patterns of  times * P_A * P_B / (n)_m

where `times` counts the ways to choose which ends agree, m is the number of stimuli in the pattern, and P the sum of
products of entries over m *distinct* stimuli. Such a sum is in turn a signed sum of plain ones, in which stimuli may
coincide: over all ways to merge vertices, with the Möbius function of the lattice of partitions (Rota 1964). Plain
sums of a graph are products over its connected parts, and those are what one computes from a matrix.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import permutations
from math import factorial, prod


def partitions(items):
    """All ways to divide a sequence into blocks."""
    if not items:
        yield []
        return
    first, *rest = items
    for blocks in partitions(rest):
        yield [[first], *blocks]
        for i, block in enumerate(blocks):
            yield [*blocks[:i], [first, *block], *blocks[i + 1 :]]


def merged(edges, blocks):
    """Edges after the vertices of each block became one; None if an edge lost its two ends to one block."""
    place = {vertex: i for i, block in enumerate(blocks) for vertex in block}
    new = [(place[u], place[v]) for u, v in edges]
    return None if any(u == v for u, v in new) else new


@lru_cache(None)
def canonical(part, directed):
    """The same name for all drawings of one connected graph."""
    vertices = sorted({v for edge in part for v in edge})
    best = None
    for order in permutations(range(len(vertices))):
        place = dict(zip(vertices, order, strict=True))
        drawn = [(place[u], place[v]) for u, v in part]
        drawn = tuple(sorted(drawn if directed else (tuple(sorted(edge)) for edge in drawn)))
        best = drawn if best is None else min(best, drawn)
    return best


def parts(edges, directed):
    """The connected parts of a graph, each by its name, sorted."""
    groups = []
    for edge in edges:
        touching = [g for g in groups if any(v in w for w in g for v in edge)]
        groups = [g for g in groups if g not in touching] + [[edge, *(e for g in touching for e in g)]]
    return tuple(sorted(canonical(tidy(g), directed) for g in groups))


def tidy(edges):
    place = {}
    return tuple(sorted((place.setdefault(u, len(place)), place.setdefault(v, len(place))) for u, v in sorted(edges)))


@lru_cache(None)
def patterns(power, directed):
    """(times, stimuli, {parts: coefficient}) for each pattern of a power of T."""
    loose = [(2 * e, 2 * e + 1) for e in range(power)]
    drawn, times = {}, Counter()
    for blocks in partitions(range(2 * power)):
        edges = merged(loose, blocks)
        if edges is not None:
            name = parts(edges, directed)
            times[name] += 1
            drawn[name] = edges, len(blocks)
    table = []
    for name, count in times.items():
        edges, m = drawn[name]
        terms = Counter()
        for blocks in partitions(range(m)):
            quotient = merged(edges, blocks)
            if quotient is not None:
                terms[parts(quotient, directed)] += prod((-1) ** (len(b) - 1) * factorial(len(b) - 1) for b in blocks)
        table.append((count, m, {key: c for key, c in terms.items() if c}))
    return table


@lru_cache(None)
def connected(power, directed):
    """Every connected graph that plays a part in a power of T."""
    graphs = (part for _, _, terms in patterns(power, directed) for parts_ in terms for part in parts_)
    return tuple(sorted(set(graphs)))
