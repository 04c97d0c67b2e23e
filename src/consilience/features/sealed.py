"""The file that features live in: safetensors, with their origin inside and a seal over every byte.

A safetensors file is eight bytes for the length of a header, the header in JSON, and the arrays one after the other,
so any library reads it, and rows can be written in place. The seal is the first thing in the header's metadata: the
SHA-256 of the whole file, taken with zeros where the seal stands.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..check import InputError
from .disk import put, settle, temporary, words_for_a_full_disk
from .mapped import Mapped

FORMAT = "consilience features 1"
LONGEST_HEADER = 100_000_000  # bytes; the limit of the safetensors library
BEFORE_SEAL = 8 + len('{"__metadata__":{"sha256":"')
SEAL = slice(BEFORE_SEAL, BEFORE_SEAL + 64)
FLOAT = np.dtype("<f4")
MAPPED_FROM = 64_000_000  # bytes; a smaller file is read into memory, where nothing that befalls it can follow


class BrokenFile(InputError):
    """A file that is not what was written; the message says what is wrong with it."""


@dataclass(frozen=True)
class Block:
    """Where in the file a layer lies: its first byte, and its shape (n_stimuli, n_units)."""

    start: int
    shape: tuple[int, int]

    def row(self, i):
        """The first byte of row i; for i = n_stimuli, of what follows the layer."""
        return self.start + i * self.shape[1] * FLOAT.itemsize


def head(shapes, origin, ids=None):
    """All bytes before the arrays, with zeros for the seal.

    Parameters
    ----------
    shapes : dict of str to (n_stimuli, n_units)
        In the order in which the layers lie.
    origin : dict of JSON values
    ids : sequence of str, optional

    Raises
    ------
    InputError
        If a layer has no rows or no units, or the ids are too long for a header.
    """
    for layer, shape in shapes.items():
        if len(shape) != 2 or not all(shape):
            raise InputError(f"layer {layer!r} has shape {tuple(shape)}; it must be (n_stimuli, n_units), not empty.")
    about = {"sha256": "0" * 64, "format": FORMAT, "origin": json.dumps(origin), "ids": json.dumps(ids)}
    layers = {
        layer: {"dtype": "F32", "shape": list(block.shape), "data_offsets": [block.start, block.row(block.shape[0])]}
        for layer, block in placed(shapes).items()
    }
    text = json.dumps({"__metadata__": about, **layers}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > LONGEST_HEADER:
        raise InputError(f"ids take {len(text) / 1e6:.0f} MB, and a file has room for 100 MB; shorten them.")
    return len(text).to_bytes(8, "little") + text


def placed(shapes, start=0):
    """{layer: :class:`Block`} of layers that lie one after the other from byte `start`."""
    blocks = {}
    for layer, shape in shapes.items():
        blocks[layer] = Block(start, tuple(shape))
        start = blocks[layer].row(shape[0])
    return blocks


def end(blocks):
    """The first byte after all layers: the length of the file."""
    return max(block.row(block.shape[0]) for block in blocks.values())


def told(file):
    """What an open file says of itself, if its header and its length agree: (origin, ids, {layer: Block}).

    Raises
    ------
    BrokenFile
        If the file is cut short, or another program or version wrote it.
    """
    size = os.fstat(file.fileno()).st_size
    first = file.read(8)
    length = int.from_bytes(first, "little")
    if not 0 < length <= min(size - 8, LONGEST_HEADER):
        raise BrokenFile("it is cut short, or no safetensors file")
    first += file.read(length)
    try:
        layers = json.loads(first[8:])
        about = layers.pop("__metadata__", {})
        if about.get("format") != FORMAT:
            ours = str(about.get("format")).startswith(FORMAT[:-1])
            raise BrokenFile("another version of consilience wrote it" if ours else "consilience did not write it")
        origin, ids = json.loads(about["origin"]), json.loads(about["ids"])
        shapes = {layer: value["shape"] for layer, value in layers.items()}
        sound = unsealed(first) == head(shapes, origin, ids)
    except BrokenFile:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenFile("its header cannot be read") from error
    blocks = placed(shapes, len(first))
    if not sound or not blocks:
        raise BrokenFile("its header is damaged")
    if size != end(blocks):
        raise BrokenFile(f"it has {size:,} bytes, and should have {end(blocks):,}")
    return origin, ids, blocks


def is_sealed(path):
    """Whether the file is, or was before it broke, one of these and not any other safetensors file."""
    with open(path, "rb") as file:
        return FORMAT[:-1].encode() in file.read(SEAL.stop + 40)


def unsealed(first):
    """The bytes of a head, with zeros where its seal stands."""
    return first[: SEAL.start] + b"0" * 64 + first[SEAL.stop :]


def digest(file):
    """The seal that an open file should have."""
    file.seek(0)
    sha256 = hashlib.sha256(unsealed(file.read(SEAL.stop)))
    return hashlib.file_digest(file, lambda: sha256).hexdigest().encode()


def seal(file):
    """Write the seal of a file that is open for reading and writing, and make the disk keep all of it."""
    value = digest(file)
    file.seek(SEAL.start)
    put(file, value)
    file.flush()
    os.fsync(file.fileno())


def read(path):
    """The layers of a sealed file, after every byte of it was checked.

    Returns
    -------
    arrays : mapping of str to float32 array of shape (n_stimuli, n_units)
        Of a file larger than 64 MB, :class:`.mapped.Mapped`.
    origin : dict
    ids : list of str, or None

    Raises
    ------
    BrokenFile
        If the file is not what was written.
    OSError
        If it is not there, or cannot be read.

    Notes
    -----
    O(bytes) time, since the whole file is read once; O(1) memory.
    """
    with open(path, "rb") as file:  # once, so that what is shown is what was checked
        try:
            origin, ids, blocks = checked(file)
        except BrokenFile as error:
            raise BrokenFile(f"{path} cannot be used: {error}.") from None
        if os.fstat(file.fileno()).st_size >= MAPPED_FROM:
            return Mapped(file, blocks), origin, ids
        return {layer: in_memory(file, block) for layer, block in blocks.items()}, origin, ids


def checked(file):
    """As :func:`told`, after every byte was read; :class:`BrokenFile` if one is not what was written."""
    found = told(file)
    file.seek(SEAL.start)
    if file.read(SEAL.stop - SEAL.start) != digest(file):
        raise BrokenFile("its bytes are not those that were written")
    return found


def in_memory(file, block):
    file.seek(block.start)
    return np.fromfile(file, FLOAT, math.prod(block.shape)).reshape(block.shape)


def write(path, arrays, origin, ids=None):
    """Write layers to a sealed file: a temporary one in the same folder, which then takes the name.

    Parameters
    ----------
    path : str or Path
    arrays : mapping of str to array of shape (n_stimuli, n_units)
        Written as float32.
    origin : dict of JSON values
    ids : sequence of str, optional

    Raises
    ------
    DiskFull
        Nothing is left of the file then, and what was at `path` before is untouched.
    """
    path = Path(path)
    first = head({layer: X.shape for layer, X in arrays.items()}, origin, ids)
    with words_for_a_full_disk(path.parent), temporary(path) as fresh, open(fresh, "w+b") as file:
        put(file, first)
        for X in arrays.values():
            put(file, np.ascontiguousarray(X, FLOAT))
        seal(file)
        settle(fresh, path)
