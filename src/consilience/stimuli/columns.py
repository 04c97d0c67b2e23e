"""Stimuli out of columns: which column of a table is the picture, which the text, which the label."""

from __future__ import annotations

from ..check import InputError
from .stimuli import Stimuli

SINGLE = {"id": "ids", "image": "images", "label": "labels", "group": "groups", "time": "times"}
SPOKEN = {"text": "texts", "sound": "sounds"}
UNSAID = "und"  # ISO 639 for a language that was not said


def chosen(available, named):
    """{role: column} of what is there: columns that the caller names, and those that are called like a role.

    Parameters
    ----------
    available : list of str
        The columns that there are.
    named : dict
        {role: column}; for "text" and "sound" also {role: {language: column}}, for "place" a pair of columns.

    Raises
    ------
    InputError
        If there is no such role or column, or nothing that could be a stimulus.
    """
    roles = [*SINGLE, *SPOKEN, "place"]
    for role, column in named.items():
        if role not in roles:
            raise InputError(f"{role!r} is nothing that a column can be; there are {', '.join(roles)}.")
        for one in listed(column):
            if one not in available:
                raise InputError(f"There is no column {one!r} for {role}; there are {', '.join(map(str, available))}.")
    found = {role: role for role in roles if role in available} | named
    if "place" not in found and {"latitude", "longitude"} <= set(available):
        found["place"] = ("latitude", "longitude")
    if not found.keys() & {"image", "place", *SPOKEN}:
        raise InputError(
            f"No column is called image, text, sound or place; say which is, as in text={available[-1]!r}. There are "
            f"{', '.join(map(str, available))}."
        )
    return found


def listed(column):
    if isinstance(column, dict):
        return list(column.values())
    return list(column) if isinstance(column, list | tuple) else [column]


def gathered(name, n, roles, entries, **described):
    """Stimuli of n rows.

    Parameters
    ----------
    roles : dict
        As :func:`chosen` gives them.
    entries : callable
        From a role and a column to a tuple of n entries, None where there is nothing.
    **described
        Licence and credit.
    """
    fields = {SINGLE[role]: entries(role, column) for role, column in roles.items() if role in SINGLE}
    for role in roles.keys() & SPOKEN.keys():
        by_language = roles[role] if isinstance(roles[role], dict) else {UNSAID: roles[role]}
        fields[SPOKEN[role]] = {language: entries(role, column) for language, column in by_language.items()}
    if "place" in roles:
        fields["places"] = tuple(zip(*(entries("place", column) for column in roles["place"]), strict=True))
    ids = fields.pop("ids", range(n))
    if None in ids:
        raise InputError(f"Row {ids.index(None)} has no id; give each stimulus one.")
    return Stimuli(name, tuple(map(str, ids)), **fields, **described)
