"""The stimuli of a data set: things in a fixed order, and what each looks like, is called, sounds like, lies at."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from ..check import InputError, check_choice
from . import pairing
from .items import Items

PLAIN = ("ids", "images", "places", "labels", "groups", "times")
SPOKEN = ("texts", "sounds")  # one for each language
FIELDS = {"image": "images", "text": "texts", "sound": "sounds", "place": "places"}


@dataclass(frozen=True, eq=False, repr=False)
class Stimuli:
    """Things in a fixed order, each in one or more modalities: row i of an array answers stimulus i.

    Attributes
    ----------
    name : str
    ids : tuple of str
        One for each stimulus, each another.
    images : tuple, or None
        Files, PIL images, uint8 arrays, or functions that make one.
    texts : dict from language to tuple of str
        Languages as ISO 639 has them, "und" where none was said. None stands for a text that is not there.
    sounds : dict from language to tuple
        Files, arrays at 16 kHz, pairs (array, rate), or functions that make one; None for one that is not there.
    places : tuple of (latitude, longitude), or None
        Degrees, north and east positive.
    labels, groups, times : tuple, or None
        What a stimulus shows; with which others it belongs together (speaker, run); when it was, in seconds.
    licence, credit : str
        To be printed wherever a stimulus is shown.
    shown : bool
        Whether a figure may show them; False for pictures of people who were not asked.

    ``len(stimuli)`` counts them; ``stimuli[index]`` with a slice, an array of indices or a mask selects some, and
    iterating gives their items in the first of their modalities.

    Raises
    ------
    InputError
        If a field has not one entry for each stimulus, or an id comes twice.
    """

    name: str
    ids: tuple[str, ...]
    images: tuple | None = None
    texts: dict[str, tuple] = field(default_factory=dict)
    sounds: dict[str, tuple] = field(default_factory=dict)
    places: tuple | None = None
    labels: tuple | None = None
    groups: tuple | None = None
    times: tuple | None = None
    licence: str = "not said"
    credit: str = "not said"
    shown: bool = True

    def __post_init__(self):
        for what, column in self.columns():
            if len(column) != len(self):
                raise InputError(f"{self.name} has {len(self)} ids but {len(column)} {what}; give one for each id.")
        again = [id for id, times in Counter(self.ids).items() if times > 1]
        if again:
            raise InputError(f"{self.name} has the id {again[0]!r} more than once; an id names one stimulus.")

    def columns(self):
        """(name, entries) of everything that is kept stimulus by stimulus."""
        plain = ((what, getattr(self, what)) for what in PLAIN)
        spoken = ((f"{what} in {language}", c) for what in SPOKEN for language, c in getattr(self, what).items())
        return [(what, column) for what, column in (*plain, *spoken) if column is not None]

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, index):
        chosen = np.arange(len(self))[index]
        if chosen.ndim != 1:
            raise IndexError("Select stimuli with a slice, an array of indices or a mask; image(i) gives one picture.")
        plain = {what: taken(getattr(self, what), chosen) for what in PLAIN}
        spoken = {what: {name: taken(c, chosen) for name, c in getattr(self, what).items()} for what in SPOKEN}
        return replace(self, **plain, **spoken)

    def __iter__(self):
        return iter(self.items())

    def __repr__(self):
        held = [f"{len(self)} stimuli", *map(self.held, self.modalities)]
        held += [] if self.labels is None else [f"{len(set(self.labels))} labels"]
        return f"Stimuli({self.name!r}, {', '.join(held)})"

    def held(self, modality):
        """A modality and its languages in words."""
        languages = self.languages(modality)
        if len(languages) > 3:
            return f"{modality} in {len(languages)} languages"
        return f"{modality} in {' and '.join(languages)}" if languages else modality

    @property
    def modalities(self):
        """Which of "image", "text", "sound", "place" there are."""
        return [modality for modality, what in FIELDS.items() if getattr(self, what)]

    def languages(self, modality):
        """The languages of a modality, those with the most stimuli first; none for pictures and places."""
        column = getattr(self, FIELDS[check_choice(modality, "modality", [*FIELDS])])
        if not isinstance(column, dict):
            return []
        return sorted(column, key=lambda language: (missing(column[language]), language))

    def chosen(self, modality=None, language=None):
        """What is meant where something is left open: (modality, language).

        Parameters
        ----------
        modality : {"image", "text", "sound", "place"}, optional
            By default the first that there is.
        language : str, optional
            By default the only one, or else English. Pictures and places have None.

        Raises
        ------
        InputError
            If there is no such modality or language, or several languages and none chosen.
        """
        if modality is None and self.modalities:
            modality = self.modalities[0]
        if modality not in self.modalities:
            raise InputError(f"{self.name} has no {modality or 'items'}; it has {', '.join(self.modalities) or 'ids'}.")
        languages = self.languages(modality)
        if not languages:
            return modality, None
        if language is None:
            language = "en" if "en" in languages else languages[0] if len(languages) == 1 else None
        if language not in languages:
            said = "comes in several languages" if language is None else f"is not there in {language!r}"
            raise InputError(f"The {modality} of {self.name} {said}; choose one: {', '.join(languages)}.")
        return modality, language

    def sources(self, modality=None, language=None):
        """What is kept of a modality, unread: a tuple with one entry for each stimulus."""
        modality, language = self.chosen(modality, language)
        column = getattr(self, FIELDS[modality])
        return column if language is None else column[language]

    def items(self, modality=None, language=None):
        """What an encoder of a modality takes: a sequence read item by item.

        Parameters
        ----------
        modality, language
            As :meth:`chosen` has them.

        Returns
        -------
        Items
            Of PIL images in RGB, strings, float32 arrays of samples at 16 kHz, or (latitude, longitude).

        Raises
        ------
        InputError
            As :meth:`chosen`. An item that cannot be used raises when it is asked for; :meth:`problems` finds all.
        """
        modality, language = self.chosen(modality, language)
        return Items(self.name, modality, self.ids, self.sources(modality, language))

    def image(self, i):
        """Picture i as PIL image in RGB, on white where it is transparent."""
        return self.items("image")[i]

    def text(self, i, language=None):
        """Text i, by default the English one."""
        return self.items("text", language)[i]

    def sound(self, i, language=None):
        """Sound i: float32 array of shape (n_samples,) at 16 kHz, full scale 1."""
        return self.items("sound", language)[i]

    def place(self, i):
        """Place i as (latitude, longitude) in degrees."""
        return self.items("place")[i]

    def digests(self, modality=None, language=None):
        """SHA-256 of each item, as an encoder of this modality will see it: tuple of str."""
        return self.items(modality, language).digests()

    def sha256(self, modality=None, language=None):
        """SHA-256 of what an encoder of this modality will see, in this order, and of nothing else."""
        items = self.items(modality, language)
        return hashlib.sha256("\n".join([items.modality, *items.digests()]).encode()).hexdigest()

    def problems(self, modality=None, language=None):
        """Which items cannot be used, and why (broken, empty, silent, not there): dict from index to words."""
        return self.items(modality, language).problems()

    def having(self, modality, *languages):
        """Those stimuli that have this modality, in all of these languages.

        Examples
        --------
        >>> stamps.having("sound", "fr", "es").having("text", "de")  # doctest: +SKIP
        """
        columns = [self.sources(modality, language) for language in languages or (None,)]
        return self[np.flatnonzero([missing(row) == 0 for row in zip(*columns, strict=True)])]

    def shuffled(self, seed=0, within=None):
        """The same stimuli in a random order, so that they go with nothing any more.

        Parameters
        ----------
        seed : int
        within : {"labels", "groups"} or sequence of labels, optional
            A stimulus changes places with those of its label or group only.
        """
        return self[pairing.at_random(len(self), seed, self.column(within) if isinstance(within, str) else within)]

    def paired(self, other, missing="refuse"):
        """These stimuli and another set, the same ids in the same order: (Stimuli, Stimuli).

        As :func:`consilience.stimuli.pairing.by_id` has it: ids that one alone has are refused, or dropped.
        """
        mine, theirs = pairing.by_id(self.ids, other.ids, missing)
        return self[mine], other[theirs]

    def matches(self, other, by="labels"):
        """All pairs with a stimulus of another set that have one label, many to many: int array (n_pairs, 2).

        `by` is "ids", "labels", "groups" or "times"; :func:`consilience.stimuli.pairing.relation` makes a 0/1
        matrix of the pairs.
        """
        return pairing.by_label(self.column(by), other.column(by))

    def column(self, what):
        """The ids, labels, groups or times, which must be there."""
        column = getattr(self, check_choice(what, "by", ("ids", "labels", "groups", "times")))
        if column is None:
            raise InputError(f"{self.name} has no {what}.")
        return column


def taken(column, chosen):
    return None if column is None else tuple(column[i] for i in chosen)


def missing(entries):
    """How many are None; by identity, for an array would compare itself element by element."""
    return sum(entry is None for entry in entries)
