"""Verses of the Bible in several languages, from modules of the SWORD project, joined by book, chapter and verse.

A module keeps a testament in three files. ``.bzv`` lists the verses: block, place in the block, length. ``.bzs`` lists
the blocks: place in ``.bzz``, length compressed, length. ``.bzz`` holds the blocks, compressed by zlib. The texts are
OSIS, a markup in which chapters begin with their name, ``<chapter osisID="Gen.1" ...>``; verses follow one by one.
"""

from __future__ import annotations

import re
import zlib
from html import unescape

import numpy as np

from .stimuli import Stimuli

VERSE = np.dtype([("block", "<u4"), ("start", "<u4"), ("length", "<u2")])
BLOCK = np.dtype([("start", "<u4"), ("compressed", "<u4"), ("length", "<u4")])
CHAPTER = re.compile(r'<chapter [^>]*osisID="(\w+\.\d+)"')
NOT_TEXT = re.compile(r"<(note|title)\b[^>]*(?<!/)>.*?</\1>", re.DOTALL)
APPENDIX = re.compile(r'<div [^>]*type="(?:glossary|introduction)".*', re.DOTALL)  # bound in with the last verse
TAG = re.compile(r"<[^>]*>")
SPACE_BEFORE = re.compile(r"\s+(?=[,.;:!?’”)])")


def read(name, row, folder):
    """The verses that all languages have, in the order of the first; the id is "Gen.1.1", the group the book.

    Chapters that the languages divide into verses otherwise are left out, for there a number means two verses.
    """
    books = {language: module(folder / path) for language, path in row["modules"].items()}
    first, *others = books.values()
    shared = (id for id in first if all(id in other for other in others))
    ids = tuple(id for id in shared if id.rpartition(".")[0] not in row["divided_otherwise"])
    return Stimuli(
        name=name,
        ids=ids,
        texts={language: tuple(verses[id] for id in ids) for language, verses in books.items()},
        groups=tuple(id.partition(".")[0] for id in ids),
        licence=row["licence"],
        credit=row["credit"],
    )


def module(folder):
    """{"Gen.1.1": text} of a module, in its order; verses without text are left out."""
    found = {}
    for testament in ("ot", "nt"):
        chapter, verse = None, 0
        for entry in entries(folder, testament):
            heading = CHAPTER.search(entry)
            if heading:
                chapter, verse = heading[1], 0
                continue
            verse += 1
            text = plain(entry)
            if chapter and text:
                found[f"{chapter}.{verse}"] = text
    return found


def entries(folder, testament):
    """The entries of a testament, headings and verses alike, as they are marked up."""
    blocks = np.fromfile(folder / f"{testament}.bzs", BLOCK)
    packed = (folder / f"{testament}.bzz").read_bytes()
    texts = [zlib.decompress(packed[b["start"] : b["start"] + b["compressed"]]) for b in blocks]
    for block, start, length in np.fromfile(folder / f"{testament}.bzv", VERSE).tolist():
        yield texts[block][start : start + length].decode() if length else ""


def plain(entry):
    """The words of a verse, without notes, titles and markup."""
    text = TAG.sub("", NOT_TEXT.sub(" ", APPENDIX.sub("", entry)))  # a note may stand where the space would be
    return SPACE_BEFORE.sub("", " ".join(unescape(text).split()))
