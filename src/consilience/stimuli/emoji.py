"""Emoji: pictures drawn from a colour font, and their names in many languages from Unicode's CLDR."""

from __future__ import annotations

from functools import cache, partial
from xml.etree import ElementTree

from ..data_files import data_path, manifest
from ..optional import bring
from .stimuli import Stimuli

SIZE = 109  # pixels an em: the only size at which the font holds pictures
CANVAS = (136, 128)


def read(name, row, folder):
    """The emoji of data/emoji.txt in their order there, each one code point with a name in every language."""
    emoji = data_path(row["emoji"]).read_text(encoding="utf-8").split()
    (font,) = (path for path in manifest(row["manifest"]) if path.endswith(".ttf"))
    names = {path: folder / path for path in manifest(row["manifest"]) if path.endswith(".xml")}
    texts = {file.stem: spoken(file) for file in sorted(names.values())}
    return Stimuli(
        name=name,
        ids=tuple(f"U+{ord(one):X}" for one in emoji),
        images=tuple(partial(drawn, one, folder / font) for one in emoji),
        texts={language: tuple(called[one] for one in emoji) for language, called in texts.items()},
        licence=row["licence"],
        credit=row["credit"],
    )


def drawn(emoji, font):
    """The emoji as the font has it, on white: a PIL image of 136 x 128 pixels."""
    image = bring("PIL.Image").new("RGB", CANVAS, "white")
    bring("PIL.ImageDraw").Draw(image).text((0, 0), emoji, font=opened(font), embedded_color=True)
    return image


@cache
def opened(font):
    return bring("PIL.ImageFont").truetype(font, SIZE)


def spoken(file):
    """{emoji: name}: the names that a screen reader says, in the language of the file."""
    notes = ElementTree.parse(file).iter("annotation")
    return {note.get("cp"): note.text for note in notes if note.get("type") == "tts"}
