"""How fast, and how exact, is kernel alignment? Debiased CKA with an RBF kernel, beside what one would write instead.

    python benchmarks/kernel_sums.py --n 1000 3000 10000 30000

What is timed is the whole way from two float32 arrays to the score. The bandwidth, the median distance, is given to
the others; ours finds it itself. The sets are independent, so the score is next to zero, and a small part of what is
added up: see how many digits each has left against float64. How it is timed: see `side_by_side.py`.
"""

import numpy as np
from side_by_side import Task, main

UNITS = 768


def consilience(X, Y, spreads, threads):
    from consilience.core import kernel_sums

    hsic = kernel_sums(X, Y, "rbf", threads=threads).hsic_unbiased
    return hsic.kl / np.sqrt(hsic.kk * hsic.ll)


def torch(X, Y, spreads, threads):
    """Rows of both kernels in chunks of 1,024, in place where it can be; sums of sums in float64."""
    import torch

    torch.set_num_threads(threads)
    X, Y = (torch.from_numpy(A - A.mean(0)) for A in (X, Y))
    lengths = [A.square().sum(1) for A in (X, Y)]
    products, rows = torch.zeros(3, dtype=torch.float64), [[], []]
    for start in range(0, len(X), 1024):
        some = slice(start, start + 1024)
        kernels = []
        for A, own, s in zip((X, Y), lengths, spreads, strict=True):
            K = torch.addmm(own, A[some], A.T, alpha=-2)
            K.add_(own[some, None]).mul_(-1 / (2 * s * s)).exp_()
            K[torch.arange(len(K)), torch.arange(start, start + len(K))] = 0
            kernels.append(K)
        K, L = kernels
        products += torch.tensor([torch.dot(A.ravel(), B.ravel()).double() for A, B in ((K, L), (K, K), (L, L))])
        for sums, A in zip(rows, kernels, strict=True):
            sums.append(A.sum(1).double())
    return cka(products.numpy(), *(torch.cat(sums).numpy() for sums in rows))


def scikit_learn(X, Y, spreads, threads):
    """Both kernel matrices in float32, by `rbf_kernel`."""
    from sklearn.metrics.pairwise import rbf_kernel

    return from_matrices(*(rbf_kernel(A, gamma=1 / (2 * s * s)) for A, s in zip((X, Y), spreads, strict=True)))


def himalaya(X, Y, spreads, threads):
    """Both kernel matrices in float32, by its `rbf_kernel` on torch."""
    import torch
    from himalaya.backend import set_backend
    from himalaya.kernel_ridge._kernels import rbf_kernel

    torch.set_num_threads(threads)
    set_backend("torch")
    sets = (torch.from_numpy(A) for A in (X, Y))
    kernels = (rbf_kernel(A, gamma=1 / (2 * s * s)) for A, s in zip(sets, spreads, strict=True))
    return from_matrices(*(K.numpy() for K in kernels))


def numpy(X, Y, spreads, threads):
    """Both kernel matrices in float64."""
    return from_matrices(*(np.concatenate(list(kernel_rows(A, s))) for A, s in zip((X, Y), spreads, strict=True)))


def exactly(data, options):
    """In float64, a few rows of both kernels at a time."""
    X, Y, spreads = data
    products, rows, start = np.zeros(3), [[], []], 0
    for K, L in zip(*map(kernel_rows, (X, Y), spreads), strict=True):
        among = np.arange(len(K))
        K[among, start + among] = L[among, start + among] = 0
        start += len(K)
        products += [np.vdot(A, B) for A, B in ((K, L), (K, K), (L, L))]
        for sums, A in zip(rows, (K, L), strict=True):
            sums.append(A.sum(1))
    return cka(products, *map(np.concatenate, rows))


def kernel_rows(A, s):
    """The kernel matrix in float64, in chunks of rows."""
    A = A.astype(np.float64)
    A -= A.mean(0)
    own = np.square(A).sum(1)
    step = max(1, 2**25 // len(A))
    for start in range(0, len(A), step):
        K = A[start : start + step] @ A.T
        K *= -2
        K += own
        K += own[start : start + step, None]
        K *= -1 / (2 * s * s)
        yield np.exp(K, out=K)


def from_matrices(K, L):
    np.fill_diagonal(K, 0)
    np.fill_diagonal(L, 0)
    products = [np.vdot(A, B) for A, B in ((K, L), (K, K), (L, L))]
    return cka(products, K.sum(1), L.sum(1))


def cka(products, k, l):
    """The ratio of unbiased estimates (Song et al. 2012)."""
    n = len(k)
    kl, kk, ll = (
        product + a.sum() * b.sum() / ((n - 1) * (n - 2)) - 2 * a @ b / (n - 2)
        for product, a, b in zip(products, (k, k, l), (l, k, l), strict=True)
    )
    return kl / np.sqrt(kk * ll)


def two_sets(options):
    """Two independent sets, and the median distance in each."""
    from consilience.core.kernel_sums import median_distance

    rng = np.random.default_rng(0)
    sets = [rng.standard_normal((options["n"], UNITS), np.float32) for _ in range(2)]
    return *sets, [median_distance(A) for A in sets]


TASK = Task(
    file=__file__,
    title=f"debiased RBF CKA, two sets of {{n:,}} × {UNITS} in float32",
    options={"n": 10_000, "threads": 1, "repeats": 3},
    contenders={
        "consilience": consilience,
        "torch": torch,
        "scikit-learn": scikit_learn,
        "himalaya": himalaya,
        "numpy": numpy,
    },
    data=two_sets,
    run=lambda contender, data, options: contender(*data, options["threads"]),
    score=lambda result, options: float(result),
    score_name="CKA",
    digits=10,
    flops=lambda options: 2 * UNITS * options["n"] ** 2,  # two kernels, each pair of rows once; not the exponentials
    truth=exactly,
)

if __name__ == "__main__":
    main(TASK, __doc__)
