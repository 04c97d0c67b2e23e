"""Which pairings of stimuli count as chance, and the scores under them: of many sides at once."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from consilience.check import InputError, check_choice
from consilience.core import Orders, permuted_products
from consilience.core.each import each
from consilience.core.orders import GivenOrders
from consilience.metrics.relation import RELATIONS, permuted_matrices, product

EXCHANGES = ("within", "groups", "shift")
ROWS = 64  # of all matrices, copied side by side


def random_orders(n, draws, seed=0, groups=None, exchange="within"):
    """Random orders of the stimuli of one side.

    Parameters
    ----------
    n, draws, seed : int
    groups : array of shape (n_stimuli,), optional
    exchange : {"within", "groups", "shift"}
        "within": stimuli are exchanged with others of their group; with all others where there are no groups.
        "groups": whole groups are exchanged, each with its stimuli in their order; they must be equally large.
        "shift": for series in time, each group (or all stimuli) is shifted around in a circle by a random step, which
        keeps what follows what.

    Returns
    -------
    Orders, or int array of shape (draws, n_stimuli)
    """
    check_choice(exchange, "exchange", EXCHANGES)
    groups = check_groups(groups, n)
    if exchange == "within":
        return Orders(n, draws, seed, groups)
    labels = np.zeros(n, int) if groups is None else np.unique(groups, return_inverse=True)[1]
    members = [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]
    orders = np.tile(np.arange(n), (draws, 1))
    if exchange == "shift":
        rng = np.random.default_rng(seed)
        for one in members:
            steps = rng.integers(0, len(one), draws)
            orders[:, one] = one[(np.arange(len(one)) + steps[:, None]) % len(one)]
        return orders
    if len(members) < 2 or len({len(one) for one in members}) > 1:
        raise InputError(
            "exchange='groups' needs at least two groups of equal size; there are groups of "
            f"{', '.join(str(size) for size in sorted({len(one) for one in members}))}. Use exchange='within'."
        )
    members = np.array(members)
    orders[:, members.ravel()] = members[Orders(len(members), draws, seed).array()].reshape(draws, n)
    return orders


def scores(a, b, meet=product):
    """Scores of every side in `a` with every side in `b`, as they are: float64 of shape (len(a), len(b)).

    Parameters as of :func:`permuted_scores`.
    """
    if not all(isinstance(side, RELATIONS) and isinstance(side.matrix, np.ndarray) for side in (*a, *b)):
        return np.array([[meet(first, second) for second in b] for first in a], dtype=float)
    found = np.zeros((len(a), len(b)))
    for start in range(0, a[0].n, ROWS):
        of_a, of_b = (np.stack([r.matrix[start : start + ROWS].ravel() for r in sides]) for sides in (a, b))
        found += of_a @ of_b.T
    return found


def permuted_scores(a, b, orders, meet=product):
    """Scores of every side in `a` with every side in `b`, for each order of the stimuli of `b`.

    The order is the same for all pairs, so the maximum over pairs has its null in the maximum of each draw.

    Parameters
    ----------
    a, b : sequence of Relation, or of other sides (see :class:`consilience.metrics.Card`)
        All of the same stimuli and of one kind.
    orders : Orders, or array of int of shape (draws, n_stimuli)
        See :class:`consilience.core.Orders`.
    meet : callable
        ``meet(a, b) -> float``, for sides that are not relations. Where it has ``permuted(a, b, orders)``, that is
        taken.

    Returns
    -------
    ndarray of shape (draws, len(a), len(b))
    """
    orders = orders if isinstance(orders, Orders) else GivenOrders(orders)
    if not all(isinstance(side, RELATIONS) for side in (*a, *b)):
        permuted = getattr(meet, "permuted", partial(one_by_one, meet=meet))
        return permuted(a, b, orders)
    if any(relation.kind != "neighbours" for relation in (*a, *b)):
        return permuted_matrices([r.matrix for r in a], [r.matrix for r in b], orders)
    counts = permuted_products([r.ones() for r in a], [r.ones() for r in b], orders)
    return counts / np.multiply.outer([r.scale for r in a], [r.scale for r in b])


def one_by_one(a, b, orders, meet):
    """Every pair meets in every order, which takes as long as it takes."""

    def in_order(draw):
        (order,) = orders.array(draw, draw + 1)
        moved = [side.reordered(order) for side in b]
        return [[meet(first, second) for second in moved] for first in a]

    return np.array(each(in_order, range(orders.draws), "permutations"), dtype=float)


def check_groups(groups, n):
    """One label for each stimulus, or none at all."""
    if groups is None:
        return None
    groups = np.asarray(groups)
    if pd.isna(groups).any():
        raise InputError("groups holds missing labels; label every stimulus, or remove those without.")
    if groups.shape != (n,):
        raise InputError(f"groups has shape {groups.shape}; give one label for each of the {n} stimuli.")
    if len(np.unique(groups)) == n:
        raise InputError("groups puts every stimulus into a group of its own, so nothing can be exchanged.")
    return groups
