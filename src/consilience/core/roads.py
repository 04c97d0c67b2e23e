"""Which road a computation takes: compiled for this CPU, or the NumPy twin. Looked up anew at every call."""

from __future__ import annotations

import os
import warnings

try:
    from consilience.core import _compiled as compiled
except ImportError as error:
    compiled, WHY_NOT_COMPILED = None, str(error)
else:
    WHY_NOT_COMPILED = ""

VARIABLE = "CONSILIENCE_CORE"
_told = False


def isas():
    """Instruction sets that this build has and this CPU runs, widest first; none without a compiled core."""
    return compiled.isas() if compiled else []


def road():
    """The road that a NumPy array takes now: "twin", or the name of an instruction set.

    Raises
    ------
    RuntimeError
        If `CONSILIENCE_CORE` asks for a road that this machine does not have.
    """
    asked = os.environ.get(VARIABLE, "auto")
    if asked == "twin":
        return "twin"
    if asked == "auto":
        if compiled:
            return isas()[0]
        tell_once()
        return "twin"
    if asked not in isas():
        known = ", ".join(["auto", *isas(), "twin"])
        raise RuntimeError(f"{VARIABLE} is {asked!r}, which is not to be had here; choose one of {known}.")
    return asked


def has_tiles():
    """Does the road that a NumPy array takes now multiply tiles of bfloat16?"""
    return road() == "amx"


def tell_once():
    """Say, once, that the twin computes."""
    global _told
    if not _told:
        _told = True
        warnings.warn(
            "The compiled core is missing, so NumPy computes in its place: the same results, more slowly. "
            "`consilience doctor` says why; where there is a C++ compiler, install the package again.",
            stacklevel=5,
        )


def thread_count():
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
