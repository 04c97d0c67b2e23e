"""How fast on a GPU? Exact mutual k-NN and debiased RBF CKA in every precision, beside the best that torch does.

    python benchmarks/on_gpu.py                       n = 100,000 and 1,000,000, as long as that takes
    python benchmarks/on_gpu.py --n 20000 --repeats 5

Timed is the whole way from two float32 arrays on the device to the score. A precision's peak is measured too, as one
large matrix product in it: the table says what share of that was reached, counting the fewest multiplications that
the task needs (all pairs for neighbours, half of them for CKA). torch's neighbours are those of the precision that
it multiplies in; ours are the same, and exact, in every one. Written to `benchmarks/results/gpu-<task>.json`; README.md
says what a record holds.
"""

import argparse
import statistics
import subprocess
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from side_by_side import keep

from consilience.core import facts, kernel_sums, neighbors
from consilience.core.hsic import unbiased
from consilience.core.kernel_sums import median_distance

UNITS, K = 768, 10
PRECISIONS = ("float32", "3xtf32", "tf32", "bf16")
IN_TORCH = ("float32", "tf32", "bf16")  # it has no other
SHIFT = float(np.exp(-0.5))  # an RBF kernel at the median distance
ROWS, COLUMNS = 8192, 65536  # of the similarities that torch holds at once: 2 GB in float32


def our_neighbors(X, precision):
    return neighbors(X, K, precision=precision)[0]


def torch_neighbors(X, precision):
    """Chunks of rows meet chunks of columns: a matrix product, its k best, then the k best of all chunks."""
    X = torch.nn.functional.normalize(X)
    operand = X.bfloat16() if precision == "bf16" else X
    found = []
    for rows in torch.arange(len(X), device=X.device).split(ROWS):
        values, indices = [], []
        for start in range(0, len(X), COLUMNS):
            S = operand[rows] @ operand[start : start + COLUMNS].T
            own = (rows >= start) & (rows < start + COLUMNS)
            S[own, rows[own] - start] = -2
            best = S.topk(min(K, S.shape[1]))
            values.append(best.values)
            indices.append(best.indices + start)
        chosen = torch.cat(values, 1).topk(K).indices
        found.append(torch.cat(indices, 1).gather(1, chosen))
    return torch.cat(found)


def mutual(search, X, Y, precision):
    in_x, in_y = search(X, precision), search(Y, precision)
    shared = [(a[:, :, None] == b[:, None, :]).sum() for a, b in zip(in_x.split(ROWS), in_y.split(ROWS), strict=True)]
    return float(sum(shared)) / (len(X) * K)


def our_cka(X, Y, precision):
    hsic = kernel_sums(X, Y, "rbf", precision=precision).hsic_unbiased
    return hsic.kl / np.sqrt(hsic.kk * hsic.ll)


def torch_cka(X, Y, precision):
    """Square blocks on and above the diagonal; sums along rows and columns of a block in float32, others in float64."""
    n, sets = len(X), []
    for A in (X, Y):
        A = (A - A.mean(0)) / median_distance(A)
        A = A.bfloat16() if precision == "bf16" else A
        sets.append((A, A.float().square().sum(1) / 2))
    products = torch.zeros(3, dtype=torch.float64, device=X.device)
    row_sums = torch.zeros(2, n, dtype=torch.float64, device=X.device)
    for i in range(0, n, ROWS):
        for j in range(i, n, ROWS):
            down, across = slice(i, i + ROWS), slice(j, j + ROWS)
            blocks = [(A[down] @ A[across].T, halves[down], halves[across]) for A, halves in sets]
            of_products, of_rows, of_columns = block_sums(*blocks[0], *blocks[1], i == j)
            products += of_products.double().sum(1) * (1 if i == j else 2)
            row_sums[:, down] += of_rows
            if i != j:
                row_sums[:, across] += of_columns
    kl, kk, ll = products.tolist()
    k, l = row_sums.cpu().numpy()
    return unbiased(n, kl, k, l) / np.sqrt(unbiased(n, kk, k, k) * unbiased(n, ll, l, l))


@torch.compile(dynamic=True)
def block_sums(P, P_down, P_across, Q, Q_down, Q_across, diagonal):
    """From products to kernels, less their value at the median distance, and to all sums: one kernel of its own."""
    K, L = (
        torch.exp(products.float() - down[:, None] - across) - SHIFT
        for products, down, across in ((P, P_down, P_across), (Q, Q_down, Q_across))
    )
    if diagonal:
        places = torch.arange(len(K), device=K.device)
        K, L = (torch.where(places[:, None] == places, 0, A) for A in (K, L))
    of_products = torch.stack([(A * B).sum(1) for A, B in ((K, L), (K, K), (L, L))])
    return of_products, torch.stack([K.sum(1), L.sum(1)]), torch.stack([K.sum(0), L.sum(0)])


