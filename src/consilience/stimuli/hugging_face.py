"""Data sets of the Hugging Face library `datasets` as stimuli."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from pathlib import Path

from ..check import InputError
from ..optional import bring
from .columns import chosen, gathered


def from_dataset(dataset, *, name=None, **columns):
    """The rows of a data set of the library `datasets`, one stimulus each, read one by one.

    Parameters
    ----------
    dataset : datasets.Dataset
        One split, not streamed.
    name : str, optional
        By default the data set's own.
    **columns
        Which column is what, as :func:`consilience.stimuli.from_table` has it. The only column of pictures, sounds or
        classes needs no saying.

    Returns
    -------
    Stimuli
        With the licence that the data set states. Classes are called by their names.

    Raises
    ------
    InputError
        If it is no such data set, or a column is not there.

    Notes
    -----
    Pictures and sounds are taken as they were stored and decoded here, as those of any other data set are.
    """
    datasets = bring("datasets")
    if not isinstance(dataset, datasets.Dataset):
        raise InputError(
            f"dataset is a {type(dataset).__name__}; give one split that is not streamed, as load_dataset(..., "
            'split="test") has it. Of a stream: Dataset.from_list(list(stream.take(500))).'
        )
    kinds = {"image": datasets.Image, "sound": datasets.Audio, "label": datasets.ClassLabel}
    for role, kind in kinds.items():
        of_kind = [column for column, feature in dataset.features.items() if isinstance(feature, kind)]
        if role not in columns and role not in dataset.features and len(of_kind) == 1:
            columns[role] = of_kind[0]
    roles = chosen(dataset.column_names, columns)
    stored = dataset
    for column, feature in dataset.features.items():
        if isinstance(feature, datasets.Image | datasets.Audio):
            stored = stored.cast_column(column, type(feature)(decode=False))

    def entries(role, column):
        feature = dataset.features[column]
        if role in ("image", "sound"):
            return tuple(partial(opened, stored, i, column) for i in range(len(stored)))
        if isinstance(feature, datasets.ClassLabel):
            return tuple(None if label is None else feature.int2str(label) for label in stored[column])
        return tuple(stored[column])

    info = dataset.info
    described = {"licence": info.license or "not said", "credit": info.homepage or info.dataset_name or "not said"}
    return gathered(name or info.dataset_name or "dataset", len(dataset), roles, entries, **described)


def opened(stored, i, column):
    """Row i of a column of pictures or sounds: its bytes, or the file that holds them."""
    found = stored[i][column]
    if found is None:
        raise InputError("there is none")
    return BytesIO(found["bytes"]) if found["bytes"] is not None else Path(found["path"])
