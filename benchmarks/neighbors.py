"""How fast are exact neighbours? Mutual k-NN of two sets, beside the libraries that one would otherwise use.

    python benchmarks/neighbors.py --n 10000 --threads 1

Every measurement is a process of its own, and the contenders alternate, so that none profits from a quiet
minute or a warm cache. What is timed is the search in both sets, from float32 arrays to indices; imports and
data are not. CPU seconds count all threads and are what to compare on a busy machine. Memory is the peak
above the data, where Linux tells it. The table is also written, with the machine and the versions, to
`benchmarks/results/neighbors.json`.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import numpy as np

UNITS = 768
RESULTS = Path(__file__).parent / "results"


def consilience(X, k, threads):
    from consilience.core import neighbors

    return neighbors(X, k, threads=threads)[0]


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


CONTENDERS = {"consilience": consilience, "faiss-cpu": faiss, "scikit-learn": scikit_learn, "torch": torch}


def two_sets(n):
    """Two views of the same stimuli, half shared, half their own."""
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((n, UNITS), np.float32)
    return [shared + rng.standard_normal((n, UNITS), np.float32) for _ in range(2)]


def measure(name, n, k, threads):
    """One contender, once, in this process."""
    search = CONTENDERS[name]
    search(two_sets(200)[0], k, threads)  # what is loaded on first use is loaded
    sets = two_sets(n)
    before = memory_mb(reset=True)
    wall, cpu = time.perf_counter(), time.process_time()
    found = [search(X, k, threads) for X in sets]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    extra = memory_mb() - before
    shared = [len(set(a) & set(b)) for a, b in zip(*map(np.ndarray.tolist, found), strict=True)]
    return {"cpu_seconds": cpu, "wall_seconds": wall, "extra_mb": extra, "mutual_knn": float(np.mean(shared))
    / k}


def memory_mb(reset=False):
    """The highest resident memory so far, or since the last reset; NaN where the system does not tell."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        status = Path("/proc/self/status").read_text()
    except OSError:
        return float("nan")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def in_a_process(name, arguments):
    """The same, in a fresh process with its libraries held to the given number of threads."""
    limits = {f"{library}_NUM_THREADS": str(arguments.threads) for library in ("OMP", "OPENBLAS", "MKL")}
    command = [sys.executable, __file__, "--measure", name]
    for option in ("n", "k", "threads"):
        command += [f"--{option}", str(getattr(arguments, option))]
    done = subprocess.run(command, env=os.environ | limits, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def installed():
    """The contenders that are here, with their versions."""
    versions = {}
    for name in CONTENDERS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            print(f"{name} is not installed and sits out.")
    return versions


def machine():
    from consilience.core import facts

    cpu = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), cpu)
    return {"cpu": cpu, "processors": os.cpu_count(), "isa": facts()["road taken"]}


def show(results, n, k, threads, where):
    from rich.console import Console
    from rich.table import Table

    title = f"mutual {k}-NN, two sets of {n:,} x {UNITS} float32, threads: {threads}"
    table = Table(title=f"{title}\n{where['cpu']}, {where['isa']}")
    for column in ("", "CPU s", "wall s", "CPU, ours = 1", "extra MB", "mutual k-NN"):
        table.add_column(column, justify="left" if not column else "right")
    ours = results["consilience"]["cpu_seconds"]
    for name, r in results.items():
        cpu, wall = r["cpu_seconds"], r["wall_seconds"]
        memory, overlap = f"{r['extra_mb']:.0f}", f"{r['mutual_knn']:.5f}"
        table.add_row(name, f"{cpu:.2f}", f"{wall:.2f}", f"{cpu / ours:.1f}", memory, overlap)
    Console(width=110).print(table)


def main():
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--measure", choices=CONTENDERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    n, k, threads = arguments.n, arguments.k, arguments.threads
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, n, k, threads)))
        return
    versions = installed()
    runs = {name: [] for name in versions}
    for round_ in range(arguments.repeats):
        for name in versions:
            print(f"round {round_ + 1} of {arguments.repeats}: {name}", file=sys.stderr)
            runs[name].append(in_a_process(name, arguments))
    results = {
        name: {key: statistics.median(run[key] for run in of_one) for key in of_one[0]}
        for name, of_one in runs.items()
    }
    where = machine()
    show(results, n, k, threads, where)
    record = {"task": "mutual k-NN", "n": n, "units": UNITS, "k": k, "threads": threads}
    record |= {"repeats": arguments.repeats, "machine": where, "versions": versions, "medians": results}
    RESULTS.mkdir(exist_ok=True)
    unfinished = RESULTS / "neighbors.json.part"
    unfinished.write_text(json.dumps(record, indent=2) + "\n")
    unfinished.replace(RESULTS / "neighbors.json")


if __name__ == "__main__":
    main()
