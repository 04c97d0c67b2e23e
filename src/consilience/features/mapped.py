"""Layers that stay in their file: each is memory-mapped when it is asked for, and let go with its last use."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping

import numpy as np


class Mapped(Mapping):
    """Layers of an open file, by name: read-only float32 memmaps of shape (n_stimuli, n_units).

    So there may be more of them than fits into memory, or into what a process may map.

    Parameters
    ----------
    file : binary file
        It is kept open, so the layers outlive its name.
    blocks : dict of str to consilience.features.sealed.Block
    """

    def __init__(self, file, blocks):
        self.blocks, self.number = blocks, os.dup(file.fileno())
        weakref.finalize(self, os.close, self.number)

    def __getitem__(self, layer):
        block = self.blocks[layer]
        with open(self.number, "rb", closefd=False) as file:
            return np.memmap(file, "<f4", "r", block.start, block.shape)

    def __iter__(self):
        return iter(self.blocks)

    def __len__(self):
        return len(self.blocks)

    def __reduce__(self):
        return dict, (dict(self),)  # another process has not this file open
