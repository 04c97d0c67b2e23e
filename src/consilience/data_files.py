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
    """What a manifest of data/ promises: {path: SHA-256}.

    A .sha256 file has a line for each file; a .tsv file one for each stem, with a column for each ending and the first
    digits of the SHA-256 as cells. Lines that start with # are remarks. Of several editions of a file all are given.
    """
    if name.endswith(".tsv"):
        endings, rows = pinned(name)
        cells = ((stem + ending, cell) for stem, row in rows.items() for ending, cell in zip(endings, row, strict=True))
        return {path: cell for path, cell in cells if cell}
    promised = {}
    for digest, path in (line.split("  ", 1) for line in lines(name)):
        promised[path] = f"{promised[path]} {digest}" if path in promised else digest
    return promised


def pinned(name):
    """A table of data/ with the first digits of SHA-256 as cells: (names of the columns, {name of the row: cells})."""
    (_, *columns), *rows = (line.split("\t") for line in lines(name))
    return columns, {row: cells for row, *cells in rows}


def lines(name):
    """The lines of a file of data/ that are no remarks."""
    found = data_path(name).read_text(encoding="utf-8").splitlines()
    return [line for line in found if line and not line.startswith("#")]


@cache
def _read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))
