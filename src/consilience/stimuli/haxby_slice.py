"""Haxby et al. 2001: one slice of one brain, while its owner looked at pictures of eight kinds of things."""

from __future__ import annotations

import numpy as np

from ..optional import bring
from .stimuli import Stimuli

REPEAT = 2.5  # seconds from one volume to the next


def read(name, row, folder):
    """The volumes in their order: label what was looked at, or "rest"; group the run; time in seconds in the run."""
    kinds, runs = np.loadtxt(folder / "attributes_literal.txt", dtype=str, unpack=True)
    place = [np.count_nonzero(runs[:i] == run) for i, run in enumerate(runs)]
    return Stimuli(
        name=name,
        ids=tuple(f"run{run}-volume{i}" for run, i in zip(runs, place, strict=True)),
        labels=tuple(kinds.tolist()),
        groups=tuple(int(run) for run in runs),
        times=tuple(REPEAT * i for i in place),
        licence=row["licence"],
        credit=row["credit"],
    )


def responses(row, folder):
    """What the scanner measured.

    Returns
    -------
    dict of str to ndarray
        "bold" (1452, 530), float32: volumes by voxels of the brain, in the scanner's units, not detrended. "voxels"
        (530, 3), int: where each voxel lies in the volume.
    """
    load = bring("nibabel").load
    inside = np.asarray(load(folder / "mask.nii.gz").dataobj) > 0
    return {
        "bold": np.asarray(load(folder / "bold.nii.gz").dataobj)[inside].T.astype(np.float32),
        "voxels": np.argwhere(inside),
    }
