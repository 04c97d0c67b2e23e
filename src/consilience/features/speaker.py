"""A speaker encoder: an LSTM trained to tell voices apart whatever they say (GE2E, Wan et al. 2018), by Resemblyzer.

An utterance is heard in windows of 1.6 seconds that overlap by about half. The answer to a window has norm 1,
and that to the utterance is their mean, of norm 1 again.
"""

from __future__ import annotations

import math

import numpy as np

from ..optional import bring
from .encoder import Encoder
from .spectrogram import mel_spectrogram
from .tokens import Tokens
from .weights import drawn

torch = bring("torch")
nn = torch.nn

LOUDNESS = -30  # decibels below full scale, to which quiet sounds are raised
FRAME, HOP, MELS = 400, 160, 40  # samples, samples, bands
WINDOW = 160  # frames that are heard at a time
STEP = 77  # frames from one window to the next: 1.3 windows a second
COVERED = 0.75  # share of the last window that a clip must reach into it, unless it is the only one
QUIETEST = 1e-12  # power below which there is nothing to raise


def load(row, folder, weights, seed) -> Encoder:
    """An encoder with three layers of a token a window (the LSTM's state at its end), and the embedding."""
    if weights == "random":
        model = drawn(lambda _: Voices(), None, seed)
    else:
        (file,) = row["files"]
        model = Voices()
        model.load_state_dict(renamed(torch.load(folder / file, map_location="cpu", weights_only=True)["model_state"]))

    @torch.inference_mode()
    def encode(sounds):
        windows = [spectrograms(sound) for sound in sounds]
        counts = torch.tensor([len(some) for some in windows])
        *inner, answers = model(torch.from_numpy(np.concatenate(windows)))
        kept = torch.arange(max(counts)) < counts[:, None]
        means = torch.stack([some.mean(0) for some in answers.split(counts.tolist())])
        return [*(Tokens(padded(x, counts), kept) for x in inner), nn.functional.normalize(means, dim=1)]

    return Encoder("sound", ["lstm1", "lstm2", "lstm3", "embedding"], encode)


class Voices(nn.Module):
    """Three LSTMs of 256 units, and a rectified projection of where the last one ends."""

    def __init__(self):
        super().__init__()
        self.lstms = nn.ModuleList(nn.LSTM(before, 256, batch_first=True) for before in (MELS, 256, 256))
        self.linear = nn.Linear(256, 256)

    def forward(self, x):
        """States of shape (n, 256) of the layers, for spectrograms of shape (n, WINDOW, MELS)."""
        states = []
        for lstm in self.lstms:
            x, _ = lstm(x)
            states.append(x[:, -1])
        return [*states, nn.functional.normalize(self.linear(states[-1]).relu(), dim=1)]


def spectrograms(sound):
    """The windows of a clip, as a float32 array of shape (n_windows, WINDOW, MELS); a short clip ends in silence."""
    n_frames = math.ceil((len(sound) + 1) / HOP)
    starts = range(0, max(1, n_frames - WINDOW + STEP + 1), STEP)
    if len(starts) > 1 and len(sound) < (starts[-1] + COVERED * WINDOW) * HOP:
        starts = starts[:-1]
    sound = louder(sound)
    frames = mel_spectrogram(np.pad(sound, (0, max(0, (starts[-1] + WINDOW) * HOP - len(sound)))), FRAME, HOP, MELS)
    return np.stack([frames[start : start + WINDOW] for start in starts])


def louder(sound):
    """The sound, raised to LOUDNESS where it is quieter."""
    power = np.mean(np.square(sound, dtype=float))
    return sound * np.float32(max(1, 10 ** (LOUDNESS / 20) / max(power, QUIETEST) ** 0.5))


def padded(x, counts):
    """Rows x, `counts` of them a clip, as a tensor of shape (n_clips, max(counts), n_units)."""
    return nn.utils.rnn.pad_sequence(x.split(counts.tolist()), batch_first=True)


def renamed(state):
    """torch numbers the layers of one LSTM; ours are apart. The two values of the training loss are left out."""
    ours = {}
    for name, value in state.items():
        kind, _, layer = name.rpartition("_l")
        if name.startswith("lstm."):
            ours[f"lstms.{layer}.{kind.removeprefix('lstm.')}_l0"] = value
        elif name.startswith("linear."):
            ours[name] = value
    return ours
