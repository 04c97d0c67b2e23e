"""Does a metric see what is known of the models? Groups that it should recover, differences that it should follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from consilience.check import InputError, check_whole
from consilience.core import Orders

SLACK = 1e-9  # what rounding may do to a statistic


@dataclass(frozen=True)
class Recovery:
    """Whether models of one group are more alike than models of different groups; see :func:`recovery`.

    Attributes
    ----------
    auprc, conformity : float in [0, 1]
    auprc_by_chance, conformity_by_chance : float
        Their means when the labels are shuffled among the models.
    p_auprc, p_conformity : float
        How often shuffled labels do as well, the labels as they are among them.
    n_models, n_groups, draws : int
    """

    auprc: float
    auprc_by_chance: float
    p_auprc: float
    conformity: float
    conformity_by_chance: float
    p_conformity: float
    n_models: int
    n_groups: int
    draws: int

    def __str__(self):
        return (
            f"{self.n_groups} groups among {self.n_models} models: AUPRC {self.auprc:.3f} (by chance "
            f"{self.auprc_by_chance:.3f}, p = {self.p_auprc:.3g}), conformity {self.conformity:.3f} (by chance "
            f"{self.conformity_by_chance:.3f}, p = {self.p_conformity:.3g})."
        )


@dataclass(frozen=True)
class Following:
    """Whether models that differ more are less alike; see :func:`following`.

    Attributes
    ----------
    rho : float in [-1, 1]
        Spearman's correlation over pairs of models of how unlike they are and how much they differ.
    null_sd, p : float
        When the models are shuffled on one side.
    n_models, draws : int
    """

    rho: float
    null_sd: float
    p: float
    n_models: int
    draws: int

    def __str__(self):
        return (
            f"Spearman {self.rho:.3f} (by chance 0 ± {self.null_sd:.3f}, p = {self.p:.3g}) over {self.n_models} models."
        )


def recovery(likeness, labels, draws=999, seed=0):
    """Whether likeness recovers groups that are known, as the benchmark ReSi asks.

    Parameters
    ----------
    likeness : array of shape (n_models, n_models)
        Symmetric; higher is more alike. The diagonal is not read.
    labels : sequence of length n_models
        The group of each model: its training data, its architecture, the seed of its labels.
    draws, seed : int
        Of the shuffled labels.

    Returns
    -------
    Recovery
        Of each group, pairs within it are set against pairs of a member and a model outside. AUPRC is the average
        precision with which likeness finds those within, conformity the share of (within, across) in which the one
        within is more alike; a tie does not conform. Both are means over groups. A model that is alone in its group is
        an outsider to the others.

    Raises
    ------
    InputError
        If shapes do not fit or a pair has no likeness; if there are not two groups, one of them of two models or more.

    Notes
    -----
    Source: Klabunde et al. 2025 and their code. The p is ours: labels are shuffled among models, not among pairs, since
    pairs that share a model are not independent. Few models have few arrangements, and p cannot be less than one over
    their number. O(draws m² log m) time for m models.
    """
    likeness, labels = square(likeness, "likeness"), np.unique(np.asarray(labels), return_inverse=True)[1]
    if labels.shape != (len(likeness),):
        raise InputError(f"labels has shape {labels.shape}; give one for each of the {len(likeness)} models.")
    sizes = np.bincount(labels)
    if len(sizes) < 2 or sizes.max() < 2:
        raise InputError(
            f"{len(labels)} models make {len(sizes)} groups; there must be two groups, and two models in one of them."
        )
    observed = recovered(likeness, labels)
    check_whole(draws, "draws", 1)
    drawn = np.array([recovered(likeness, labels[order]) for order in Orders(len(labels), draws, seed)])
    p = (1 + (drawn >= observed - SLACK).sum(0)) / (draws + 1)
    said = [float(value) for of in zip(observed, drawn.mean(0), p, strict=True) for value in of]
    return Recovery(*said, len(labels), len(sizes), draws)


def recovered(likeness, labels):
    """AUPRC and conformity, means over groups: array of shape (2,)."""
    found = []
    for group in np.flatnonzero(np.bincount(labels) > 1):
        member = labels == group
        within = likeness[np.ix_(member, member)][np.triu_indices(member.sum(), 1)]
        across = likeness[np.ix_(member, ~member)].ravel()
        below = np.searchsorted(np.sort(across), within)  # strictly
        found.append([average_precision(within, across), below.mean() / len(across)])
    return np.mean(found, axis=0)


def average_precision(positive, negative):
    """Precision at each threshold, weighted by the recall that it adds."""
    values = np.concatenate([positive, negative])
    order = np.argsort(-values, kind="stable")
    last = np.append(np.diff(values[order]) != 0, True)  # of those that tie
    true = np.cumsum(order < len(positive))[last]
    return (np.diff(true, prepend=0) * true / (np.flatnonzero(last) + 1)).sum() / len(positive)


def following(likeness, differences, draws=999, seed=0):
    """Whether models are the less alike, the more something else about them differs, for example what they put out.

    Parameters
    ----------
    likeness : array of shape (n_models, n_models)
        Symmetric; higher is more alike. The diagonal is not read.
    differences : array of shape (n_models, n_models)
        Symmetric: how far the outputs of two models are apart, or their accuracies.
    draws, seed : int
        Of the shuffled models.

    Returns
    -------
    Following

    Raises
    ------
    InputError
        If shapes do not fit, a pair has no value, there are fewer than four models, or all values are the same.

    Notes
    -----
    Source: Ding et al. 2021, Klabunde et al. 2025. The p is that of Mantel 1967: models are shuffled, not pairs, since
    pairs that share a model are not independent. O(draws m²) time for m models.
    """
    likeness, differences = square(likeness, "likeness"), square(differences, "differences")
    m = len(likeness)
    if len(differences) != m or m < 4:
        raise InputError(f"likeness is of {m} models, differences of {len(differences)}; give the same, four or more.")
    pairs = np.triu_indices(m, 1)
    unlike, apart = (np.zeros((m, m)) for _ in range(2))
    for ranks, values in ((unlike, -likeness), (apart, differences)):
        ranked = rankdata(values[pairs])
        if np.ptp(ranked) == 0:
            raise InputError("All pairs of models are equally alike, or differ equally, so nothing can follow.")
        ranks[pairs] = (ranked - ranked.mean()) / np.linalg.norm(ranked - ranked.mean())
        ranks += ranks.T
    check_whole(draws, "draws", 1)
    rho = (unlike * apart).sum() / 2
    drawn = np.array([(unlike * apart[np.ix_(order, order)]).sum() / 2 for order in Orders(m, draws, seed)])
    p = (1 + (drawn >= rho - SLACK).sum()) / (draws + 1)
    return Following(float(rho), float(drawn.std()), float(p), m, draws)


def square(values, name):
    """Symmetric float64, whatever is on the diagonal."""
    values = np.array(values, dtype=np.float64)
    if values.ndim != 2 or len(values) != len(values.T):
        raise InputError(f"{name} has shape {values.shape}; give one row and one column for each model.")
    np.fill_diagonal(values, 0)
    if not np.isfinite(values).all():
        raise InputError(f"{name} has no value for some pair of models.")
    if not np.allclose(values, values.T, rtol=1e-9, atol=0):
        raise InputError(f"{name} is not symmetric; give the mean of both orders.")
    return values
