"""From a chapter (MyST text notebook) to its Colab twin, the .ipynb beside it.

    python -m consilience.book.colab            writes the twin of each chapter in notebooks/
    python -m consilience.book.colab --check    says which are out of date, and fails if any is

A twin holds the same code cells, no outputs, and no MyST, which Colab would show raw: roles become links into the
published book, citations become names and years, directives become plain Markdown (`consilience.book.plain`). Its
bytes depend on the chapter, the bibliography, the labels of the book and the addresses in pyproject.toml, on nothing
else.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
from pathlib import Path

from consilience.book.plain import Book, plain

BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
OPEN = "https://colab.research.google.com/github"

FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}  # the tags of cells whose code the book folds

INSTALL = """\
# Installs Consilience where it is missing (in Colab: about two minutes); does nothing where it is there.
import importlib.metadata
import os
import subprocess
import sys


def installed():
    try:
        return importlib.metadata.version("consilience") == "{version}"
    except importlib.metadata.PackageNotFoundError:
        return False


if not installed():
    source = os.environ.get("CONSILIENCE_SOURCE", "git+{repository}")
    tested = os.path.join(source, "constraints.txt")  # a folder brings the versions that it was tested with
    pins = ["-c", tested] if os.path.isfile(tested) else []
    if os.path.exists(source):  # a folder or a wheel on this machine
        source = f"{{source}}[chapters]"
    elif "://" in source:
        source = f"consilience[chapters] @ {{source}}"
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", *pins, source])"""


def addresses(root):
    """The addresses of the project, {"Repository": ..., "Book": ...}, out of pyproject.toml."""
    return project(root)["urls"]


def project(root):
    return tomllib.loads((Path(root) / "pyproject.toml").read_text())["project"]


def twin(chapter, book):
    """The bytes of the Colab notebook of one chapter.

    Parameters
    ----------
    chapter : Path
        A MyST text notebook inside the repository.
    book : Book
        Labels, citations and addresses, from `consilience.book.plain.Book.read`.
    """
    import jupytext

    notebook = jupytext.read(chapter)
    page = chapter.relative_to(book.root).with_suffix("").as_posix()
    cells = [markdown(heading(page, book)), code(install(book.root), hidden=True)]
    solutions = 0  # that are open: their code starts folded
    for number, cell in enumerate(notebook.cells, 1):
        where = f"{chapter.name}, cell {number}"
        if cell.cell_type == "code":
            cells += code_cells(cell, book, where, folded=solutions > 0)
            continue
        solutions += cell.source.count("{solution-start}") - cell.source.count("{solution-end}")
        if text := plain(cell.source, book, where):
            cells.append(markdown(text))
    for number, cell in enumerate(cells):
        cell["id"] = hashlib.sha1(f"{number}:{cell['source']}".encode()).hexdigest()[:8]
        cell["source"] = cell["source"].splitlines(keepends=True)
    metadata = {
        "colab": {"provenance": [], "toc_visible": True},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def heading(page, book):
    repository = book.addresses["Repository"].removeprefix("https://github.com/")
    return (
        f"[![Open in Colab]({BADGE})]({OPEN}/{repository}/blob/main/{page}.ipynb) "
        f"[Read this chapter as a page of the book]({book.page(page)})\n\n"
        "Numbers that the text names in `code style` are printed, under the same name, by the cell that computes them."
    )


def install(root):
    return INSTALL.format(version=project(root)["version"], repository=addresses(root)["Repository"])


def code_cells(cell, book, where, folded):
    """A code cell as it is, and what is said about its figure below it."""
    yield code(cell.source, hidden=folded or bool(FOLDED & set(cell.metadata.get("tags", []))))
    shown = cell.metadata.get("mystnb", {})
    caption = plain(shown.get("figure", {}).get("caption", ""), book, where)
    alt = shown.get("image", {}).get("alt", "").strip()
    if caption or alt:
        seen = f"*What it shows:* {alt}" if alt else ""
        yield markdown("\n\n".join(part for part in (caption and f"**Figure.** {caption}", seen) if part))


def markdown(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(source, hidden=False):
    metadata = {"cellView": "form", "jupyter": {"source_hidden": True}} if hidden else {}
    return {"cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": [], "source": source}


def main(arguments=None):
    """Write every twin, or with --check name those that are out of date; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    root = Path.cwd()
    if not (root / "_config.yml").is_file():
        print("Run this in the root of the repository, where _config.yml lies.", file=sys.stderr)
        return 2
    book, stale = Book.read(root, addresses(root)), []
    for chapter in sorted((root / "notebooks").glob("*.md")):
        path, content = chapter.with_suffix(".ipynb"), twin(chapter, book)
        if path.is_file() and path.read_bytes() == content:
            continue
        stale.append(path.name)
        if "--check" not in arguments:
            part = path.with_suffix(".part")
            part.write_bytes(content)
            part.replace(path)
            print(f"wrote {path.relative_to(root)}")
    if stale and "--check" in arguments:
        print(f"Out of date: {', '.join(stale)}. Run `python -m consilience.book.colab` and commit what it writes.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
