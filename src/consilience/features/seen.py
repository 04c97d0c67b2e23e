"""What an encoder sees of stimuli: the items of one modality, or of text and picture together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from ..check import InputError

SPOKEN = ("text", "sound")  # modalities that come in languages


class Seen(Sequence):
    """Items, read one by one as they are asked for.

    Parameters
    ----------
    stimuli : Stimuli
    modality : {"image", "text", "sound", "place", "text+image"}
        With "+" an item is a tuple of both.
    language : str, optional
    """

    def __init__(self, stimuli, modality, language=None):
        self.stimuli, self.modality, self.language = stimuli, modality, language
        chosen = [(each, language if each in SPOKEN else None) for each in modality.split("+")]
        if language is not None and not set(modality.split("+")) & set(SPOKEN):
            raise InputError(f"language is {language!r}, but the model takes {modality}, which has none.")
        self.columns = [stimuli.items(*each) for each in chosen]

    def __len__(self):
        return len(self.stimuli)

    def __getitem__(self, i):
        items = tuple(column[i] for column in self.columns)
        return items[0] if len(items) == 1 else items

    def only(self, indices):
        """Some of them."""
        return Seen(self.stimuli[indices], self.modality, self.language)

    def digests(self):
        """SHA-256 of each item, exactly as it is seen."""
        rows = zip(*(column.digests() for column in self.columns), strict=True)
        return [row[0] if len(row) == 1 else hashlib.sha256("".join(row).encode()).hexdigest() for row in rows]

    def broken(self):
        """Whether some cannot even be read."""
        return any(column.problems() for column in self.columns)

    def problems(self, refuses):
        """{index: why an item cannot be used}: broken, empty, silent, not there, or refused by the encoder."""
        found = {i: why for column in self.columns for i, why in column.problems().items()}
        for i in range(len(self)):
            why = None if i in found else refuses(self[i])
            if why:
                found[i] = f"{self.stimuli.name}: {self.stimuli.ids[i]!r} cannot be used: {why}."
        return dict(sorted(found.items()))


def chosen_modality(takes, stimuli, modality=None, language=None):
    """Which of the modalities that a model takes is meant.

    Parameters
    ----------
    takes : list of str
        The model's, the main one first.
    stimuli : Stimuli
    modality, language : str, optional
        What was asked for. A language asks for text or sound.

    Raises
    ------
    InputError
        If the model does not take it, or the stimuli have none that it takes.
    """
    if modality is not None:
        if modality not in takes:
            raise InputError(f"modality is {modality!r}; the model takes {' or '.join(takes)}.")
        return modality
    held = [each for each in takes if set(each.split("+")) <= set(stimuli.modalities)]
    if not held:
        has = ", ".join(stimuli.modalities) or "nothing"
        raise InputError(f"The model takes {' or '.join(takes)}; {stimuli.name} has {has}.")
    spoken = [each for each in held if set(each.split("+")) & set(SPOKEN)]
    return spoken[0] if language is not None and spoken else held[0]
