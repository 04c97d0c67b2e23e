"""Which model is meant: a row of data/models.yaml, a folder, a repository of the hub, a torch network, a function."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path

from .. import kit
from ..check import InputError
from ..core.memory import available
from ..optional import bring
from ..registries import RegistryError, from_hub
from . import given
from .encoder import Encoder
from .machine import chosen_device, chosen_dtype

OPTIONS = ("modality", "parts", "dtype", "device")


@dataclass(frozen=True)
class Model:
    """A model that is found and not yet loaded.

    Attributes
    ----------
    name : str
    takes : list of str
        Modalities, the main one first.
    load : callable
        From (options, weights, seed) to an Encoder; `options` are those of OPTIONS that were chosen.
    row : dict
        As data/models.yaml has it.
    folder : Path, or None
        Where its files are.
    options : tuple of str
        What a call may choose for it.
    """

    name: str
    takes: list[str]
    load: Callable[[dict, str, int], Encoder]
    row: dict = field(default_factory=dict)
    folder: Path | None = None
    options: tuple[str, ...] = ("modality",)

    @property
    def kept(self):
        """Whether its features are kept on disk: not where only code would tell it from another."""
        return "reader" in self.row

    def chosen(self, asked):
        """The options that were asked for and those that the machine decides.

        Raises
        ------
        InputError
            If this model leaves no such choice.
        """
        for name, value in asked.items():
            if value is not None and name not in self.options:
                raise InputError(f"{self.name} leaves no choice of {name}; leave it out.")
        if "dtype" not in self.options:
            return {name: value for name, value in asked.items() if value is not None}
        device = chosen_device(asked["device"])
        dtype = chosen_dtype(asked["dtype"], device, reader_of(self.row).saved_as(self.folder))
        return asked | {"device": device, "dtype": dtype}


def found(model, layers=None, prepare=None):
    """The model that is meant.

    Raises
    ------
    InputError
        If it is none of what a model can be.
    consilience.kit.KitError
        If there is no such row, folder or repository, or it did not come.
    """
    if isinstance(model, str | Path):
        return in_files(str(model))
    if hasattr(model, "named_modules"):
        load = partial(network, model, layers, prepare)
        return Model(type(model).__name__, ["image", "text", "sound", "place"], load)
    if callable(model):
        load = partial(function, model)
        return Model(getattr(model, "__name__", "function"), ["image", "text", "sound", "place"], load)
    raise InputError(
        f"model is {model!r}; give a row of data/models.yaml, the folder of a model, a repository of the hub "
        "(owner/name@revision), a torch.nn.Module, or a function from stimuli to an array."
    )


def in_files(name):
    """A row, a folder, or a repository."""
    if name in kit.table("models"):
        row = kit.row(name)
        if "hub" in row:
            return read_by(name, row, repository(row["hub"], row.get("revision"), f"data/models.yaml, {name}"))
        return read_by(name, row, None if kit.source(row) == "computed" else kit.get(name) / row.get("folder", ""))
    if (Path(name) / "config.json").is_file():
        return read_by(name, {"reader": "hub"}, Path(name))
    if name in kit.rows():
        raise kit.KitError(f"{name} is a data set, not a model.")
    if name.count("/") == 1 and not Path(name).exists():
        hub, _, revision = name.partition("@")
        return read_by(name, {"reader": "hub", "hub": hub}, repository(hub, revision or None, f"{hub}@..."))
    raise kit.KitError(
        f"There is no model named {name!r}: no row of data/models.yaml ({', '.join(kit.table('models'))}), no folder "
        "with a config.json, and no repository of the hub, which would be owner/name@revision."
    )


def read_by(name, row, folder):
    """The model of a row, as its reader has it."""
    reader = reader_of(row)
    takes = row.get("modality") or reader.modalities(reader.configuration(folder))

    def load(options, weights, seed):
        return reader.load(row | options, folder, weights, seed)

    options = ("modality", *getattr(reader, "OPTIONS", ()))
    return Model(name, [takes] if isinstance(takes, str) else takes, load, row, folder, options)


def reader_of(row):
    return import_module(f".{row['reader']}", __package__)


def repository(hub, revision, place):
    """The folder of a repository of the hub; a warning tells the commit where none is named."""
    try:
        folder = from_hub(hub, revision, room=available())
    except RegistryError as error:
        raise kit.KitError(str(error)) from error
    if revision is None:
        warnings.warn(
            f"{place} names no revision, so other weights may come another day. Today's is {folder.name}: name that.",
            stacklevel=2,
        )
    return folder


def network(module, layers, prepare, options, weights, seed):
    refuse_random(type(module).__name__, weights)
    bring("torch")
    return given.of_module(module, options["modality"], layers, prepare)


def function(call, options, weights, seed):
    refuse_random(getattr(call, "__name__", "function"), weights)
    return given.of_function(call, options["modality"])


def refuse_random(name, weights):
    if weights == "random":
        raise InputError(f"weights is 'random', but {name} is taken as it is; draw its weights before you give it.")
