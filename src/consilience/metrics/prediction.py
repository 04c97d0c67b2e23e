"""Scores that ask how well one representation can be predicted from another, on stimuli held out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from consilience.check import InputError, check_array, check_choice, check_pair, check_whole
from consilience.metrics.card import Card

SCORES = ("correlation", "r2")
ALPHAS = np.logspace(-5, 3, 9)  # ridge penalties, in units of the mean squared length of a stimulus
INNER_FOLDS = 3


@dataclass(frozen=True)
class Prediction:
    """One representation, as what predicts and as what is predicted.

    Attributes
    ----------
    gram : ndarray of shape (n_stimuli, n_stimuli)
        Products of stimuli, units centred, in units of their mean squared length.
    units : ndarray of shape (n_stimuli, n_varying_units)
        Each centred and in units of its own spread, so that no tolerance of the solver weighs on the small.
    """

    gram: np.ndarray
    units: np.ndarray

    @property
    def n(self):
        """Number of stimuli."""
        return len(self.units)

    def reordered(self, order):
        """The same, its stimuli in another order."""
        return replace(self, gram=self.gram[np.ix_(order, order)], units=self.units[order])


def linear_predictivity(X, Y, score="correlation", folds=5, groups=None, seed=0):
    r"""How well the units of Y follow from those of X by a ridge regression, on stimuli that it has not seen.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
        What predicts. The score is not symmetric.
    Y : array of shape (n_stimuli, n_units_y)
        What is predicted. Units that do not vary are left out, of all or of the part held out.
    score : {"correlation", "r2"}
        Of each unit of Y over the stimuli held out, fold by fold; then the mean over folds and units. "correlation"
        is Pearson's r, "r2" the share of variance explained, negative where the mean would predict better.
    folds : int
        Parts into which the stimuli are divided; each is held out once.
    groups : array of shape (n_stimuli,), optional
        Stimuli of one group (speaker, story, run) are held out together.
    seed : int
        Of the division; without groups.

    Returns
    -------
    float at most 1
        A similarity; about 0 for unrelated representations.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`; if there are fewer than four stimuli a fold, or fewer groups than
        folds; or if no unit of Y varies within any part held out.

    Notes
    -----
    The penalty is chosen for each unit of Y among nine, from 1e-5 to 1e3 of the mean squared length of a stimulus, by
    an inner division of the stimuli learned from. Kernel ridge of himalaya (Dupré la Tour et al. 2022). O(folds n³ +
    n² (dx + dy)) time, O(n²) memory, in float64.
    """
    X, Y = check_pair(X, Y)
    return predictivity_of(predictor(X, "X"), predictor(Y, "Y"), score, folds, groups, seed)


def predictor(X, name="X"):
    """The :class:`Prediction` side of an array."""
    X = check_array(X, name).astype(np.float64)
    X /= np.abs(X).max()
    X = X[:, np.ptp(X, axis=0) > 0]
    X -= X.mean(0)
    X /= np.abs(X).max()  # once more: what is left of units far from the origin may be tiny
    gram, units = X @ X.T, X / np.abs(X).max(0)
    return Prediction(gram / gram.diagonal().mean(), units / units.std(0))


def predictivity_of(a, b, score="correlation", folds=5, groups=None, seed=0):
    """The score of two prepared sides: a predicts b."""
    from himalaya.kernel_ridge import KernelRidgeCV
    from himalaya.scoring import correlation_score, r2_score

    check_choice(score, "score", SCORES)
    how = correlation_score if score == "correlation" else r2_score
    scores = []
    for train, test in divided(a.n, folds, groups, seed):
        model = KernelRidgeCV(alphas=ALPHAS, kernel="precomputed", cv=INNER_FOLDS, fit_intercept=True, warn=False)
        model.fit(a.gram[np.ix_(train, train)], b.units[train])
        predicted, seen = model.predict(a.gram[np.ix_(test, train)]), b.units[test]
        varies = np.ptp(seen, axis=0) > 0
        if varies.any():
            scores.append(np.where(np.ptp(predicted, axis=0) > 0, how(seen, predicted), 0.0)[varies].mean())
    if not scores:
        raise InputError("No unit of Y varies within any part held out. Use fewer folds, or units that vary more.")
    return float(np.mean(scores))


def divided(n, folds, groups, seed):
    """Pairs (learned from, held out) of row numbers."""
    from sklearn.model_selection import GroupKFold, KFold

    check_whole(folds, "folds", 2)
    if n < 4 * folds:
        raise InputError(f"folds is {folds}, so a fold of {n} stimuli has fewer than four; use at most {n // 4}.")
    if groups is None:
        return KFold(folds, shuffle=True, random_state=check_whole(seed, "seed", 0)).split(np.empty(n))
    groups = np.asarray(groups)
    if groups.shape != (n,) or len(np.unique(groups)) < folds:
        raise InputError(f"groups must give each of the {n} stimuli a label, and at least {folds} different ones.")
    return GroupKFold(folds).split(np.empty(n), groups=groups)


CARDS = (
    Card(
        name="linear_predictivity",
        title="Linear predictivity, cross-validated",
        formula=r"\frac{1}{d_Y} \sum_j r\!\left( y_j^{\text{held out}},\; \hat y_j(X) \right)",
        source="yamins2014,dupre2022",
        value_range="at most 1; about 0 for unrelated representations",
        direction="similarity",
        scale="global",
        invariances=("rotation and reflection", "scale", "translation"),
        not_invariant=("other linear maps", "order of the stimuli"),
        null="about 0 whatever the number of units, since stimuli are held out; by permutations",
        cost="O(folds n³ + n² d) time, O(n²) memory; each permutation costs as much again",
        misleads="It is not symmetric: a rich representation predicts a poor one well. Stimuli that belong together "
        "(frames of a film, words of a story) leak from what was learned into what is held out, unless groups are "
        "given.",
        score=linear_predictivity,
        side=predictor,
        meet=predictivity_of,
        symmetric=False,
    ),
)
