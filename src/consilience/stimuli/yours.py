"""Stimuli of your own: a folder of pictures or sounds, a table, a list of texts."""

from __future__ import annotations

from pathlib import Path

from ..check import InputError
from .columns import UNSAID, chosen, gathered
from .stimuli import Stimuli

IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
SOUNDS = (".wav", ".flac", ".ogg", ".mp3")
TEXTS = (".txt",)
AS_WRITTEN = {"dtype": {"id": str}, "keep_default_na": False, "na_values": [""]}  # 007 is no 7, and NA is Namibia


def from_folder(folder, *, name=None, language=UNSAID):
    """The pictures, sounds and texts of a folder and the folders in it.

    Files of one name belong together: ``cat.jpg``, ``cat.wav`` and ``cat.txt`` are one stimulus in three modalities.
    Where all lie in folders, the first folder is the label. Other files are left alone, and so are hidden ones.

    Parameters
    ----------
    folder : str or Path
    name : str, optional
        By default that of the folder.
    language : str
        Of sounds and texts, as ISO 639 has it; "und" stands for one that was not said.

    Returns
    -------
    Stimuli
        In alphabetical order of their ids: paths without suffix. What a stimulus lacks is None.

    Raises
    ------
    InputError
        If there is no such folder or nothing in it that can be read, if two files claim one place, as cat.jpg and
        cat.png, or a text is not in UTF-8.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise InputError(f"{folder} is not there, or is no folder.")
    kinds = {"images": IMAGES, "sounds": SOUNDS, "texts": TEXTS}
    found = {kind: files_of(folder, suffixes) for kind, suffixes in kinds.items()}
    ids = sorted({id for files in found.values() for id in files})
    if not ids:
        raise InputError(f"{folder} holds no pictures, sounds or texts ({', '.join(IMAGES + SOUNDS + TEXTS)}).")
    columns = {kind: tuple(files.get(id) for id in ids) for kind, files in found.items() if files}
    texts = tuple(path and written(path) for path in columns.get("texts", ()))
    return Stimuli(
        name=name or folder.resolve().name,
        ids=tuple(ids),
        images=columns.get("images"),
        texts={language: texts} if texts else {},
        sounds={language: columns["sounds"]} if "sounds" in columns else {},
        labels=tuple(id.partition("/")[0] for id in ids) if all("/" in id for id in ids) else None,
    )


def written(path):
    try:
        return path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not in UTF-8: {error}. Save it as such.") from error


def files_of(folder, suffixes):
    """{path without suffix: file} of the files with these suffixes."""
    found = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.suffix.lower() in suffixes and not any(part.startswith(".") for part in inside.parts):
            id = inside.with_suffix("").as_posix()
            if id in found:
                raise InputError(
                    f"{found[id].name} and {path.name} in {path.parent} claim one place; keep one of them."
                )
            found[id] = path
    return found


def from_table(table, *, name=None, folder=None, **columns):
    """The rows of a table, one stimulus each.

    Parameters
    ----------
    table : str, Path or DataFrame
        A .csv or .parquet file, or a table of pandas.
    name : str, optional
        By default that of the file.
    folder : str or Path, optional
        Where files named in the table lie; by default beside it.
    **columns
        Which column is what: ``id``, ``image``, ``text``, ``sound``, ``place``, ``label``, ``group``, ``time``. One of
        that name needs no saying. Several languages: ``text={"en": "caption", "fr": "legende"}``. A place is two
        columns, ``("latitude", "longitude")`` unless said otherwise.

    Returns
    -------
    Stimuli
        In the order of the table, with empty cells as None.

    Raises
    ------
    InputError
        If the table cannot be read, or a column is not there.

    Examples
    --------
    >>> stimuli.from_table("birds.csv", image="file", text={"en": "name"}, label="family")  # doctest: +SKIP
    """
    import pandas as pd

    if isinstance(table, str | Path):
        path = Path(table).expanduser()
        name, folder = name or path.stem, folder or path.parent
        try:
            table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, **AS_WRITTEN)
        except (OSError, ValueError, ImportError) as error:
            raise InputError(f"{path} cannot be read as a table: {error}") from error
    roles = chosen(list(table.columns), columns)

    def entries(role, column):
        cells = [None if pd.isna(cell) else cell for cell in table[column].tolist()]
        if role in ("image", "sound"):
            return tuple(None if cell is None else Path(folder or ".") / cell for cell in cells)
        return tuple(cells)

    return gathered(name or "table", len(table), roles, entries)


def from_texts(texts, *, ids=None, labels=None, name="texts", language=UNSAID):
    """A list of texts.

    Parameters
    ----------
    texts : sequence of str, or dict from language to sequence of str
    ids, labels : sequence, optional
        One for each text; by default they are numbered from 0.
    name : str
    language : str
        As ISO 639 has it; "und" stands for one that was not said.

    Returns
    -------
    Stimuli

    Raises
    ------
    InputError
        If `texts` is one string, or sequences differ in length.
    """
    if isinstance(texts, str):
        raise InputError("texts is one string; give a list of them.")
    by_language = texts if isinstance(texts, dict) else {language: texts}
    columns = {one: tuple(column) for one, column in by_language.items()}
    n = len(next(iter(columns.values()), ()))
    ids = tuple(map(str, range(n) if ids is None else ids))
    return Stimuli(name, ids, texts=columns, labels=None if labels is None else tuple(labels))
