"""The core in NumPy: a page to be read, with the same bits as the compiled one.

A matrix product guesses which rows are near. It is fast, but each of its entries is rounded in an order that
the library chooses: two identical columns may come out a last bit apart, and a tie would be missed. So the
product only proposes. Every row that rounding could have misplaced is contested, and judged by the
definition: a sum in float64 whose order is fixed.
"""

from __future__ import annotations

import numpy as np

LANES = 16
CHUNK = 2**22  # entries of the similarity matrix in memory at once: 32 MB in float64


def neighbors(X, k, similarity, others=None):
    """The k nearest of each row: see :func:`consilience.core.neighbors.neighbors`.

    Returns
    -------
    indices, similarities : int64 and float64 arrays of shape (n, k)
    ties : (rows, starts, columns)
        The columns `columns[starts[t]:starts[t + 1]]` share the k-th place of row `rows[t]`, and at least one
        of them found no place among its k nearest.
    """
    Y = X if others is None else others
    A, B = comparable(X, Y, similarity)
    bias = -0.5 * (B * B).sum(axis=1) if similarity == "euclidean" else 0.0
    off = doubt(A.shape[1])
    x2, y2 = sum_of_terms(X, X, "dot"), sum_of_terms(Y, Y, "dot")

    indices, similarities = np.empty((len(X), k), np.int64), np.empty((len(X), k))
    tied, sharers, counts = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.zeros(1, np.int64)]
    step = max(1, CHUNK // len(Y))
    for start in range(0, len(X), step):
        # Guess.
        rows = np.arange(start, min(start + step, len(X)))
        scores = A[rows] @ B.T + bias
        if others is None:
            scores[rows - start, rows] = -np.inf  # no row is its own neighbour
        kth = np.partition(scores, -k, axis=1)[:, -k]

        # Settle: judge all contested pairs by definition, and sort them row by row, nearest first, ties by
        # index.
        row, column = np.nonzero(scores >= kth[:, None] - 2 * off)
        value = defined(X, Y, start + row, column, similarity, x2, y2)
        order = np.lexsort((column, -value, row))
        row, column, value = row[order], column[order], value[order]
        first = np.searchsorted(row, rows - start)
        nearest = first[:, None] + np.arange(k)
        indices[rows], similarities[rows] = column[nearest], value[nearest]

        # Ties: who is as near as the k-th, where somebody so near found no place.
        as_near = value == value[nearest[:, -1]][row]
        too_late = np.arange(len(row)) - first[row] >= k
        tied_here = np.unique(row[as_near & too_late])
        shares = as_near & np.isin(row, tied_here)
        tied.append(start + tied_here)
        sharers.append(column[shares])
        counts.append(np.bincount(row[shares], minlength=len(rows))[tied_here])
    ties = np.concatenate(tied), np.cumsum(np.concatenate(counts)), np.concatenate(sharers)
    return indices, similarities, ties


def defined(X, Y, rows, columns, similarity, x2, y2):
    """The similarity of X[rows] to Y[columns], pair by pair, by definition."""
    batch = CHUNK // max(X.shape[1], LANES) + 1
    cuts = range(batch, len(rows), batch)
    parts = zip(np.split(rows, cuts), np.split(columns, cuts), strict=True)
    total = np.concatenate([sum_of_terms(X[i], Y[j], similarity) for i, j in parts])
    if similarity == "dot":
        return total
    if similarity == "euclidean":
        return 0.0 - np.sqrt(total)
    x2, y2 = x2[rows], y2[columns]
    return np.clip(total / np.where(x2 == y2, x2, np.sqrt(x2) * np.sqrt(y2)), -1, 1)


def sum_of_terms(X, Y, similarity):
    """Row by row, the sum of products (or of squared differences) in float64, in the definition's order.

    Sixteen lanes take every sixteenth unit each; then the upper half of the lanes is added to the lower,
    until one is left.
    """
    lanes = np.zeros((len(X), LANES))
    for start in range(0, X.shape[1], LANES):
        x = X[:, start : start + LANES].astype(np.float64)
        y = Y[:, start : start + LANES].astype(np.float64)
        lanes[:, : x.shape[1]] += (x - y) ** 2 if similarity == "euclidean" else x * y
    for half in (8, 4, 2, 1):
        lanes = lanes[:, :half] + lanes[:, half:]
    return lanes[:, 0]


def comparable(X, Y, similarity):
    """Both sets in float64, no row longer than one: unit rows for the cosine, else one factor for all.

    For the Euclidean both are shifted by X's mean first: that changes no distance, and loses no digit to it.
    """
    A, B = X.astype(np.float64), Y.astype(np.float64)
    if similarity == "cosine":
        return A / np.linalg.norm(A, axis=1, keepdims=True), B / np.linalg.norm(B, axis=1, keepdims=True)
    if similarity == "euclidean":
        center = A.mean(axis=0)
        A, B = A - center, B - center
    longest = max(np.linalg.norm(A, axis=1).max(), np.linalg.norm(B, axis=1).max())
    return (A / longest, B / longest) if longest > 0 else (A, B)


def doubt(d):
    """How far a guess can be from the definition, whatever the order of its sum (Higham 2002, section 3.1).

    A chain of t roundings of 2^-53 errs by at most t 2^-53 / (1 - t 2^-53) of the sum of absolute terms,
    which is at most (|a| + |b|)² <= 4 here: d + 24 roundings for the guess, d / 16 + 32 for the definition.
    """
    error = (d + 24 + d / LANES + 32) * 2.0**-53
    return 4 * error / (1 - error)
