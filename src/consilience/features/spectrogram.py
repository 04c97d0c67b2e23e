"""Mel spectrograms of sound: what several speech models and the MFCC baseline start from."""

from __future__ import annotations

import numpy as np

from ..optional import bring
from .encoder import RATE


def mel_spectrogram(sound, window, hop, n_mels):
    """Power in mel bands, frame by frame, as librosa.feature.melspectrogram has it.

    Parameters
    ----------
    sound : float32 array of shape (n_samples,)
        At 16 kHz.
    window, hop : int
        Samples that a frame is long (under a Hann window), and between the middles of two frames.
    n_mels : int
        Bands on Slaney's mel scale, each of area 1, up to 8 kHz.

    Returns
    -------
    float32 array of shape (n_frames, n_mels), n_frames = 1 + n_samples // hop
        The first frame is centred on the first sample; beyond the ends there is silence.
    """
    torch = bring("torch")
    bank = bring("transformers.audio_utils").mel_filter_bank(
        1 + window // 2, n_mels, 0.0, RATE / 2, RATE, norm="slaney", mel_scale="slaney"
    )
    wave = torch.stft(
        torch.from_numpy(np.ascontiguousarray(sound, np.float32)),
        window,
        hop,
        window=torch.hann_window(window),
        pad_mode="constant",
        return_complex=True,
    )
    return (wave.abs() ** 2).T.numpy() @ bank.astype(np.float32)
