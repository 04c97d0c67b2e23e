"""How fast are exact neighbours? Mutual k-NN of two sets, beside the libraries that one would otherwise use.

    python benchmarks/neighbors.py --n 1000 3000 10000 30000 50000

What is timed is the search in both sets, from float32 arrays to indices. How: see `side_by_side.py`.
"""

import numpy as np
from side_by_side import Task, main

UNITS = 768


def consilience(X, k, threads):
    from consilience.core import neighbors

    return neighbors(X, k, threads=threads)[0]


def every_tile(X, k, threads):
    """Ours, kept from seeing that row i of X is as near to row j as j to i: each row finds itself too."""
    from consilience.core import neighbors

    return without_self(neighbors(X, k + 1, others=X, threads=threads)[0])


def faiss(X, k, threads):
    """Flat index of unit rows; each row finds itself too, which is taken out."""
    import faiss

    faiss.omp_set_num_threads(threads)
    X = X / np.linalg.norm(X, axis=1, keepdims=True)
    index = faiss.IndexFlatIP(X.shape[1])
    index.add(X)
    return without_self(index.search(X, k + 1)[1])


def scikit_learn(X, k, threads):
    from sklearn.neighbors import NearestNeighbors

    X = X / np.linalg.norm(X, axis=1, keepdims=True)  # on the sphere, the Euclidean order is the cosine's
    search = NearestNeighbors(n_neighbors=k, algorithm="brute", n_jobs=threads).fit(X)
    return search.kneighbors(return_distance=False)


def torch(X, k, threads):
    """Rows in chunks of 2,048: a matrix product, then topk."""
    import torch

    torch.set_num_threads(threads)
    X = torch.nn.functional.normalize(torch.from_numpy(X))
    chunks = []
    for start in range(0, len(X), 2048):
        S = X[start : start + 2048] @ X.T
        S[torch.arange(len(S)), torch.arange(start, start + len(S))] = -2
        chunks.append(S.topk(k).indices)
    return torch.cat(chunks).numpy()


def without_self(indices):
    """The first k of k + 1 columns that are not the row itself."""
    is_self = indices == np.arange(len(indices))[:, None]
    is_self[~is_self.any(axis=1), -1] = True  # crowded out by copies: drop the last instead
    return indices[~is_self].reshape(len(indices), -1)


def exactly(sets, options):
    """The neighbours in both sets by products in float64, a few rows at a time."""
    found = []
    for X in sets:
        X = X / np.linalg.norm(X.astype(np.float64), axis=1, keepdims=True)
        step = max(1, 2**25 // len(X))
        rows = []
        for start in range(0, len(X), step):
            S = X[start : start + step] @ X.T
            S[np.arange(len(S)), np.arange(start, start + len(S))] = -2
            rows.append(np.argpartition(-S, options["k"] - 1, axis=1)[:, : options["k"]])
        found.append(np.concatenate(rows))
    return found


def share_wrong(found, true, options):
    """Neighbours that are none in float64, as a share of all."""
    right = [
        len(set(a) & set(b))
        for f, t in zip(found, true, strict=True)
        for a, b in zip(f.tolist(), t.tolist(), strict=True)
    ]
    return 1 - float(np.mean(right)) / options["k"]


CONTENDERS = {
    "consilience": consilience,
    "consilience, every tile": every_tile,
    "faiss-cpu": faiss,
    "scikit-learn": scikit_learn,
    "torch": torch,
}


def two_sets(options):
    """Two views of the same stimuli, half shared, half their own."""
    rng = np.random.default_rng(0)
    shape = options["n"], UNITS
    shared = rng.standard_normal(shape, np.float32)
    return [shared + rng.standard_normal(shape, np.float32) for _ in range(2)]


def overlap(found, options):
    """Mutual k-NN, from the neighbours in both sets."""
    shared = [len(set(a) & set(b)) for a, b in zip(*map(np.ndarray.tolist, found), strict=True)]
    return float(np.mean(shared)) / options["k"]


TASK = Task(
    file=__file__,
    title=f"mutual {{k}}-NN, two sets of {{n:,}} × {UNITS} in float32",
    options={"n": 10_000, "k": 10, "threads": 1, "repeats": 3},
    contenders=CONTENDERS,
    data=two_sets,
    run=lambda search, sets, options: [search(X, options["k"], options["threads"]) for X in sets],
    score=overlap,
    score_name="mutual k-NN",
    digits=5,
    flops=lambda options: 2 * UNITS * options["n"] ** 2,  # two sets, each pair of rows once
    truth=exactly,
    error=share_wrong,
    error_name="wrong neighbours",
)

if __name__ == "__main__":
    main(TASK, __doc__)
