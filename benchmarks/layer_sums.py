"""How fast, and how exact, are all pairs of layers? Debiased linear CKA of every layer with every other.

    python benchmarks/layer_sums.py --n 2000 --layers 24 --threads 1

What is timed is the whole way from float32 arrays to the matrix of scores. The others are what one would write instead,
with every kernel matrix, or every copy of units, made once. The score is how far the worst entry lies from float64.
How it is timed: see `side_by_side.py`.
"""

from itertools import pairwise

import numpy as np
from side_by_side import Task, main

UNITS = 768


def consilience(layers, threads):
    from consilience.core import layer_sums

    hsic = layer_sums(layers, threads=threads).hsic_unbiased
    return hsic.ab / np.sqrt(np.outer(hsic.aa, hsic.bb))


def torch(layers, threads):
    """Every kernel matrix once, U-centred in place, and all pairs by one matrix product of the flattened matrices."""
    import torch

    torch.set_num_threads(threads)
    n = len(layers[0])
    kernels = torch.empty(len(layers), n, n)
    for K, X in zip(kernels, layers, strict=True):
        X = torch.from_numpy(X)
        X = X - X.mean(0)
        torch.mm(X, X.T, out=K)
        K.fill_diagonal_(0)
        rows = K.sum(1).div_(n - 2)
        K.sub_(rows).sub_(rows[:, None]).add_(rows.sum() / (n - 1))
        K.fill_diagonal_(0)
    flat = kernels.view(len(layers), -1)
    return cka((flat @ flat.T).numpy())


def numpy(layers, threads):
    """From units, pair by pair: no kernel matrix, but units by units for each pair."""
    layers = [X - X.mean(0) for X in layers]
    own = [np.square(X).sum(1) for X in layers]
    n, count = len(layers[0]), len(layers)
    products = np.empty((count, count))
    for i, (X, x) in enumerate(zip(layers, own, strict=True)):
        for j in range(i, count):
            y = own[j]
            whole = np.square(X.T @ layers[j]).sum() - x @ y
            products[i, j] = products[j, i] = whole + x.sum() * y.sum() / ((n - 1) * (n - 2)) - 2 * x @ y / (n - 2)
    return cka(products)


def pytorch_cka(layers, threads):
    """Its own function of features."""
    import torch
    from cka import cka_from_features

    torch.set_num_threads(threads)
    layers = [torch.from_numpy(X) for X in layers]
    return cka_from_features(layers, layers).numpy()


def cka(hsic):
    """From HSIC of all pairs, up to a factor."""
    scale = np.sqrt(hsic.diagonal())
    return hsic / scale / scale[:, None]


def some_layers(options):
    """Layers that drift away from the first, and the scores by float64."""
    rng = np.random.default_rng(0)
    layers = [rng.standard_normal((options["n"], UNITS), np.float32) for _ in range(options["layers"])]
    for before, X in pairwise(layers):
        X += before
    return layers, numpy([X.astype(np.float64) for X in layers], 1)


TASK = Task(
    file=__file__,
    title=f"debiased linear CKA, {{layers}} x {{layers}} layers of {{n:,}} × {UNITS} in float32",
    options={"n": 2000, "layers": 24, "threads": 1, "repeats": 3},
    contenders={"consilience": consilience, "torch": torch, "numpy": numpy, "pytorch-cka": pytorch_cka},
    data=some_layers,
    run=lambda contender, data, options: (contender(data[0], options["threads"]), data[1]),
    score=lambda result, options: float(np.abs(result[0] - result[1]).max()),
    score_name="max error",
    digits=10,
    flops=lambda options: (2 * options["layers"] * UNITS + options["layers"] ** 2) * options["n"] ** 2,
)

if __name__ == "__main__":
    main(TASK, __doc__)
