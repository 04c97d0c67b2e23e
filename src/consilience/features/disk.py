"""Files that are whole or not there, and words for a disk that has no room for them."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # no space, no quota, over the limit of one file


class DiskFull(OSError):
    """There is no room for a file; the message says where, how much is free, and what to do."""


@contextmanager
def words_for_a_full_disk(folder, megabytes=None):
    """Turn the system's error into :class:`DiskFull`."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        needed = f"{megabytes:.1f} MB are needed, " if megabytes else ""
        free = shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.exists())).free / 1e6
        raise DiskFull(
            f"No room in {folder}: {needed}{free:.1f} MB are free ({os.strerror(error.errno)}). Free some, for example "
            "with `consilience cache prune`, or let CONSILIENCE_CACHE name a folder on another disk."
        ) from error


def reserve(file, size):
    """Make an open file `size` bytes long and claim its room now, so that a full disk is known before any work."""
    file.truncate(size)
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)


def put(file, data):
    """Write all of `data`, which an unbuffered file may take in parts, where the file stands."""
    left = memoryview(data).cast("B")
    while left:
        left = left[file.write(left) :]


@contextmanager
def temporary(path):
    """A name for a new file beside `path`, on the same disk; whatever still has that name in the end is removed."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        yield Path(folder) / path.name


def settle(fresh, path):
    """Give a finished file its name at last, and make the disk keep that too."""
    os.replace(fresh, path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
