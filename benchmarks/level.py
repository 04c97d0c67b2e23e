"""How often is chance called alignment? Independent sets, scored and tested: the share called alike at each level.

    python benchmarks/level.py --n 40 100 --sets 200 --pairings 5000

Sets of stimuli are drawn, X apart from Y, in worlds where a test may go wrong; then each two sets are paired at random
many times over. Given the sets, pairings are independent, so the number of those called alike scatters no more than a
binomial count does, and can be held against its interval. Where `align` takes moments, every pairing is held against
the curve. Where it takes pairings, each of a few pairings is tested against a null of its own.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy import stats

from consilience.core import Orders
from consilience.metrics import CARDS
from consilience.nulls import null
from consilience.pairings import permuted_scores

LEVELS = 0.05, 0.01, 0.001
RECORD = Path(__file__).parent / "level.json"
# What a curve through moments may be off by, as a share of the level, over the sets of a world; pairings by nothing.
CURVE = {0.05: 0.07, 0.01: 0.2, 0.001: 0.4}
# Where few scores are possible, none may lie at the level; then as few as this share of it may be called alike.
LUMPY = 0.2
METRICS = {
    "cka": {},
    "distance_correlation": {},
    "rsa": {},
    "mutual_knn, k = 3": {"k": 3},
    "mutual_knn, k = 10": {"k": 10},
}


def labels(n, rng, share):
    """One-hot rows: each stimulus is of one of a few classes."""
    return np.eye(len(share))[rng.choice(len(share), n, p=share)]


WORLDS = {
    "Gaussian": lambda n, rng: rng.standard_normal((n, 8)),
    "Gaussian, 200 units": lambda n, rng: rng.standard_normal((n, 200)),
    "skewed": lambda n, rng: rng.standard_exponential((n, 8)) ** 2,
    "two directions": lambda n, rng: (
        rng.standard_normal((n, 2)) @ rng.standard_normal((2, 10)) + 0.01 * rng.standard_normal((n, 10))
    ),
    "clusters": lambda n, rng: (
        labels(n, rng, [0.25] * 4) @ (5 * rng.standard_normal((4, 8))) + 0.3 * rng.standard_normal((n, 8))
    ),
    "two classes": lambda n, rng: labels(n, rng, [0.5, 0.5]),
    "ten classes": lambda n, rng: labels(n, rng, [0.1] * 10),
    "heavy tails (t, 1.5)": lambda n, rng: rng.standard_t(1.5, (n, 8)),
    "rows of unequal length": lambda n, rng: rng.standard_normal((n, 8)) * np.exp(rng.standard_normal((n, 1))),
}


def rejections(world, metric, n, sets, pairings, nulls=5, seed=0):
    """By method that `auto` took: how many pairs of sets, how many pairings, how many called alike at each level."""
    card, options = CARDS[metric.split(",")[0]], METRICS[metric]
    found = {}
    for number in range(sets):
        rng = np.random.default_rng([seed, n, number])
        a, b = (card.side(WORLDS[world](n, rng), **options) for _ in range(2))
        chance = null(a, b, seed=seed)
        if chance.method == "moments":
            scores = permuted_scores([a], [b], Orders(n, pairings, number + 1)).ravel()
            counts = [1, len(scores), *(called_alike(scores, chance.tail, level) for level in LEVELS)]
        else:
            scores = permuted_scores([a], [b], Orders(n, nulls, number + 1)).ravel()
            each = (null(a, b, "permutations", seed=10_000 + draw) for draw in range(nulls))
            p = np.array([own.tail(score) for own, score in zip(each, scores, strict=True)])
            counts = [1, nulls, *((p <= level).sum() for level in LEVELS)]
        found[chance.method] = found.get(chance.method, 0) + np.array(counts)
    return found


def called_alike(scores, tail, level):
    """How many scores have a tail of at most `level`. The tail falls with the score, so a few are asked."""
    ordered, low, high = np.sort(scores), 0, len(scores)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if tail(ordered[middle]) <= level else (middle + 1, high)
    return len(scores) - low


def interval(world, metric, method, pairings, level, certainty=0.999):
    """Between what counts the number called alike must lie, if the level holds as far as the method promises."""
    off = CURVE[level] if method == "moments" else 0.0
    least = LUMPY if "classes" in world or "knn" in metric else 1 - off
    edge = (1 - certainty) / 2
    return stats.binom.ppf(edge, pairings, level * least), stats.binom.isf(edge, pairings, level * (1 + off))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, nargs="+", default=[40, 100])
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--pairings", type=int, default=5_000)
    asked = parser.parse_args()
    rows = []
    for n in asked.n:
        for metric in METRICS:
            for world in WORLDS:
                for method, counts in rejections(world, metric, n, asked.sets, asked.pairings).items():
                    sets, pairings, *alike = map(int, counts)
                    row = {"n": n, "metric": metric, "world": world, "method": method, "sets": sets}
                    rows.append(row | {"pairings": pairings, "called_alike": dict(zip(LEVELS, alike, strict=True))})
                    print(rows[-1], flush=True)
    new = RECORD.with_suffix(".new")
    new.write_text(json.dumps({"options": vars(asked), "rows": rows}, indent=1) + "\n")
    new.replace(RECORD)


if __name__ == "__main__":
    main()
