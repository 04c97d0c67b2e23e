"""What every reader of a model gives: the names of its layers, and a function from stimuli to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..check import InputError
from ..optional import bring

RATE = 16_000  # samples a second of every sound


@dataclass(frozen=True)
class Encoder:
    """A loaded model.

    Attributes
    ----------
    modality : {"image", "text", "sound", "place", "text+image"}
        What it takes: RGB pictures, strings, float32 mono at 16 kHz, (latitude, longitude), or pairs.
    layers : list of str
        Shallowest first.
    encode : callable
        From a list of n stimuli to one state per layer: an array of shape (n, n_units),
        :class:`~consilience.features.tokens.Tokens` or :class:`~consilience.features.tokens.Map`.
    refuses : callable
        From a stimulus to the reason why the model cannot take it (too long), or None.
    largest_batch : int, optional
        Beyond it, the stimuli of a batch would change each other's numbers.
    """

    modality: str
    layers: list[str]
    encode: Callable[[list], list]
    refuses: Callable = lambda item: None
    largest_batch: int | None = None

    def only(self, layers):
        """The same, with some of the layers; InputError lists them if one is not there."""
        absent = [layer for layer in layers if layer not in self.layers]
        if absent:
            raise InputError(f"layers names {absent[0]!r}; there are {', '.join(self.layers)}.")
        kept = [self.layers.index(layer) for layer in layers]

        def encode(items):
            states = self.encode(items)
            return [states[i] for i in kept]

        return replace(self, layers=list(layers), encode=encode)


def prepare(images, size, mean, std, channels="RGB", resample="bicubic"):
    """Pictures as a network takes them: padded with white to a square, resized, normalised.

    Parameters
    ----------
    images : list of n PIL images in RGB
    size : int
        Pixels along each side.
    mean, std : sequence of 3 floats
        On the scale 0..255, in the order of `channels`.
    channels : {"RGB", "BGR"}
    resample : {"bicubic", "bilinear"}

    Returns
    -------
    float32 array of shape (n, 3, size, size)
    """
    filter = bring("PIL.Image").Resampling[resample.upper()]
    pixels = np.stack([np.asarray(square(image).resize((size, size), filter), np.float32) for image in images])
    if channels == "BGR":
        pixels = pixels[..., ::-1]
    pixels = (pixels - np.float32(mean)) / np.float32(std)
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))


def square(image):
    """The picture in the middle of a white square, so that no object is cut or stretched."""
    side = max(image.size)
    canvas = bring("PIL.Image").new("RGB", (side, side), "white")
    canvas.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return canvas
