"""The offline kit: real weights and stimuli out of package registries, verified before anyone reads them.

Each row of data/models.yaml and data/datasets.yaml says where its files come from and what their SHA-256 must
be. :func:`plan` says what would be fetched, how large and under which licence; :func:`get` fetches what is
missing and gives the folder. A folder appears in the cache complete and verified, or not at all.

The cache is ~/.cache/consilience (or what the platform has for it); CONSILIENCE_CACHE names another.
CONSILIENCE_DATA names a folder that is searched for data sets, each in a folder of its name, before apt or GitHub
is asked.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .contents import ContentError, gather, verify
from .data_files import manifest, table
from .registries import RegistryError, from_apt, from_github, from_hub, from_wheel, wheels


class KitError(RuntimeError):
    """A name that is no row, or files that did not come or are not what they should be. One line says it."""


@dataclass(frozen=True)
class Item:
    """One line of a plan: what a row is, its size and licence, where it comes from, whether it is here."""

    name: str
    what: str
    megabytes: float
    licence: str
    source: str
    here: bool


def rows():
    """All rows of data/models.yaml and data/datasets.yaml, as {name: row}."""
    return table("models") | table("datasets")


def row(name):
    """The row of one model or data set; KitError lists the names if there is none."""
    if name not in rows():
        raise KitError(f"There is no model or data set named {name!r}. There are: {', '.join(rows())}.")
    return rows()[name]


def offline():
    """The names of all rows that package registries carry and that the chapters need: the kit that needs no hub."""
    return [name for name, found in rows().items() if ("wheel" in found or "apt" in found) and "extra" not in found]


def extras():
    """The names of the rows that no chapter needs, and that come when they are asked for."""
    return [name for name, found in rows().items() if "extra" in found]


def plan(names=None):
    """What :func:`fetch` would bring.

    Parameters
    ----------
    names : list of str, optional
        Rows of data/models.yaml and data/datasets.yaml; by default :func:`offline`.

    Returns
    -------
    list of Item
        In the order of `names`. `here` means that the folder exists; :func:`get` verifies what is in it.

    Raises
    ------
    KitError
        If a name is no row.
    """
    items = []
    for name in offline() if names is None else names:
        found = row(name)
        items.append(Item(name, found["what"], found["megabytes"], found["licence"], source(found), is_here(name)))
    return items


def source(found):
    """Where a row comes from, in words."""
    if "wheel" in found:
        return "PyPI: " + ", ".join(f"{wheel['package']} {wheel['version']}" for wheel in wheels(found))
    if "apt" in found:
        return f"Debian or Ubuntu: {' and '.join(found['apt']['package'].split())}"
    if "github" in found:
        return f"GitHub: {found['github']['repository']}"
    return f"Hugging Face hub: {found['hub']}" if "hub" in found else "computed"


def is_here(name):
    found = row(name)
    if "hub" in found:
        try:
            return from_hub(found["hub"], found.get("revision"), offline=True).is_dir()
        except (RegistryError, ImportError):
            return False
    return source(found) == "computed" or folder(name).is_dir()


def get(name):
    """The folder with the verified files of one model or data set, fetched if it is not here.

    Parameters
    ----------
    name : str
        A row of data/models.yaml or data/datasets.yaml.

    Returns
    -------
    Path
        For a package, a folder with exactly the files that the row lists. For a hub model, its folder in the
        hub's cache.

    Raises
    ------
    KitError
        If the name is no row, the client cannot bring the files, or a file is not what its SHA-256 promises.
        Nothing that failed is kept.

    Notes
    -----
    Safe to call from several processes: each works in a folder of its own, and the last step is one rename.
    """
    found = row(name)
    try:
        if "hub" in found:
            return from_hub(found["hub"], found.get("revision"))
        if source(found) == "computed":
            raise KitError(f"{name} is computed from the stimuli; there is nothing to fetch.")
        if not folder(name).is_dir():
            accepted_or_explain(name)
            bring(name)
        verify_or_explain(name)
    except (ContentError, RegistryError) as error:
        raise KitError(f"{name}: {error}") from error
    return folder(name)


def bring(name):
    """Fetch, unpack and verify one row in a folder beside the cache's, then rename it into place."""
    found, target = row(name), folder(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as work:
        fresh, work = Path(work) / "fresh", Path(work) / "work"
        fresh.mkdir()
        work.mkdir()
        if "wheel" in found:
            from_wheel(found, fresh, work)
        elif not from_folder(name, fresh):
            (from_apt if "apt" in found else from_github)(found, fresh, work)
        settle(name, fresh)
        for other in of_the_same_package(name):  # a package of 161 MB is not fetched twice
            again = Path(work).parent / "again"
            try:
                gather(work / "unpacked", promised(other), again)
                settle(other, again)
            except ContentError:
                shutil.rmtree(again, ignore_errors=True)  # it says so itself when it is asked for


def settle(name, fresh):
    """Verify the folder `fresh`, then rename it into its place in the cache."""
    target = folder(name)
    verify(fresh, promised(name))
    try:
        fresh.rename(target)
    except OSError:
        if not target.is_dir():  # else another process was first, with the same verified files
            raise


def of_the_same_package(name):
    """The other rows of the kit that the Debian package of a row carries, and that are not here."""
    package = row(name).get("apt", {}).get("package")
    others = [other for other in offline() if package and row(other).get("apt", {}).get("package") == package]
    return [other for other in others if other != name and not is_here(other)]


def from_folder(name, into):
    """Take a data set from $CONSILIENCE_DATA/<name> or its installed package; False if neither has it."""
    places = [row(name).get("apt", {}).get("installed", "")]
    if "CONSILIENCE_DATA" in os.environ:
        places.insert(0, os.path.join(os.environ["CONSILIENCE_DATA"], name))
    for place in filter(os.path.isdir, places):
        try:
            gather(place, promised(name), into)
            return True
        except ContentError as error:
            shutil.rmtree(into)
            into.mkdir()
            say(f"{name}: {place} was not used. {error}")
    return False


def promised(name):
    """{path: SHA-256} of all files of a row."""
    found = row(name)
    return found["files"] if "files" in found else manifest(found["manifest"])


def accepted_or_explain(name):
    """Some licences ask more than to be kept: nothing comes before their terms are shown and accepted."""
    terms = row(name).get("terms")
    if terms and name not in os.environ.get("CONSILIENCE_ACCEPT", "").split(","):
        raise KitError(f"{name} comes under {terms}. Read them; to accept them, set CONSILIENCE_ACCEPT={name}.")


def verify_or_explain(name):
    try:
        verify(folder(name), promised(name))
    except ContentError as error:
        raise KitError(f"{name}: {error} Delete the folder {folder(name)} and fetch it again.") from error


def folder(name):
    """Where a row lies in the cache. The name holds what is promised, so a changed row is another folder."""
    text = repr(sorted(promised(name).items())).encode()
    return cache() / "kit" / f"{name}-{hashlib.sha256(text).hexdigest()[:12]}"


def cache():
    """The cache folder: $CONSILIENCE_CACHE, or the platform's place for caches."""
    if "CONSILIENCE_CACHE" in os.environ:
        return Path(os.environ["CONSILIENCE_CACHE"]).expanduser()
    home = {
        "darwin": Path.home() / "Library/Caches",
        "win32": Path(os.environ.get("LOCALAPPDATA", Path.home())),
    }
    default = home.get(sys.platform, Path.home() / ".cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or default) / "consilience"


def show_plan(names=None):
    """Print the plan as a table: what, MB, licence, source, and what is already here; returns the names of the rest."""
    items = plan(names)
    missing = sum({item.source: item.megabytes for item in items if not item.here}.values())  # a package comes once
    caption = f"To fetch: {missing:.0f} MB into {cache()}" if missing else f"All of it is in {cache()}"
    shown = Table(title="The kit", caption=caption)
    shown.add_column("name", no_wrap=True)
    shown.add_column("what, [dim]licence, and from where[/dim]")
    shown.add_column("MB", justify="right")
    shown.add_column("here")
    for item in items:
        what, here = f"{item.what}\n[dim]{item.licence}; {item.source}[/dim]", "yes" if item.here else "no"
        shown.add_row(item.name, what, f"{item.megabytes:.0f}", here)
    Console().print(shown)
    if names is None and extras():
        Console().print(f"No chapter needs these; they come by name: {', '.join(extras())}")
    return [item.name for item in items if not item.here]


def fetch(names=None):
    """Bring and verify every row of the plan, one after the other; an interrupted call goes on where it was.

    Returns
    -------
    dict of str to Path
        The folder of each row that has files.
    """
    console, folders = Console(stderr=True), {}
    for item in plan(names):
        if item.source == "computed":
            continue
        doing = "verifying" if item.here else f"fetching {item.megabytes:.0f} MB of"
        with console.status(f"{doing} {item.name}"):
            folders[item.name] = get(item.name)
        console.print(f"{item.name}: {'verified' if item.here else 'fetched and verified'}")
    return folders


def say(line):
    Console(stderr=True).print(line, soft_wrap=True, markup=False, highlight=False)
