"""The most trivial baseline for sound: how long it lasts.

As an angle, so that by cosine too the nearest clips are those of nearest length: cosine sees no difference at
all between two positive numbers.
"""

from __future__ import annotations

import numpy as np

from ..check import InputError
from .encoder import RATE, Encoder

SHORTEST, LONGEST = 0.01, 1000  # seconds, to which the right angle is stretched


def load(row, folder, weights, seed) -> Encoder:
    """An encoder with one layer, ``duration``: the point on the unit circle at the logarithm of the length."""
    if weights == "random":
        raise InputError("weights is 'random', but duration learns nothing, so it has no untrained twin.")
    return Encoder("sound", ["duration"], lambda sounds: [points([len(sound) / RATE for sound in sounds])])


def points(seconds):
    """From lengths in seconds to an array of shape (n, 2) on the unit circle, within the first quarter."""
    share = np.log(np.clip(seconds, SHORTEST, LONGEST) / SHORTEST) / np.log(LONGEST / SHORTEST)
    return np.stack([np.cos(share * np.pi / 2), np.sin(share * np.pi / 2)], axis=1)
