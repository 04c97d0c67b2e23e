"""What a model made of the stimuli: one array a layer, in order of depth, with where it all came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False, repr=False)
class Features(Mapping):
    """Layers by name, in order of depth; ``features[layer]`` is float32 of shape (n_stimuli, n_units).

    Attributes
    ----------
    model : str
        The row of data/models.yaml, or the folder's name.
    weights : {"trained", "random"}
        Random: the same architecture and preprocessing, nothing learned.
    arrays : dict of str to ndarray
    origin : dict
        SHA-256 of the weights and of the stimuli, preprocessing, pooling rule, seed, versions.
    """

    model: str
    weights: str
    arrays: dict[str, np.ndarray]
    origin: dict

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
