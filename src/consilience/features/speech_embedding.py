"""Google's speech embedding (Lin et al. 2020): a small convolutional network trained to tell spoken keywords apart.

Two ONNX graphs: sound to a mel spectrogram of a frame each 10 ms, and windows of 76 frames to 96 numbers. A clip
is heard in windows 80 ms apart.
"""

from __future__ import annotations

import numpy as np

from ..optional import bring
from .encoder import Encoder
from .onnx_graph import draw_weights, session
from .tokens import Tokens

WINDOW, STEP = 76, 8  # frames
SHORTEST = 512 + 160 * (WINDOW - 1)  # samples of the first window
FULL_SCALE = 32767  # the spectrogram takes the numbers of 16-bit sound


def load(row, folder, weights, seed) -> Encoder:
    """An encoder with a token a window: the five poolings, each averaged over its map, and the embedding."""
    onnx = bring("onnx")
    spectrogram, network = (onnx.load(folder / file) for file in row["files"])
    if weights == "random":
        draw_weights(network.graph, seed)
    poolings = [node.output[0] for node in network.graph.node if node.op_type == "MaxPool"]
    outputs = [*poolings, network.graph.output[0].name]
    mel, graph = session(spectrogram, [spectrogram.graph.output[0].name]), session(network, outputs)
    entrance = network.graph.input[0].name

    def windows(sound):
        """Of shape (n_windows, WINDOW, 32, 1); a clip shorter than a window ends in silence."""
        sound = np.pad(sound, (0, max(0, SHORTEST - len(sound)))).astype(np.float32)
        (frames,) = mel.run(None, {spectrogram.graph.input[0].name: sound[None] * FULL_SCALE})
        frames = frames.reshape(-1, 32) / 10 + 2
        return np.stack([frames[i : i + WINDOW] for i in range(0, len(frames) - WINDOW + 1, STEP)])[..., None]

    def encode(sounds):
        heard = [windows(sound) for sound in sounds]
        kept = np.arange(max(map(len, heard))) < np.array([[len(some)] for some in heard])
        *maps, embedding = graph.run(outputs, {entrance: np.concatenate(heard)})
        return [Tokens(laid_out(x, kept), kept) for x in (*(x.mean((2, 3)) for x in maps), embedding[:, 0, 0])]

    return Encoder("sound", [*(f"pooling{p}" for p in range(1, len(poolings) + 1)), "embedding"], encode)


def laid_out(rows, kept):
    """Rows, in the order of the true places of `kept`, as an array of shape (n, n_tokens, n_units)."""
    values = np.zeros((*kept.shape, rows.shape[1]), np.float32)
    values[kept] = rows
    return values
