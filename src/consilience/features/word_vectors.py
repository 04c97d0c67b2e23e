"""Static word vectors as spaCy keeps them: what a word means with no regard to the words around it.

``vectors`` is a NumPy file of one row a vector; ``key2row`` is a MessagePack map from the hash of a word, as it is
written, to its row. Many words may share a row.
"""

from __future__ import annotations

import re

import numpy as np

from .encoder import Encoder
from .tokens import Tokens

SEED = 1  # of spaCy's hash


def load(row, folder, weights, seed) -> Encoder:
    """An encoder with one layer, ``vectors``, of a token a word; words without a vector are not kept."""
    vectors, keys = (folder / file for file in row["files"])
    vectors, row_of = np.load(vectors, allow_pickle=False), unpacked(keys.read_bytes())
    if weights == "random":
        vectors = np.random.default_rng(seed).standard_normal(vectors.shape, np.float32)

    def rows(text):
        return [row_of.get(hashed(word.encode()), -1) for word in re.findall(r"\w+", text)]

    def encode(texts):
        found = [rows(text) for text in texts]
        places = np.full((len(texts), max(map(len, found))), -1)
        for line, some in zip(places, found, strict=True):
            line[: len(some)] = some
        kept = places >= 0
        return [Tokens(np.where(kept[..., None], vectors[places], 0), kept)]

    def refuses(text):
        return None if max(rows(text), default=-1) >= 0 else "none of its words has a vector"

    return Encoder("text", ["vectors"], encode, refuses)


def hashed(data):
    """MurmurHash64A of bytes (Appleby 2008), by which spaCy knows a word."""
    factor, everything = 0xC6A4A7935BD1E995, 2**64 - 1
    whole = len(data) // 8 * 8
    value = SEED ^ (len(data) * factor & everything)
    for start in range(0, whole, 8):
        word = int.from_bytes(data[start : start + 8], "little") * factor & everything
        value = (value ^ ((word ^ word >> 47) * factor & everything)) * factor & everything
    if data[whole:]:
        value = (value ^ int.from_bytes(data[whole:], "little")) * factor & everything
    value = (value ^ value >> 47) * factor & everything
    return value ^ value >> 47


def unpacked(data):
    """A MessagePack map of whole numbers to whole numbers, as a dict; ValueError if it is anything else."""
    sizes = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xDE: 2, 0xDF: 4}  # bytes after the mark
    place = 0

    def number():
        nonlocal place
        mark = data[place] if place < len(data) else None
        size = sizes.get(mark, 0)
        place += 1 + size
        if place > len(data) or (mark > 0x7F and not size):
            raise ValueError(f"The map of words ends early, or holds more than numbers, before byte {place}.")
        return int.from_bytes(data[place - size : place]) if size else mark

    if not data or data[0] not in (0xDE, 0xDF):
        raise ValueError("The map of words is no map of MessagePack.")
    return {number(): number() for _ in range(number())}
