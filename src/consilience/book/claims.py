"""Claims of the survey and the verdicts that a run gives them. No verdict is typed by hand.

A chapter gathers evidence, one :class:`Evidence` a test, and :func:`judge` makes the verdict from it by one rule.
:func:`record` shows the claim in the chapter and stores it in the cell's output, from where the evidence page of the
book is made.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from html import escape

import numpy as np
from scipy import stats

from consilience.metrics import catalogue

MIME = "application/vnd.consilience.claim+json"

HOLDS = "holds"
LOCALLY = "holds locally"
GLOBALLY = "holds globally"
SMALL = "holds only at small n"
CONTESTED = "contested"
FAILS = "fails here"
UNTESTABLE = "not testable here"
VERDICTS = {
    HOLDS: "every test passed, of neighbours and of the whole geometry",
    LOCALLY: "every test of neighbours passed; the whole geometry did not, or was not tested",
    GLOBALLY: "every test of the whole geometry passed; neighbours did not, or were not tested",
    SMALL: "every test passed in the smallest gallery, not every test in the largest",
    CONTESTED: "some cases passed all their tests, others did not",
    FAILS: "no case passed all its tests",
    UNTESTABLE: "nothing here can decide it",
}
SEEN = {"local": "neighbours", "global": "the whole geometry"}
MARKS = {HOLDS: "●", LOCALLY: "◐", GLOBALLY: "◑", SMALL: "◔", CONTESTED: "◇", FAILS: "✕", UNTESTABLE: "○"}


@dataclass(frozen=True)
class Evidence:
    """One test of a claim.

    Attributes
    ----------
    case : str
        What was tested, for example a pair of models. A case passes when all its tests do.
    name : str
        Against what: "chance", "untrained twin", "pixels" ...
    value : float
        The statistic, or its difference to the control.
    low, high : float or None
        Its interval, for a difference.
    p : float or None
        Against the null, for a score.
    passed : bool
    scale : {"local", "global"}
        Whether the metric sees neighbours or the whole geometry.
    """

    case: str
    name: str
    value: float
    low: float | None
    high: float | None
    p: float | None
    passed: bool
    scale: str


@dataclass(frozen=True)
class Claim:
    """A claim, the studies that make it, the test made here and its verdict.

    Attributes
    ----------
    id, chapter : str
    statement : str
        In the chapter's own words.
    study : tuple of str
        Keys of the bibliography.
    statistic : str
        What was computed, in one line.
    stimuli : str
    n, k, seed : int or None
    tests : tuple of Evidence
    verdict, why : str
        Set by :func:`judge`.
    """

    id: str
    chapter: str
    statement: str
    study: tuple[str, ...]
    statistic: str
    stimuli: str
    n: int
    k: int | None
    seed: int | None
    tests: tuple[Evidence, ...] = ()
    verdict: str = UNTESTABLE
    why: str = VERDICTS[UNTESTABLE]


def above_chance(alignment, case, pair="", alpha=0.001):
    """Evidence that an alignment is above its null; `pair` says of whom, where the case does not."""
    return Evidence(
        case=case,
        name=f"{pair}chance",
        value=alignment.score,
        low=None,
        high=None,
        p=alignment.p,
        passed=bool(alignment.p <= alpha),
        scale=scale_of(alignment.metric),
    )


def above_control(resampled, pair, control, name, metric, case, level=0.99):
    """Evidence that a pair is more alike than its control, by a paired difference and its interval."""
    value, low, high = resampled.difference(pair, control, level)
    return Evidence(case, name, value, low, high, None, bool(low > 0), scale_of(metric))


def measured(case, name, metric, values, above=-np.inf, below=np.inf, level=0.99):
    """Evidence from worlds made by hand: the interval of the mean of `values` lies between `above` and `below`."""
    values = np.asarray(values, dtype=float)
    reach = stats.t.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    mean = float(values.mean())
    low, high = mean - float(reach), mean + float(reach)
    return Evidence(case, name, mean, low, high, None, bool(above < low and high < below), scale_of(metric))


def scale_of(metric):
    return catalogue()[metric].scale


def judge(claim, tests, by_size=False):
    """The claim with its verdict.

    A case passes at one scale when all its tests of that scale pass. All cases at both scales: *holds*. All cases at
    one scale: *holds locally* or *holds globally*. No case at any scale: *fails here*. Else: *contested*. Without
    tests: *not testable here*. With `by_size`, cases are galleries, smallest first; if the first passes and the last
    does not, the claim *holds only at small n*.
    """
    tests = tuple(tests)
    if not tests:
        return claim
    outcome = {}
    for test in tests:
        outcome[test.scale, test.case] = outcome.get((test.scale, test.case), True) and test.passed
    passed = {scale: [ok for (seen, _), ok in outcome.items() if seen == scale] for scale in SEEN}
    whole = [scale for scale, cases in passed.items() if cases and all(cases)]
    if len(whole) == 2:
        verdict = HOLDS
    elif whole:
        verdict = {"local": LOCALLY, "global": GLOBALLY}[whole[0]]
    elif not any(outcome.values()):
        verdict = FAILS
    elif by_size and next(iter(outcome.values())) and not next(reversed(outcome.values())):
        verdict = SMALL
    else:
        verdict = CONTESTED
    meaning = VERDICTS[verdict]
    if len(whole) == 1:
        (other,) = SEEN.keys() - set(whole)
        rest = f"not every test of {SEEN[other]}" if passed[other] else f"none was made of {SEEN[other]}"
        meaning = f"every test of {SEEN[whole[0]]} passed, {rest}"
    cases = f"{sum(outcome.values())} of {len(outcome)} cases"
    why = f"{meaning} ({cases}, {sum(test.passed for test in tests)} of {len(tests)} tests)"
    return replace(claim, tests=tests, verdict=verdict, why=why)


def record(claim):
    """Show the claim with its verdict, and store it in the output of this cell."""
    from IPython.display import display

    display({MIME: asdict(claim), "text/html": as_html(claim), "text/plain": as_text(claim)}, raw=True)


def as_text(claim):
    rows = [
        f"  {'passed' if t.passed else 'FAILED'}  {t.case}, {t.scale}, against {t.name}: {number(t.value)}"
        for t in claim.tests
    ]
    return "\n".join([f"{claim.statement}\n{claim.verdict.upper()}: {claim.why}", *rows])


def as_html(claim):
    why = claim.why[0].upper() + claim.why[1:]
    return (
        f"<div class='claim' id='claim-{escape(claim.id)}'>"
        f"<p class='claim-statement'>{badge(claim.verdict)} {escape(claim.statement)}</p>"
        f"<p class='claim-why'>{escape(why)}. {escape(claim.statistic)}.</p>"
        f"{tests_table([asdict(test) for test in claim.tests])}</div>"
    )


def badge(verdict):
    """A verdict as a shape and a word, in HTML. The book draws the shape; a glyph stands where its style is missing."""
    kind, mark = verdict.replace(" ", "-"), f'<span class="mark">{MARKS[verdict]} </span>'
    return f'<span class="verdict verdict-{kind}">{mark}{escape(verdict)}</span>'


def tests_table(tests, opened=False):
    """The tests of a claim, each a dict with the fields of :class:`Evidence`, as a folded table in HTML."""
    if not tests:
        return ""
    head = "".join(
        f'<th scope="col">{word}</th>' for word in ("Case", "Sees", "Against", "Value", "Interval", "p", "Passed")
    )
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells(test))}</tr>" for test in tests)
    table = f'<table class="tests"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return (
        f'<details class="claim-tests"{" open" if opened else ""}>'
        f"<summary>{sum(test['passed'] for test in tests)} of {len(tests)} tests passed</summary>"
        f'<div class="scroll" tabindex="0">{table}</div></details>'
    )


def cells(test):
    """One test as the cells of a row."""
    interval = "–" if test["low"] is None else f"[{number(test['low'])}, {number(test['high'])}]"
    p = "–" if test["p"] is None else "≤ 0.0001" if test["p"] <= 1e-4 else f"{test['p']:.4f}"
    passed = ("passed", "yes") if test["passed"] else ("failed", "no")
    return (
        escape(test["case"]),
        {"local": "neighbours", "global": "geometry"}[test["scale"]],
        escape(test["name"]),
        number(test["value"]),
        interval,
        p,
        f'<span class="test-{passed[0]}">{passed[1]}</span>',
    )


def number(value):
    return f"{value:.3f}".replace("-", "\N{MINUS SIGN}")
