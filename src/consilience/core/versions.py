"""What computes here, and why: the facts behind `consilience doctor`."""

from __future__ import annotations

import platform
from importlib import metadata

import numpy as np

from consilience.core import roads

try:
    from consilience.core import _build as build
except ImportError:
    build = None


def facts():
    """What is installed and which road is taken, as plain strings by name, in the order to be shown."""
    return {
        "consilience": _version("consilience"),
        "Python": f"{platform.python_version()} on {platform.platform()}",
        "NumPy": np.__version__,
        "SciPy": _version("scipy"),
        "PyTorch": _version("torch"),
        "compiled core": _compiled(),
        "road taken": _road(),
        "roads at hand": ", ".join([*roads.isas(), "twin"]),
        "threads": str(roads.thread_count()),
        "CUDA": _cuda(),
    }


def show_versions():
    """Print which versions and which road to a result are in use, and why."""
    known = facts()
    width = max(map(len, known))
    for name, fact in known.items():
        print(f"{name:<{width}}  {fact}")


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _compiled():
    if roads.compiled:
        return f"yes, by {build.COMPILED}" if build else "yes"
    if build is None:
        return "no: the package runs from its sources and was not built (pip install .)"
    return f"no: {build.WHY_NOT_COMPILED or roads.WHY_NOT_COMPILED}"


def _road():
    if roads.compiled is None:
        return "twin (NumPy)"
    try:
        return roads.road()
    except RuntimeError as error:
        return f"none: {error}"


def _cuda():
    if not hasattr(roads.compiled, "cuda_devices"):
        return f"not compiled: {(build and build.WHY_NO_CUDA) or 'there is no compiled core'}"
    devices = roads.compiled.cuda_devices()
    built = f"compiled by nvcc {build.CUDA}" if build else "compiled"
    return f"{built}; {'devices: ' + ', '.join(devices) if devices else 'no driver or no device found'}"
