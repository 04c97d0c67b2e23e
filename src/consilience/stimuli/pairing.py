"""Which stimulus of one set goes with which of another: by id, at random, or all that share a label.

Everything here takes plain sequences, one entry for each stimulus, and gives positions in them.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from ..check import InputError, check_choice, check_whole


def by_id(a, b, missing="refuse"):
    """Positions of the same ids in both.

    Parameters
    ----------
    a, b : sequence of str
        Ids, none of them twice.
    missing : {"refuse", "drop"}
        What becomes of ids that one side alone has.

    Returns
    -------
    (array of int, array of int)
        Positions in `a`, in its order, and in `b`, such that the ids are the same.

    Raises
    ------
    InputError
        If an id comes twice, is missing on a side and not to be dropped, or none is shared.
    """
    check_choice(missing, "missing", ("refuse", "drop"))
    place_a, place_b = places(a, "first"), places(b, "second")
    shared = [id for id in place_a if id in place_b]
    alone = [id for id in (*place_a, *place_b) if (id in place_a) != (id in place_b)]
    if alone and missing == "refuse":
        more = f" and {len(alone) - 1} more" * (len(alone) > 1)
        raise InputError(
            f"The {'first' if alone[0] in place_a else 'second'} alone has {alone[0]!r}{more}; of {len(place_a)} and "
            f'{len(place_b)} stimuli, {len(shared)} are in both. missing="drop" keeps those.'
        )
    if not shared:
        raise InputError("No stimulus is in both: their ids are not of one kind.")
    return np.array([place_a[id] for id in shared]), np.array([place_b[id] for id in shared])


def at_random(n, seed=0, within=None):
    """A random order of n stimuli: what a pairing looks like that knows nothing.

    Parameters
    ----------
    n, seed : int
    within : sequence of n labels, optional
        A stimulus changes places with those of its label only.

    Returns
    -------
    array of int, shape (n,)
        Position i goes to the stimulus that this gives.

    Raises
    ------
    InputError
        If there is nothing to exchange: every stimulus is alone under its label.
    """
    rng = np.random.default_rng(check_whole(seed, "seed", 0))
    labels = [None] * n if within is None else list(within)
    if len(labels) != n:
        raise InputError(f"within has {len(labels)} labels for {n} stimuli; give one for each.")
    order = np.arange(n)
    groups = [np.array(members) for members in members_of(labels).values()]
    if max(map(len, groups), default=0) < 2:
        raise InputError("Every stimulus is alone under its label, so there is nothing to shuffle.")
    for members in groups:
        order[members] = rng.permutation(members)
    return order


def by_label(a, b):
    """All pairs with one label, many to many.

    Parameters
    ----------
    a, b : sequence of labels
        None stands for a stimulus without a label, which goes with nothing.

    Returns
    -------
    array of int, shape (n_pairs, 2)
        Positions in `a` and in `b`, in order of `a`, then of `b`.

    Raises
    ------
    InputError
        If no label is on both sides.
    """
    members = members_of(b)
    pairs = [(i, j) for i, label in enumerate(a) if label is not None for j in members.get(label, ())]
    if not pairs:
        raise InputError(f"No label is on both sides: {example(a)} on the first, {example(b)} on the second.")
    return np.array(pairs)


def relation(pairs, n_a, n_b):
    """The same as a 0/1 matrix: array of int8, shape (n_a, n_b), with 1 where two go together."""
    matrix = np.zeros((n_a, n_b), np.int8)
    matrix[tuple(np.asarray(pairs).T)] = 1
    return matrix


def places(ids, which):
    found = {id: i for i, id in enumerate(ids)}
    if len(found) < len(ids):
        again = next(id for i, id in enumerate(ids) if found[id] != i)
        raise InputError(f"The {which} has the id {again!r} more than once; an id names one stimulus.")
    return found


def members_of(labels):
    """{label: positions}"""
    found = defaultdict(list)
    for i, label in enumerate(labels):
        found[label].append(i)
    return found


def example(labels):
    return next((repr(label) for label in labels if label is not None), "none")
