"""What a layer holds before pooling: a row a stimulus already, tokens, or a map over space.

Arrays are NumPy's or torch's; :mod:`.pooling` makes one row a stimulus of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Tokens:
    """A sequence a stimulus, padded to equal length.

    Attributes
    ----------
    values : array of shape (n_stimuli, n_tokens, n_units)
    kept : boolean array of shape (n_stimuli, n_tokens)
        The tokens that stand for the stimulus itself: no padding, no special tokens.
    summary : int, integer array of shape (n_stimuli,), or None
        The place of the token that stands for the whole, where the model has one: a class token, or the end of
        a text, whose place differs from text to text.
    """

    values: Any
    kept: Any
    summary: Any = None


@dataclass(frozen=True)
class Map:
    """Feature maps: `values` of shape (n_stimuli, n_units, height, width)."""

    values: Any
