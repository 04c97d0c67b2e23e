"""Consilience: do models, and brains, come to see the world alike? Every score comes with its null.

>>> import consilience as cs
>>> cs.align(X, Y)                       # debiased CKA, its null, its p
>>> cs.align(X, Y, metric="mutual_knn", k=10)
>>> cs.compare(layers_a, layers_b)       # every pair of layers
>>> cs.encode("efficientnet-lite0", cs.stimuli.load("tuxpaint-stamps"))
"""

from importlib.metadata import PackageNotFoundError, version

from consilience import stimuli
from consilience.alignment import Alignment, align
from consilience.atlas import atlas
from consilience.atlas_table import Atlas
from consilience.ceilings import NoiseCeiling, encoding_noise_ceiling, rdm_noise_ceiling, split_half_reliability
from consilience.check import InputError
from consilience.comparison import Comparison, compare
from consilience.conventions import CONVENTIONS, Score, score
from consilience.core import neighbors, show_versions
from consilience.features import Features, encode
from consilience.grounding import Following, Recovery
from consilience.metrics import (
    bures,
    catalogue,
    cca,
    cka,
    cknna,
    compare_rdms,
    crossnobis,
    cycle_knn,
    distance_correlation,
    edit_knn,
    gromov_wasserstein,
    hsic,
    indra_representation,
    information_imbalance,
    jaccard_knn,
    lcs_knn,
    linear_predictivity,
    mka,
    mutual_knn,
    noise_normalized,
    participation_ratio,
    procrustes,
    pwcca,
    rank_similarity,
    recall,
    regularized_cca,
    relative_representation,
    riemannian,
    rsa,
    rv,
    second_order_cosine,
    seeded_matching,
    soft_matching,
    svcca,
    two_nn,
    unit_matching,
    unit_sampled_cka,
)
from consilience.power import deciding_directions, power_curve, stimuli_needed
from consilience.probing import alignment_probe
from consilience.resampling import Resampled
from consilience.retrieval import Retrieval, retrieval
from consilience.scale import ScaleOfAgreement, scale_of_agreement
from consilience.stitching import Stitching, stitch

try:
    __version__ = version("consilience")
except PackageNotFoundError:  # run from a checkout that is not installed
    __version__ = "0"

__all__ = [
    "CONVENTIONS",
    "Alignment",
    "Atlas",
    "Comparison",
    "Features",
    "Following",
    "InputError",
    "NoiseCeiling",
    "Recovery",
    "Resampled",
    "Retrieval",
    "ScaleOfAgreement",
    "Score",
    "Stitching",
    "align",
    "alignment_probe",
    "atlas",
    "bures",
    "catalogue",
    "cca",
    "cka",
    "cknna",
    "compare",
    "compare_rdms",
    "crossnobis",
    "cycle_knn",
    "deciding_directions",
    "distance_correlation",
    "edit_knn",
    "encode",
    "encoding_noise_ceiling",
    "gromov_wasserstein",
    "hsic",
    "indra_representation",
    "information_imbalance",
    "jaccard_knn",
    "lcs_knn",
    "linear_predictivity",
    "mka",
    "mutual_knn",
    "neighbors",
    "noise_normalized",
    "participation_ratio",
    "power_curve",
    "procrustes",
    "pwcca",
    "rank_similarity",
    "rdm_noise_ceiling",
    "recall",
    "regularized_cca",
    "relative_representation",
    "retrieval",
    "riemannian",
    "rsa",
    "rv",
    "scale_of_agreement",
    "score",
    "second_order_cosine",
    "seeded_matching",
    "show_versions",
    "soft_matching",
    "split_half_reliability",
    "stimuli",
    "stimuli_needed",
    "stitch",
    "svcca",
    "two_nn",
    "unit_matching",
    "unit_sampled_cka",
]
