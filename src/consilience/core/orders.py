"""Random orders of stimuli, the same on every machine; and orders that somebody else has made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from consilience.check import InputError, check_whole
from consilience.core import roads, twin_permutations
from consilience.core.memory import need


@dataclass(frozen=True, eq=False)
class Orders:
    """Random orders of n stimuli, each a permutation of 0 ... n-1, all equally likely.

    Parameters
    ----------
    n : int
        Stimuli.
    draws : int
        Orders.
    seed : int, 0 <= seed < 2**64
        The same seed gives the same orders, on every machine.
    groups : array of shape (n_stimuli,), optional
        Labels. Stimuli are exchanged only within their group (class, speaker, run).

    Raises
    ------
    InputError
        If an argument is out of range, or `groups` does not have one label for each stimulus.

    Notes
    -----
    A shuffle (Fisher & Yates) by a generator without state, Philox4x32-10 (Salmon et al. 2011), keyed by the seed and
    counting draws and positions: a draw does not depend on how many others are made, by how many threads, or where.
    Numbers below a bound are drawn without bias (Lemire 2019). O(n) time a draw; nothing is kept.
    """

    n: int
    draws: int
    seed: int = 0
    groups: np.ndarray | None = None

    def __post_init__(self):
        if check_whole(self.n, "n", 1) >= 2**31:
            raise InputError(f"n is {self.n:,}; orders are drawn of fewer than 2**31 stimuli.")
        check_whole(self.draws, "draws", 1)
        if check_whole(self.seed, "seed", 0) >= 2**64:
            raise InputError(f"seed is {self.seed}; it must be below 2**64.")
        if self.groups is not None and np.shape(self.groups) != (self.n,):
            raise InputError(
                f"groups has shape {np.shape(self.groups)}; give one label for each of the {self.n} stimuli."
            )

    def __len__(self):
        return self.draws

    def __iter__(self):
        step = max(1, 2**20 // self.n)
        for start in range(0, self.draws, step):
            yield from self.array(start, min(start + step, self.draws))

    def array(self, start=0, stop=None):
        """Draws `start` to `stop`, all by default: an int32 array of shape (stop - start, n)."""
        stop = self.draws if stop is None else stop
        if not 0 <= start < stop <= self.draws:
            raise InputError(f"start and stop are {start} and {stop}; choose 0 <= start < stop <= {self.draws}.")
        need((stop - start) * self.n * 4, f"{stop - start:,} orders of {self.n:,} stimuli")
        if roads.road() == "twin":
            return twin_permutations.orders(*self.source[:3], start, stop)
        drawn = np.empty((stop - start, self.n), np.int32)
        roads.compiled.write_orders(self.source, start, drawn)
        return drawn

    @cached_property
    def source(self):
        """Seed, the stimulus of each slot, and the slot where its group begins; and no given orders."""
        if self.groups is None:
            return int(self.seed), np.arange(self.n, dtype=np.int32), np.zeros(self.n, np.int32), None
        _, group, sizes = np.unique(np.asarray(self.groups), return_inverse=True, return_counts=True)
        stimuli = np.argsort(group, kind="stable").astype(np.int32)
        first = np.repeat(np.cumsum(sizes) - sizes, sizes).astype(np.int32)
        return int(self.seed), stimuli, first, None


class GivenOrders:
    """Orders that somebody else has made, as an array of shape (draws, n_stimuli): see :class:`Orders`."""

    def __init__(self, orders):
        given = np.asarray(orders)
        if given.ndim != 2 or given.dtype.kind not in "iu" or not given.size:
            raise InputError(
                f"orders has shape {given.shape} and dtype {given.dtype}; give whole numbers of shape (draws, "
                "n_stimuli), or Orders(n, draws)."
            )
        self.draws, self.n = given.shape
        step = max(1, 2**20 // self.n)
        for start in range(0, self.draws, step):
            wrong = (np.sort(given[start : start + step], axis=1) != np.arange(self.n)).any(axis=1)
            if wrong.any():
                raise InputError(f"orders: row {start + wrong.argmax()} is no permutation of 0 ... {self.n - 1}.")
        self.given = np.ascontiguousarray(given, np.int32)
        self.source = 0, np.arange(self.n, dtype=np.int32), np.zeros(self.n, np.int32), self.given

    def array(self, start=0, stop=None):
        """Draws `start` to `stop`."""
        return self.given[start:stop]
