"""The same name, another number: scores as well-known libraries give them, where they differ from ours.

A convention is data: what is done to the units first, which options are ours, what is done to the score, or, where
that is not enough, a formula. Ours are on the metrics' cards; these are for comparing with numbers in print.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from consilience.check import InputError, check_choice, check_pair
from consilience.metrics import CARDS
from consilience.metrics.card import parameters_of
from consilience.metrics.elsewhere import (
    angle,
    apart,
    at_own_size,
    biased_cknna,
    clamped,
    cosine_without_diagonal,
    double_centred,
    first_components,
    lower_median,
    medians_of_both,
    one_minus,
    over_biased_norms,
    pwcca_both_ways,
    pwcca_of_coefficients,
    rbf_cka,
    share_of_correlations,
    short_of_share,
    svcca_kept,
    unit_rows,
    unscaled_fit,
    white_before_centring,
    width_of_first,
    z_scored,
)
from consilience.metrics.relation import u_centre


@dataclass(frozen=True)
class Convention:
    """How a library's score of this name comes about.

    Attributes
    ----------
    words : str
        What differs from ours.
    options : dict
        Of our metric.
    before : callable, optional
        Of each array.
    after : callable, optional
        Of our score.
    formula : callable, optional
        Of both arrays, in place of our metric; it takes those of our metric's options that it names.
    metric : str, optional
        Ours, where it goes by another name.
    direction : str, optional
        "similarity" or "distance", where it is not that of our metric.
    """

    words: str
    options: dict = field(default_factory=dict)
    before: Callable | None = None
    after: Callable | None = None
    formula: Callable | None = None
    metric: str | None = None
    direction: str | None = None


@dataclass(frozen=True)
class Score:
    """A score that says by which convention it was computed.

    Attributes
    ----------
    value : float
    metric, convention : str
    words : str
        What the convention does differently from ours.
    direction : {"similarity", "distance"}
    options : dict
        Of the metric, those of the convention among them.
    """

    value: float
    metric: str
    convention: str
    words: str
    direction: str
    options: dict

    def __float__(self):
        return self.value

    def __str__(self):
        whose = f"by the convention {self.convention!r}: {self.words}"
        return f"{self.metric} = {self.value:.6g}, a {self.direction}, {whose}"

    __repr__ = __str__


def score(X, Y, metric="cka", convention="consilience", **options):
    """The score of two representations, by our convention or by that of a library.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus.
    metric : str
        A name in :func:`consilience.catalogue`.
    convention : str
        "consilience", or one that ``consilience.conventions.CONVENTIONS[metric]`` has.
    **options
        Of the metric, for example ``k=10``. They may not contradict the convention.

    Returns
    -------
    Score
        ``float(score)`` is its value. For its null see :func:`consilience.align`, which keeps to our convention.

    Raises
    ------
    InputError
        If the metric has no such convention, or an option is not the convention's to choose; or as the metric does.
    """
    card = CARDS[check_choice(metric, "metric", tuple(CARDS))]
    known = {"consilience": Convention("as its card has it"), **CONVENTIONS.get(metric, {})}
    if convention not in known:
        raise InputError(f"{metric} has no convention {convention!r}; it has {', '.join(map(repr, known))}.")
    way = known[convention]
    taken = set(options) - set(parameters_of(way.formula)) if way.formula else set(options) & set(way.options)
    if taken:
        raise InputError(f"The convention {convention!r} settles {', '.join(sorted(taken))}; leave it out.")
    X, Y = check_pair(X, Y)
    if way.before:
        X, Y = (way.before(A.astype(np.float64)) for A in (X, Y))
    options = way.options | options
    ours = CARDS[way.metric] if way.metric else card
    ours.split(options)
    value = way.formula(X, Y, **options) if way.formula else ours.score(X, Y, **options)
    value = float(way.after(value) if way.after else value)
    if not np.isfinite(value):
        raise InputError(f"By the convention {convention!r} these arrays have no {metric}: a kernel has nothing left.")
    return Score(value, metric, convention, way.words, way.direction or card.direction, options)


BIASED = {"estimator": "biased", "kernel": "linear"}
CONVENTIONS = {
    "cka": {
        "google": Convention("the biased estimator, as most libraries have it", BIASED),
        "net2brain": Convention("the biased estimator, units z-scored first", BIASED, before=z_scored),
        "netrep": Convention("the arc cosine of the biased estimator", BIASED, after=angle, direction="distance"),
        "ding": Convention("one minus the biased estimator", BIASED, after=one_minus, direction="distance"),
        "pytorch-cka": Convention("debiased, negative values set to 0", {"kernel": "linear"}, after=clamped),
        "wrongu-repsim": Convention(
            "the arc cosine, of centred kernels without their diagonal but without the correction for it",
            formula=cosine_without_diagonal,
            direction="distance",
        ),
        "pypi-repsim-song": Convention(
            "the unbiased HSIC over the norms of the biased one, so that a representation with itself has less than 1",
            formula=over_biased_norms(u_centre),
        ),
        "pypi-repsim-lange": Convention(
            "centred kernels without their diagonal, over n (n - 3), over the norms of the biased HSIC",
            formula=over_biased_norms(double_centred),
        ),
        "google-rbf": Convention(
            "biased, exp(-d² / 2 m), m the median of d² with the zeros of the diagonal",
            formula=rbf_cka(lambda D: 2 * np.median(D)),
        ),
        "google-rbf-debiased": Convention(
            "debiased, exp(-d² / 2 m), m the median of d² with the zeros of the diagonal",
            formula=rbf_cka(lambda D: 2 * np.median(D), u_centre),
        ),
        "thingsvision-rbf": Convention(
            "biased, exp(-d² / 2 m), m the median of d² of different stimuli",
            formula=rbf_cka(lambda D: 2 * np.median(apart(D))),
        ),
        "thingsvision-rbf-debiased": Convention(
            "debiased, exp(-d² / 2 m), m the median of d² of different stimuli",
            formula=rbf_cka(lambda D: 2 * np.median(apart(D)), u_centre),
        ),
        "hyppo": Convention(
            "debiased, both kernels exp(-d² / 2 m²), m the median distance in X; not symmetric", formula=width_of_first
        ),
        "pypi-repsim-rbf-mean": Convention(
            "biased, exp(-d² / m), m the mean of d² of different stimuli", formula=rbf_cka(lambda D: apart(D).mean())
        ),
        "pypi-repsim-rbf-dualmed": Convention(
            "biased, exp(-d² / 2 m m'), m and m' the median distances of both stimuli to others",
            formula=rbf_cka(medians_of_both),
        ),
        "wrongu-repsim-rbf": Convention(
            "the arc cosine, biased, exp(-d² / m), m the median of d² of different stimuli, the lower of two",
            formula=rbf_cka(lower_median),
            after=angle,
            direction="distance",
        ),
        "platonic-rbf": Convention(
            "biased, rows at unit length, exp(-d² / 2)", before=unit_rows, formula=rbf_cka(lambda D: 2.0)
        ),
        "platonic-rbf-debiased": Convention(
            "debiased, rows at unit length, exp(-d² / 2)", before=unit_rows, formula=rbf_cka(lambda D: 2.0, u_centre)
        ),
    },
    "cca": {
        "google-demo": Convention("the mean of squared correlations", {"summary": "mean_squared"}),
        "google": Convention(
            "the mean of the largest correlations, those that make up 98 % of their sum", formula=share_of_correlations
        ),
    },
    "svcca": {
        "anatome": Convention(
            "one minus the mean; components below 99 % of the sum of singular values, not of their squares, of units "
            "that are not centred",
            formula=svcca_kept(short_of_share, centre=False),
            after=one_minus,
            direction="distance",
        ),
        "google-tutorial": Convention("twenty components each, whatever they hold", formula=first_components(20)),
        "aristotelian": Convention("ten components each, whatever they hold", formula=first_components(10)),
        "pypi-repsim": Convention(
            "the mean of squared correlations, of units made orthonormal before 99 % of the variance are kept",
            formula=white_before_centring,
        ),
        "resi": Convention("one component is kept, whatever is asked", formula=svcca_kept(lambda values: 1)),
    },
    "pwcca": {
        "google": Convention(
            "weights from directions that were not whitened; of units that are centred", {"weights": "unwhitened"}
        ),
        "aristotelian": Convention("weights from the size of the variates", {"weights": "variates"}),
        "pypi-repsim": Convention("the mean of both orders", formula=pwcca_both_ways),
        "anatome": Convention(
            "one minus it, with weights from units that are not centred and coefficients that were made orthonormal",
            formula=pwcca_of_coefficients,
            after=one_minus,
            direction="distance",
        ),
    },
    "procrustes": {
        "resi": Convention("the distance, not the angle", {"score": "distance"}),
        "ding": Convention("the squared distance", {"score": "distance"}, after=np.square),
        "anatome": Convention("one minus the cosine", {"score": "angle"}, after=lambda theta: 1 - np.cos(theta)),
        "rsatoolbox-bures": Convention("the cosine", {"score": "angle"}, after=np.cos, direction="similarity"),
        "netrep-euclidean": Convention("the distance of both at their own size", formula=at_own_size),
        "aristotelian": Convention(
            "one minus what is left of Y, over its size, after a rotation of X without scaling; not symmetric",
            formula=unscaled_fit,
            direction="similarity",
        ),
    },
    "mutual_knn": {
        "aristotelian": Convention("neighbours by inner product, not cosine", {"similarity": "dot"}),
        "resi": Convention("the Jaccard index", {"similarity": "cosine"}, metric="jaccard_knn"),
    },
    "cknna": {
        "platonic-biased": Convention("biased HSIC; each stimulus is one of its own k nearest", formula=biased_cknna),
    },
    "rsa": {
        "rsatoolbox-euclidean": Convention(
            "Pearson's correlation of squared distances", {"dissimilarity": "squared_euclidean", "compare": "pearson"}
        ),
        "thingsvision-euclidean": Convention(
            "Pearson's correlation of distances", {"dissimilarity": "euclidean", "compare": "pearson"}
        ),
    },
    "distance_correlation": {
        "dcor": Convention("biased, and its root", {"estimator": "biased"}, after=np.sqrt),
    },
}
