"""Whisper's encoder (Radford et al. 2023): a CTranslate2 file read into transformers' model.

Whisper was made to hear 30 seconds at a time, and what is shorter is followed by silence. The frames of the
silence are left out of every layer here, yet cost as much as speech, so the row says how much of it follows.
"""

from __future__ import annotations

import math
import re

import numpy as np

from ..optional import bring
from . import ctranslate2
from .encoder import RATE, Encoder
from .tokens import Tokens
from .weights import drawn, pretrained

torch = bring("torch")

FRAME = 320  # samples a token: steps of 10 ms, halved by the second convolution

RENAMED = (
    (r"position_encodings\.encodings$", "embed_positions.weight"),
    (r"^embeddings\.", "embed_tokens."),
    (r"^layer_(\d+)\.", r"layers.\1."),
    (r"\.self_attention\.", ".self_attn."),
    (r"\.attention\.", ".encoder_attn."),
    (r"_attn\.layer_norm\.", "_attn_layer_norm."),
    (r"\.ffn\.layer_norm\.", ".final_layer_norm."),
    (r"\.ffn\.linear_0\.", ".fc1."),
    (r"\.ffn\.linear_1\.", ".fc2."),
    (r"\.gamma$", ".weight"),
    (r"\.beta$", ".bias"),
)
# Attention's matrices, which the file stacks, and their names in transformers. Whisper's keys have no bias.
STACKED = {
    "self_attn.linear_0": ("q_proj", "k_proj", "v_proj"),
    "self_attn.linear_1": ("out_proj",),
    "encoder_attn.linear_0": ("q_proj",),
    "encoder_attn.linear_1": ("k_proj", "v_proj"),
    "encoder_attn.linear_2": ("out_proj",),
}


def load(row, folder, weights, seed) -> Encoder:
    """An encoder with the layers embeddings, the blocks, and norm: 50 tokens a second of sound."""
    parts = [folder / file for file in row["files"] if ".bin" in file]
    variables = ctranslate2.read(b"".join(part.read_bytes() for part in parts))
    family = bring("transformers.models.whisper.modeling_whisper").WhisperEncoder
    if weights == "random":
        model = drawn(family, config(variables), seed)
    else:
        model = pretrained(family, None, config=config(variables), state_dict=named(variables)["encoder"])
    return encoder(model.eval(), **row["input"])


def encoder(model, silence):
    """An encoder of a WhisperEncoder that hears each clip to its end, and `silence` seconds of nothing after it."""
    longest = model.config.max_source_positions * FRAME
    extract = bring("transformers").WhisperFeatureExtractor(feature_size=model.config.num_mel_bins)
    layers = ["embeddings", *(f"block{b + 1}" for b in range(len(model.layers))), "norm"]

    def heard(sound):
        """Samples, in whole seconds so that many clips share one length and are heard together."""
        return min((math.ceil(len(sound) / RATE) + silence) * RATE, longest)

    @torch.inference_mode()
    def encode(sounds):
        lengths = torch.tensor([math.ceil(len(sound) / FRAME) for sound in sounds])
        kept = torch.arange(max(lengths)) < lengths[:, None]
        values = [torch.zeros(*kept.shape, model.config.d_model) for _ in layers]
        windows = [heard(sound) for sound in sounds]
        for window in set(windows):
            some = [i for i, other in enumerate(windows) if other == window]
            x = extract([sounds[i] for i in some], sampling_rate=RATE, max_length=window, return_tensors="pt")
            for value, state in zip(values, states(model, x["input_features"]), strict=True):
                state = state[:, : kept.shape[1]]
                value[some, : state.shape[1]] = state
        return [Tokens(value, kept) for value in values]

    def refuses(sound):
        too_long = len(sound) > longest
        return f"it lasts {len(sound) / RATE:.1f} s, and the model hears {longest / RATE:.0f} s" if too_long else None

    return Encoder("sound", layers, encode, refuses)


def states(model, x):
    """What transformers' own forward pass goes through, for spectrograms of any length up to 30 seconds."""
    for convolution in (model.conv1, model.conv2):
        x = torch.nn.functional.gelu(convolution(x))
    x = x.transpose(1, 2)
    x = x + model.embed_positions.weight[: x.shape[1]]
    yield x
    for layer in model.layers:
        x = layer(x, None)
        yield x
    yield model.layer_norm(x)


def config(variables):
    """transformers' WhisperConfig of the encoder, from the shapes in the file."""
    units, n_mels, _ = variables["encoder/conv1/weight"].shape
    widened = [value for name, value in variables.items() if re.fullmatch(r"encoder/layer_\d+/ffn/linear_0/bias", name)]
    return bring("transformers").WhisperConfig(
        d_model=units,
        num_mel_bins=n_mels,
        encoder_layers=len(widened),
        encoder_attention_heads=int(variables["encoder/num_heads"]),
        encoder_ffn_dim=len(widened[0]),
        max_source_positions=len(variables["encoder/position_encodings/encodings"]),
    )


def named(variables):
    """The weights as {"encoder" or "decoder": {name in transformers: tensor}}."""
    found = {"encoder": {}, "decoder": {}}
    for name, value in variables.items():
        side, _, name = name.replace("/", ".").partition(".")
        if not value.ndim or name.startswith("alignment"):  # settings of the program that the file was made for
            continue
        for pattern, theirs in RENAMED:
            name = re.sub(pattern, theirs, name)
        for theirs, part in unstacked(name, value):
            found[side][theirs] = torch.from_numpy(part.astype(np.float32))
    return found


def unstacked(name, value):
    """(name, array) of each projection that is stacked in `value`, or of the whole where nothing is."""
    module, _, kind = name.rpartition(".")
    stack = ".".join(module.split(".")[-2:])
    if stack not in STACKED:
        yield name, value
        return
    for projection, part in zip(STACKED[stack], np.split(value, len(STACKED[stack])), strict=True):
        if (projection, kind) != ("k_proj", "bias"):
            yield f"{module.rpartition('.')[0]}.{projection}.{kind}", part
