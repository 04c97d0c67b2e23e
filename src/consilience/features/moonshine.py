"""Moonshine's encoder (Jeffries et al. 2024), in onnxruntime's own format: it runs as it is, with its last layer alone.

One clip at a time: its mask does not keep the silence that fills a batch out of the norms.
"""

from __future__ import annotations

import numpy as np

from ..check import InputError
from ..optional import bring
from .encoder import Encoder
from .tokens import Tokens

SHORTEST = 895  # samples that its three convolutions need


def load(row, folder, weights, seed) -> Encoder:
    """An encoder with one layer, ``norm``: about 41 tokens a second of sound."""
    if weights == "random":
        raise InputError(
            "weights is 'random', but this file of moonshine cannot be changed, so it has no untrained twin."
        )
    ort = bring("onnxruntime")
    (file,) = row["files"]
    session = ort.InferenceSession(folder / file, providers=["CPUExecutionProvider"])

    def tokens(sound):
        sound = np.pad(sound, (0, max(0, SHORTEST - len(sound)))).astype(np.float32)[None]
        (found,) = session.run(None, {"input_values": sound, "attention_mask": np.ones(sound.shape, np.int64)})
        return found[0]

    def encode(sounds):
        found = [tokens(sound) for sound in sounds]
        kept = np.arange(max(map(len, found))) < np.array([[len(some)] for some in found])
        values = np.zeros((*kept.shape, found[0].shape[1]), np.float32)
        values[kept] = np.concatenate(found)
        return [Tokens(values, kept)]

    return Encoder("sound", ["norm"], encode)
