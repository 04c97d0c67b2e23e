"""The Tux Paint stamps: pictures of things with a caption, sorted into folders by what they show.

``animals/birds/duck.png`` is a picture, the first line of ``animals/birds/duck.txt`` its English caption,
``animals`` its label.
"""

from __future__ import annotations

from ..data_files import manifest
from .stimuli import Stimuli


def read(name, row, folder):
    """The stamps that the manifest of `row` lists, in `folder`, in alphabetical order."""
    listed = manifest(row["manifest"])
    ids = sorted(path.removesuffix(".png") for path in listed if path.endswith(".png"))
    return Stimuli(
        name=name,
        ids=tuple(ids),
        images=tuple(folder / f"{id}.png" for id in ids),
        texts={"en": tuple(caption(folder / f"{id}.txt") for id in ids)},
        labels=tuple(id.partition("/")[0] for id in ids),
        licence=row["licence"],
        credit=row["credit"],
    )


def caption(path):
    """The English caption: the first line, as text."""
    return path.read_bytes().partition(b"\n")[0].strip().decode("utf-8")
