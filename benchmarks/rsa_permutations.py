"""How fast is a permutation test of RSA? Spearman's correlation of two RDMs, beside what one would write instead.

    python benchmarks/rsa_permutations.py --n 200 --draws 10000
    python benchmarks/rsa_permutations.py --n 1000 --draws 1000

What is timed is the way from two RDMs to the p-value: ranks, taken once, and the correlation under each random order of
the conditions. Time grows in proportion to the draws. The RDMs have next to nothing in common; all must find the same p
but for the chance of their draws, a hundredth or two. How it is timed: see `side_by_side.py`.
"""

import numpy as np
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata
from side_by_side import Task, main


def consilience(first, second, draws, threads):
    from consilience.core import Orders, permuted_products

    doubled = [squareform((2 * rankdata(x) - len(x) - 1).astype(np.int32)) for x in (first, second)]
    n = len(doubled[0])
    products = permuted_products([doubled[0]], [doubled[1]], Orders(n, draws), threads=threads).ravel()
    return p_value(products, np.vdot(*(ranks.astype(np.int64) for ranks in doubled)))


def torch(first, second, draws, threads):
    """Whole matrices of centred ranks in float32, permuted in place: of five ways the fastest."""
    import torch

    torch.set_num_threads(threads)
    A, B = (torch.from_numpy(squareform(rankdata(x) - (len(x) + 1) / 2)).float() for x in (first, second))
    A /= A.norm()
    B /= B.norm()
    rows, moved, products = torch.empty_like(B), torch.empty_like(B), torch.empty(draws)
    for draw in range(draws):
        order = torch.randperm(len(A))
        torch.index_select(B, 0, order, out=rows)
        torch.index_select(rows, 1, order, out=moved)
        products[draw] = torch.dot(A.ravel(), moved.ravel())
    return p_value(products.numpy(), torch.dot(A.ravel(), B.ravel()).item())


def numpy(first, second, draws, threads):
    """The same with `np.ix_`, in float64."""
    A, B = (squareform(rankdata(x) - (len(x) + 1) / 2) for x in (first, second))
    rng = np.random.default_rng(0)
    products = np.empty(draws)
    for draw in range(draws):
        order = rng.permutation(len(A))
        products[draw] = np.vdot(A, B[np.ix_(order, order)])
    return p_value(products, np.vdot(A, B))


def scikit_bio(first, second, draws, threads):
    """`mantel`, whose loop over permutations is compiled."""
    from skbio.stats.distance import mantel

    first, second = map(squareform, (first, second))
    return mantel(first, second, method="spearman", permutations=draws, alternative="greater", seed=0)[1]


def p_value(products, observed):
    return (1 + (products >= observed).sum()) / (1 + len(products))


def two_rdms(options):
    """Two sets of dissimilarities with a little in common, above the diagonal."""
    rng = np.random.default_rng(0)
    shared = 0.1 * rng.standard_normal((options["n"], 1))
    return [pdist(rng.standard_normal((options["n"], 20)) + shared) for _ in range(2)]


TASK = Task(
    file=__file__,
    title="{draws:,} permutations of Spearman's RSA, {n:,} conditions",
    options={"n": 200, "draws": 10_000, "threads": 1, "repeats": 3},
    contenders={"consilience": consilience, "torch": torch, "numpy": numpy, "scikit-bio": scikit_bio},
    data=two_rdms,
    run=lambda contender, data, options: contender(*data, options["draws"], options["threads"]),
    score=lambda result, options: float(result),
    score_name="p",
    digits=3,
    n_name="conditions",
)

if __name__ == "__main__":
    main(TASK, __doc__)
