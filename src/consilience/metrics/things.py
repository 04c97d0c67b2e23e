"""Neighbours where several stimuli stand for one thing: pictures of one scene, captions of one picture."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from consilience.check import FEWEST_STIMULI, InputError, check_array, check_choice, check_k, check_rows
from consilience.core.memory import need
from consilience.core.neighbors import SIMILARITIES

ROUNDING = 1e-12  # of the largest similarity; things nearer to equal than that are tied
BLOCK = 1024  # stimuli whose similarities to all others are held at a time


def thing_weights(X, labels, k, similarity="cosine"):
    """Which things are nearest to each thing, a tied k-th place shared: row i of the result sums to k.

    Two things are as near as the nearest two of their stimuli.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units)
    labels : array of shape (n_stimuli,)
        Stimuli of one label are one thing. Things are in the order of their sorted labels.
    k : int, 1 <= k < n_things
    similarity : {"cosine", "dot", "euclidean"}

    Returns
    -------
    csr_array of shape (n_things, n_things)

    Raises
    ------
    InputError
        As :func:`consilience.check.check_array`; if labels are missing or too few of them differ.

    Notes
    -----
    O(n² d) time, in float64; O(n n_things) memory.
    """
    X, thing = check_array(X), check_labels(labels, len(X))
    k = check_k(k, thing.max() + 1)
    near = thing_similarities(X, thing, check_choice(similarity, "similarity", SIMILARITIES))
    last = np.partition(near, -k, axis=1)[:, [-k]]
    above, tied = near > last, near == last
    places = k - above.sum(1, keepdims=True)
    return sparse.csr_array(above + tied * (places / tied.sum(1, keepdims=True)))


def thing_similarities(X, thing, similarity):
    """How near each two things are, rounded so that ties are ties; -inf for a thing and itself."""
    X = check_rows(X, similarity).astype(np.float64)
    X /= np.abs(X).max()
    if similarity == "euclidean":
        X -= X.mean(0)
    elif similarity == "cosine":
        X /= np.linalg.norm(X, axis=1, keepdims=True)
    order = np.argsort(thing, kind="stable")
    X, starts = X[order], np.flatnonzero(np.diff(thing[order], prepend=-1))
    less = np.square(X).sum(1) if similarity == "euclidean" else np.zeros(len(X))
    need(8 * len(starts) * (len(X) + 2 * len(starts)), f"Similarities of {len(X):,} stimuli and {len(starts):,} things")
    found = np.empty((len(X), len(starts)))
    for start in range(0, len(X), BLOCK):
        rows = slice(start, start + BLOCK)
        products = (1 + (similarity == "euclidean")) * X[rows] @ X.T - less[rows, None] - less
        found[rows] = np.maximum.reduceat(products, starts, axis=1)
    near = np.maximum.reduceat(found, starts, axis=0)
    near = np.round(near / np.abs(near).max() / ROUNDING) * ROUNDING
    np.fill_diagonal(near, -np.inf)
    return near


def check_labels(labels, n):
    """One label for each stimulus, as whole numbers from 0."""
    labels = np.asarray(labels)
    if labels.shape != (n,) or pd.isna(labels).any():
        raise InputError(f"labels has shape {labels.shape}; give one label, none missing, for each of {n} stimuli.")
    things, numbers = np.unique(labels, return_inverse=True)
    if len(things) < FEWEST_STIMULI:
        raise InputError(f"labels names {len(things)} different things; at least {FEWEST_STIMULI} are needed.")
    return numbers
