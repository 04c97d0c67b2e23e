"""The cache of features: one sealed file for each origin, written whole or not at all.

An origin names all that the numbers depend on, and its SHA-256 names the file, so a changed input never meets an old
feature. While a file is being made, its rows lie in a folder beside it, and one process holds its lock: the system
takes a lock from a process that dies, so none stays shut.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from ..kit import cache, say
from ..optional import bring
from .disk import words_for_a_full_disk
from .features import Features
from .origin import Origin
from .rows import Rows
from .sealed import BrokenFile

SUFFIX, PARTIAL = ".safetensors", ".partial"


def folder():
    """Where features lie in the cache."""
    return cache() / "features"


def code():
    """SHA-256 of the source of this folder: changed code never shows features that older code made."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()


def entry(origin, ids=None):
    """The place in the cache for the features of one origin.

    Parameters
    ----------
    origin : dict of JSON values
        Everything that the numbers depend on: see :class:`consilience.features.origin.Origin`.
    ids : sequence of str, optional
        The names of the stimuli, in order. They travel with the features and move no address.
    """
    return Entry(Origin(origin), None if ids is None else tuple(map(str, ids)))


@dataclass(frozen=True)
class Entry:
    """One place in the cache."""

    origin: Origin
    ids: tuple[str, ...] | None = None

    @property
    def path(self):
        """The file: the model's name for the eye, and digits of the origin's address."""
        name = re.sub(r"[^\w.-]+", "-", Path(self.origin.get("model", "features")).name)[:80]
        kind = f"-random-{self.origin.get('seed')}" if self.origin.get("weights") == "random" else ""
        return folder() / f"{name}{kind}-{self.origin.address[:16]}{SUFFIX}"

    @property
    def partial(self):
        """The folder of rows that are on their way into the file."""
        return self.path.with_suffix(PARTIAL)

    def read(self, quietly=False):
        """The features, every byte checked; None if they are not there or not whole.

        A file that is there but cannot be used is named in one line, and the next :meth:`writing` replaces it.
        """
        try:
            found = Features.load(self.path)
            if Origin(found.origin).address != self.origin.address:
                raise BrokenFile(f"{self.path} cannot be used: its features have another origin.")
        except FileNotFoundError:
            return None
        except BrokenFile as error:
            if not quietly:
                say(f"{error} They are made anew.")
            return None
        with suppress(OSError):  # a cache that may only be read
            os.utime(self.path)  # what was used last is pruned last
        return replace(found, origin=self.origin, ids=self.ids or found.ids)

    @contextmanager
    def writing(self, n_stimuli):
        """Rows to append to, from ``rows.done`` on; the file is there when the block ends without an error.

        If another process is making the same features, this waits for it, and then ``rows.done`` is `n_stimuli`. If a
        process was interrupted, ``rows.done`` counts the rows that it left.

        Raises
        ------
        DiskFull
            Before the first row is written, if the system can tell. Rows that are done stay for the next run.
        """
        with words_for_a_full_disk(folder()):
            folder().mkdir(parents=True, exist_ok=True)
        with held(self.path):
            rows = Rows(self.partial, n_stimuli, self.origin, self.ids)
            there = self.read(quietly=True) is not None
            if there:  # another process was first
                rows.done = n_stimuli
            elif rows.done:
                say(f"{rows.done} of {n_stimuli} rows of {self.path.stem} are there from an interrupted run.")
            with words_for_a_full_disk(folder()):
                self.partial.mkdir(exist_ok=True)
            try:
                yield rows
                if not there:
                    rows.finish(self.path)
                    there = True
            finally:
                rows.close()
                if there or not rows.done:
                    shutil.rmtree(self.partial, ignore_errors=True)


@contextmanager
def held(path, wait=True):
    """The lock of one file of the cache; without `wait`, TimeoutError if another process has it."""
    filelock = bring("filelock")
    lock = filelock.FileLock(path.parent / ".locks" / f"{path.stem}.lock", timeout=0)
    try:
        with words_for_a_full_disk(path.parent):
            (path.parent / ".locks").mkdir(exist_ok=True)
            lock.acquire()
    except filelock.Timeout:  # a TimeoutError
        if not wait:
            raise
        say(f"Another process is making {path.stem}; waiting for it.")
        lock.acquire(timeout=-1)
    try:
        yield
    finally:
        lock.release()
