"""Encode stimuli with a model: every layer, pooled to one row a stimulus, kept on disk."""

from __future__ import annotations

import hashlib
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from rich.progress import track

from .. import kit
from ..check import InputError, check_choice, check_whole
from ..contents import digest
from ..stimuli import Stimuli
from . import store
from .pooling import POOLS, pooled

LIBRARIES = ("torch", "transformers", "onnxruntime", "pillow")


def encode(model, stimuli, *, pool=None, weights="trained", seed=0, batch_size=32, progress=True):
    """What a model makes of stimuli, layer by layer.

    Parameters
    ----------
    model : str
        A row of data/models.yaml, or a folder with a model as the Hugging Face hub lays it out.
    stimuli : Stimuli
        n_stimuli pictures.
    pool : {"mean", "cls", "last", "max", "none"}, optional
        How tokens, or the places of a map, become one row a stimulus: see :mod:`consilience.features.pooling`. By
        default what the row of the model names, or else "mean".
    weights : {"trained", "random"}
        "random" draws the network's weights from `seed` and keeps everything else: the untrained twin.
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
    check_whole(batch_size, "batch_size", 1)
    check_whole(seed, "seed", 0)
    check_choice(weights, "weights", ("trained", "random"))
    if not isinstance(model, str | Path):
        raise InputError(f"model is {model!r}; give a row of data/models.yaml, or the folder of a model.")
    if not isinstance(stimuli, Stimuli) or not len(stimuli):
        raise InputError("stimuli must be what consilience.stimuli.load gives, or a selection of it, not empty.")
    row, folder = found(model)
    pool = check_choice(pool or row.get("pool", "mean"), "pool", POOLS)
    origin = provenance(str(model), row, folder, stimuli, pool, weights, int(seed))
    entry = store.entry(origin, stimuli.ids)
    kept = entry.read()
    if kept is not None:
        return kept
    reader = import_module(f".{row['reader']}", __package__)
    encoder = reader.load(row, folder, weights, seed)
    doing = f"{model}{', random weights' * (weights == 'random')}"
    with entry.writing(len(stimuli)) as rows:
        for start in track(range(rows.done, len(stimuli), batch_size), doing, transient=True, disable=not progress):
            stop = min(start + batch_size, len(stimuli))
            rows.append(compute(encoder, [stimuli.image(i) for i in range(start, stop)], pool, doing))
    return entry.read()


def compute(encoder, items, pool, doing):
    """{layer: float32 array of shape (n_items, n_units)}, all of it finite."""
    arrays = {}
    for layer, state in zip(encoder.layers, encoder.encode(items), strict=True):
        arrays[layer] = pooled(state, pool)
        if not np.isfinite(arrays[layer]).all():
            raise FloatingPointError(f"{doing}: layer {layer} holds NaN or infinity.")
    return arrays


def found(model):
    """The row and the folder of a model: a row of data/models.yaml, or a folder of the reader's own."""
    if model not in kit.rows() and (Path(model) / "config.json").is_file():
        return {"reader": "hub"}, Path(model)
    row = kit.row(model)
    if model not in kit.table("models"):
        raise kit.KitError(f"{model} is a data set, not a model.")
    return row, None if kit.source(row) == "computed" else kit.get(model)


def provenance(model, row, folder, stimuli, pool, weights, seed):
    """Everything that the features depend on; a change in any of it is another entry of the cache."""
    return {
        "model": model,
        "weights": weights,
        "seed": seed if weights == "random" else None,
        "weights_sha256": None if weights == "random" or folder is None else weights_digest(row, folder),
        "architecture": architecture_digest(row, folder),
        "stimuli": stimuli.sha256("image"),
        "n_stimuli": len(stimuli),
        "preprocessing": row.get("input", "the model's own image processor, after padding to a white square"),
        "pool": pool,
        "aside": {"stimuli": stimuli.name},
        "code": store.code(),
        "versions": {library: installed(library) for library in LIBRARIES},
    }


def weights_digest(row, folder):
    """SHA-256 of the weight file: what the row promises and the kit has verified, or else what it holds."""
    if "files" in row:
        (sha256,) = row["files"].values()
        return sha256
    if not (folder / "model.safetensors").is_file():
        raise kit.KitError(f"{folder} has no model.safetensors; save the model there with safe serialization.")
    return digest(folder / "model.safetensors")


def architecture_digest(row, folder):
    """SHA-256 of what says how the network is built: the folder's config, or the row."""
    if row["reader"] == "hub":
        return digest(folder / "config.json")
    parts = {key: row[key] for key in ("reader", "width", "depth", "files") if key in row}
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def installed(library):
    """Major and minor version of a library that touches the numbers; None where it is not installed."""
    try:
        return ".".join(version(library).split(".")[:2])
    except PackageNotFoundError:
        return None
