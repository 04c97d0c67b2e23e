"""What lies in the cache of features: listed, verified, and pruned to a size, the least recently used first."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from . import sealed
from .origin import Origin
from .store import PARTIAL, SUFFIX, folder, held

OLDER = ".npz"  # what earlier versions wrote, and nothing reads any more
WHOLE, WRITING, OLDER_FORMAT = "whole", "being written", "of an older version"


@dataclass(frozen=True)
class Kept:
    """One file of the cache, or the rows of one that an interrupted run left.

    Attributes
    ----------
    model, stimuli : str
    layers, rows : int
    megabytes : float
    used : datetime
        When it was written or last read.
    state : str
        "whole", "being written", "interrupted ...", "of an older version", or "broken: " and what is wrong with it.
    """

    path: Path
    model: str
    stimuli: str
    layers: int
    rows: int
    megabytes: float
    used: datetime
    state: str

    @property
    def broken(self):
        return self.state.startswith("broken")

    @property
    def useless(self):
        """Whether no run will ever read it."""
        return self.broken or self.state == OLDER_FORMAT


def listed():
    """Everything in the cache, the least recently used first: list of :class:`Kept`.

    Headers and lengths are read, not the arrays; :func:`verified` reads those.
    """
    found = [kept(path) for path in folder().glob("[!.]*") if path.suffix in (SUFFIX, PARTIAL, OLDER)]
    there = [one for one in found if one.path.exists()]  # another process may have finished or removed it meanwhile
    return sorted(there, key=lambda one: (one.used, one.path))


def kept(path):
    """One line of the list."""
    parts = [path / "rows", path / "journal"] if path.suffix == PARTIAL else [path]
    stats = []
    for part in parts:
        with suppress(FileNotFoundError):
            stats.append(part.stat())
    megabytes = sum(stat.st_size for stat in stats) / 1e6
    used = datetime.fromtimestamp(max((stat.st_mtime for stat in stats), default=0))
    origin, blocks, rows, state = Origin(), {}, 0, WHOLE
    try:
        with parts[0].open("rb") as file:
            origin, _, blocks = sealed.told(file)
        origin = Origin(origin)
        rows = next(iter(blocks.values())).shape[0]
        if path.suffix == PARTIAL:
            done = sum(json.loads(line)["rows"] for line in parts[1].read_text().splitlines()[1:])
            state = f"interrupted after {done} of {rows} rows"
    except (sealed.BrokenFile, OSError, ValueError, KeyError) as error:
        state = OLDER_FORMAT if path.suffix == OLDER else f"broken: {error}"
    if path.suffix == PARTIAL and is_held(path):
        state = WRITING
    return Kept(path, origin.get("model", path.stem), origin.stimuli, len(blocks), rows, megabytes, used, state)


def verified(one):
    """The same line, after every byte of a whole file was checked."""
    if one.state != WHOLE:
        return one
    try:
        with one.path.open("rb") as file:
            sealed.checked(file)
    except (sealed.BrokenFile, OSError) as error:
        return replace(one, state=f"broken: {error}")
    return one


def surplus(items, megabytes):
    """What must go for the rest to fit into `megabytes`: what no run will read, then the least recently used.

    Parameters
    ----------
    items : list of Kept
        As :func:`listed` or :func:`verified` gives them. What is being written stays, whatever its size.
    megabytes : float
    """
    going, left = [], sum(one.megabytes for one in items)
    for one in sorted(items, key=lambda one: (not one.useless, one.used)):
        if one.state != WRITING and (one.useless or left > megabytes):
            going.append(one)
            left -= one.megabytes
    return going


def remove(items):
    """Delete files of the cache, but none that another process has begun to write; those that went are returned."""
    gone = []
    for one in items:
        try:
            with held(one.path.with_suffix(SUFFIX), wait=False):
                shutil.rmtree(one.path) if one.path.is_dir() else one.path.unlink(missing_ok=True)
        except TimeoutError:
            continue
        gone.append(one)
    return gone


def show(items, title):
    """Print a table of what is in the cache, or of what would go."""
    table = Table(title=title)
    for column in ("model", "stimuli", "layers", "rows", "MB", "used", "state"):
        number = column in ("layers", "rows", "MB")
        table.add_column(column, justify="right" if number else "left", no_wrap=number or column == "used")
    for one in items:
        size, used = f"{one.megabytes:,.1f}", f"{one.used:%Y-%m-%d %H:%M}"
        table.add_row(one.model, one.stimuli, str(one.layers), str(one.rows), size, used, one.state)
    Console().print(table)
    total = f"{len(items)} of {len(listed())} in {folder()}, {sum(one.megabytes for one in items):,.1f} MB"
    Console().print(total, soft_wrap=True, markup=False, highlight=False)


def is_held(path):
    """Whether a process is writing the file or folder at `path`."""
    try:
        with held(path.with_suffix(SUFFIX), wait=False):
            return False
    except TimeoutError:
        return True
