"""The trivial baseline: the picture itself, a few pixels wide."""

from __future__ import annotations

from .encoder import Encoder, prepare


def load(row, folder, weights, seed):
    """An encoder with one layer, ``pixels``: 3 x size x size values from 0 to 1."""
    if weights == "random":
        raise ValueError("pixels learn nothing, so they have no twin with random weights.")
    return Encoder("image", ["pixels"], lambda images: [prepare(images, **row["input"]).reshape(len(images), -1)])
