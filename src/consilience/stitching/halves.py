"""The lower part of one network below the upper part of another, and what passes between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..check import InputError
from ..optional import bring
from .frozen import answers, home
from .seams import Direct, Turned, random_seam

KINDS = {1: "an affine layer", 2: "an affine layer a token", 3: "a 1x1 convolution"}


@dataclass(frozen=True, eq=False)
class Upper:
    """The network above the layer.

    Attributes
    ----------
    top : torch.nn.Module or callable
    shape : tuple of int
        Of the representation of one input that it takes.
    labels : int64 tensor of shape (n,)
        What it is to say.
    wanted : tensor of shape (n, places, units), or None
        What its own lower part gives it.
    """

    top: Any
    shape: tuple[int, ...]
    labels: Any
    wanted: Any

    @classmethod
    def of(cls, top, shape, labels, wanted):
        """One that was tried on two representations, so that what does not fit is said before anything is learned."""
        device, dtype = home(top)
        if wanted is not None:
            if tuple(wanted.shape[1:]) != shape:
                raise InputError(f"shape is {shape}, but target gives {tuple(wanted.shape[1:])} for an input.")
            wanted = in_places(wanted).to(device, dtype)
        torch = bring("torch")
        tried = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
        try:
            found = answers(top, tried, "top")
        except InputError as error:
            raise InputError(f"{error}. Say what top takes by target=, or by shape=.") from error
        if found.ndim != 2 or found.shape[1] <= labels.max():
            raise InputError(
                f"top gives shape {tuple(found.shape)} for two inputs, and labels go to {labels.max()}; it must give "
                "(n, classes), with a logit for each label."
            )
        return cls(top, shape, torch.tensor(labels, device=device), wanted)

    @property
    def units(self):
        """How many the layer must give at each place."""
        return self.shape[0] if len(self.shape) == 3 else self.shape[-1]

    def takes(self, states):
        """States of a lower part as (n, places, units), on the device and in the type of this network."""
        return in_places(brought_to(states, self.shape)).to(*home(self.top))

    def logits(self, states):
        """With gradients; `states` of shape (n, places, units)."""
        return self.top(out_of_places(states, self.shape))

    def right(self, states, labels):
        """Which labels come out, as a bool ndarray."""
        found = answers(self.top, out_of_places(states, self.shape), "top")
        return (found.argmax(1) == labels).cpu().numpy()


@dataclass(frozen=True, eq=False)
class Trial:
    """A lower part below the upper one, to be stitched with the pairs as they are, or with others.

    Attributes
    ----------
    states : tensor of shape (n, places, units)
        What the lower part gives.
    upper : Upper
    learned, tested : int arrays
        Row numbers.
    fit : {"task", "direct", "orthogonal"}
    teach : callable
        :func:`consilience.stitching.seams.taught`, with all but start, states and loss said.
    seed : int
    """

    states: Any
    upper: Upper
    learned: Any
    tested: Any
    fit: str
    teach: Any
    seed: int

    @cached_property
    def direct(self):
        """What fits to the target, prepared once."""
        return (Turned if self.fit == "orthogonal" else Direct)(self.states[self.learned])

    def run(self, order, tell=None):
        """(seam, which labels come out right), if input i had the label and the target of input order[i]."""
        labels, to_learn, to_test = self.upper.labels, order[self.learned], order[self.tested]
        states, wanted = self.states[self.learned], self.upper.wanted
        direct = wanted is not None
        seam = self.direct.fit(wanted[to_learn]) if direct else random_seam(states, self.upper.units, self.seed)
        if self.fit == "task":
            cross_entropy, said = bring("torch").nn.functional.cross_entropy, labels[to_learn]
            loss = lambda given, rows: cross_entropy(self.upper.logits(given), said[rows])  # noqa: E731
            seam = self.teach(seam, states, loss, tell=tell)
        return seam, self.upper.right(seam(self.states[self.tested]), labels[to_test])


def representation(network, inputs, name, learned):
    """What a lower part gives for all inputs; refused if it is none, or if nothing that is learned from varies."""
    states = answers(network, inputs, name)
    if states.ndim - 1 not in KINDS:
        raise InputError(
            f"{name} gives shape {tuple(states.shape)}; known are (n, units), (n, tokens, units) and (n, channels, "
            "height, width)."
        )
    if bool((states[learned] == states[learned[:1]]).all()):
        raise InputError(f"{name} gives the same for every input learned from, so there is nothing to stitch.")
    return states


def brought_to(states, shape):
    """States in the places that another network has: maps are interpolated, all else must be there already."""
    if states.ndim - 1 != len(shape):
        raise InputError(
            f"bottom gives {tuple(states.shape[1:])} for an input and top takes {tuple(shape)}; only like kinds are "
            "stitched: units to units, tokens to tokens, maps to maps. Pool or reshape inside bottom or top."
        )
    if len(shape) == 2 and states.shape[1] != shape[0]:
        raise InputError(
            f"bottom gives {states.shape[1]} tokens and top takes {shape[0]}; token i of both must stand for the same."
        )
    if len(shape) == 3 and tuple(states.shape[2:]) != tuple(shape[1:]):
        interpolate = bring("torch").nn.functional.interpolate
        return interpolate(states, size=tuple(shape[1:]), mode="bilinear", antialias=True)
    return states


def in_places(states):
    """(n, units), (n, tokens, units) or (n, channels, height, width) as (n, places, units)."""
    if states.ndim == 2:
        return states[:, None]
    return states.flatten(2).transpose(1, 2) if states.ndim == 4 else states


def out_of_places(states, shape):
    """The way back, `shape` being that of one input's state."""
    if len(shape) == 3:
        return states.transpose(1, 2).reshape(len(states), *shape)
    return states.reshape(len(states), *shape)
