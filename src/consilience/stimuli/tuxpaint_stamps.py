"""The Tux Paint stamps: pictures of things, sorted into folders by what they show, named in many languages.

``animals/birds/duck.png`` is a picture, the first line of ``animals/birds/duck.txt`` its English caption, a line
``fr.utf8=Un canard.`` its French one, ``animals`` its label.
"""

from __future__ import annotations

import hashlib
import re

from ..data_files import manifest, pinned
from .stimuli import Stimuli

CAPTION = re.compile(r"\s*([\w@]+)\.utf8\s*=(.*)")


def read(name, row, folder):
    """The stamps that the manifest of `row` lists, in `folder`, in alphabetical order.

    Captions in other languages than English are those that are the same in every release; translators mend the rest.
    """
    ids = sorted(path.removesuffix(".png") for path in manifest(row["manifest"]) if path.endswith(".png"))
    found = [captions((folder / f"{id}.txt").read_text(encoding="utf-8", errors="replace")) for id in ids]
    languages, promised = pinned(row["captions"])
    texts = {"en": tuple(caption["en"] for caption in found)}
    for language, column in zip(languages, zip(*(promised[id] for id in ids), strict=True), strict=True):
        texts[language] = tuple(kept(c.get(language), digits) for c, digits in zip(found, column, strict=True))
    return Stimuli(
        name=name,
        ids=tuple(ids),
        images=tuple(folder / f"{id}.png" for id in ids),
        texts=texts,
        labels=tuple(id.partition("/")[0] for id in ids),
        licence=row["licence"],
        credit=row["credit"],
    )


def captions(text):
    """{language: caption} of a stamp: English in the first line, others after the name of their language."""
    first, *others = text.split("\n")
    translated = (found.groups() for found in map(CAPTION.match, others) if found)
    return {"en": first.strip(), **{language: caption.strip() for language, caption in translated}}


def kept(caption, digits):
    """The caption, if its SHA-256 begins as promised."""
    if caption and digits and hashlib.sha256(caption.encode()).hexdigest().startswith(digits):
        return caption
    return None
