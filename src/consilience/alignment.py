"""Two representations: a score beside its null, in a result that explains itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from reprlib import repr as shortened

from consilience.check import InputError, check_choice, check_level, check_pair, check_whole
from consilience.metrics import CARDS
from consilience.nulls import Null, null
from consilience.resampling import Resampled


@dataclass(frozen=True)
class Alignment:
    """How alike two representations are, and how alike they would look by chance.

    Attributes
    ----------
    metric : str
    score : float
    null_mean, null_sd, null_skew : float
        The score when stimuli are paired at random.
    z : float
        (score - null_mean) / null_sd. No p-value is made from it: nulls are skewed.
    p : float
        Probability of a score at least as high by chance; at least as low, if it is a distance. From moments it is
        never below 1e-4: read "at most".
    calibrated : float
        max((score - tau) / (best - tau), 0), tau the `alpha` quantile of the null on the side of alignment and best
        the score of identical representations (Groeger et al. 2026): 0 where chance reaches, 1 for identical ones. NaN
        for a score that has no best.
    ci : tuple of two floats, or None
        Interval of the score, where asked for: how far it would move with other stimuli of the same kind.
    ci_level : float or None
    n : int
        Stimuli; or things, where several stimuli share a label.
    method : str
        How the null was had: "moments", "permutations" or "enumeration".
    why : str
    alpha : float
    options : dict
        Of the metric.
    chance : Null
    """

    metric: str
    score: float
    null_mean: float
    null_sd: float
    null_skew: float
    z: float
    p: float
    calibrated: float
    ci: tuple[float, float] | None
    ci_level: float | None
    n: int
    method: str
    why: str
    alpha: float
    options: dict
    chance: Null = field(repr=False, compare=False)

    def __str__(self):
        p = "p <= 0.0001" if self.p <= 1e-4 else f"p = {self.p:.4f}".rstrip("0").rstrip(".")
        options = "".join(f", {key}={shortened(value)}" for key, value in self.options.items())
        interval = f"   {100 * self.ci_level:g} % interval: {self.ci[0]:.3f} to {self.ci[1]:.3f}" if self.ci else ""
        verdict = "above chance" if self.p <= self.alpha else "not above chance"
        calibrated = f"  calibrated  {self.calibrated: .3f}   (0 = no more than chance, 1 = the same relations)"
        return "\n".join(
            [
                f"{CARDS[self.metric].title}   ({self.metric}{options}; n = {self.n} stimuli)",
                f"  score       {self.score: .3f}{interval}",
                f"  by chance   {self.null_mean: .3f}, give or take {self.null_sd:.3f}",
                f"  {verdict} at alpha = {self.alpha:g}: {p}, z = {self.z:.1f}",
                *([calibrated] if self.calibrated == self.calibrated else []),
                f"  null        {self.method}: {self.why}",
            ]
        )

    __repr__ = __str__

    def null(self, ax=None):
        """Draw the null, the level that chance reaches, and the score. Returns the axes (needs seaborn)."""
        from consilience.plots import draw_null

        return draw_null(self, ax)


def align(
    X,
    Y,
    metric="cka",
    method="auto",
    alpha=0.05,
    ci=None,
    groups=None,
    seed=0,
    draws=999,
    exchange="within",
    **metric_options,
):
    """Score two representations of the same stimuli, with the null of that score.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
    metric : str
        A name in :func:`consilience.catalogue`.
    method : {"auto", "moments", "permutations", "enumeration"}
        How the null is had; "auto" decides, and the result says why.
    alpha : float
        Level of the test and of the calibrated score.
    ci : float, optional
        Level of the interval (for example 0.95), by a delete-d jackknife over stimuli; takes 200 scores more.
    groups : array of shape (n_stimuli,), optional
        Labels (class, speaker, story, run) that restrict what counts as chance. A metric that holds stimuli out holds
        those of one group out together.
    seed : int
    draws : int
        Number of random pairings where permutations are taken.
    exchange : {"within", "groups", "shift"}
        What is exchanged: stimuli within their group (or all, without groups); whole groups, if equally large; or
        nothing, but series in time are shifted around in a circle.
    **metric_options
        Passed to the metric, for example ``k=10`` or ``kernel="rbf"``.

    Returns
    -------
    Alignment

    Raises
    ------
    InputError
        As the metric does; or if an argument is out of its range.
    """
    X, Y = check_pair(X, Y)
    card = CARDS[check_choice(metric, "metric", tuple(CARDS))]
    check_level(alpha, "alpha")
    if ci is not None:
        check_level(ci, "ci")
    check_whole(seed, "seed", 0)
    of_side, meet = prepared(card, metric_options, groups, seed)
    a, b = card.side(X, **of_side), card.side(Y, **of_side)
    score = meet(a, b)
    chance = null(a, b, method, draws, seed, groups, exchange, meet, card.direction)
    if not varies(chance, score):
        raise InputError(f"The score is {score:.3g} however stimuli are paired; choose a smaller k, if it has one.")
    interval = None
    if ci is not None:
        interval = Resampled({"X": X, "Y": Y}, [("X", "Y")], metric, seed=seed, **metric_options).interval("X", "Y", ci)
    return Alignment(
        metric=metric,
        score=score,
        null_mean=chance.mean,
        null_sd=chance.sd,
        null_skew=chance.skew,
        z=float((score - chance.mean) / chance.sd),
        p=chance.tail(score),
        calibrated=calibrated(score, chance.quantile(1 - alpha), card.best),
        ci=interval,
        ci_level=ci,
        n=a.n,
        method=chance.method,
        why=chance.why,
        alpha=alpha,
        options=metric_options,
        chance=chance,
    )


def varies(chance, score):
    """Does the score depend on who is paired with whom, by more than rounding?"""
    return chance.sd > 1e-12 * max(abs(score), abs(chance.mean))


def calibrated(score, tau, best):
    """Where the score lies between what chance reaches, tau, and what identical representations have."""
    if best is None:
        return float("nan")
    room = best - tau
    return float(max((score - tau) / room, 0.0)) if abs(room) > 1e-12 else 0.0


def prepared(card, options, groups=None, seed=0):
    """Options of a side, and the meeting of two sides with its own."""
    of_side, of_meeting = card.split(options)
    shared = {"groups": groups, "seed": seed}
    of_meeting = {name: value for name, value in shared.items() if name in card.meet_options} | of_meeting
    return of_side, card.meeting(of_meeting)
