"""How a benchmark here is run: contenders in processes of their own, alternating, medians, one table, one record.

A process each, so that none profits from a warm cache or another's threads; in turns, so that none has the quiet
minute to itself. Imports and data are not timed. CPU seconds count all threads and are what to compare on a busy
machine. The record goes to `benchmarks/results/`; README.md there says what is in it.
"""

import argparse
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from pathlib import Path

from limits import alone, machine, peaks, settings
from one_run import TIMED, measure, true_result

RESULTS = Path(__file__).parent / "results"
OURS = "consilience"


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
        From a name to a function. A name is that of a distribution; a comma, and what is particular, may follow.
    data : callable
        ``data(options)``, made before the clock starts. Whoever runs leaves it as it was.
    run : callable
        ``run(contender, data, options)``, timed.
    score : callable
        ``score(result, options) -> float``, by which one sees that all computed the same.
    score_name, digits
        How the score is shown.
    flops : callable, optional
        ``flops(options)``: the operations that the arithmetic needs, each pair counted once. Additions count too.
    truth : callable, optional
        ``truth(data, options)``: the result in float64, found once, untimed; None where that costs too much.
    error : callable, optional
        ``error(result, truth, options) -> float``: how far a result is from the truth. By default the distance of
        their scores.
    error_name, n_name : str
        What `error` is, and of what there are n.
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
    flops: Callable | None = None
    truth: Callable | None = None
    error: Callable | None = None
    error_name: str = "distance from float64"
    n_name: str = "stimuli"


def main(task, description):
    """The command line of a benchmark."""
    asked = arguments(task, description)
    options = {name: asked[name] for name in task.options}
    if asked["measure"]:
        single = {name: value[0] if isinstance(value, list) else value for name, value in options.items()}
        if asked["measure"] == "truth":
            Path(asked["truth"]).write_bytes(pickle.dumps(true_result(task, single)))
        else:
            print(json.dumps(measure(task, asked["measure"], single, asked["truth"])))
        return
    products, environments = settings()
    record = {
        "task": task.title.format(**options | {"n": Unsaid("n"), "threads": options["threads"][0]}),
        "n_name": task.n_name,
        "date": date.today().isoformat(),
        "machine": machine(),
        "load": os.getloadavg()[0],
        "peak_gflops": peaks(),
        "products": products,
        "best": environments.get("best", {}),
        "versions": installed(task.contenders),
        "options": {name: value for name, value in options.items() if name not in ("n", "threads")},
        "score": task.score_name,
        "digits": task.digits,
        "error": task.error_name,
        "runs": [],
    }
    for n in sorted(options["n"]):
        record["runs"] += at_one_size(task, options | {"n": n}, record, environments, asked["patience"])
        keep(Path(task.file).stem, record)
    show(record)


class Unsaid(str):
    """Stands in a title where a number would, whatever format that asks for."""

    def __format__(self, _):
        return str(self)


