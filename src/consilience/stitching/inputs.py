"""Inputs and labels as they must be, and their division into what is learned from and what is held out."""

from __future__ import annotations

import numpy as np

from ..check import InputError, check_level

FEWEST = 4  # inputs held out


def check_inputs(inputs):
    """Inputs as an array or a tensor of shape (n, ...), without NaN or infinity."""
    if hasattr(inputs, "detach"):
        inputs = inputs.detach()
        finite = bool(inputs.isfinite().all())
    else:
        inputs = np.asarray(inputs)
        if inputs.dtype.kind not in "fbiu":
            raise InputError(f"inputs has dtype {inputs.dtype}; give numbers, as the networks take them.")
        finite = bool(np.isfinite(inputs).all())
    if inputs.ndim < 2:
        raise InputError(f"inputs has shape {tuple(inputs.shape)}; it must be (n, ...), an input a row.")
    if not finite:
        raise InputError("inputs holds NaN or infinity; remove those inputs, and their labels.")
    return inputs


def check_labels(labels, n):
    """Labels as an int64 array of shape (n,), of at least two kinds."""
    labels = np.asarray(labels.detach().cpu() if hasattr(labels, "detach") else labels)
    if labels.shape != (n,):
        raise InputError(f"labels has shape {labels.shape}; give one label for each of the {n} inputs.")
    if labels.dtype.kind not in "biu" or labels.min() < 0:
        raise InputError("labels must be whole numbers from 0: label j is the one that logit j of top stands for.")
    if (labels == labels[0]).all():
        raise InputError(f"labels is {labels[0]} for every input; with one class there is nothing to tell apart.")
    return labels.astype(np.int64)


def division(held_out, labels, seed):
    """Row numbers (learned from, held out)."""
    n = len(labels)
    if np.ndim(held_out) == 0:
        tested = np.zeros(n, bool)
        tested[np.random.default_rng(seed).permutation(n)[: round(check_level(held_out, "held_out") * n)]] = True
    else:
        tested = np.asarray(held_out)
        if tested.shape != (n,) or tested.dtype != bool:
            raise InputError(f"held_out has shape {tested.shape}, {tested.dtype}; give a share, or ({n},) of bool.")
    if tested.sum() < FEWEST or len(np.unique(labels[~tested])) < 2:
        raise InputError(
            f"held_out leaves {(~tested).sum()} inputs of {len(np.unique(labels[~tested]))} classes to learn from, and "
            f"{tested.sum()} to test; needed are two classes, and {FEWEST} inputs."
        )
    return np.flatnonzero(~tested), np.flatnonzero(tested)
