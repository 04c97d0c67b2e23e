"""The boundary: what a metric accepts, and the words in which it refuses the rest.

Every public function passes its arrays through here once. What comes out is a NumPy array of floats with at
least four rows, no NaN, no infinity and at least one unit that varies, so nothing below needs to ask again.
"""

from __future__ import annotations

import numpy as np

FEWEST_STIMULI = 4  # n (n - 3) divides every unbiased estimate, so four is the least that gives a number.
FLOATS = (np.float16, np.float32, np.float64)


class InputError(ValueError):
    """An argument that cannot give a meaningful score; the message names it and says what to do."""


def check_array(X, name="X"):
    """One representation, as a two-dimensional NumPy array of floats.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units)
        NumPy, PyTorch, or anything that speaks DLPack or the array protocol. float16, float32 and float64 keep
        their type and are not copied; bfloat16 becomes float32, integers and booleans become float64, exactly.
    name : str
        What the message calls it.

    Returns
    -------
    ndarray of shape (n_stimuli, n_units)

    Raises
    ------
    InputError
        If X is not two-dimensional, has fewer than four rows or no column, is not real, holds NaN or infinity,
        or has no unit that varies over the stimuli.
    """
    X = as_numpy(X, name)
    if X.ndim != 2:
        raise InputError(
            f"{name} has {X.ndim} dimension{'s' * (X.ndim != 1)} (shape {X.shape}); it must be (n_stimuli, n_units). "
            "Pool or flatten each stimulus to one row first."
        )
    n, d = X.shape
    if d == 0:
        raise InputError(f"{name} has shape {X.shape}: no units. Give at least one column.")
    if n < FEWEST_STIMULI:
        raise InputError(f"{name} has {n} stimuli (rows); at least {FEWEST_STIMULI} are needed.")
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise InputError(
            f"{name} holds NaN or infinity, first at row {row}, column {column}. "
            "Remove that stimulus from both arrays, or that unit."
        )
    if not (np.any(X[0] != X[1]) or np.any(X[:1] != X)):
        raise InputError(f"{name} is the same for every stimulus: no unit varies, so nothing can be compared.")
    return X


def check_pair(X, Y, names=("X", "Y")):
    """Two representations of the same stimuli: each as :func:`check_array` has it, with equally many rows."""
    X, Y = check_array(X, names[0]), check_array(Y, names[1])
    if len(X) != len(Y):
        raise InputError(
            f"{names[0]} has {len(X)} stimuli (rows) and {names[1]} has {len(Y)}; row i of both must answer the same "
            "stimulus. Transpose if units stand in rows."
        )
    return X, Y


def check_k(k, n):
    """A number of neighbours: a whole number with 1 <= k < n."""
    if isinstance(k, bool | np.bool_) or not isinstance(k, int | np.integer):
        raise InputError(f"k is {k!r}; it must be a whole number of neighbours.")
    if not 1 <= k < n:
        raise InputError(f"k is {k}, but each of {n} stimuli has {n - 1} others; choose 1 <= k <= {n - 1}.")
    return int(k)


def check_choice(value, name, choices):
    """A named option: one of `choices`."""
    if value not in choices:
        raise InputError(f"{name} is {value!r}; choose one of {', '.join(map(repr, choices))}.")
    return value


def check_whole(value, name, least):
    """A whole number, at least `least`."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"{name} is {value!r}; it must be a whole number, at least {least}.")
    return int(value)


def check_positive(value, name):
    """A finite number above zero."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number) or not 0 < value < np.inf:
        raise InputError(f"{name} is {value!r}; it must be a number above 0.")
    return value


def check_level(value, name):
    """A probability strictly between 0 and 1."""
    if not isinstance(value, int | float | np.number) or not 0 < value < 1:
        raise InputError(f"{name} is {value!r}; it must lie between 0 and 1.")
    return float(value)


def check_rows(X, similarity, name="X"):
    """Rows on which `similarity` is defined: none of length zero for the cosine, none constant for the correlation."""
    if similarity == "cosine":
        bad, why = ~np.any(X != 0, axis=1), "is all zeros, so it has no direction and no cosine"
    elif similarity == "correlation":
        bad, why = ~np.any(X[:, :1] != X, axis=1), "is constant over its units, so it has no correlation"
    else:
        return X
    if bad.any():
        raise InputError(
            f"{name}: row {np.flatnonzero(bad)[0]} {why} ({bad.sum()} such). Remove these stimuli from both arrays, "
            "or use Euclidean distances."
        )
    return X


def as_numpy(X, name):
    """X as a NumPy array of floats, without a copy where its type allows."""
    if np.ma.is_masked(X):
        raise InputError(
            f"{name} is a masked array, and what its mask hides would be used. Remove those stimuli first."
        )
    if hasattr(X, "toarray"):
        raise InputError(f"{name} is a sparse matrix; pass {name}.toarray() if it fits into memory.")
    try:
        if str(getattr(X, "dtype", "")) == "torch.bfloat16":
            X = X.float()
        if hasattr(X, "detach"):  # a tensor that remembers its gradient exports no memory
            X = X.detach().cpu()
        X = np.asarray(X)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} cannot be read as an array: {error}") from error
    if X.dtype.kind in "biu":
        return X.astype(np.float64)
    if X.dtype.type not in FLOATS:
        raise InputError(f"{name} has dtype {X.dtype}; use float16, bfloat16, float32 or float64.")
    return X if X.dtype.isnative else X.astype(X.dtype.newbyteorder("="))
