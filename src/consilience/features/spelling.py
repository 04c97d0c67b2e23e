"""The trivial baseline for text: how it is spelled, and nothing of what it means."""

from __future__ import annotations

from sklearn.feature_extraction.text import HashingVectorizer

from ..check import InputError
from .encoder import Encoder


def load(row, folder, weights, seed) -> Encoder:
    """An encoder with one layer, ``spelling``: counts of runs of letters within words, hashed, of norm 1."""
    if weights == "random":
        raise InputError("weights is 'random', but spelling learns nothing, so it has no untrained twin.")
    shortest, longest = row["input"]["letters"]
    hashed = HashingVectorizer(
        analyzer="char_wb", ngram_range=(shortest, longest), n_features=row["input"]["n_units"], norm="l2"
    )
    return Encoder("text", ["spelling"], lambda texts: [hashed.transform(texts).toarray()])
