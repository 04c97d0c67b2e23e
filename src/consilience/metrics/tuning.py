"""Scores that match units, not stimuli: does each unit of X have a unit of Y that answers as it does?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from consilience.check import InputError, check_array, check_pair
from consilience.metrics.card import Card

MOST_STEPS = 10**7  # of the network simplex; 4,096 by 4,096 units take some 10**6


@dataclass(frozen=True)
class Tuning:
    """What each unit of one representation answers to which stimulus.

    Attributes
    ----------
    answers : float64 ndarray of shape (n_stimuli, n_varying_units)
        Centred units of length 1.
    """

    answers: np.ndarray

    @property
    def n(self):
        """Number of stimuli."""
        return len(self.answers)

    def reordered(self, order):
        """The same, its stimuli in another order."""
        return replace(self, answers=self.answers[order])


def unit_matching(X, Y):
    r"""Mean correlation of units that are paired one to one, as well as they can be.

    .. math:: \max_{\pi} \frac{1}{\min(d_X, d_Y)} \sum_i r\!\left( x_i, y_{\pi(i)} \right)

    over all ways to give each unit of the narrower side a unit of its own on the other.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus. Units that do not vary are left out.

    Returns
    -------
    float in [-1, 1]
        A similarity. Above 0 for unrelated representations, since the best pairs are chosen.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`.

    Notes
    -----
    Source: Li et al. 2016. The wider side's units that are left over cost nothing. O(n dx dy + d³) time, d the larger
    width (scipy's linear_sum_assignment); O(dx dy) memory.
    """
    X, Y = check_pair(X, Y)
    return one_to_one(tuning(X, "X"), tuning(Y, "Y"))


def soft_matching(X, Y):
    r"""Mean correlation of units under the best transport of all units of X to all units of Y.

    .. math:: \max_{P} \sum_{ij} P_{ij} \, r(x_i, y_j), \qquad
              \sum_j P_{ij} = \tfrac{1}{d_X}, \; \sum_i P_{ij} = \tfrac{1}{d_Y}, \; P_{ij} \ge 0

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus. Units that do not vary are left out.

    Returns
    -------
    float in [-1, 1]
        A similarity, s. The soft matching distance of units at length 1 is sqrt(2 - 2 s), a metric. Of equal widths it
        is :func:`unit_matching`.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`.

    Notes
    -----
    Source: Khosla & Williams 2024. Exact optimal transport by a network simplex (POT). O(n dx dy) time and about
    O(d³ log d) for the transport; O(dx dy) memory.
    """
    X, Y = check_pair(X, Y)
    return transported(tuning(X, "X"), tuning(Y, "Y"))


def tuning(X, name="X"):
    """The :class:`Tuning` of an array."""
    X = check_array(X, name).astype(np.float64)
    X /= np.abs(X).max()
    X = X[:, np.ptp(X, axis=0) > 0]
    X -= X.mean(0)
    X /= np.abs(X).max(0)
    return Tuning(X / np.linalg.norm(X, axis=0))


def one_to_one(a, b):
    """Mean correlation of the best pairs of units of two prepared sides."""
    alike = a.answers.T @ b.answers
    return float(alike[linear_sum_assignment(alike, maximize=True)].mean())


def transported(a, b):
    """Mean correlation under the best transport between the units of two prepared sides."""
    from ot import emd

    alike = a.answers.T @ b.answers
    plan, log = emd([], [], 1 - alike, numItermax=MOST_STEPS, log=True)
    if log["warning"]:
        raise InputError(f"The units could not be transported: {log['warning']} Reduce the number of units first.")
    return float(np.vdot(plan, alike))


SEEN = {
    "direction": "similarity",
    "scale": "global",
    "invariances": ("scale", "translation", "order of the stimuli"),
    "not_invariant": ("rotation and reflection", "other linear maps"),
    "side": tuning,
}
CARDS = (
    Card(
        name="unit_matching",
        title="One-to-one matching of units",
        formula=r"\max_{\pi} \frac{1}{\min(d_X, d_Y)} \sum_i r\!\left( x_i, y_{\pi(i)} \right)",
        source="li2016",
        value_range="-1 to 1; above 0 for unrelated representations",
        null="rises with the number of units and falls with that of stimuli, since the best pairs are chosen; by "
        "permutations",
        cost="O(n d² + d³) time, O(d²) memory; each permutation costs as much again",
        misleads="With few stimuli some unit always answers like another. Two networks that hold the same in rotated "
        "axes score low. The units of the wider side that find no partner are not counted.",
        score=unit_matching,
        meet=one_to_one,
        **SEEN,
    ),
    Card(
        name="soft_matching",
        title="Soft matching of units",
        formula=r"\max_{P} \sum_{ij} P_{ij} \, r(x_i, y_j), \quad"
        r" \sum_j P_{ij} = \tfrac{1}{d_X}, \; \sum_i P_{ij} = \tfrac{1}{d_Y}",
        source="khosla2024soft,flamary2021",
        value_range="-1 to 1; above 0 for unrelated representations",
        null="rises with the number of units and falls with that of stimuli; by permutations",
        cost="O(n d² + d³ log d) time, O(d²) memory; each permutation costs as much again",
        misleads="With few stimuli some unit always answers like another. Two networks that hold the same in rotated "
        "axes score low. Every unit counts as much as every other, however little it varies.",
        score=soft_matching,
        meet=transported,
        **SEEN,
    ),
)
