"""The metrics, one file a family. Stateless functions: two arrays in, one float out; each with its card."""

from consilience.metrics import (
    assignment,
    correlation,
    geometry,
    gromov,
    imbalance,
    jaccard,
    kernel,
    manifold,
    matching,
    neighbor_order,
    neighborhood,
    prediction,
    rdms,
    regularized,
    riemann,
    second_order,
    tuning,
    unit_sampling,
)
from consilience.metrics.anchors import indra_representation, relative_representation
from consilience.metrics.assignment import seeded_matching
from consilience.metrics.card import Card
from consilience.metrics.correlation import cca, pwcca, svcca
from consilience.metrics.dimension import participation_ratio, two_nn
from consilience.metrics.geometry import distance_correlation, procrustes
from consilience.metrics.gromov import gromov_wasserstein
from consilience.metrics.imbalance import information_imbalance
from consilience.metrics.jaccard import jaccard_knn
from consilience.metrics.kernel import cka, hsic, rv
from consilience.metrics.manifold import mka
from consilience.metrics.matching import recall
from consilience.metrics.neighbor_order import edit_knn, lcs_knn, rank_similarity
from consilience.metrics.neighborhood import cknna, cycle_knn, mutual_knn
from consilience.metrics.noise import crossnobis, noise_normalized
from consilience.metrics.prediction import linear_predictivity
from consilience.metrics.rdms import compare_rdms, rsa
from consilience.metrics.regularized import regularized_cca
from consilience.metrics.relation import Relation, product
from consilience.metrics.riemann import bures, riemannian
from consilience.metrics.second_order import second_order_cosine
from consilience.metrics.tuning import soft_matching, unit_matching
from consilience.metrics.unit_sampling import unit_sampled_cka

FAMILIES = (
    kernel,
    unit_sampling,
    manifold,
    neighborhood,
    jaccard,
    neighbor_order,
    second_order,
    imbalance,
    geometry,
    riemann,
    rdms,
    gromov,
    correlation,
    regularized,
    prediction,
    matching,
    assignment,
    tuning,
)
CARDS = {card.name: card for family in FAMILIES for card in family.CARDS}


def catalogue():
    """Every metric with its card: a dict from the public name to :class:`consilience.metrics.Card`."""
    return dict(CARDS)


__all__ = [
    "CARDS",
    "Card",
    "Relation",
    "bures",
    "catalogue",
    "cca",
    "cka",
    "cknna",
    "compare_rdms",
    "crossnobis",
    "cycle_knn",
    "distance_correlation",
    "edit_knn",
    "gromov_wasserstein",
    "hsic",
    "indra_representation",
    "information_imbalance",
    "jaccard_knn",
    "lcs_knn",
    "linear_predictivity",
    "mka",
    "mutual_knn",
    "noise_normalized",
    "participation_ratio",
    "procrustes",
    "product",
    "pwcca",
    "rank_similarity",
    "recall",
    "regularized_cca",
    "relative_representation",
    "riemannian",
    "rsa",
    "rv",
    "second_order_cosine",
    "seeded_matching",
    "soft_matching",
    "svcca",
    "two_nn",
    "unit_matching",
    "unit_sampled_cka",
]
