"""Representations made comparable without training: each stimulus by how it lies to anchors that both sides share."""

from __future__ import annotations

import numpy as np

from consilience.check import InputError, check_array, check_choice, check_rows

SIMILARITIES = ("cosine", "angle")


def relative_representation(X, anchors, similarity="cosine"):
    r"""Each stimulus as its cosines to anchors, which no rotation or scale of the space can change.

    .. math:: r(x) = \left( \cos(x, a_1), \ldots, \cos(x, a_m) \right)

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units)
    anchors : array of shape (n_anchors, n_units)
        The same model's answers to stimuli that the other model has answered too.
    similarity : {"cosine", "angle"}
        "angle" is the arc cosine, in radians: 0 for an anchor itself.

    Returns
    -------
    float64 ndarray of shape (n_stimuli, n_anchors)
        Cosines in [-1, 1], or angles in [0, π].

    Raises
    ------
    InputError
        As :func:`consilience.check.check_array`; if the two differ in units; if a row is zero.

    Notes
    -----
    Source: Moschella et al. 2023. Nothing is centred, as in the paper; where a model's stimuli share a large mean, all
    cosines are near 1, so subtract the mean of the anchors first. O(n_stimuli n_anchors n_units) time.
    """
    check_choice(similarity, "similarity", SIMILARITIES)
    X, anchors = check_array(X), check_array(anchors, "anchors")
    if X.shape[1] != anchors.shape[1]:
        raise InputError(f"X has {X.shape[1]} units and anchors {anchors.shape[1]}; both must come from one model.")
    for name, rows in (("X", X), ("anchors", anchors)):
        check_rows(rows, "cosine", name)
    found = cosines(X, anchors)
    return found if similarity == "cosine" else np.arccos(found)


def indra_representation(X):
    r"""Each stimulus as its angles to all stimuli: a relative representation whose anchors are the stimuli themselves.

    .. math:: r(x_i) = \left( \arccos \cos(x_i, x_1), \ldots, \arccos \cos(x_i, x_n) \right)

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units)

    Returns
    -------
    float64 ndarray of shape (n_stimuli, n_stimuli)
        Angles in radians, in [0, π]; symmetric, about 0 on the diagonal.

    Raises
    ------
    InputError
        As :func:`relative_representation`.

    Notes
    -----
    Source: Lu et al. 2025 (Indra). Two models' rows can be compared only if column j is the same stimulus in both: the
    pairing of all stimuli is already in the columns, so it cannot be tested by matching rows. Matching that is held
    out takes the stimuli learned from as anchors: :func:`consilience.retrieval` through "indra". O(n² d) time.
    """
    return relative_representation(X, X, "angle")


def cosines(A, B):
    """Cosine of each row of A with each row of B; 0 where either is zero."""
    return np.clip(directions(A) @ directions(B).T, -1, 1)


def directions(A):
    """Rows at unit length; a row of zeros stays as it is."""
    A = A.astype(np.float64)
    largest = np.abs(A).max(1, keepdims=True)
    A /= np.where(largest > 0, largest, 1)
    length = np.linalg.norm(A, axis=1, keepdims=True)
    return A / np.where(length > 0, length, 1)
