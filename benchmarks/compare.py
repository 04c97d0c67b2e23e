"""How fast are all layers of two models compared, with every null? Twelve layers against 24, by five metrics.

    python benchmarks/compare.py --n 1000 --threads 1 2

What is timed goes from float32 arrays to the scores of all pairs and to those under random pairings, of which the
largest give the null of the best pair; ours finds the exact moments of each null besides. The other is what one would
write in torch, with what belongs to one layer made once, and all pairs of a pairing scored together; its layers must
have no ties. How it is timed: see `side_by_side.py`.
"""

import numpy as np
from side_by_side import Task, main

LAYERS = 12, 24
UNITS = 768
K = 10
METRICS = ["cka", "rsa", "distance_correlation", "mutual_knn", "cknna"]


def consilience(models, orders, threads):
    import consilience as cs
    from consilience.core import roads

    roads.thread_count = lambda: threads
    named = [{str(i): X for i, X in enumerate(layers)} for layers in models]
    table = cs.compare(*named, metrics=METRICS, draws=len(orders), k=K)
    return table.score.to_numpy().reshape(len(METRICS), *LAYERS)


def torch(models, orders, threads):
    import torch

    torch.set_num_threads(threads)
    models = [torch.from_numpy(np.stack(layers)) for layers in models]
    orders = [torch.arange(models[0].shape[1]), *map(torch.from_numpy, orders)]
    scores = []
    for relations in (centred_products, distance_ranks, centred_distances, nearest):
        a, b = (relations(torch, X) for X in models)
        a = (a / a.flatten(1).norm(dim=1)[:, None, None]).flatten(1)
        b = b / b.flatten(1).norm(dim=1)[:, None, None]
        scores.append(torch.stack([a @ b[:, order][:, :, order].flatten(1).T for order in orders])[0].numpy())
    (M, K), (N, L) = ((nearest(torch, X), cosines(torch, X)) for X in models)
    own = masked_hsic(M * K, M * K).outer(masked_hsic(N * L, N * L)).sqrt()
    drawn = []
    for order in orders:
        both = zip(*(A[:, order][:, :, order] for A in (N, L)), strict=True)
        drawn.append(torch.stack([masked_hsic(M * K * n, M * n * l) for n, l in both], 1) / own)
    return np.stack([*scores, drawn[0].numpy()])


def centred_products(torch, X):
    X = X - X.mean(1, keepdim=True)
    return u_centred(torch, X @ X.mT)


def centred_distances(torch, X):
    return u_centred(torch, torch.cdist(X, X))


def u_centred(torch, A):
    n = A.shape[1]
    A.diagonal(dim1=1, dim2=2).zero_()
    rows = A.sum(1) / (n - 2)
    A = A - rows[:, None] - rows[:, :, None] + rows.sum(1)[:, None, None] / (n - 1)
    A.diagonal(dim1=1, dim2=2).zero_()
    return A


def distance_ranks(torch, X):
    """Of 1 - Pearson's r between stimuli, centred."""
    n = X.shape[1]
    above = torch.triu_indices(n, n, 1)
    A = torch.zeros(len(X), n, n)
    A[:, *above] = -cosines(torch, X - X.mean(2, keepdim=True))[:, *above]
    A[:, *above] = A[:, *above].argsort(1).argsort(1) - (above.shape[1] - 1) / 2
    return A + A.mT


def cosines(torch, X):
    X = torch.nn.functional.normalize(X, dim=2)
    return X @ X.mT


def nearest(torch, X):
    S = cosines(torch, X)
    S.diagonal(dim1=1, dim2=2).fill_(-2)
    return torch.zeros_like(S).scatter_(2, S.topk(K).indices, 1.0)


def masked_hsic(K, L):
    """Unbiased HSIC of stacks of kernels without a diagonal, up to a factor."""
    n = K.shape[1]
    whole = (K * L.mT).sum((1, 2)) + K.sum((1, 2)) * L.sum((1, 2)) / ((n - 1) * (n - 2))
    return whole - 2 * (K.sum(1) * L.sum(2)).sum(1) / (n - 2)


def two_models(options):
    """Layers that share some of what they see, and the random pairings."""
    rng = np.random.default_rng(0)
    n = options["n"]
    shared = rng.standard_normal((n, UNITS), np.float32)
    models = [[shared + 3 * rng.standard_normal((n, UNITS), np.float32) for _ in range(count)] for count in LAYERS]
    return models, np.array([rng.permutation(n) for _ in range(options["draws"])])


TASK = Task(
    file=__file__,
    title=f"{LAYERS[0]} with {LAYERS[1]} layers of {{n:,}} × {UNITS}, {len(METRICS)} metrics, {{draws}} pairings",
    options={"n": 1000, "draws": 200, "threads": 1, "repeats": 3},
    contenders={"consilience": consilience, "torch": torch},
    data=two_models,
    run=lambda compare, data, options: compare(*data, options["threads"]),
    score=lambda scores, options: float(scores.mean()),
    score_name="mean score",
    digits=5,
)

if __name__ == "__main__":
    main(TASK, __doc__)