def arguments(task, description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in task.options.items():
        if name in ("n", "threads"):
            parser.add_argument(f"--{name}", type=int, nargs="+", default=[default])
        else:
            parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--patience", type=int, default=900, help="seconds after which a contender is stopped")
    parser.add_argument("--measure", choices=[*task.contenders, "truth"], help=argparse.SUPPRESS)
    parser.add_argument("--truth", help=argparse.SUPPRESS)
    return vars(parser.parse_args())


def at_one_size(task, options, record, environments, patience):
    """Every contender at one n, in turns: the rows of the record."""
    stopped = {(run["contender"], run["setting"]) for run in record["runs"] if run["stopped"]}
    entries = [entry for entry in entrants(task, options, record, environments) if (entry[0], entry[1]) not in stopped]
    turns = {entry[:3]: [] for entry in entries}
    with tempfile.TemporaryDirectory() as folder:
        truth = ["--truth", str(Path(folder) / "truth")] if task.truth else []
        if truth:
            in_a_process(task, "truth", options | {"threads": os.cpu_count()}, {}, truth, patience)
        for round_ in range(options["repeats"]):
            for name, setting, threads, environment in entries:
                done = turns[name, setting, threads]
                if not (done and done[-1]["stopped"]):
                    print(
                        f"n = {options['n']:,}, {round_ + 1} of {options['repeats']}: {name} {setting}", file=sys.stderr
                    )
                    here = options | {"threads": threads}
                    done.append(in_a_process(task, name, here, environment, truth, patience))
    gflop = task.flops(options | {"threads": 1}) / 1e9 if task.flops else None
    peak = max(record["peak_gflops"].values(), default=None)
    return [
        {"n": options["n"], "contender": name, "setting": setting, "threads": threads} | summary(done, gflop, peak)
        for (name, setting, threads), done in turns.items()
    ]


def entrants(task, options, record, environments):
    """Who runs at this n: (contender, setting, threads, environment).

    Ours with the widest instructions, the others as they come and, where that is faster, at their best. At the
    benchmark's own n also ours with narrower instructions, and on more threads.
    """
    from consilience.core import roads

    threads, *more = options["threads"]
    isas = roads.isas() or ["twin"]
    for name in record["versions"]:
        if name.partition(",")[0] != OURS:
            yield from ((name, setting, threads, environment) for setting, environment in environments.items())
            continue
        yield name, isas[0], threads, {}
        if name == OURS and options["n"] == task.options["n"]:
            yield from ((name, isa, threads, {"CONSILIENCE_CORE": isa}) for isa in isas[1:])
            yield from ((name, isas[0], many, {}) for many in more)


def in_a_process(task, name, options, environment, truth, patience):
    """One contender in a fresh process, its libraries held to the given number of threads; or why there is no time."""
    command = [sys.executable, task.file, "--measure", name, *truth]
    for option, value in options.items():
        command += [f"--{option}", str(value)]
    environment = alone(options["threads"]) | environment
    try:
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, text=True, timeout=patience, check=False
        )
    except subprocess.TimeoutExpired:
        return {"stopped": f"after {patience} s"}
    if done.returncode != 0:
        raise SystemExit(f"{name} failed, see above.")
    return json.loads(done.stdout) if done.stdout else {}


def summary(turns, gflop, peak):
    """Medians over the turns, their range, and what share of the machine's limit they come to."""
    if turns[-1]["stopped"]:
        return {"stopped": turns[-1]["stopped"]}
    median = {key: statistics.median(turn[key] for turn in turns) for key in turns[0] if turns[0][key] is not None}
    spread = {
        f"{key}_{name}": function(turn[key] for turn in turns)
        for key in TIMED
        for name, function in (("min", min), ("max", max))
    }
    share = gflop / (median["cpu_seconds"] * peak) if gflop and peak else None
    return median | spread | {"repeats": len(turns), "gflop": gflop, "share_of_peak": share, "stopped": None}


def installed(contenders):
    """The contenders that are here, with their versions."""
    versions = {}
    for name in contenders:
        try:
            versions[name] = metadata.version(name.partition(",")[0])
        except metadata.PackageNotFoundError:
            print(f"{name} is not installed and sits out.", file=sys.stderr)
    return versions


def show(record):
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{record['task']}\n{record['machine']['cpu']}, {record['peak_gflops']} GFLOP/s at most")
    columns = "n", "", "threads", "CPU s", "wall s", "ours = 1", "of the peak", "extra MB", record["score"], "error"
    for column in columns:
        table.add_column(column, justify="left" if not column else "right")
    finished = [run for run in reversed(record["runs"]) if run["contender"] == OURS and not run["stopped"]]
    ours = {run["n"]: run["cpu_seconds"] for run in finished}
    for run in record["runs"]:
        who = f"{run['n']:,}", f"{run['contender']} ({run['setting']})", str(run["threads"])
        if run["stopped"]:
            table.add_row(*who, run["stopped"])
            continue
        ratio = f"{run['cpu_seconds'] / ours[run['n']]:.2g}" if run["n"] in ours else ""
        share = "" if run["share_of_peak"] is None else f"{run['share_of_peak']:.0%}"
        error = f"{run['error']:.1e}" if "error" in run else ""
        seconds = f"{run['cpu_seconds']:.3g}", f"{run['wall_seconds']:.3g}"
        score = f"{run['score']:.{record['digits']}f}"
        table.add_row(*who, *seconds, ratio, share, f"{run['extra_mb']:.0f}", score, error)
    Console(width=150).print(table)


def keep(name, record):
    """Write the record, whole or not at all."""
    RESULTS.mkdir(exist_ok=True)
    unfinished = RESULTS / f"{name}.json.part"
    unfinished.write_text(json.dumps(record, indent=1) + "\n")
    unfinished.replace(RESULTS / f"{name}.json")
