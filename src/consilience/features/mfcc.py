"""The trivial baseline for sound: mel-frequency cepstral coefficients, their mean and their spread over time."""

from __future__ import annotations

import numpy as np
from scipy.fft import dct

from ..check import InputError
from .encoder import Encoder
from .spectrogram import mel_spectrogram

QUIETEST, RANGE = 1e-10, 80  # power, and decibels below the loudest, as librosa has them


def load(row, folder, weights, seed) -> Encoder:
    """An encoder with one layer, ``mfcc``: the mean of each coefficient over time, then its standard deviation."""
    if weights == "random":
        raise InputError("weights is 'random', but mfcc learn nothing, so they have no untrained twin.")

    def encode(sounds):
        found = [coefficients(sound, **row["input"]) for sound in sounds]
        return [np.stack([np.concatenate([x.mean(0), x.std(0)]) for x in found])]

    return Encoder("sound", ["mfcc"], encode)


def coefficients(sound, window, hop, n_mels, n_coefficients):
    """The first cosine coefficients of the log mel spectrum (Davis & Mermelstein 1980), in decibels.

    Returns an array of shape (n_frames, n_coefficients).
    """
    decibels = 10 * np.log10(np.maximum(mel_spectrogram(sound, window, hop, n_mels), QUIETEST))
    return dct(np.maximum(decibels, decibels.max() - RANGE), norm="ortho")[:, :n_coefficients]
