"""GeoCLIP's encoder of places (Vivanco Cepeda et al. 2023), trained to meet photographs taken there in CLIP's space.

A place is laid on the Equal Earth map; three capsules see the map at a scale each, through random Fourier
features and three layers; their answers are summed.
"""

from __future__ import annotations

import math

from ..optional import bring
from .encoder import Encoder

torch = bring("torch")

HIDDEN = (1, 3, 5)  # places of the linear layers in a capsule; ReLUs lie between
LAYERS = ["fourier", *(f"hidden{number}" for number in range(1, len(HIDDEN) + 1)), "embedding"]


def load(row, folder, weights, seed) -> Encoder:
    """An encoder with the three capsules side by side in each layer, and their sum as ``embedding``."""
    (file,) = row["files"]
    values = torch.load(folder / file, map_location="cpu", weights_only=True)
    if weights == "random":
        values = redrawn(values, seed)

    @torch.inference_mode()
    def encode(places):
        return layers(torch.tensor(places, dtype=torch.float64).reshape(-1, 2), values)

    return Encoder("place", LAYERS, encode)


def layers(places, w):
    """One tensor a layer for n places in degrees, as a float tensor of shape (n, 2)."""
    x = on_map(places).float()
    capsules = sorted({name.split(".")[0] for name in w})
    found = []
    for capsule in capsules:
        angles = 2 * math.pi * x @ w[f"{capsule}.capsule.0.b"].T
        states = [torch.cat([angles.cos(), angles.sin()], dim=1)]
        for place in HIDDEN:
            states.append(linear(states[-1], w, f"{capsule}.capsule.{place}").relu())
        found.append([*states, linear(states[-1], w, f"{capsule}.head.0")])
    *inner, answers = zip(*found, strict=True)
    return [*(torch.cat(states, dim=1) for states in inner), sum(answers)]


def linear(x, w, name):
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def on_map(places):
    """The Equal Earth projection (Savric et al. 2019) of (latitude, longitude) in degrees, scaled as GeoCLIP has it."""
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    latitude, longitude = torch.deg2rad(places).T
    t = torch.asin(math.sqrt(3) / 2 * latitude.sin())
    x = 2 * math.sqrt(3) * longitude * t.cos() / (3 * (9 * a4 * t**8 + 7 * a3 * t**6 + 3 * a2 * t**2 + a1))
    y = a4 * t**9 + a3 * t**7 + a2 * t**3 + a1 * t
    return torch.stack([x, y], dim=1) * 66.50336 / 180


def redrawn(values, seed):
    """Normal matrices that keep the variance, no biases. The Fourier features, drawn and never learned, stay."""
    generator = torch.Generator().manual_seed(seed)
    drawn = {}
    for name, value in values.items():
        if name.endswith(".weight"):
            value = torch.randn(value.shape, generator=generator) * (2 / value.shape[1]) ** 0.5
        drawn[name] = torch.zeros_like(value) if name.endswith(".bias") else value
    return drawn
