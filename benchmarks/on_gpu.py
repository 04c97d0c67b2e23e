"""How fast on a GPU? Exact mutual k-NN and debiased RBF CKA in every precision, beside the best that torch does.

    python benchmarks/on_gpu.py                       n = 100,000 and 1,000,000, as long as that takes
    python benchmarks/on_gpu.py --n 20000 --repeats 5

Timed is the whole way from two float32 arrays on the device to the score. A precision's peak is measured too, as one
large matrix product in it: the table says what share of that was reached, counting the fewest multiplications that
the task needs (all pairs for neighbours, half of them for CKA). torch's neighbours are those of the precision that
it multiplies in; ours are the same, and exact, in every one. Written to `benchmarks/results/gpu-<device>.json`.
"""

import argparse
import statistics
import subprocess
import time
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from side_by_side import keep

UNITS, K = 768, 10
PRECISIONS = ("float32", "3xtf32", "tf32", "bf16")
IN_TORCH = ("float32", "tf32", "bf16")  # it has no other
SHIFT = float(np.exp(-0.5))  # an RBF kernel at the median distance
ROWS, COLUMNS = 8192, 65536  # of the similarities that torch holds at once: 2 GB in float32


def our_neighbors(X, precision):
    from consilience.core import neighbors

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
    from consilience.core import kernel_sums

    hsic = kernel_sums(X, Y, "rbf", precision=precision).hsic_unbiased
    return hsic.kl / np.sqrt(hsic.kk * hsic.ll)


def torch_cka(X, Y, precision):
    """Square blocks on and above the diagonal; sums along rows and columns of a block in float32, others in float64."""
    from consilience.core.kernel_sums import median_distance

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


def unbiased(n, products, k, l):
    """The U-statistic of Song et al. 2012, but for its factor."""
    return products + k.sum() * l.sum() / ((n - 1) * (n - 2)) - 2 * (k @ l) / (n - 2)


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
    """The median of some runs, after one that is not counted, and the last result."""
    times = []
    for _ in range(repeats + 1):
        synchronize(device)
        start = time.perf_counter()
        result = work()
        synchronize(device)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:]), result


def synchronize(device):
    if device == "cuda":
        torch.cuda.synchronize()


def peak(precision, repeats, device, edge=8192):
    """Multiplications and additions a second of one large matrix product."""
    if precision == "3xtf32":
        return peak("tf32", repeats, device, edge) / 3
    A = torch.randn(edge, edge, device=device).to(torch.bfloat16 if precision == "bf16" else torch.float32)
    with multiplying_in(precision):
        return 2 * edge**3 / seconds(lambda: A @ A.T, 10 * repeats, device)[0]


TASKS = {
    "mutual k-NN": (
        lambda n: 2 * 2 * n * n * UNITS,
        lambda *arguments: mutual(our_neighbors, *arguments),
        lambda *arguments: mutual(torch_neighbors, *arguments),
    ),
    "RBF CKA": (lambda n: 2 * n * n * UNITS, our_cka, torch_cka),
}


def measure(sizes, repeats, device="cuda"):
    """One row for each task, size, contender and precision."""
    peaks = {precision: peak(precision, repeats, device) for precision in PRECISIONS}
    rows = []
    for n in sizes:
        X, Y = two_sets(n, device)
        for task, (operations, ours, in_torch) in TASKS.items():
            for who, precisions, run in (("consilience", PRECISIONS, ours), ("torch", IN_TORCH, in_torch)):
                for precision in precisions:
                    with multiplying_in(precision):
                        taken, score = seconds(partial(run, X, Y, precision), repeats, device)
                    share = operations(n) / taken / peaks[precision]
                    rows.append(
                        dict(task=task, n=n, who=who, precision=precision, seconds=taken, score=score, share=share)
                    )
                    print(
                        "{task}, n = {n:,}, {who}, {precision}: {seconds:.3f} s, {share:.0%}, {score:.6f}".format(
                            **rows[-1]
                        )
                    )
    return {"peaks": peaks, "rows": rows}


def device_facts():
    from consilience.core import facts

    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    driver = subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip()
    return {
        "device": torch.cuda.get_device_name(),
        "driver": driver,
        "torch": torch.__version__,
        "torch's CUDA": torch.version.cuda,
        "core's CUDA": facts()["CUDA"],
        "date": time.strftime("%Y-%m-%d"),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("PyTorch finds no GPU here, so there is nothing to time. `make bench` times the CPU.")
    where = device_facts()
    name = where["device"].replace(" ", "-").lower()
    keep(f"gpu-{name}", {**where, "units": UNITS, "k": K, **measure(options.n, options.repeats)})


if __name__ == "__main__":
    main()
