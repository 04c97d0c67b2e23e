"""How fast is cross-correlation? The best unit of each voxel, the best voxel of each unit, and who reaches a threshold.

    python benchmarks/cross_correlation.py --n 100000 --units 9216 --times 800 --threads 1

What is timed goes from float32 arrays (time x units, time x voxels) to the best partner of each series by |r| and the
number of its partners with |r| >= 0.2, both ways. How: see `side_by_side.py`. The other contenders do it in chunks of
voxels, of the length that served them best, since the whole matrix may not fit into memory.
"""

import numpy as np
from side_by_side import Task, main

THRESHOLD = 0.2
CHUNK = 512  # voxels


def consilience(units, voxels, threads):
    from consilience.core import cross_correlation

    found = cross_correlation(units, voxels, thresholds=[THRESHOLD], threads=threads)
    return [(side.best[:, 0], side.counts[:, 0]) for side in (found.of_units, found.of_voxels)]


def numpy(units, voxels, threads):
    """A matrix product a chunk; threads are limited from outside."""
    A, B = (X - X.mean(axis=0) for X in (units, voxels))
    A /= np.linalg.norm(A, axis=0)
    B /= np.linalg.norm(B, axis=0)
    n_units, n_voxels = A.shape[1], B.shape[1]
    strongest, best_voxel = np.full(n_units, -1, np.float32), np.empty(n_units, np.int64)
    unit_counts, best_unit, voxel_counts = np.zeros(n_units, np.int64), [], []
    for start in range(0, n_voxels, CHUNK):
        R = B[:, start : start + CHUNK].T @ A
        np.abs(R, out=R)
        reached = np.greater_equal(R, np.float32(THRESHOLD))
        best_unit.append(R.argmax(axis=1))
        voxel_counts.append(np.count_nonzero(reached, axis=1))
        unit_counts += reached.sum(axis=0, dtype=np.int16)
        best_here = R.argmax(axis=0)
        r = R[best_here, np.arange(n_units)]
        stronger = r > strongest
        strongest[stronger], best_voxel[stronger] = r[stronger], start + best_here[stronger]
    return (best_voxel, unit_counts), (np.concatenate(best_unit), np.concatenate(voxel_counts))


def torch(units, voxels, threads):
    """The same in PyTorch."""
    import torch

    torch.set_num_threads(threads)
    A, B = (torch.from_numpy(X) - torch.from_numpy(X).mean(0) for X in (units, voxels))
    A /= A.norm(dim=0)
    B /= B.norm(dim=0)
    n_units, n_voxels = A.shape[1], B.shape[1]
    strongest, best_voxel = torch.full((n_units,), -1.0), torch.empty(n_units, dtype=torch.int64)
    unit_counts, best_unit, voxel_counts = torch.zeros(n_units, dtype=torch.int64), [], []
    for start in range(0, n_voxels, CHUNK):
        R = (B[:, start : start + CHUNK].T @ A).abs_()
        reached = R >= THRESHOLD
        best_unit.append(R.argmax(1))
        voxel_counts.append(reached.sum(1))
        unit_counts += reached.sum(0)
        r, best_here = R.max(0)
        stronger = r > strongest
        strongest[stronger], best_voxel[stronger] = r[stronger], start + best_here[stronger]
    return (best_voxel, unit_counts), (torch.cat(best_unit), torch.cat(voxel_counts))


def series(options):
    """Voxels that follow one unit each, a little."""
    rng = np.random.default_rng(0)
    units = rng.standard_normal((options["times"], options["units"]), np.float32)
    voxels = rng.standard_normal((options["times"], options["n"]), np.float32)
    voxels += np.float32(0.3) * units[:, np.arange(options["n"]) % options["units"]]
    return units, voxels


def reached(found, options):
    """The number of pairs that reach the threshold, which both sides must count alike."""
    of_units, of_voxels = (int(counts.sum()) for _, counts in found)
    return float(of_units) if of_units == of_voxels else float("nan")


TASK = Task(
    file=__file__,
    title="{units:,} units x {n:,} voxels over {times:,} times, float32: best partners and counts",
    options={"n": 20_000, "units": 2304, "times": 800, "threads": 1, "repeats": 3},
    contenders={"consilience": consilience, "numpy": numpy, "torch": torch},
    data=series,
    run=lambda correlate, data, options: correlate(*data, options["threads"]),
    score=reached,
    score_name="pairs reached",
    digits=0,
    flops=lambda options: 2 * options["units"] * options["times"] * options["n"],
    n_name="voxels",
)

if __name__ == "__main__":
    main(TASK, __doc__)
