"""How long until a score has its null? Debiased CKA and its calibrated score, beside those who permute for it.

    python benchmarks/chance.py --n 500 1000 2000 --draws 200

What is timed is the whole way from two float32 arrays to the calibrated score at the 5 % level. All but ours by
moments draw their pairings at random, so the scores agree to two digits or so, not to all. How it is timed: see
`side_by_side.py`.
"""

import numpy as np
from side_by_side import Task, main

UNITS = 768
LEVEL = 0.05


def consilience(X, Y, draws, threads):
    """As it decides itself: by the moments of the null."""
    import consilience

    return consilience.align(X, Y).calibrated


def by_permutations(X, Y, draws, threads):
    import consilience

    return consilience.align(X, Y, method="permutations", draws=draws).calibrated


def calibrated_similarity(X, Y, draws, threads):
    """Its loop computes the whole score for each pairing; the score is the fastest that torch has for so few units."""
    import torch
    from calibrated_similarity import calibrate

    torch.set_num_threads(threads)
    X, Y = map(torch.from_numpy, (X, Y))
    return float(calibrate(X, Y, debiased_cka, K=draws, alpha=LEVEL)[0])


def debiased_cka(X, Y):
    """In the space of units, without any n x n matrix (Kornblith et al. 2019, with the correction of Song et al.)."""
    X, Y = X - X.mean(0), Y - Y.mean(0)
    x, y, n = X.square().sum(1), Y.square().sum(1), len(X)

    def hsic(cross, a, b):
        return cross.square().sum() - n / (n - 2) * (a * b).sum() + a.sum() * b.sum() / ((n - 1) * (n - 2))

    return hsic(X.T @ Y, x, y) / (hsic(X.T @ X, x, x) * hsic(Y.T @ Y, y, y)).sqrt()


def torch(X, Y, draws, threads):
    """Each matrix once, u-centred; then only gathered and multiplied."""
    import torch

    torch.set_num_threads(threads)
    K, L = (u_centred(torch.from_numpy(A)) for A in (X, Y))
    norm = K.norm() * L.norm()
    null = torch.empty(draws)
    for draw in range(draws):
        order = torch.randperm(len(L))
        null[draw] = torch.dot(K.ravel(), L[order][:, order].ravel()) / norm
    score = torch.dot(K.ravel(), L.ravel()) / norm
    everything = torch.cat([null, score[None]]).sort().values
    threshold = everything[int(np.ceil((1 - LEVEL) * (draws + 1))) - 1]
    return float(((score - threshold) / (1 - threshold)).clamp(0, 1))


def u_centred(A):
    A = A - A.mean(0)
    K = A @ A.T
    K.fill_diagonal_(0)
    n, rows = len(K), K.sum(1)
    K -= rows[:, None] / (n - 2)
    K -= rows / (n - 2)
    K += rows.sum() / ((n - 1) * (n - 2))
    return K.fill_diagonal_(0)


def two_sets(options):
    """Two views of the same stimuli, half shared, half their own."""
    rng = np.random.default_rng(0)
    shape = options["n"], UNITS
    shared = rng.standard_normal(shape, np.float32)
    return [shared + rng.standard_normal(shape, np.float32) for _ in range(2)]


TASK = Task(
    file=__file__,
    title=f"debiased linear CKA and its null by {{draws}} pairings, two sets of {{n:,}} × {UNITS} in float32",
    options={"n": 1_000, "draws": 200, "threads": 1, "repeats": 3},
    contenders={
        "consilience": consilience,
        "consilience, by permutations": by_permutations,
        "torch": torch,
        "calibrated-similarity": calibrated_similarity,
    },
    data=two_sets,
    run=lambda contender, data, options: contender(*data, options["draws"], options["threads"]),
    score=lambda result, options: float(result),
    score_name="calibrated score",
    digits=4,
)

if __name__ == "__main__":
    main(TASK, __doc__)
