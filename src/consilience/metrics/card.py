"""A metric's card: what one must know to read its score, kept as data beside the code that computes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from inspect import signature

from consilience.check import InputError


@dataclass(frozen=True)
class Card:
    """One metric, as the catalogue, the command line, the book and the tests of invariance see it.

    Attributes
    ----------
    name : str
        Its public name, as in ``consilience.<name>``.
    title : str
        What the field calls it.
    formula : str
        LaTeX, without dollar signs.
    source : str
        Keys of the book's bibliography, separated by commas.
    value_range : str
    direction : {"similarity", "distance"}
    scale : {"local", "global"}
        Whether it sees near neighbours or the whole geometry.
    invariances, not_invariant : tuple of str
        Changes of one representation that leave the score alone, and changes that do not. Each is a test.
    null : str
        Its distribution when rows are paired at random, and how that is had.
    cost : str
    misleads : str
        When a high or low score does not mean what it seems to.
    score : callable
        ``score(X, Y, **options) -> float``.
    side : callable
        ``side(X, **options)``: the part of the score that belongs to one representation alone, computed once and used
        in all pairs and permutations. It has `n` and ``reordered(order)``.
    meet : callable
        ``meet(a, b, **options) -> float``: the score of two sides.
    best : float or None
        The score of identical representations; None where it depends on them.
    permuted : callable or None
        ``permuted(a, b, orders, **options)``: an array (draws, len(a), len(b)) of the scores of many sides in many
        orders, where there is a quicker way than to let them meet one by one. Options are those of `meet`.
    symmetric : bool
        Whether X and Y may change places. Where they may not, :func:`consilience.atlas` computes both orders.
    does_not_find : tuple of str
        What it does not see in small networks where others do: "layers" (which layer of a network from another seed is
        the same layer), "groups" (who was trained on the same task), "outputs" (whose answers differ more). Each is a
        test, and so is each that is not named.
    """

    name: str
    title: str
    formula: str
    source: str
    value_range: str
    direction: str
    scale: str
    invariances: tuple[str, ...]
    not_invariant: tuple[str, ...]
    null: str
    cost: str
    misleads: str
    score: Callable
    side: Callable
    meet: Callable
    best: float | None = 1.0
    permuted: Callable | None = None
    symmetric: bool = True
    does_not_find: tuple[str, ...] = ()

    def split(self, options):
        """Options by whom they concern: those of a side, and those of the meeting of two.

        Raises
        ------
        InputError
            If an option is of neither; a misspelt one must not pass in silence.
        """
        of_side, of_meeting = self.side_options, self.meet_options
        for name in options:
            if name not in (*of_side, *of_meeting):
                known = ", ".join((*of_side, *of_meeting)) or "none"
                raise InputError(f"{self.name} has no option {name!r}; its options are: {known}.")
        return (
            {name: value for name, value in options.items() if name in of_side},
            {name: value for name, value in options.items() if name in of_meeting},
        )

    def meeting(self, options):
        """`meet` with its options; it carries `permuted` with them, where there is one."""
        meet = partial(self.meet, **options)
        if self.permuted:
            meet.permuted = partial(self.permuted, **options)
        return meet

    def default(self, name):
        """What an option of a side is unless said otherwise."""
        return signature(self.side).parameters[name].default

    @property
    def side_options(self):
        """Names of the options that a side takes."""
        return tuple(name for name in parameters_of(self.side)[1:] if name != "name")

    @property
    def meet_options(self):
        """Names of the options that the meeting of two sides takes."""
        return parameters_of(self.meet)[2:]


def parameters_of(function):
    return tuple(signature(function).parameters)
