"""The stimuli of a data set: what each is, what it is called, and the picture itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..optional import bring

ONE_EACH = ("ids", "categories", "captions", "paths", "digests")


@dataclass(frozen=True)
class Stimuli:
    """Pictures with a caption and a category each, in a fixed order: row i of an array answers stimulus i.

    Attributes
    ----------
    name : str
    ids, categories, captions : tuple of str, one per stimulus
    paths : tuple of Path, one per stimulus
    digests : tuple of str, one per stimulus
        SHA-256 of the picture's pixels.
    licence, credit : str
        To be printed wherever a picture is shown.

    ``len(stimuli)`` counts them, ``stimuli[index]`` with a slice, an array of indices or a mask selects some
    of them, and iterating gives the pictures.
    """

    name: str
    ids: tuple[str, ...]
    categories: tuple[str, ...]
    captions: tuple[str, ...]
    paths: tuple[Path, ...]
    digests: tuple[str, ...]
    licence: str
    credit: str

    def __post_init__(self):
        lengths = {field: len(getattr(self, field)) for field in ONE_EACH}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"Stimuli need one of each per stimulus; got {lengths}.")

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, index):
        chosen = np.arange(len(self))[index]
        if chosen.ndim != 1:
            raise IndexError("Select stimuli with a slice, an array of indices or a mask; image(i) gives one picture.")
        return replace(self, **{field: tuple(getattr(self, field)[i] for i in chosen) for field in ONE_EACH})

    def __iter__(self):
        return (self.image(i) for i in range(len(self)))

    def __repr__(self):
        return f"Stimuli({self.name!r}, {len(self)} stimuli, {len(set(self.categories))} categories)"

    def image(self, i):
        """Picture i as a PIL image in RGB, on white where it is transparent."""
        Image = bring("PIL.Image")
        with Image.open(self.paths[i]) as image:
            image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")

    @property
    def sha256(self):
        """SHA-256 of all stimuli: ids, categories, captions and pixels, in their order."""
        lines = zip(self.ids, self.categories, self.captions, self.digests, strict=True)
        return hashlib.sha256(repr(list(lines)).encode()).hexdigest()
