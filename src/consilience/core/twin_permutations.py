"""Random orders and permuted products in NumPy: a page to be read. The orders are the core's own, to the bit."""

from __future__ import annotations

import numpy as np
from scipy import sparse

AT_ONCE = 2**20  # places of orders in memory at once


def philox(counters, key):
    """Philox4x32-10 (Salmon et al. 2011): counters of shape (..., 4), scrambled under a key of 64 bits."""
    x = np.asarray(counters, np.uint64)
    low, high, half = key % 2**32, key // 2**32, np.uint64(2**32 - 1)
    for _ in range(10):
        a, b = x[..., 0] * np.uint64(0xD2511F53), x[..., 2] * np.uint64(0xCD9E8D57)
        x = np.stack(
            [(b >> 32) ^ x[..., 1] ^ np.uint64(low), b & half, (a >> 32) ^ x[..., 3] ^ np.uint64(high), a & half], -1
        )
        low, high = (low + 0x9E3779B9) % 2**32, (high + 0xBB67AE85) % 2**32
    return x


def words(draws, blocks, attempt, seed):
    """Four random words for each pair of a draw and a block of four slots."""
    draws = np.asarray(draws, np.uint64)
    counters = np.broadcast_arrays(np.asarray(blocks, np.uint64), np.uint64(attempt), draws % 2**32, draws >> 32)
    return philox(np.stack(counters, -1), seed)


def orders(seed, stimuli, first, start, stop):
    """Draws `start` to `stop`, by Fisher and Yates: from the last down, each is exchanged with itself or one before.

    Slot i holds stimulus ``stimuli[i]``, and may be exchanged with the slots from ``first[i]`` on.
    """
    n, draws = len(stimuli), np.arange(start, stop)
    every = np.arange(stop - start)
    random = words(draws[:, None], np.arange((n + 3) // 4), 0, seed).reshape(len(draws), -1)
    order = np.tile(np.arange(n, dtype=np.int32), (len(draws), 1))
    for i in range(n - 1, -1, -1):
        choices = i - int(first[i]) + 1
        product = random[:, i] * np.uint64(choices)
        attempt, spare = 0, 2**32 % choices  # lower halves below it would be one too many for their upper half
        while len(again := np.flatnonzero(product % 2**32 < spare)):
            attempt += 1
            product[again] = words(draws[again], i // 4, attempt, seed)[:, i % 4] * np.uint64(choices)
        one, other = stimuli[i], stimuli[first[i] + (product >> 32).astype(np.int64)]
        order[every, one], order[every, other] = order[every, other], order[every, one]
    return order


def in_parts(orders, n):
    """The draws' numbers and orders, a few at a time."""
    step = max(1, AT_ONCE // n)
    for start in range(0, orders.draws, step):
        stop = min(start + step, orders.draws)
        yield from enumerate(orders.array(start, stop), start)


def permuted_matrices(a, b, orders, products):
    """Symmetric matrices: what is above the diagonal counts twice, and one matrix product serves all pairs."""
    n = orders.n
    rows, columns = np.triu_indices(n)
    twice = np.where(rows == columns, 1, 2).astype(products.dtype)
    fixed = np.stack([A[rows, columns] * twice for A in a])
    moving = np.stack([B.ravel() for B in b]).astype(products.dtype)
    for draw, order in in_parts(orders, n):
        order = order.astype(np.int64)
        products[draw] = fixed @ moving[:, order[rows] * n + order[columns]].T


def permuted_graphs(a, b, orders, products):
    """Graphs: each edge of `b` gets a new place, and one sparse product serves all pairs."""
    n = orders.n
    fixed = sparse.vstack([A.reshape(1, -1) for A in a]).T.tocsr().astype(products.dtype)
    parts = [B.tocoo() for B in b]
    start, end = (np.concatenate([getattr(B, name) for B in parts]).astype(np.int64) for name in ("row", "col"))
    weight = np.concatenate([B.data for B in parts]).astype(products.dtype)
    stops = np.cumsum([0, *(B.nnz for B in parts)])
    for draw, order in in_parts(orders, n):
        place = np.argsort(order)
        moved = sparse.csr_array((weight, place[start] * n + place[end], stops), shape=(len(b), n * n))
        products[draw] = (moved @ fixed).toarray().T


def permuted_hsic(a, b, orders):
    """The mask first, and the centring after it: see :mod:`consilience.core.common_edges`."""
    n, found = orders.n, np.empty((orders.draws, len(a), len(b)))
    for draw, order in in_parts(orders, n):
        for j, (V, L) in enumerate(b):
            V, L = (A[order][:, order] for A in (V, L))
            for i, (W, K) in enumerate(a):
                common = W.multiply(V)
                K_common, L_common = common.multiply(K), common.multiply(L)
                products = K_common.multiply(L_common.T).sum() + K_common.sum() * L_common.sum() / ((n - 1) * (n - 2))
                found[draw, i, j] = products - 2 * (K_common.sum(0) @ L_common.sum(1)) / (n - 2)
    return found


def permuted_best_edges(a, b, orders):
    """The largest of each row of products, added up."""
    moved = ([V[order][:, order] for V in b] for _, order in in_parts(orders, orders.n))
    return np.array([[[W.multiply(V).max(axis=1).sum() for V in of_b] for W in a] for of_b in moved])
