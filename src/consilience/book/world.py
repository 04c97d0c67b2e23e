"""A world made by hand: two models answer the same stimuli, and we know what they share."""

from __future__ import annotations

import numpy as np


def world(
    n, units=64, shared=0, private=0, kinds=0, shared_sd=1.0, private_sd=1.0, kinds_sd=3.0, slope=0.0, noise=1.0, seed=0
):
    """Two representations of n stimuli with as much in common as asked for, and no more.

    Stimuli vary along directions; each model maps those that it sees into its units by a random map of its own. Some
    directions are seen by both, others by one alone. The stimuli may also come in kinds. Both models know of which
    kind a stimulus is, but each puts the kinds at places of its own.

    Parameters
    ----------
    n : int
        Stimuli.
    units : int, or pair of int
        Of the one and of the other model.
    shared, private : int
        Directions that both see, and that each sees alone.
    kinds : int
        0 for none. Within a kind there is nothing in common beyond the shared directions.
    shared_sd, private_sd, kinds_sd, noise : float
        By how much a shared direction, a private one, the place of a kind, and what a unit does by itself move a
        unit: standard deviations.
    slope : float
        Direction i, of the shared and of the private ones, has variance in proportion to i^-slope.
    seed : int

    Returns
    -------
    X, Y : arrays of shape (n, units)
    """
    rng = np.random.default_rng(seed)
    common = shared_sd * directions(rng, n, shared, slope)
    kind = rng.integers(kinds, size=n) if kinds else None

    def seen(width):
        own = private_sd * directions(rng, n, private, slope)
        X = np.hstack([common, own]) @ rng.standard_normal((shared + private, width))
        if kinds:
            X += kinds_sd * rng.standard_normal((kinds, width))[kind]
        return X + noise * rng.standard_normal((n, width))

    return tuple(seen(width) for width in np.broadcast_to(units, 2))


def directions(rng, n, count, slope):
    """`count` directions of n stimuli, the i-th of variance i^-slope."""
    return rng.standard_normal((n, count)) * np.arange(1, count + 1) ** (-slope / 2)
