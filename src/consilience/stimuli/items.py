"""The items of one modality: a sequence that reads each when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ..check import InputError
from .modality import READERS, digest


@dataclass(frozen=True, eq=False, repr=False)
class Items(Sequence):
    """The items of one modality, each read when it is asked for."""

    name: str
    modality: str
    ids: tuple[str, ...]
    sources: tuple

    def __len__(self):
        return len(self.sources)

    def __getitem__(self, i):
        if isinstance(i, slice):
            return [self[j] for j in range(len(self))[i]]
        return self.of(i, READERS[self.modality])

    def __repr__(self):
        return f"Items({self.name!r}, {len(self)} of modality {self.modality!r})"

    def digests(self):
        return tuple(self.of(i, partial(digest, self.modality)) for i in range(len(self)))

    def problems(self):
        found = {}
        for i in range(len(self)):
            try:
                self.of(i, partial(digest, self.modality))
            except InputError as error:
                found[i] = str(error)
        return found

    def of(self, i, read):
        """What `read` makes of source i; InputError names the stimulus."""
        if self.sources[i] is None:
            raise InputError(f"{self.name}: {self.ids[i]!r} has no {self.modality}; having() selects those that do.")
        try:
            return read(self.sources[i])
        except InputError as error:
            raise InputError(f"{self.name}: the {self.modality} of {self.ids[i]!r} cannot be used: {error}.") from error