def two_sets(n, device):
    """Two views of the same stimuli, half shared, half their own."""
    generator = torch.Generator(device).manual_seed(0)
    draw = [torch.randn(n, UNITS, device=device, generator=generator) for _ in range(3)]
    return draw[0] + draw[1], draw[0] + draw[2]


@contextmanager
def multiplying_in(precision):
    """torch's own switch between float32 and tf32."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def seconds(work, repeats, device):
    """What some runs took, after one that is not counted, and the last result."""
    times = []
    for _ in range(repeats + 1):
        synchronize(device)
        start = time.perf_counter()
        result = work()
        synchronize(device)
        times.append(time.perf_counter() - start)
    return times[1:], result


def synchronize(device):
    if device == "cuda":
        torch.cuda.synchronize()


def peak(precision, repeats, device, edge=8192):
    """GFLOP/s of one large matrix product."""
    if precision == "3xtf32":
        return peak("tf32", repeats, device, edge) / 3
    A = torch.randn(edge, edge, device=device).to(torch.bfloat16 if precision == "bf16" else torch.float32)
    with multiplying_in(precision):
        times, _ = seconds(lambda: A @ A.T, 10 * repeats, device)
    return 2 * edge**3 / 1e9 / statistics.median(times)


class Task(NamedTuple):
    title: str
    score: str
    best: str  # the precision that "auto" is on tensor cores
    operations: Callable  # of n
    ours: Callable
    in_torch: Callable


TASKS = {
    "neighbors": Task(
        f"mutual {K}-NN, two sets",
        "mutual k-NN",
        "bf16",
        lambda n: 2 * 2 * n * n * UNITS,
        partial(mutual, our_neighbors),
        partial(mutual, torch_neighbors),
    ),
    "kernel_sums": Task("debiased RBF CKA", "CKA", "3xtf32", lambda n: 2 * n * n * UNITS, our_cka, torch_cka),
}


def measure(task, sizes, repeats, peaks, device="cuda"):
    """The rows of a record: for each size ours in every precision, the default first, and torch in those it has."""
    ours = sorted(PRECISIONS, key=lambda precision: precision != task.best)
    entrants = [("consilience", precision, precision, task.ours) for precision in ours]
    entrants += [(f"torch in {precision}", "stock", precision, task.in_torch) for precision in IN_TORCH]
    rows = []
    for n in sizes:
        X, Y = two_sets(n, device)
        for contender, setting, precision, run in entrants:
            with multiplying_in(precision):
                times, score = seconds(partial(run, X, Y, precision), repeats, device)
            taken, gflop = statistics.median(times), task.operations(n) / 1e9
            print(f"{task.title}, n = {n:,}, {contender}, {precision}: {taken:.3f} s, {score:.6f}")
            rows.append(
                {
                    "n": n,
                    "contender": contender,
                    "setting": setting,
                    "threads": 1,
                    "repeats": repeats,
                    "extra_mb": None,
                    "gflop": gflop,
                    "share_of_peak": gflop / taken / peaks[precision],
                    "score": score,
                    "stopped": None,
                }
                | {
                    f"{clock}_seconds{end}": of(times)
                    for clock in ("cpu", "wall")
                    for end, of in (("", statistics.median), ("_min", min), ("_max", max))
                }
            )
    return rows


def device_facts():
    """What the records of all tasks share."""
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    driver = subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip()
    core = facts()
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": {"device": torch.cuda.get_device_name(), "driver": driver},
        "versions": {"consilience": core["consilience"], "torch": torch.__version__},
        "compilers": {"consilience": core["CUDA"], "torch": torch.version.cuda},
        "clock": "time on the wall clock",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("PyTorch finds no GPU here, so there is nothing to time. `make bench` times the CPU.")
    peaks = {precision: peak(precision, options.repeats, "cuda") for precision in PRECISIONS}
    for name, task in TASKS.items():
        record = {"task": task.title, "n_name": "stimuli", "score": task.score, "digits": 6, "peak_gflops": peaks}
        record |= device_facts() | {"options": {"units": UNITS, "k": K, "repeats": options.repeats}}
        keep(f"gpu-{name}", record | {"runs": measure(task, options.n, options.repeats, peaks)})


if __name__ == "__main__":
    main()
