"""What a chapter took on this machine: time, memory, download, versions."""

from __future__ import annotations

import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version

from consilience import kit

STARTED = time.perf_counter()


def cost(names):
    """Print the time since the chapter began, the peak of memory, and the download of the named models and data."""
    import resource  # not on Windows

    minutes = (time.perf_counter() - STARTED) / 60
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    download = sum(item.megabytes for item in kit.plan(names))
    print(f"Time      {minutes:.1f} minutes on {platform.machine()}; features are computed once and then kept")
    print(f"Memory    {peak:.1f} GiB at the peak")
    print(f"Download  {download:.0f} MB of models and pictures, once")
    print(f"Versions  {', '.join(f'{name} {installed(name)}' for name in ('consilience', 'numpy', 'torch'))}")


def installed(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
