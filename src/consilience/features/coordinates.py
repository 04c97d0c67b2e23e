"""The trivial baseline for places: where they lie on the globe."""

from __future__ import annotations

import numpy as np

from ..check import InputError
from .encoder import Encoder


def load(row, folder, weights, seed) -> Encoder:
    """An encoder with one layer, ``coordinates``: x, y and z on the unit sphere."""
    if weights == "random":
        raise InputError("weights is 'random', but coordinates learn nothing, so they have no untrained twin.")
    return Encoder("place", ["coordinates"], lambda places: [on_sphere(places)])


def on_sphere(places):
    """From (latitude, longitude) in degrees to an array of shape (n, 3) of norm 1, z through the north pole."""
    latitude, longitude = np.radians(np.asarray(places, float)).T
    return np.stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=1
    )
