"""How fast are permutations of kernels? Debiased HSIC of all pairs of layers, beside what one would write instead.

    python benchmarks/hsic_permutations.py --n 2000 --layers 1
    python benchmarks/hsic_permutations.py --n 500 --layers 12

What is timed is the way from u-centred kernel matrices in float32 to the null of the largest HSIC, the same order of
the stimuli for all pairs of layers. Time grows in proportion to the draws. The orders are each contender's own, so
their means agree but for chance. How it is timed: see `side_by_side.py`.
"""

import numpy as np
from side_by_side import Task, main


def consilience(a, b, draws, threads):
    from consilience.core import Orders, permuted_products

    return permuted_products(a, b, Orders(a.shape[1], draws), threads=threads).max((1, 2))


def torch(a, b, draws, threads):
    """Each layer of one side permuted in place, then one matrix product for all pairs."""
    import torch

    torch.set_num_threads(threads)
    a, b = torch.from_numpy(a).flatten(1), torch.from_numpy(b)
    rows, moved, largest = torch.empty_like(b[0]), torch.empty_like(b), torch.empty(draws)
    for draw in range(draws):
        order = torch.randperm(b.shape[1])
        for B, to in zip(b, moved, strict=True):
            torch.index_select(B, 0, order, out=rows)
            torch.index_select(rows, 1, order, out=to)
        largest[draw] = (a @ moved.flatten(1).T).max()
    return largest.numpy()


def numpy(a, b, draws, threads):
    """The same, with `np.take`."""
    rng = np.random.default_rng(0)
    flat, largest = a.reshape(len(a), -1), np.empty(draws)
    for draw in range(draws):
        order = rng.permutation(b.shape[1])
        largest[draw] = (flat @ b.take(order, 1).take(order, 2).reshape(len(b), -1).T).max()
    return largest


def layers(options):
    """Two stacks of u-centred linear kernels of independent rows, each of length one."""
    from consilience.metrics.kernel import u_centre

    rng = np.random.default_rng(0)
    stacks = []
    for _ in range(2):
        rows = rng.standard_normal((options["layers"], options["n"], 50))
        kernels = [u_centre(X @ X.T) for X in rows]
        stacks.append(np.stack([K / np.linalg.norm(K) for K in kernels]).astype(np.float32))
    return stacks


TASK = Task(
    file=__file__,
    title="{draws:,} permutations of HSIC, {layers} x {layers} kernels of {n:,} stimuli",
    options={"n": 2000, "layers": 1, "draws": 500, "threads": 1, "repeats": 3},
    contenders={"consilience": consilience, "torch": torch, "numpy": numpy},
    data=layers,
    run=lambda contender, data, options: contender(*data, options["draws"], options["threads"]),
    score=lambda result, options: float(result.mean() * options["n"]),
    score_name="n x mean",
    digits=3,
)

if __name__ == "__main__":
    main(TASK, __doc__)
