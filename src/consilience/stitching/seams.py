"""The one layer between two networks: an affine map of units, the same for every input and at every place.

Of vectors it is an affine layer, of tokens the same for each token, of maps a 1x1 convolution. Within this file states
are arrays of shape (n, places, units), whatever they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..descent import descend
from ..metrics.maps import Ridge
from ..optional import bring


@dataclass(frozen=True)
class Seam:
    """y = x @ weight + bias.

    Attributes
    ----------
    weight : tensor of shape (units_in, units_out)
    bias : tensor of shape (units_out,)
    """

    weight: Any
    bias: Any

    def __call__(self, states):
        return states @ self.weight + self.bias


class Direct:
    """Fits to what the other network has there itself, by a ridge regression.

    Parameters
    ----------
    states : tensor of shape (n, places, units)
        What is learned from. It is decomposed once, for all the targets that come.
    """

    def __init__(self, states):
        self.like = states
        rows = flat(states)
        self.mean = rows.mean(0)
        self.prepare(rows - self.mean)

    def prepare(self, rows):
        self.ridge = Ridge(rows, np.eye(rows.shape[1]))

    def weight(self, targets):
        return self.ridge.predict(targets)  # of the unit vectors, so its rows are the map

    def fit(self, targets):
        """The seam to `targets`, a tensor of shape (n, places, units_out)."""
        rows = flat(targets)
        mean = rows.mean(0)
        weight = self.weight(rows - mean)
        return Seam(*(self.like.new_tensor(part) for part in (weight, mean - self.mean @ weight)))


class Turned(Direct):
    """The same by a rotation, with reflection, and one scale."""

    def prepare(self, rows):
        self.rows, self.power = rows, np.square(rows).sum()

    def weight(self, targets):
        left, sizes, right = np.linalg.svd(self.rows.T @ targets, full_matrices=False)
        return left @ right * (sizes.sum() / self.power)


def taught(start, states, loss, steps, batch, rate, seed, tell):
    """The seam that a loss teaches, from where `start` has it.

    Parameters
    ----------
    start : Seam
    states : tensor of shape (n, places, units)
    loss : callable
        From what the seam gives for some rows, and their numbers, to a number.

    Notes
    -----
    What is taught are steps in units of each unit's spread on one side, and of the start's on the other, so that one
    rate serves networks of any scale.
    """
    torch = bring("torch")
    mean, spread = mean_and_spread(states)
    size = (spread[:, None] * start.weight).square().sum(0).mean().sqrt()
    size = size if size > 0 else torch.ones_like(size)
    turn, shift = torch.zeros_like(start.weight), torch.zeros_like(start.bias)

    def seam():
        weight = start.weight + size * turn / spread[:, None]
        return Seam(weight, start.bias + size * shift - mean @ (weight - start.weight))

    def loss_of(rows):
        rows = rows.to(states.device)
        return loss(seam()(states[rows]), rows)

    descend(loss_of, [turn, shift], len(states), steps, batch, rate, seed, tell)
    return seam()


def random_seam(states, units, seed):
    """Where to start without a target: normal weights that keep the spread of standardised units."""
    torch = bring("torch")
    mean, spread = mean_and_spread(states)
    weight = torch.randn(states.shape[-1], units, generator=torch.Generator().manual_seed(seed))
    weight = weight.to(states) / (spread[:, None] * states.shape[-1] ** 0.5)
    return Seam(weight, -mean @ weight)


def mean_and_spread(states):
    """Of each unit, over all stimuli and places; the spread of a dead unit is 1."""
    spread = states.std((0, 1))
    return states.mean((0, 1)), spread.where(spread > 0, bring("torch").ones_like(spread))


def flat(states):
    """Every place a row of its own, in float64."""
    return states.reshape(-1, states.shape[-1]).cpu().double().numpy()
