"""Where the files of data/ are: inside the installed package, or in the repository it runs from."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
PLACES = (HERE / "data", HERE.parents[1] / "data")


def data_path(name):
    """The file `name` of data/, as a Path; FileNotFoundError if this installation lacks it."""
    for place in PLACES:
        if (place / name).exists():
            return place / name
    raise FileNotFoundError(f"data/{name} is missing from this installation of consilience; install it again.")


def table(name):
    """The rows of data/`name`.yaml, as {row name: row}."""
    return _read(data_path(f"{name}.yaml"))


def manifest(name):
    """The lines of a .sha256 file of data/, as {path: SHA-256}; lines that start with # are remarks."""
    lines = data_path(name).read_text(encoding="utf-8").splitlines()
    pairs = (line.split("  ", 1) for line in lines if line and not line.startswith("#"))
    return {path: digest for digest, path in pairs}


@cache
def _read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))
