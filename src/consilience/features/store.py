"""Features on disk: one file for each set of weights, stimuli and code, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from ..kit import cache
from .features import Features


def address(origin):
    """The file for these features. Its name holds a hash of everything that they depend on."""
    key = hashlib.sha256(json.dumps(origin, sort_keys=True).encode()).hexdigest()[:16]
    kind = f"random-{origin['seed']}-" if origin["weights"] == "random" else ""
    return cache() / "features" / f"{Path(origin['model']).name}-{kind}{key}.npz"


def code():
    """SHA-256 of the source of this folder: changed code never shows features that older code made."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()


def save(path, features):
    """Write to a temporary file beside `path`, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Numbered, so that no layer's name can clash with savez's own arguments.
    arrays = {f"layer{i}": array for i, array in enumerate(features.arrays.values())}
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        fresh = Path(folder) / path.name
        np.savez(fresh, layers=np.array(features.layers), **arrays)
        os.replace(fresh, path)


def read(path, origin):
    """The features at `path`, or None if there are none that can be read."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {str(layer): file[f"layer{i}"] for i, layer in enumerate(file["layers"])}
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    return Features(origin["model"], origin["weights"], arrays, origin)
