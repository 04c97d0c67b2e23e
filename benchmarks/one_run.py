"""One contender in this process: how long, how much memory, and how far from the truth."""

import pickle
import resource
import statistics
import time
from pathlib import Path

TIMED = "cpu_seconds", "wall_seconds"
ENOUGH = 0.3  # seconds: what is quicker is run again until so much has passed, and the median counts,
MOST = 100  # but not more often
NO_MEMORY = "out of memory"


def measure(task, name, options, truth=None):
    """CPU and wall seconds, megabytes, score and error of one contender; or that it was stopped."""
    hold_memory()
    try:
        return timed(task, task.contenders[name], options, truth)
    except MemoryError:
        return {"stopped": NO_MEMORY}
    except RuntimeError as error:
        if "allocat" in str(error):  # as torch and faiss say it
            return {"stopped": NO_MEMORY}
        raise


def timed(task, contender, options, truth):
    small = options | {"n": 200}
    task.run(contender, task.data(small), small)  # what is loaded on first use is loaded
    data = task.data(options)
    before, extra, seconds, start = memory_mb(reset=True), None, [], time.perf_counter()
    while not seconds or (time.perf_counter() - start < ENOUGH and len(seconds) < MOST):
        cpu, wall = time.process_time(), time.perf_counter()
        result = task.run(contender, data, options)
        seconds.append((time.process_time() - cpu, time.perf_counter() - wall))
        if before and extra is None:
            extra = memory_mb() - before
    times = dict(zip(TIMED, map(statistics.median, zip(*seconds, strict=True)), strict=True))
    return times | {"extra_mb": extra, "stopped": None} | agreement(task, result, options, truth)


def agreement(task, result, options, truth):
    """The score, and how far the result is from the true one, where that is known."""
    score = {"score": task.score(result, options)}
    true = pickle.loads(Path(truth).read_bytes()) if truth and Path(truth).exists() else None
    if true is None:
        return score
    if task.error:
        return score | {"error": float(task.error(result, true, options))}
    return score | {"error": abs(score["score"] - task.score(true, options))}


def true_result(task, options):
    """The result in float64, or None."""
    return task.truth(task.data(options), options)


def hold_memory():
    """Whoever asks for more memory than there is gets an error here, and the machine goes on."""
    try:
        facts = Path("/proc/meminfo").read_text()
    except OSError:
        return
    free = int(facts.split("MemAvailable:")[1].split()[0]) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (int(0.9 * free), resource.RLIM_INFINITY))


def memory_mb(reset=False):
    """The highest resident memory so far, or since the last reset; None where the system does not tell."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
