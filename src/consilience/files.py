"""Representations from files: named layers and, where the file has them, the ids of the stimuli."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from consilience.check import InputError, as_numpy
from consilience.features import Features, sealed
from consilience.features.origin import Origin
from consilience.optional import bring

IDS = ("id", "ids", "stimulus", "stimulus_id")


@dataclass(frozen=True)
class Representation:
    """What a file holds.

    Attributes
    ----------
    layers : mapping from name to array of shape (n_stimuli, n_units)
    ids : ndarray of shape (n_stimuli,), or None
    source : str
        The file's name, for messages.
    origin : Origin, or None
        Where features come from, if :func:`consilience.encode` made them.
    """

    layers: Mapping
    ids: np.ndarray | None
    source: str
    origin: Origin | None = None

    def rows(self, order):
        """The same, with these rows."""
        return replace(self, layers={name: X[order] for name, X in self.layers.items()}, ids=self.ids[order])

    def named(self):
        """Layers by name, a lone one by that of the file, with their origin: what :func:`consilience.compare` takes."""
        layers = {name or self.source: X for name, X in self.layers.items()}
        return layers if self.origin is None else Features.of(layers, self.origin)


def read(path):
    """The representation in a file: .npy, .npz, .safetensors, .parquet, .csv or .pt.

    Parameters
    ----------
    path : str or Path
        An array of shape (n_stimuli, n_units), or several under names: the layers. In a table, columns of numbers are
        units. An array or column called "id", "ids", "stimulus" or "stimulus_id" names the stimuli.

    Returns
    -------
    Representation

    Raises
    ------
    InputError
        If the file is not there, cannot be read without running code that it brings, or holds no numbers.
    """
    path = Path(path)
    if path.suffix not in READERS:
        raise InputError(f"{path.name} ends in {path.suffix!r}; {', '.join(READERS)} can be read.")
    if not path.is_file():
        raise InputError(f"{path} is not there, or is no file.")
    try:
        found = READERS[path.suffix](path)
    except ImportError as error:
        raise InputError(f"{path.name} cannot be read: {error}") from error
    except Exception as error:  # whatever a broken file makes its reader throw
        raise InputError(f"{path.name} cannot be read as {path.suffix}: {error}") from error
    if isinstance(found, Features):
        ids = None if found.ids is None else np.array(found.ids)
        return Representation(found.arrays, ids, path.name, found.origin)
    ids = next((np.asarray(found.pop(name)).ravel() for name in IDS if name in found), None)
    layers = {name: as_numpy(X, f"{path.name}, {name}" if name else path.name) for name, X in found.items()}
    if not layers:
        raise InputError(f"{path.name} holds no numbers.")
    for name, X in layers.items():
        if ids is not None and len(X) != len(ids):
            raise InputError(f"{path.name} names {len(ids)} stimuli, but {name!r} has {len(X)} rows.")
    return Representation(layers, ids, path.name)


def origin_in(path):
    """Where the features in a file come from, by its header alone; None if the file does not say."""
    if Path(path).suffix != ".safetensors" or not sealed.is_sealed(path):
        return None
    with open(path, "rb") as file:
        try:
            return Origin(sealed.told(file)[0])
        except sealed.BrokenFile as error:
            raise InputError(f"{path} cannot be used: {error}.") from None


def matched(a, b):
    """Two representations with the same stimuli in the same order: that of `a`.

    Raises
    ------
    InputError
        If both name their stimuli and the names differ, or repeat; if they have different numbers of rows.
    """
    if a.ids is None or b.ids is None:
        return a, b
    for one in (a, b):
        names, counts = np.unique(one.ids, return_counts=True)
        if (counts > 1).any():
            raise InputError(f"{one.source} names the stimulus {names[counts > 1][0]!s} more than once.")
    if a.ids.tolist() == b.ids.tolist():
        return a, b
    place = {name: i for i, name in enumerate(b.ids.tolist())}
    missing = [name for name in a.ids.tolist() if name not in place]
    if missing or len(a.ids) != len(b.ids):
        example = missing[0] if missing else next(iter(set(b.ids.tolist()) - set(a.ids.tolist())))
        raise InputError(
            f"{a.source} and {b.source} do not name the same stimuli: {example!s} is in one alone. Keep those that "
            "both have."
        )
    return a, b.rows([place[name] for name in a.ids.tolist()])


def from_npy(path):
    return {"": np.load(path, allow_pickle=False)}


def from_npz(path):
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def from_safetensors(path):
    if sealed.is_sealed(path):
        return Features.load(path)
    return bring("safetensors.torch").load_file(path)  # by PyTorch, since NumPy has no bfloat16


def from_pt(path):
    found = bring("torch").load(path, map_location="cpu", weights_only=True)
    return dict(found) if isinstance(found, dict) else {"": found}


def from_table(table):
    ids = {name: table.pop(name) for name in IDS if name in table.columns}
    words = [str(name) for name in table.columns if table[name].dtype.kind not in "biuf"]
    if words:
        raise InputError(f"column {words[0]!r} holds no numbers; name it 'id' if it names the stimuli")
    return {**ids, "": table.to_numpy()} if table.shape[1] else ids


def from_csv(path):
    import pandas as pd

    return from_table(pd.read_csv(path))


def from_parquet(path):
    import pandas as pd

    bring("pyarrow")
    return from_table(pd.read_parquet(path))


READERS = {
    ".npy": from_npy,
    ".npz": from_npz,
    ".safetensors": from_safetensors,
    ".parquet": from_parquet,
    ".csv": from_csv,
    ".pt": from_pt,
}
