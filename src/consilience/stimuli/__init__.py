"""Data sets as stimuli: paired, licensed, checksummed. A file a reader; data/datasets.yaml names it."""

from importlib import import_module

from .. import kit
from .hugging_face import from_dataset
from .stimuli import Stimuli
from .yours import from_folder, from_table, from_texts

__all__ = ["Stimuli", "from_dataset", "from_folder", "from_table", "from_texts", "load", "responses"]


def load(name):
    """The stimuli of a data set, fetched if they are not here.

    Parameters
    ----------
    name : str
        A row of data/datasets.yaml, such as "tuxpaint-stamps".

    Returns
    -------
    Stimuli

    Raises
    ------
    consilience.kit.KitError
        If there is no such data set, or its files did not come or are not what they should be.
    """
    reader, row, folder = found(name)
    return reader.read(name, row, folder)


def responses(name):
    """What brains or people answered to the stimuli of a data set.

    Parameters
    ----------
    name : str
        "kriegeskorte92" or "haxby-slice", of data/datasets.yaml.

    Returns
    -------
    dict of str to ndarray
        Measurements, whose rows answer the stimuli that :func:`load` gives, or dissimilarities of these. The reader
        of the data set says which, with shapes and units.

    Raises
    ------
    consilience.kit.KitError
        As :func:`load`; if the data set has no responses.
    """
    reader, row, folder = found(name)
    if not hasattr(reader, "responses"):
        raise kit.KitError(f"{name} has stimuli alone; nobody's responses to them were recorded.")
    return reader.responses(row, folder)


def found(name):
    """The reader, the row and the folder of a data set."""
    row = kit.row(name)
    if name not in kit.table("datasets"):
        raise kit.KitError(f"{name} is a model, not a data set.")
    return import_module(f".{row['reader']}", __name__), row, kit.get(name)
