"""Sentences that the run must bear out: titles of figures, and what the text says about them."""

from __future__ import annotations


class NotBorneOutError(AssertionError):
    """The text says something that this run did not find; the text must change, or what changed the run."""


def expect(condition, sentence):
    """Stop the chapter if the run does not bear out a sentence that it prints.

    Parameters
    ----------
    condition : bool
    sentence : str
        Returned, so that it can be the title of the figure that shows it.
    """
    if not condition:
        raise NotBorneOutError(f"This run does not bear out: {sentence}")
    return sentence
