"""Data sets as stimuli: paired, licensed, checksummed. A file a reader; data/datasets.yaml names it."""

from importlib import import_module

from .. import kit
from .stimuli import Stimuli

__all__ = ["Stimuli", "load"]


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
    row = kit.row(name)
    if name not in kit.table("datasets"):
        raise kit.KitError(f"{name} is a model, not a data set.")
    return import_module(f".{row['reader']}", __name__).read(name, row, kit.get(name))
