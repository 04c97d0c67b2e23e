"""What a model made of the stimuli: one array a layer, in order of depth, with where it all came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..check import InputError
from . import sealed
from .origin import Origin


@dataclass(frozen=True, eq=False, repr=False)
class Features(Mapping):
    """Layers by name, in order of depth; ``features[layer]`` is float32 of shape (n_stimuli, n_units).

    Attributes
    ----------
    model : str
        The row of data/models.yaml, or the folder's name.
    weights : {"trained", "random"}
        Random: the same architecture and preprocessing, nothing learned.
    arrays : mapping of str to ndarray
        From a file larger than 64 MB, memory-mapped and read-only, so they may be larger than memory.
    origin : Origin
        All that the numbers depend on: SHA-256 of the weights and of the stimuli, preprocessing, pooling rule, seed,
        versions. A dict for JSON; ``str(features.origin)`` is a sentence.
    ids : tuple of str, or None
        The names of the stimuli, one a row.
    """

    model: str
    weights: str
    arrays: Mapping[str, np.ndarray]
    origin: Origin
    ids: tuple[str, ...] | None = None

    def __post_init__(self):
        rows = {layer: len(X) for layer, X in self.arrays.items()}
        if self.ids is not None and set(rows.values()) != {len(self.ids)}:
            raise InputError(f"there are {len(self.ids)} ids, one is needed for each row; rows are {rows}.")

    def save(self, path):
        """Write everything to one .safetensors file, whole or not at all; any library can read it.

        Parameters
        ----------
        path : str or Path

        Raises
        ------
        consilience.features.disk.DiskFull
        """
        sealed.write(path, self.arrays, self.origin, self.ids)

    @classmethod
    def load(cls, path):
        """The features that :meth:`save` wrote, after every byte was checked.

        Raises
        ------
        InputError
            If the file is not what was written.
        OSError
            If it is not there, or cannot be read.
        """
        return cls.of(*sealed.read(path))

    @classmethod
    def of(cls, arrays, origin, ids=None):
        """Features whose model and weights are those that their origin names."""
        model, weights = origin.get("model", "unknown"), origin.get("weights", "unknown")
        return cls(model, weights, arrays, Origin(origin), None if ids is None else tuple(map(str, ids)))

    @property
    def layers(self):
        """Names of the layers, shallowest first."""
        return list(self.arrays)

    @property
    def depth(self):
        """Relative depth of each layer, by its place in :attr:`layers`: array of floats from 0 to 1."""
        return np.linspace(0, 1, len(self.arrays)) if len(self.arrays) > 1 else np.ones(1)

    def at(self, depth):
        """The layer nearest to a relative depth from 0 to 1: array of shape (n_stimuli, n_units)."""
        if not 0 <= depth <= 1:
            raise ValueError(f"depth is {depth!r}; it must lie between 0 (the first layer) and 1 (the last).")
        return self.arrays[self.layers[int(np.abs(self.depth - depth).argmin())]]

    def __getitem__(self, layer):
        if layer not in self.arrays:
            raise KeyError(f"{self.model} has no layer {layer!r}; it has {', '.join(self.arrays)}.")
        return self.arrays[layer]

    def __iter__(self):
        return iter(self.arrays)

    def __len__(self):
        return len(self.arrays)

    def __repr__(self):
        n = len(next(iter(self.arrays.values())))
        return f"Features({self.model!r}, {self.weights} weights, {n} stimuli, {len(self)} layers)"
