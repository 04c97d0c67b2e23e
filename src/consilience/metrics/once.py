"""What several metrics ask of one array (its neighbours, its singular vectors), computed once while they share it."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps

_known = ContextVar("known", default=None)


@contextmanager
def shared():
    """Within it, what was asked of an array is remembered; nobody may write to the arrays meanwhile."""
    before = _known.set({})
    try:
        yield
    finally:
        _known.reset(before)


def once(function):
    """A function of an array, and of options, that is computed once for each where :func:`shared` holds."""

    @wraps(function)
    def remembered(X, *options):
        known = _known.get()
        if known is None:
            return function(X, *options)
        key = function, id(X), options
        if key not in known:
            known[key] = X, function(X, *options)  # with X, so that no other array takes its place in memory
        return known[key][1]

    return remembered
