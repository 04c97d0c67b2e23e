"""What the core asks of checked arguments beyond their meaning: squares that float64 holds, strides it can walk."""

from __future__ import annotations

import numpy as np

from consilience.check import InputError, check_rows, check_whole

MOST_THREADS = 1024


def fit(X, similarity="", name="X"):
    """X itself, or a copy that the core can walk over; refused where squares overflow, or a row has no cosine."""
    check_rows(X, similarity, name)
    if X.dtype == np.float64:
        highest, lowest = X.max(axis=1), X.min(axis=1)
        sizes = np.maximum(highest, -lowest)
        if sizes.max() > 1e140:
            raise InputError(
                f"{name} holds values of {sizes.max():.0e}, whose squares overflow; divide it by a constant."
            )
        if similarity == "cosine" and sizes.min() < 1e-150:
            raise InputError(f"{name}: row {sizes.argmin()} is so small that its squares vanish; enlarge it.")
        if similarity == "correlation" and (spread := highest - lowest).min() < 1e-150:
            raise InputError(f"{name}: row {spread.argmin()} varies so little that squares vanish; enlarge it.")
        if similarity not in ("cosine", "correlation") and sizes.max() < 1e-150:
            raise InputError(f"{name} holds values of at most {sizes.max():.0e}, whose squares vanish; enlarge it.")
    # Columns of a structured array may lie a fraction of an element apart, which the core cannot walk.
    walkable = X.flags.aligned and all(stride % X.itemsize == 0 for stride in X.strides)
    return X if walkable else X.copy()


def check_narrow(largest):
    """Similarities of at most this size, as float32 can hold them."""
    if largest > np.finfo(np.float32).max or 0 < largest < np.finfo(np.float32).tiny:
        raise InputError("X holds values whose similarities overflow or vanish in float32; pass it as float64.")


def check_threads(threads):
    """A number of threads."""
    if check_whole(threads, "threads", 1) > MOST_THREADS:
        raise InputError(f"threads is {threads}; at most {MOST_THREADS} can be used.")
    return int(threads)
