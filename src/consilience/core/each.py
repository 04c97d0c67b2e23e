"""The same work on each of many things, in Python: spread over processors, told, and interrupted as the core is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache

from threadpoolctl import ThreadpoolController

from consilience.core import roads
from consilience.core.progress import progress


def each(function, items, doing):
    """``[function(item) for item in items]``, for work that NumPy and LAPACK do.

    One processor computes one item, and BLAS takes no threads of its own: for small matrices that costs more than it
    brings, and sums would depend on how many there are.

    Parameters
    ----------
    function : callable
    items : sequence
    doing : str
        Shown before the bar.

    Returns
    -------
    list
        In the order of the items; the first error is raised, and ends the work.
    """
    found = []
    with (
        libraries().limit(limits=1, user_api="blas"),
        progress(doing) as tell,
        ThreadPoolExecutor(roads.thread_count()) as pool,
    ):
        waiting = [pool.submit(copy_context().run, function, item) for item in items]
        try:
            for one in waiting:
                found.append(one.result())
                if tell:
                    tell(len(found) / len(waiting))
        except BaseException:  # a Ctrl-C too
            pool.shutdown(cancel_futures=True)
            raise
    return found


@cache
def libraries():
    """Those that bring threads of their own; looking for them takes some milliseconds."""
    return ThreadpoolController()
