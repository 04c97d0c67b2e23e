"""Where features come from: everything that their numbers depend on, so that a change in any of it is seen."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from ..contents import digest
from . import store
from .weights import safetensors

LIBRARIES = (
    "torch",
    "transformers",
    "tokenizers",
    "onnxruntime",
    "timm",
    "numpy",
    "pillow",
    "scipy",
    "scikit-learn",
    "gguf",
)
READ = ("*.json", "*.txt", "*.model", "*.jinja")  # what a model's folder says besides weights


def provenance(model, options, seen, layers, pool, weights, seed):
    """The origin of features: JSON values by name."""
    random, digests = weights == "random", seen.digests()
    return {
        "model": model.name,
        "weights": weights,
        "seed": seed if random else None,
        "weights_sha256": None if random or model.folder is None else weights_digest(model),
        "architecture_sha256": architecture_digest(model),
        "modality": seen.modality,
        "language": seen.language,
        "stimuli": joined([seen.modality, *digests]),
        "n_stimuli": len(seen),
        "preprocessing": model.row.get("input", "the model's own"),
        "layers": None if layers is None else list(layers),
        "parts": options.get("parts"),
        "pool": pool,
        "dtype": options.get("dtype", "float32" if model.kept else None),
        "aside": {"stimuli": seen.stimuli.name, "each_sha256": digests, "device": options.get("device")},
        "code": store.code(),
        "versions": {library: installed(library) for library in LIBRARIES},
    }


def weights_digest(model):
    """SHA-256 of the weights: what the row promises and the kit has verified, or else what the files hold."""
    if "files" in model.row:
        return joined(f"{name} {sha256}" for name, sha256 in model.row["files"].items())
    return joined(remembered(file) for file in safetensors(model.folder))


def architecture_digest(model):
    """SHA-256 of what says how the network is built and fed: its folder's small files, or the row."""
    if model.folder is not None and "files" not in model.row:
        files = sorted({file for pattern in READ for file in model.folder.glob(pattern)})
        return joined(f"{file.name} {digest(file)}" for file in files)
    return joined(f"{key}={model.row[key]!r}" for key in sorted(model.row))


def remembered(file):
    told = file.stat()
    return digest_of(file, told.st_mtime_ns, told.st_size)


@lru_cache
def digest_of(file, changed, size):
    """SHA-256 of a file, remembered until it changes."""
    return digest(file)


def joined(lines):
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def installed(library):
    """Major and minor version of a library that touches the numbers; None where it is not installed."""
    try:
        return ".".join(version(library).split(".")[:2])
    except PackageNotFoundError:
        return None
