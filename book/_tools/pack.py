"""Pack the built book for reading without a server: python pack.py FOLDER ZIP.

A browser that opens a page from the disk refuses fonts that lie beside it, so the style sheets in the zip carry their
fonts inside. Times and order are fixed: the same book gives the same bytes.
"""

import base64
import re
import sys
import zipfile
from pathlib import Path

NAME = "consilience-book"
README = """Consilience, the book, to be read without a network and without a server.

Unpack the whole folder, then open index.html in a browser.

All pages, formulas, figures and links work that way. The search finds pages but shows no excerpts from them, since
browsers let no page read other files. For that, serve the folder on your own machine:

    python3 -m http.server --bind 127.0.0.1 --directory consilience-book

and open http://127.0.0.1:8000.
"""
FONT = re.compile(r"""url\((["']?)([^"')]+?\.woff2)(?:\?[^"')]*)?\1\)""")

PRELOAD = re.compile(r"""<link rel="preload" as="font"[^>]*>\s*""")


def with_fonts(sheet):
    """The text of a style sheet with its fonts inside."""

    def inside(match):
        font = sheet.parent / match[2]
        if not font.is_file():
            return match[0]
        return f"url(data:font/woff2;base64,{base64.b64encode(font.read_bytes()).decode()})"

    return FONT.sub(inside, sheet.read_text())


def content(path):
    if path.suffix == ".css":
        return with_fonts(path).encode()
    if path.suffix == ".html":
        return PRELOAD.sub("", path.read_text()).encode()
    return path.read_bytes()


def pack(folder, target):
    part = target.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as packed:
        add(packed, "README.txt", README.encode())
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name != ".buildinfo":
                add(packed, path.relative_to(folder).as_posix(), content(path))
    part.replace(target)


def add(packed, name, content):
    entry = zipfile.ZipInfo(f"{NAME}/{name}", date_time=(2026, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    packed.writestr(entry, content)


if __name__ == "__main__":
    book, packed_book = Path(sys.argv[1]), Path(sys.argv[2])
    pack(book, packed_book)
    print(f"{packed_book} ({packed_book.stat().st_size / 1e6:.1f} MB)")
