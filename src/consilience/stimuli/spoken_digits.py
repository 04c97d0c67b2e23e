"""Free Spoken Digit Dataset: ``7_jackson_3.wav`` is the digit 7, spoken by Jackson, for the fourth time."""

from __future__ import annotations

from ..data_files import manifest
from .stimuli import Stimuli

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def read(name, row, folder):
    """The clips, by digit, speaker and take; the label is the digit, the group the speaker."""
    ids = sorted(path.removesuffix(".wav") for path in manifest(row["manifest"]))
    digits, speakers, _ = zip(*(id.split("_") for id in ids), strict=True)
    return Stimuli(
        name=name,
        ids=tuple(ids),
        texts={"en": tuple(WORDS[int(digit)] for digit in digits)},
        sounds={"en": tuple(folder / f"{id}.wav" for id in ids)},
        labels=tuple(int(digit) for digit in digits),
        groups=tuple(speakers),
        licence=row["licence"],
        credit=row["credit"],
    )
