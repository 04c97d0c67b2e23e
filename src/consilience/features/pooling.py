"""One row a stimulus, from whatever a layer holds. The only place where tokens and maps are pooled."""

from __future__ import annotations

import sys

import numpy as np

from ..check import InputError
from .tokens import Map, Tokens

POOLS = ("mean", "cls", "last", "max", "none")


def pooled(state, pool="mean"):
    """What a layer holds, as one row a stimulus.

    Parameters
    ----------
    state : Tokens, Map, or array of shape (n_stimuli, n_units)
        An array is one row a stimulus already, and every pool leaves it so.
    pool : {"mean", "cls", "last", "max", "none"}
        "mean" and "max" are over the kept tokens, or over space; "cls" is the token that the model has for the
        whole; "last" is the last kept token; "none" lays the kept tokens, or the places of a map, side by side.

    Returns
    -------
    float32 ndarray of shape (n_stimuli, n_units)
        For "none", (n_stimuli, n_tokens * n_units), or (n_stimuli, n_units * height * width).

    Raises
    ------
    InputError
        If the layer has no such pooling, or if "none" meets stimuli of different length.
    """
    if isinstance(state, Tokens):
        return as_float32(FROM_TOKENS[pool](state))
    if isinstance(state, Map):
        if pool not in FROM_MAP:
            raise InputError(f"pool is {pool!r}, but a feature map has no tokens; choose one of {', '.join(FROM_MAP)}.")
        return as_float32(FROM_MAP[pool](wide(state.values)))
    return as_float32(state)


def mean(tokens):
    """Sum over the kept tokens by their number. What is left out counts as 0, even where it is NaN."""
    xp = library(tokens.values)
    kept = tokens.kept[..., None]
    return xp.where(kept, wide(tokens.values), 0).sum(1) / kept.sum(1)


def largest(tokens):
    xp = library(tokens.values)
    return xp.amax(xp.where(tokens.kept[..., None], wide(tokens.values), -np.inf), 1)


def summary(tokens):
    if tokens.summary is None:
        raise InputError("pool is 'cls', but the model has no token for the whole; choose 'mean' or 'last'.")
    return tokens.values[each(tokens), tokens.summary]


def last(tokens):
    """The last kept token, wherever the padding is."""
    n_tokens = tokens.kept.shape[1]
    backwards = library(tokens.kept).flip(tokens.kept, (1,))
    return tokens.values[each(tokens), n_tokens - 1 - (backwards * 1).argmax(1)]


def side_by_side(tokens):
    lengths = {int(length) for length in tokens.kept.sum(1)}
    if len(lengths) > 1:
        raise InputError(
            f"pool is 'none', but the stimuli have from {min(lengths)} to {max(lengths)} tokens, so their rows would "
            "differ in length; choose 'mean', 'max', 'cls' or 'last'."
        )
    return tokens.values[tokens.kept].reshape(len(tokens.values), -1)


FROM_TOKENS = {"mean": mean, "max": largest, "cls": summary, "last": last, "none": side_by_side}
FROM_MAP = {
    "mean": lambda values: values.mean((2, 3)),
    "max": lambda values: library(values).amax(values, (2, 3)),
    "none": lambda values: values.reshape(len(values), -1),
}


def library(array):
    """torch for a tensor, which is not imported for anything else, and NumPy for the rest."""
    return sys.modules["torch"] if hasattr(array, "detach") else np


def each(tokens):
    return list(range(len(tokens.values)))


def wide(values):
    """In float32, so that sums of half-precision numbers keep their digits."""
    return values.float() if hasattr(values, "detach") else values.astype(np.float32, copy=False)


def as_float32(values):
    if hasattr(values, "detach"):
        values = values.detach().float().cpu().numpy()
    return np.ascontiguousarray(values, np.float32)
