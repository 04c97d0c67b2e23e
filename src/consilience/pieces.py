"""Finished pieces of long work, kept one by one, so that whoever is interrupted goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path

import numpy as np


class Pieces:
    """A folder of JSON files, one a piece; or nothing but memory, where no folder is named.

    Parameters
    ----------
    folder : str or Path, optional
        Made if it is not there. Several processes may share it: a file appears whole or not at all.
    """

    def __init__(self, folder=None):
        self.folder = None if folder is None else Path(folder)
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)

    def read(self, key):
        """The piece of this key, or None if it was not kept, or its file is not what was written."""
        if self.folder is None:
            return None
        try:
            found = json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))
            whole = found["sha256"] == sha256(found["piece"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found["piece"] if whole else None

    def write(self, key, piece):
        """Keep a piece: numbers, words, lists and dicts of them. Numbers come back to the last bit."""
        if self.folder is None:
            return
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=f".{key}-", suffix=".json")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"sha256": sha256(piece), "piece": piece}, file)
            os.replace(name, self.folder / f"{key}.json")
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def sha256(piece):
    """Of anything that JSON can say, and of arrays by their values, shape and type."""
    return hashlib.sha256(json.dumps(piece, sort_keys=True, default=of_array).encode()).hexdigest()


def of_array(X):
    X = np.ascontiguousarray(X)
    return [str(X.dtype), list(X.shape), hashlib.sha256(X.data).hexdigest()]
