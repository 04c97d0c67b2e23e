"""The Tux Paint stamps with their captions as volunteers spoke them, and the sounds that some of the things make.

``animals/birds/duck_desc_fr.ogg`` is the caption of the duck in French, ``duck_desc.ogg`` in English, ``duck.ogg`` what
a duck says: its language is "zxx", which stands for no language in ISO 639.
"""

from __future__ import annotations

from dataclasses import replace

from .. import kit
from ..data_files import pinned
from . import tuxpaint_stamps

NO_LANGUAGE = "zxx"


def read(name, row, folder):
    """All stamps, in their order; a recording that does not exist is None."""
    stamps = kit.row(row["pictures"])
    stimuli = tuxpaint_stamps.read(name, stamps, kit.get(row["pictures"]))
    endings, promised = pinned(row["manifest"])
    there = {id: [bool(digits) for digits in row] for id, row in promised.items()}
    none = [False] * len(endings)
    sounds = {
        language(ending): tuple(folder / f"{id}{ending}" if there.get(id, none)[i] else None for id in stimuli.ids)
        for i, ending in enumerate(endings)
    }
    return replace(stimuli, sounds=sounds, credit=row["credit"])


def language(ending):
    """The language of the recordings with this ending."""
    name = ending.removesuffix(".ogg").removeprefix("_desc").removeprefix("_")
    return name or ("en" if ending.startswith("_desc") else NO_LANGUAGE)
