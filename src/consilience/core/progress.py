"""How far a long computation is: a bar on the terminal, once it has taken a second."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from threading import Lock

PATIENCE = 1.0  # seconds before a bar appears
_at_work = Lock()  # held while there is a bar: work within other work is not told


@contextmanager
def progress(doing):
    """What the core calls with the share done of its present pass, 0 to 1; None where nobody would see it.

    Within work that has a bar there is no other.

    Parameters
    ----------
    doing : str
        Shown before the bar.

    Yields
    ------
    callable or None
    """
    if not sys.stderr.isatty() or not _at_work.acquire(blocking=False):
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    began = time.monotonic()
    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task(doing, total=1.0)

    def tell(share):
        if time.monotonic() - began > PATIENCE:
            bar.start()
            bar.update(task, completed=share)

    try:
        yield tell
    finally:
        bar.stop()
        _at_work.release()
