"""Is there room? Asked before memory is taken, since a machine that swaps, or kills, answers too late."""

from __future__ import annotations

import os
from pathlib import Path

from consilience.check import InputError


def need(size, purpose, free=None):
    """Refuse what does not fit into memory.

    Parameters
    ----------
    size : int
        Bytes that are about to be taken.
    purpose : str
        What for, as the message will say it: "the distances of 30,000 stimuli".
    free : int, optional
        Bytes that are free, where main memory is not meant.

    Raises
    ------
    InputError
        If less is available. Where the system does not tell, nothing is refused.
    """
    free = available() if free is None else free
    if free is not None and size > free:
        raise InputError(
            f"{purpose} would take {in_words(size)} of memory, and {in_words(free)} are free. Use fewer stimuli, or a "
            "machine with more."
        )


def available():
    """Bytes that this process may still take, as far as the system tells: the machine's and the container's."""
    known = [free for free in (machine(), container()) if free is not None]
    return min(known, default=None)


def machine(meminfo=Path("/proc/meminfo")):
    """What Linux calls available; elsewhere all of the memory."""
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", ()):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def container(group=Path("/sys/fs/cgroup")):
    """A container's limit less what it holds; files that are only cached would make room."""
    try:
        limit, held = (int((group / name).read_text()) for name in ("memory.max", "memory.current"))
        kept = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no such file, or "max"
        return None
    return max(0, limit - held + int(kept.get("inactive_file", 0)))


def in_words(size):
    """1.5 GB, 20 MB."""
    for unit, name in ((2**30, "GB"), (2**20, "MB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size / 1024:,.0f} kB"
