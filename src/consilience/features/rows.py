"""Rows on their way to disk: written in place, batch by batch, and found again by the next run.

A folder holds the file as it will be and a journal: the width of each layer, then one line a batch, with the number of
its rows and the SHA-256 of their bytes. A run that is killed leaves both. The next one believes only rows whose bytes
are what the journal says.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np

from ..check import InputError
from .disk import put, reserve, settle, words_for_a_full_disk
from .sealed import FLOAT, end, head, placed, seal, unsealed


class Rows:
    """Features of `n_stimuli`, of which the first `done` are on disk, perhaps from an interrupted run.

    One process at a time may hold a folder: see :meth:`consilience.features.store.Entry.writing`. Memory: one batch.
    """

    def __init__(self, folder, n_stimuli, origin, ids=None):
        self.folder, self.n_stimuli, self.origin, self.ids = folder, n_stimuli, origin, ids
        self.done, self.blocks, self.file, self.journal = 0, {}, None, None
        if (folder / "rows").is_file() and (folder / "journal").is_file():
            self.resume()

    def append(self, arrays):
        """Write the rows that follow those that are done.

        Parameters
        ----------
        arrays : dict of str to array of shape (n_batch, n_units)
            Every layer, shallowest first; the same layers and units in every batch.

        Raises
        ------
        InputError
            If layers or units are not those of the rows before, or there are more rows than stimuli.
        DiskFull
            The rows that are done stay for the next run.
        """
        arrays = {layer: np.ascontiguousarray(X, FLOAT) for layer, X in arrays.items()}
        n_batch = len(next(iter(arrays.values())))
        shapes = {layer: (self.n_stimuli, *X.shape[1:]) for layer, X in arrays.items()}
        if not self.blocks:
            self.begin(shapes)
        if shapes != {layer: block.shape for layer, block in self.blocks.items()}:
            raise InputError(f"row {self.done} has other layers or units than the rows before it: {shapes}.")
        if {len(X) for X in arrays.values()} != {n_batch} or not 0 < n_batch <= self.n_stimuli - self.done:
            raise InputError(f"{n_batch} rows after {self.done} do not fit {self.n_stimuli} stimuli in every layer.")
        with words_for_a_full_disk(self.folder):
            sha256 = hashlib.sha256()
            for layer, X in arrays.items():
                self.file.seek(self.blocks[layer].row(self.done))
                put(self.file, X)
                sha256.update(X)
            self.note({"rows": n_batch, "sha256": sha256.hexdigest()})
        self.done += n_batch

    def begin(self, shapes):
        """A new file and a new journal, with room for all rows."""
        first = head(shapes, self.origin, self.ids)
        blocks = placed(shapes, len(first))
        with words_for_a_full_disk(self.folder, end(blocks) / 1e6):
            self.open("w+b")
            reserve(self.file, end(blocks))
            put(self.file, first)
            self.note({layer: d for layer, (_, d) in shapes.items()})
        self.blocks = blocks

    def resume(self):
        """Take up the rows of an earlier run, as far as they are what its journal says."""
        self.open("r+b")
        kept = 0
        try:
            for line in (self.folder / "journal").read_bytes().splitlines(keepends=True):
                said = json.loads(line[:-1])  # a line without its end is none
                if not kept:
                    shapes = {layer: (self.n_stimuli, d) for layer, d in said.items()}
                    first = head(shapes, self.origin, self.ids)
                    if unsealed(self.file.read(len(first))) != first:
                        return
                    self.blocks = placed(shapes, len(first))
                elif said["sha256"] == self.digest(said["rows"]):
                    self.done += said["rows"]
                else:
                    break
                kept += len(line)
        except (ValueError, TypeError, AttributeError, KeyError):
            pass  # the line that was being written when the run ended, or a damaged one
        if self.blocks:
            self.journal.truncate(kept)
            self.journal.seek(kept)

    def digest(self, n_batch):
        """SHA-256 of the next `n_batch` rows as they lie on disk, layer by layer."""
        sha256 = hashlib.sha256()
        for block in self.blocks.values():
            start, stop = block.row(self.done), block.row(min(self.done + n_batch, self.n_stimuli))
            self.file.seek(start)
            sha256.update(self.file.read(stop - start))
        return sha256.hexdigest()

    def note(self, line):
        put(self.journal, json.dumps(line).encode() + b"\n")

    def finish(self, path):
        """Seal the file and give it its name."""
        if self.done < self.n_stimuli:
            raise InputError(f"{self.done} rows were written, but there are {self.n_stimuli} stimuli.")
        with words_for_a_full_disk(self.folder):  # some disks say so only now
            seal(self.file)
            settle(self.folder / "rows", path)

    def open(self, mode):
        self.close()
        self.file = (self.folder / "rows").open(mode, buffering=0)
        self.journal = (self.folder / "journal").open(mode, buffering=0)

    def close(self):
        for file in filter(None, (self.file, self.journal)):
            file.close()
