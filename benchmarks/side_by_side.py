"""How a benchmark here is run: contenders in processes of their own, alternating, medians, one table, one record.

A process each, so that none profits from a warm cache or another's threads; in turns, so that none has the quiet
minute to itself. Imports and data are not timed. CPU seconds count all threads and are what to compare on a busy
machine. Memory is the peak above the data, where Linux tells it. The table is also written, with the machine and
the versions, to `benchmarks/results/`.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Task:
    """What is timed, and by whom.

    Attributes
    ----------
    file : str
        The benchmark's own `__file__`.
    title : str
        With the options in braces.
    options : dict
        Names and their defaults, all whole numbers; among them `n`, `threads` and `repeats`.
    contenders : dict
        From the name of a distribution to a function.
    data : callable
        ``data(options)``, made before the clock starts.
    run : callable
        ``run(contender, data, options)``, timed.
    score : callable
        ``score(result, options) -> float``, by which one sees that all computed the same.
    score_name, digits
        How the score is shown.
    """

    file: str
    title: str
    options: dict
    contenders: dict
    data: Callable
    run: Callable
    score: Callable
    score_name: str
    digits: int


def main(task, description):
    """The command line of a benchmark."""
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=description, formatter_class=as_written)
    for name, default in task.options.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--measure", choices=task.contenders, help=argparse.SUPPRESS)
    options = vars(parser.parse_args())
    one = options.pop("measure")
    if one:
        print(json.dumps(measure(task, one, options)))
        return
    versions = installed(task.contenders)
    runs = {name: [] for name in versions}
    for round_ in range(options["repeats"]):
        for name in versions:
            print(f"round {round_ + 1} of {options['repeats']}: {name}", file=sys.stderr)
            runs[name].append(in_a_process(task, name, options))
    medians = {
        name: {key: statistics.median(run[key] for run in of_one) for key in of_one[0]} for name, of_one in runs.items()
    }
    title, where = task.title.format(**options), machine()
    show(task, title, medians, where)
    keep(Path(task.file).stem, {"task": title, **options, "machine": where, "versions": versions, "medians": medians})


def measure(task, name, options):
    """One contender, once, in this process."""
    contender = task.contenders[name]
    small = options | {"n": 200}
    task.run(contender, task.data(small), small)  # what is loaded on first use is loaded
    data = task.data(options)
    before = memory_mb(reset=True)
    wall, cpu = time.perf_counter(), time.process_time()
    result = task.run(contender, data, options)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    extra = memory_mb() - before
    score = task.score(result, options)
    return {"cpu_seconds": cpu, "wall_seconds": wall, "extra_mb": extra, task.score_name: score}


def memory_mb(reset=False):
    """The highest resident memory so far, or since the last reset; NaN where the system does not tell."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        status = Path("/proc/self/status").read_text()
    except OSError:
        return float("nan")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def in_a_process(task, name, options):
    """The same, in a fresh process with its libraries held to the given number of threads."""
    limits = {f"{library}_NUM_THREADS": str(options["threads"]) for library in ("OMP", "OPENBLAS", "MKL")}
    command = [sys.executable, task.file, "--measure", name]
    for option, value in options.items():
        command += [f"--{option}", str(value)]
    done = subprocess.run(command, env=os.environ | limits, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def installed(contenders):
    """The contenders that are here, with their versions."""
    versions = {}
    for name in contenders:
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


def show(task, title, medians, where):
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{title}\n{where['cpu']}, {where['isa']}")
    for column in ("", "CPU s", "wall s", "CPU, ours = 1", "extra MB", task.score_name):
        table.add_column(column, justify="left" if not column else "right")
    ours = medians["consilience"]["cpu_seconds"]
    for name, r in medians.items():
        cpu, wall = r["cpu_seconds"], r["wall_seconds"]
        memory, score = f"{r['extra_mb']:.0f}", f"{r[task.score_name]:.{task.digits}f}"
        table.add_row(name, f"{cpu:.2f}", f"{wall:.2f}", f"{cpu / ours:.1f}", memory, score)
    Console(width=110).print(table)


def keep(name, record):
    RESULTS.mkdir(exist_ok=True)
    unfinished = RESULTS / f"{name}.json.part"
    unfinished.write_text(json.dumps(record, indent=2) + "\n")
    unfinished.replace(RESULTS / f"{name}.json")
