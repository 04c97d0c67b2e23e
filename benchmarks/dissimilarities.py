"""How fast is RSA? Spearman's correlation of two correlation RDMs, beside what one would write instead.

    python benchmarks/dissimilarities.py --n 5000 --threads 1

What is timed is the whole way from two float32 arrays to the score: 12.5 million dissimilarities for each, their
ranks, and the correlation of those. How: see `side_by_side.py`.
"""

import numpy as np
from side_by_side import Task, main

UNITS = 768


def consilience(X, Y, threads):
    from consilience.core import dissimilarities, spearman

    return spearman(*(dissimilarities(A, threads=threads) for A in (X, Y)), threads=threads)


def scipy(X, Y, threads):
    from scipy.spatial.distance import pdist
    from scipy.stats import spearmanr

    return spearmanr(*(pdist(A, "correlation") for A in (X, Y))).statistic


def torch(X, Y, threads):
    """A matrix product in float32, and ranks by two sorts: ties broken by index, not shared."""
    import torch

    torch.set_num_threads(threads)
    upper = torch.triu_indices(len(X), len(X), 1)
    ranks = []
    for A in (X, Y):
        A = torch.from_numpy(A)
        A = torch.nn.functional.normalize(A - A.mean(1, keepdim=True))
        order = (1 - (A @ A.T)[upper[0], upper[1]]).argsort()
        rank = torch.empty(len(order), dtype=torch.float64)
        rank[order] = torch.arange(len(order), dtype=torch.float64)
        ranks.append(rank)
    return torch.corrcoef(torch.stack(ranks))[0, 1]


def rsatoolbox(X, Y, threads):
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import calc_rdm, compare

    return compare(*(calc_rdm(Dataset(A), method="correlation") for A in (X, Y)), method="spearman").item()


def two_sets(options):
    """Two views of the same stimuli, half shared, half their own."""
    rng = np.random.default_rng(0)
    shape = options["n"], UNITS
    shared = rng.standard_normal(shape, np.float32)
    return [shared + rng.standard_normal(shape, np.float32) for _ in range(2)]


TASK = Task(
    file=__file__,
    title=f"RSA (correlation, Spearman), two sets of {{n:,}} × {UNITS} in float32",
    options={"n": 5_000, "threads": 1, "repeats": 3},
    contenders={"consilience": consilience, "scipy": scipy, "torch": torch, "rsatoolbox": rsatoolbox},
    data=two_sets,
    run=lambda contender, data, options: contender(*data, options["threads"]),
    score=lambda result, options: float(result),
    score_name="Spearman",
    digits=10,
)

if __name__ == "__main__":
    main(TASK, __doc__)
