"""Encode stimuli with a model: every layer, pooled to one row a stimulus, kept on disk."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from rich.progress import track

from .. import kit
from ..contents import digest
from . import store
from .features import Features

POOLING = "spatial mean of feature maps; mean of patch tokens, without class and register tokens"
LIBRARIES = ("torch", "transformers", "onnxruntime", "pillow")


def encode(name, stimuli, *, untrained=False, seed=0, batch_size=32, progress=True):
    """What a model makes of stimuli, layer by layer.

    Parameters
    ----------
    name : str
        A row of data/models.yaml with modality "vision", or a folder with a model as the Hugging Face hub
        lays it out.
    stimuli : Stimuli
        n_stimuli pictures.
    untrained : bool
        Give the network random weights drawn from `seed`, and keep everything else.
    seed : int
    batch_size : int
        Pictures at a time: memory and speed, never results beyond rounding.
    progress : bool
        Show a bar while computing.

    Returns
    -------
    Features
        One float32 array of shape (n_stimuli, n_units) a layer. Read from the cache if the same weights met
        the same stimuli under the same code and library versions (major and minor) before.

    Raises
    ------
    consilience.kit.KitError
        If there is no such model, or its weights did not come or are not what they should be.
    ImportError
        If a library that the model needs is missing; the message says how to install it.
    FloatingPointError
        If a layer holds NaN or infinity.
    """
    row, folder = found(name)
    model = Path(name).name
    provenance = {
        "model": model,
        "weights": None if untrained or folder is None else weights_digest(row, folder),
        "stimuli": stimuli.sha256,
        "n_stimuli": len(stimuli),
        "preprocessing": row.get("input", "the model's own image processor, after padding to a white square"),
        "pooling": POOLING,
        "untrained": bool(untrained),
        "seed": int(seed) if untrained else None,
        "code": store.code(),
        "versions": versions(),
    }
    path = store.address(model, provenance)
    kept = store.read(path, model, provenance)
    if kept is not None:
        return kept
    reader = import_module(f".{row['reader']}", __package__)
    encoder = reader.load(row, folder, untrained, seed)
    batches = range(0, len(stimuli), batch_size)
    parts = []
    for start in track(batches, f"{model}{', untrained' * untrained}", transient=True, disable=not progress):
        stop = min(start + batch_size, len(stimuli))
        parts.append(encoder.encode([stimuli.image(i) for i in range(start, stop)]))
    layers = (np.concatenate(layer).astype(np.float32) for layer in zip(*parts, strict=True))
    features = Features(model, bool(untrained), dict(zip(encoder.layers, layers, strict=True)), provenance)
    for layer, array in features.items():
        if not np.isfinite(array).all():
            raise FloatingPointError(f"{model}: layer {layer} holds NaN or infinity.")
    store.save(path, features)
    return features


def found(name):
    """The row and the folder of a model: a row of data/models.yaml, or a folder of the reader's own."""
    if name in kit.rows():
        row = kit.row(name)
        if row.get("modality") != "vision" or "apt" in row:
            raise kit.KitError(f"{name} is not a vision model.")
        return row, None if kit.source(row) == "computed" else kit.get(name)
    if (Path(name) / "config.json").is_file():
        return {"reader": "hub"}, Path(name)
    return kit.row(name), None  # raises, and lists the names


def weights_digest(row, folder):
    """SHA-256 of the weight file: as promised by the row, which the kit has verified, or read from the file."""
    if "files" in row:
        (sha256,) = row["files"].values()
        return sha256
    return digest(folder / "model.safetensors")


def versions():
    """Major and minor version of each library that touches the numbers; None for one that is not installed."""
    return {library: installed(library) for library in LIBRARIES}


def installed(library):
    try:
        return ".".join(version(library).split(".")[:2])
    except PackageNotFoundError:
        return None
