"""A metric's card: what one must know to read its score, kept as data beside the code that computes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


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
