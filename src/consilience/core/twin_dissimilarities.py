"""Dissimilarities in NumPy: row by row, with the same bits as the compiled core."""

from __future__ import annotations

import numpy as np

from consilience.core.twin import CHUNK, sum_of_terms


def dissimilarities(X, dissimilarity):
    """The condensed upper triangle: see :func:`consilience.core.dissimilarities.dissimilarities`."""
    X = X.astype(np.float64)
    n, d = X.shape
    if dissimilarity == "correlation":
        X -= sum_of_terms(X, np.ones((1, d)), "dot")[:, None] / d
    of_cosine = dissimilarity in ("correlation", "cosine")
    squares = sum_of_terms(X, X, "dot")
    roots = np.sqrt(squares)
    step, parts = CHUNK // d + 1, []
    for i in range(n - 1):
        for start in range(i + 1, n, step):
            others = np.arange(start, min(start + step, n))
            sums = sum_of_terms(X[others], X[i : i + 1], "dot" if of_cosine else "euclidean")
            if of_cosine:
                alike = squares[others] == squares[i]
                cosines = sums / np.where(alike, squares[i], roots[i] * roots[others])
                sums = 1 - np.clip(cosines, -1, 1)
            parts.append(np.sqrt(sums) if dissimilarity == "euclidean" else sums)
    return np.concatenate(parts)
