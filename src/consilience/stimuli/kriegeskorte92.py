"""The 92 objects of Kriegeskorte et al. 2008, and how dissimilar they were to monkeys, to brains, and to people."""

from __future__ import annotations

import numpy as np

from ..optional import bring
from .stimuli import Stimuli

STIMULI, BRAINS, JUDGED = "Kriegeskorte_Neuron2008_supplementalData.mat", "92_brainRDMs.mat", "92_behavRDMs.mat"


def read(name, row, folder):
    """The objects in the order of the study; the label is one of six kinds, such as "human face"."""
    objects = matlab(folder / STIMULI)["stimuli_92objs"][0]
    return Stimuli(
        name=name,
        ids=tuple(f"object{i + 1}" for i in range(len(objects))),
        images=tuple(one["image"] for one in objects),
        labels=tuple(str(one["category"][0]) for one in objects),
        licence=row["licence"],
        credit=row["credit"],
        shown=row["shown"],
    )


def responses(row, folder):
    """Dissimilarities of the objects, 1 - correlation of the patterns unless said otherwise.

    Returns
    -------
    dict of str to ndarray of float64
        "monkey IT" (92, 92): 674 neurons of two monkeys. "human IT" (92, 92): 316 voxels, mean of four people.
        "human IT by session" (4, 2, 92, 92): person, session. "judged" (16, 92, 92): people who arranged the objects.
    """
    monkey, human = (square(one["RDM"]) for one in matlab(folder / STIMULI)["RDMs_mIT_hIT_fig1"][0])
    sessions = [[square(one["RDM"]) for one in person] for person in matlab(folder / BRAINS)["RDMs"][0]]
    judged = [square(one["RDM"]) for one in matlab(folder / JUDGED)["rdms_behav_92"][0]]
    return {
        "monkey IT": monkey,
        "human IT": human,
        "human IT by session": np.array(sessions),
        "judged": np.array(judged),
    }


def square(rdm):
    """A matrix (92, 92), from one or from its upper triangle."""
    return rdm if rdm.shape[0] == rdm.shape[1] else bring("scipy.spatial.distance").squareform(rdm.ravel())


def matlab(path):
    return bring("scipy.io").loadmat(path)
